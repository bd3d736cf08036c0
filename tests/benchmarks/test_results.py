"""A stopped measurement goes on, and never mixes what does not compare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.claims.results import Results

HEADER = {"claim": "test", "settings": {"size": 1}, "environment": {"threads": 1}}


@pytest.fixture
def weights(tmp_path: Path) -> dict[str, Path]:
    files = {name: tmp_path / name for name in ("a", "b")}
    for file in files.values():
        file.write_text("first")
    return files


def never() -> dict[str, float]:
    raise AssertionError("measured again")


def test_a_finished_cell_is_not_measured_again(tmp_path: Path, weights: dict[str, Path]) -> None:
    file = tmp_path / "results.json"
    Results(file, HEADER, weights).fill({"model": "a", "scene": 1}, lambda: {"value": 2.0})
    again = Results(file, HEADER, weights)
    assert again.fill({"model": "a", "scene": 1}, never)["value"] == 2.0
    again.fill({"model": "a", "scene": 2}, lambda: {"value": 3.0})
    assert [cell["value"] for cell in json.loads(file.read_text())["cells"]] == [2.0, 3.0]


def test_a_failed_measurement_leaves_the_file(tmp_path: Path, weights: dict[str, Path]) -> None:
    file = tmp_path / "results.json"
    results = Results(file, HEADER, weights)
    results.fill({"model": "a"}, lambda: {"value": 2.0})
    before = file.read_bytes()
    with pytest.raises(AssertionError):
        results.fill({"model": "b"}, never)
    assert file.read_bytes() == before


def test_new_weights_drop_the_cells_of_their_model(
    tmp_path: Path, weights: dict[str, Path]
) -> None:
    file = tmp_path / "results.json"
    results = Results(file, HEADER, weights)
    for model in weights:
        results.fill({"model": model}, lambda: {"value": 2.0})
    weights["a"].write_text("second")
    cells = Results(file, HEADER, {"a": weights["a"]}).document["cells"]
    assert [cell["model"] for cell in cells] == ["b"]


@pytest.mark.parametrize("changed", ["settings", "environment"])
def test_other_circumstances_start_over(
    changed: str, tmp_path: Path, weights: dict[str, Path]
) -> None:
    file = tmp_path / "results.json"
    Results(file, HEADER, weights).fill({"model": "a"}, lambda: {"value": 2.0})
    assert Results(file, {**HEADER, changed: {}}, weights).document["cells"] == []
