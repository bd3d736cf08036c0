"""Cells are kept as long as what they depend on is the same, and never mixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deqsci.errors import OutputError
from deqsci.evaluation.results import Results

KEY = {"method": "a", "scene": "x.mat"}
OTHER = {"method": "a", "scene": "y.mat"}


def results(path: Path, *, threads: int = 1, **scenes: str) -> Results:
    """Results that depend on a number of threads and on the digests of scenes."""
    facts = {f"{name}.mat": {"sha256": digest} for name, digest in scenes.items()}
    return Results(path, "test 1", {"threads": threads}, {"scene": facts}, {"command": "c"})


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_cell_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.json"
    first = results(path, x="1", y="2")
    assert first.find(KEY) is None
    first.put(KEY, {"error": None, "psnr": 30.5})
    again = results(path, x="1", y="2")
    assert again.find(KEY) == {**KEY, "error": None, "psnr": 30.5}
    assert again.find(OTHER) is None
    assert [p.name for p in path.parent.iterdir()] == ["results.json"]


def test_a_second_put_replaces_the_first(tmp_path: Path) -> None:
    store = results(tmp_path / "r.json", x="1")
    for psnr in (1.0, 2.0):
        store.put(KEY, {"error": None, "psnr": psnr})
    assert [cell["psnr"] for cell in document(tmp_path / "r.json")["cells"]] == [2.0]


def test_a_failed_cell_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    results(path, x="1").put(KEY, {"error": "no"})
    assert document(path)["cells"] == [{**KEY, "error": "no"}]
    assert results(path, x="another, and nothing was measured with the first").find(KEY) is None


def test_a_failed_cell_is_told_while_others_are_measured(tmp_path: Path) -> None:
    path, other = tmp_path / "r.json", {**KEY, "method": "b"}
    results(path, x="1", y="2").put(KEY, {"error": "no"})
    results(path, x="1").put(other, {"error": None})
    assert document(path)["cells"] == [{**KEY, "error": "no"}, {**other, "error": None}]
    results(path, x="1").put(KEY, {"error": None})
    assert document(path)["cells"] == [{**other, "error": None}, {**KEY, "error": None}]


def test_a_failed_cell_goes_with_its_scene(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    results(path, x="1", y="2").put(KEY, {"error": "no"})
    assert results(path, y="2").cells == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": "1", "threads": 2}, "threads 1, now 2"),
        ({"x": "changed"}, r"scene x\.mat: sha256 1, now changed"),
    ],
)
def test_cells_of_other_settings_are_not_mixed(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    results(path, x="1").put(KEY, {"error": None})
    before = path.read_bytes()
    with pytest.raises(OutputError, match=words):
        results(path, **changes)
    assert path.read_bytes() == before


def test_what_no_cell_was_measured_with_may_change(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    results(path, x="1", y="2").put(KEY, {"error": None})
    results(path, x="1", y="3").put(OTHER, {"error": None})
    assert document(path)["scenes"] == {"x.mat": {"sha256": "1"}, "y.mat": {"sha256": "3"}}


def test_inputs_of_kept_cells_stay_when_others_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    results(path, x="1").put(KEY, {"error": None})
    results(path, y="2").put(OTHER, {"error": None})
    assert list(document(path)["scenes"]) == ["x.mat", "y.mat"]
    assert len(document(path)["cells"]) == 2


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "another"}'])
def test_another_file_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(OutputError, match=r"r\.json"):
        results(path)
    assert path.read_text() == text
