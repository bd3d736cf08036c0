"""A method in a process of its own does what it does here, and its death is told."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from deqsci.evaluation.worker import Setup, Worker, WorkerError
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.total_variation import GapTV
from deqsci.reconstruction.zoo import METHODS, new_map
from deqsci.training.checkpoint import save_weights
from tests.evaluation.support import NAN, scene

pytestmark = pytest.mark.usefixtures("quick_processes")
QUICK = Setup("gap-tv", max_iter=3)


def test_the_video_is_that_of_the_method(tmp_path: Path) -> None:
    given = scene(tmp_path)
    with Worker(QUICK, given.masks) as worker:
        solved = worker.solve(0, given.snapshots[0])
    physics = SnapshotPhysics(torch.from_numpy(given.masks))
    there = GapTV(3).reconstruct(torch.from_numpy(given.snapshots), physics).video[0].clamp(0, 1)
    np.testing.assert_allclose(solved.video, there.numpy(), atol=1e-6)
    assert (solved.record.snapshot, solved.record.evaluations) == (0, 3)
    assert solved.record.seconds > 0


@pytest.mark.skipif(sys.platform != "linux", reason="the resident size now is known on Linux only")
def test_memory_does_not_grow_with_the_snapshots(tmp_path: Path) -> None:
    given = scene(tmp_path)
    with Worker(QUICK, given.masks) as worker:
        peaks = [worker.solve(i, given.snapshots[0]).peak or 0 for i in range(200)]
        solved = worker.solve(200, given.snapshots[0])
    assert solved.before is not None
    assert peaks[0] > solved.before > 0
    assert peaks[-1] - peaks[20] < 4e6  # a video kept for each would be 180 × 24,576 bytes


def test_what_the_method_says_is_passed_on(tmp_path: Path) -> None:
    given = scene(tmp_path)
    with Worker(QUICK, given.masks) as worker, pytest.raises(WorkerError, match="NaN or infinite"):
        worker.solve(0, NAN)
    broken = Setup("de-gap-cnn", weights=tmp_path / "absent.pth")
    with Worker(broken, given.masks) as worker:
        worker._process.join()  # it has failed before anything was asked of it
        with pytest.raises(WorkerError, match=r"absent\.pth"):
            worker.solve(0, given.snapshots[0])


def test_the_noise_it_is_told_reaches_the_method(tmp_path: Path) -> None:
    given, file = scene(tmp_path), tmp_path / "weights.safetensors"
    untrained = new_map("de-gap-st")
    save_weights(untrained.network.state_dict(), file)
    noisy = Setup("de-gap-st", weights=file, max_iter=1, noise=0.1)
    with Worker(noisy, given.masks) as worker:
        solved = worker.solve(0, given.snapshots[0])
    physics = SnapshotPhysics(torch.from_numpy(given.masks), noise=0.1)
    snapshot = torch.from_numpy(given.snapshots[:1])
    f, start = untrained.at(snapshot, physics)
    there = untrained.video(f(start), snapshot, physics)[0].clamp(0, 1)
    np.testing.assert_allclose(solved.video, there.detach().numpy(), atol=1e-6)


def test_bfloat16_reaches_the_method(tmp_path: Path) -> None:
    given = scene(tmp_path)
    videos = {}
    for dtype in ("float32", "bfloat16"):
        with Worker(Setup("de-gap-st", max_iter=3, dtype=dtype), given.masks) as worker:
            videos[dtype] = worker.solve(0, given.snapshots[0]).video
    assert not np.array_equal(videos["bfloat16"], videos["float32"])
    np.testing.assert_allclose(videos["bfloat16"], videos["float32"], atol=0.05)


def test_tolerances_are_the_methods_own_unless_told() -> None:
    assert Setup("de-gap-st").facts()["tolerance"] == METHODS["de-gap-st"].tolerance
    assert Setup("de-gap-st", tol=0.1).facts()["tolerance"] == 0.1
    assert Setup("rnn", tol=0.1).facts()["tolerance"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_death_of_the_process_is_told(tmp_path: Path) -> None:
    given = scene(tmp_path)
    with Worker(QUICK, given.masks) as worker:
        worker.solve(0, given.snapshots[0])
        os.kill(worker._process.pid, signal.SIGKILL)
        with pytest.raises(WorkerError, match="SIGKILL, as when memory runs out"):
            worker.solve(1, given.snapshots[0])


def test_a_method_takes_the_options_it_has() -> None:
    assert Setup("gap-tv", max_iter=7, tol=1e-3).build().max_evaluations == 7
    equilibrium = Setup("de-gap-cnn", max_iter=7, tol=1e-2)
    assert equilibrium.build().max_evaluations == 7
    facts = equilibrium.facts()
    assert facts["tolerance"] == 1e-2
    assert facts["weights"]["file"] == "de-gap-cnn.safetensors"
