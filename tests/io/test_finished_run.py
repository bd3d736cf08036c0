"""A run's folder is read back as it was written, and refused where its files do not fit."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deqsci.errors import InputFileError
from deqsci.io import save_snapshots
from deqsci.io.finished_run import FinishedRun, find_runs
from tests.io.files import write_npz
from tests.runs import FRAMES, make_scene, write_run


def change(folder: Path, **changes: Any) -> None:
    file = folder / "run.json"
    content = json.loads(file.read_text(encoding="utf-8")) | changes
    file.write_text(json.dumps(content), encoding="utf-8")


def test_a_run_comes_back_as_it_was_written(tmp_path: Path) -> None:
    run = FinishedRun.load(write_run(tmp_path / "out"))
    scene = make_scene()
    assert run.summary["method"] == "de-gap-cnn"
    np.testing.assert_array_equal(run.scene.snapshots, scene.snapshots)
    np.testing.assert_array_equal(run.scene.masks, scene.masks)
    np.testing.assert_array_equal(run.scene.truth, scene.truth)
    assert run.video.shape == (2 * FRAMES, *scene.masks.shape[1:])
    assert run.residuals == ([0.5, 0.01, 1e-4], [0.5, 0.01, 1e-3])


def test_its_snapshots_are_intensities_whatever_they_look_like(tmp_path: Path) -> None:
    """A run of counts at --full-scale 1: a truth that disagrees is no reason to divide by 255."""
    folder, scene = write_run(tmp_path / "out"), make_scene()
    bright = 300 * scene.snapshots
    save_snapshots(folder / "snapshot.npz", bright, scene.masks, scene.truth)
    np.testing.assert_array_equal(FinishedRun.load(folder).scene.snapshots, bright)


@pytest.mark.parametrize("name", ["snapshot", "masks", "truth"])
def test_arrays_that_no_run_wrote_are_refused(name: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out")
    with np.load(folder / "snapshot.npz") as file:
        arrays = dict(file)
    for other in (arrays[name][:, :-1], np.float32(1)):
        write_npz(folder / "snapshot.npz", **{**arrays, name: other})
        with pytest.raises(InputFileError, match="not what a run writes; reconstruct it again"):
            FinishedRun.load(folder)


def test_iterations_that_were_left_out_are_gaps(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out", 1)
    rows = "snapshot,iteration,residual\n0,1,0.5\n0,3,inf\n"
    (folder / "residuals.csv").write_text(rows, encoding="utf-8")
    (series,) = FinishedRun.load(folder).residuals
    assert (series[0], series[2]) == (0.5, math.inf)
    assert math.isnan(series[1])


def test_runs_are_found_in_a_folder_of_them(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "run2", 1), write_run(tmp_path / "run10", 1)
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "run.json").write_text('{"format": "other"}', encoding="utf-8")
    assert find_runs(tmp_path) == [first, second]
    assert find_runs(first) == [first]
    for nothing, words in (
        (tmp_path / "trained", r"holds no run\.json"),
        (tmp_path / "no", "is no folder"),
    ):
        with pytest.raises(InputFileError, match=words):
            find_runs(nothing)


@pytest.mark.parametrize("name", ["snapshot.npz", "video.npz", "residuals.csv"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out", 1)
    (folder / name).unlink()
    with pytest.raises(InputFileError, match=f"a run without {name}; reconstruct it again"):
        FinishedRun.load(folder)


def test_files_of_two_runs_are_refused(tmp_path: Path) -> None:
    folder, other = write_run(tmp_path / "a", 1), write_run(tmp_path / "b", 2)
    (folder / "video.npz").write_bytes((other / "video.npz").read_bytes())
    with pytest.raises(InputFileError, match=r"holds 8×24×32 .* wants 4×24×32"):
        FinishedRun.load(folder)


@pytest.mark.parametrize("rows", ["a,b\n1,2\n", "snapshot,iteration,residual\n7,1,0.5\n", "\0"])
def test_a_table_of_something_else_is_refused(rows: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out", 1)
    (folder / "residuals.csv").write_text(rows, encoding="utf-8")
    if rows == "\0":
        (folder / "residuals.csv").write_bytes(b"snapshot,iteration,residual\n\xff,1,1\n")
    with pytest.raises(InputFileError, match="no table of residuals"):
        FinishedRun.load(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("input", 3), ("tolerance", "small"), ("tolerance", math.nan), ("snapshots", {})],
)
def test_a_summary_of_other_types_is_refused(key: str, value: object, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out", 1)
    change(folder, **{key: value})
    with pytest.raises(InputFileError, match=f"{key!r} is .*; wanted"):
        FinishedRun.load(folder)


@pytest.mark.parametrize("key", ["status", "converged", "psnr", "seconds"])
def test_a_record_of_other_types_is_refused(key: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out", 1)
    record = FinishedRun.load(folder).summary["snapshots"][0]
    change(folder, snapshots=[record | {key: []}])
    with pytest.raises(InputFileError, match=rf"snapshot 0: {key!r} is \[\]; wanted"):
        FinishedRun.load(folder)
    del record[key]
    change(folder, snapshots=[record])
    with pytest.raises(InputFileError, match=f"snapshot 0: no {key!r}"):
        FinishedRun.load(folder)
    change(folder, snapshots=[17])
    with pytest.raises(InputFileError, match="int; wanted an object"):
        FinishedRun.load(folder)
