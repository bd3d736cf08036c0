"""A file is replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from deqsci.errors import OutputError
from deqsci.io.atomic import atomic_path


def test_the_file_appears_when_the_block_has_ended(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert temporary.suffix == ".txt"
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]
    (tmp_path / "plain").touch()  # the rights of any new file
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode


def write_half(target: Path, interruption: type[BaseException]) -> None:
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        raise interruption


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError])
def test_an_interrupted_write_changes_nothing(
    interruption: type[BaseException], tmp_path: Path
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(interruption):
        write_half(target, interruption)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"writing .*a\.txt failed: no space left"),
        atomic_path(tmp_path / "a.txt"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
