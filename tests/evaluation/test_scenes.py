"""Scenes stand in the field's order under the field's names."""

from __future__ import annotations

from pathlib import Path

import pytest

from deqsci.evaluation.scenes import first, in_order, standard_name, titles
from tests.evaluation.support import scene


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("traffic48_cacti.mat", "traffic"),
        ("Kobe.npz", "kobe"),
        ("vehicle32.mat", "crash"),
        ("drop-8.mat", "drop"),
        ("trafficlight.npz", None),
        ("8drop.mat", None),
    ],
)
def test_standard_scenes_are_known_by_their_first_word(file: str, name: str | None) -> None:
    assert standard_name(Path(file)) == name


def test_the_standard_scenes_come_first_and_in_their_order() -> None:
    files = ["z2.npz", "aerial.mat", "crash32.mat", "a10.npz", "a9.npz", "kobe.mat", "drop.mat"]
    ordered = [path.name for path in in_order(map(Path, files))]
    assert ordered == [
        "kobe.mat", "drop.mat", "crash32.mat", "aerial.mat", "a9.npz", "a10.npz", "z2.npz",
    ]  # fmt: skip


def test_titles_tell_files_apart() -> None:
    assert titles(["drop40.mat", "mine.npz"]) == {"drop40.mat": "Drop", "mine.npz": "mine"}
    assert titles(["drop8.mat", "drop40.mat"]) == {"drop8.mat": "drop8", "drop40.mat": "drop40"}
    assert titles(["a.npz", "a.mat"]) == {"a.npz": "a.npz", "a.mat": "a.mat"}


def test_the_first_snapshots_keep_their_frames(tmp_path: Path) -> None:
    whole = scene(tmp_path, snapshots=3)
    part = first(whole, 2)
    assert part.truth is not None
    assert (len(part.snapshots), len(part.truth)) == (2, 8)
    assert first(whole, 3) is whole
    assert first(whole, None) is whole
