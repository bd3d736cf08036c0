"""A run's folder is whole or not there, and never somebody else's."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from deqsci.errors import OutputError
from deqsci.io import RunFolder
from deqsci.io.jsonable import jsonable

VIDEO = np.linspace(-0.1, 1.1, 4 * 20 * 22, dtype=np.float32).reshape(4, 20, 22)
EVERYTHING = {
    "figure.png",
    "preview.gif",
    "residuals.csv",
    "run.json",
    "video.mp4",
    "video.npz",
}


def write_run(path: Path, **summary: object) -> None:
    with RunFolder.create(path) as run:
        with run.video_parts(VIDEO.shape) as write:
            write(VIDEO)
        run.write_movie(VIDEO, fps=10)
        run.write_preview(VIDEO, fps=10)
        run.figure.write_bytes(b"a picture")
        run.write_residuals([np.array([1.0, 0.1, 0.01]), np.array([1.0, 0.001, np.nan, np.nan])])
        run.write_summary(summary)


def write_run_until(interruption: type[BaseException], path: Path) -> None:
    with RunFolder.create(path) as run:
        with run.video_parts(VIDEO.shape) as write:
            write(0 * VIDEO)
        run.write_summary({"seed": 2})
        raise interruption


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()}


def test_a_run_leaves_exactly_its_files(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    write_run(out, method="gap-tv", psnr=float("nan"))
    assert names(out) == EVERYTHING
    assert names(out.parent) == {"out"}
    summary = json.loads((out / "run.json").read_text())
    assert summary == {
        "format": "deqsci run 1",
        "method": "gap-tv",
        "psnr": None,
        "files": sorted(EVERYTHING),
    }
    with np.load(out / "video.npz") as file:
        assert file["video"].dtype == np.float32
        np.testing.assert_array_equal(file["video"], np.clip(VIDEO, 0, 1))
    with av.open(str(out / "video.mp4")) as movie:
        assert sum(1 for _ in movie.decode(video=0)) == 4


def test_residuals_end_where_the_solve_ended(tmp_path: Path) -> None:
    write_run(tmp_path / "out")
    with (tmp_path / "out" / "residuals.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["snapshot", "iteration", "residual"]
    assert [(int(s), int(i), float(r)) for s, i, r in rows[1:]] == [
        (0, 1, 1.0),
        (0, 2, 0.1),
        (0, 3, 0.01),
        (1, 1, 1.0),
        (1, 2, 0.001),
    ]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_nothing_stays_of_an_interrupted_run(
    interruption: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(interruption):
        write_run_until(interruption, tmp_path / "out")
    assert names(tmp_path) == set()


def test_an_interrupted_run_leaves_the_previous_one_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_run(out, seed=1)
    before = {name: (out / name).read_bytes() for name in names(out)}
    with pytest.raises(KeyboardInterrupt):
        write_run_until(KeyboardInterrupt, out)
    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_a_new_run_replaces_all_files_of_the_previous_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_run(out, seed=1)
    with RunFolder.create(out) as run:
        run.write_residuals([[0.5]])
        run.write_summary({"seed": 2})
    assert names(out) == {"residuals.csv", "run.json"}
    assert json.loads((out / "run.json").read_text())["seed"] == 2


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    out = tmp_path / "out"
    killed = RunFolder.create(out)
    killed.write_residuals([[0.5]])
    killed.write_summary({})
    (killed.staging / "residuals.csv").rename(out / "residuals.csv")  # killed while moving
    write_run(out)
    assert names(out) == EVERYTHING


def test_an_empty_folder_and_hidden_files_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").touch()
    write_run(tmp_path)
    assert names(tmp_path) == EVERYTHING | {".DS_Store"}


@pytest.mark.parametrize("content", ["{}", '{"format": "other"}', "no json", "[]"])
def test_a_folder_of_somebody_else_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(OutputError, match=r"holds run\.json, not a run of deqsci"):
        RunFolder.create(tmp_path)
    assert names(tmp_path) == {"run.json"}


def test_files_added_to_a_run_are_not_lost(tmp_path: Path) -> None:
    write_run(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("good mask")
    with pytest.raises(OutputError, match=r"holds notes\.txt beside a run"):
        RunFolder.create(tmp_path / "out")


def test_a_summary_cannot_name_files_outside(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    out = tmp_path / "out"
    out.mkdir()
    content = {"format": "deqsci run 1", "files": ["../precious", "run.json"]}
    (out / "run.json").write_text(json.dumps(content))
    write_run(out)
    assert (tmp_path / "precious").exists()


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="is a file; wanted an output folder"):
        RunFolder.create(tmp_path / "out")
    with pytest.raises(OutputError, match="cannot be written"):
        RunFolder.create(tmp_path / "out" / "deeper")


def test_a_run_without_summary_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="without its summary"), RunFolder.create(tmp_path / "a"):
        pass
    assert names(tmp_path) == set()


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: float
    path: Path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.int64(3), 3),
        (torch.tensor([1.0, float("nan")]), [1.0, None]),
        (np.array([[1, 2]]), [[1, 2]]),
        (Colour.RED, "red"),
        (Point(float("inf"), Path("a")), {"x": None, "path": "a"}),
        ({1: (None, "a", {2})}, {"1": [None, "a", [2]]}),
    ],
)
def test_values_take_their_json_form(value: object, expected: object) -> None:
    result = jsonable(value)
    assert result == expected
    assert type(result) is type(expected)
    json.dumps(result, allow_nan=False)


def test_what_has_no_json_form_is_a_fault() -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        jsonable(object())
