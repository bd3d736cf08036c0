"""The plan of a benchmark, and a run in which something fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deqsci.errors import InputFileError
from deqsci.evaluation import benchmark
from deqsci.evaluation.benchmark import FORMAT, Task, find_video, pending, plan, run
from deqsci.evaluation.cell_file import Cell
from deqsci.evaluation.results import Results
from deqsci.evaluation.sweeps import Sweep
from deqsci.evaluation.worker import Setup
from deqsci.io import SnapshotFile
from tests.cli.support import FRAMES, moving_video, write_scene

SETUPS = [Setup("gap-tv"), Setup("pnp-ffdnet")]
SCENES = [Path("kobe.mat"), Path("mine.npz")]


class Told:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}

    def begin(self, task: Task) -> None:
        pass

    def step(self, done: int, of: int) -> None:
        pass

    def end(self, task: Task, cell: Cell) -> None:
        self.cells[str(task)] = cell


def results(folder: Path) -> Results:
    return Results(folder / "results.json", FORMAT, {}, {}, {})


def test_the_table_is_measured_scene_by_scene_before_the_sweeps() -> None:
    tasks = plan(SCENES, SETUPS, [Sweep("noise", (0.0, 0.1)), Sweep("max-iter", (5,))])
    assert [str(task) for task in tasks[:5]] == [
        "gap-tv on kobe.mat",
        "pnp-ffdnet on kobe.mat",
        "gap-tv on mine.npz",
        "pnp-ffdnet on mine.npz",
        "gap-tv on kobe.mat, noise 0",
    ]
    assert len(tasks) == 4 + 8 + 2  # pnp-ffdnet has no limit of evaluations to sweep
    assert len({tuple(task.key.items()) for task in tasks}) == len(tasks)


def test_sweeps_leave_out_methods_that_cannot_follow() -> None:
    setups = [Setup("gap-tv"), Setup("u-net")]
    sweeps = [Sweep("frames", (4, 8)), Sweep("max-iter", (5,)), Sweep("noise", (0.1,))]
    _, _, *swept = plan([Path("a.mat")], setups, sweeps)
    assert [(task.method, task.sweep, task.value) for task in swept] == [
        ("gap-tv", "frames", 4),
        ("gap-tv", "frames", 8),
        ("u-net", "frames", 8),
        ("gap-tv", "max-iter", 5),
        ("gap-tv", "noise", 0.1),
        ("u-net", "noise", 0.1),
    ]


def test_foreign_results_are_found_by_the_scenes_names(tmp_path: Path) -> None:
    for name in ("Kobe.gif", "mine.txt", "other.mat"):
        (tmp_path / name).touch()
    assert find_video(tmp_path, Path("kobe32_cacti.mat")) == tmp_path / "Kobe.gif"
    assert find_video(tmp_path, Path("mine.npz")) is None
    (task,) = plan(SCENES, [], foreign={"theirs": tmp_path})
    assert (task.method, task.scene, task.video) == ("theirs", SCENES[0], tmp_path / "Kobe.gif")
    with pytest.raises(InputFileError, match=r"no result of these scenes; .* mine\.npz"):
        plan(SCENES[1:], [], foreign={"theirs": tmp_path})
    (tmp_path / "kobe.npz").touch()
    with pytest.raises(InputFileError, match=r"for kobe\.mat; wanted one"):
        find_video(tmp_path, SCENES[0])
    with pytest.raises(InputFileError, match="is no folder"):
        find_video(tmp_path / "absent", SCENES[0])


def test_one_failure_is_one_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.mat").write_bytes(b"nothing of the kind")
    scenes = [tmp_path / "broken.mat", write_scene(tmp_path / "good.npz")]

    def measured(setup: Setup, scene: SnapshotFile, **_: Any) -> dict[str, Any]:
        if setup.method == "admm-tv":
            raise MemoryError("no room")
        return {"psnr": 30.0}

    monkeypatch.setattr(benchmark, "measure", measured)
    tasks = plan(scenes, [Setup("gap-tv"), Setup("admm-tv")])
    told, written = Told(), []
    store = results(tmp_path)
    run(tasks, store, told, written=lambda: written.append(1))
    errors = {task: cell["error"] for task, cell in told.cells.items()}
    assert "is not a MATLAB file" in errors["gap-tv on broken.mat"]
    assert errors["admm-tv on good.npz"] == "MemoryError: no room"
    assert errors["gap-tv on good.npz"] is None
    assert len(written) == 4
    # The second run tries again what failed, and nothing else.
    assert [str(task) for task in pending(tasks, results(tmp_path))] == [
        "gap-tv on broken.mat",
        "admm-tv on broken.mat",
        "admm-tv on good.npz",
    ]


def test_a_foreign_video_is_that_of_the_snapshots_or_of_the_whole_scene(tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.npz", snapshots=2)
    video = moving_video(2 * FRAMES)
    for length in (FRAMES, 2 * FRAMES, 3):
        path = tmp_path / f"{length}.npz"
        np.savez(path, video=video[:length] + 0.1)
        told = Told()
        task = Task(str(length), scene, video=path)
        run([task], results(tmp_path), told, max_snapshots=1, written=lambda: None)
        (cell,) = told.cells.values()
        if length == 3:
            assert "the scene 4×32×48" in cell["error"]
        else:
            assert cell["psnr"] == pytest.approx(20.0, abs=0.5)
            assert len(cell["snapshots"]) == 1
