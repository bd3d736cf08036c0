"""The shipped equilibrium models: converged, better than total variation, and stable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from deqsci.fixed_point import Picard
from deqsci.io import load_snapshots
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.zoo import DEFAULT_METHOD, METHODS, build

Problem = tuple[SnapshotPhysics, torch.Tensor, np.ndarray]


@pytest.fixture(scope="module")
def part_of_runner(shared: Path) -> Problem:
    """96×96 pixels of the scene Runner, first snapshot."""
    scene = load_snapshots(shared / "data" / "benchmark" / "runner40_cacti.mat")
    window = (slice(None), slice(80, 176), slice(80, 176))
    physics = SnapshotPhysics(torch.from_numpy(scene.masks[window].copy()))
    assert scene.truth is not None
    return physics, torch.from_numpy(scene.snapshots[window][:1].copy()), scene.truth[window][:8]


@pytest.mark.parametrize(
    "method", ["de-gap-cnn", "de-gap-ffdnet", "de-gap-rsn-cnn", "de-gap-nl", "de-gap-st", "de-rnn"]
)
def test_converges_and_stays(method: str, part_of_runner: Problem) -> None:
    physics, snapshot, truth = part_of_runner
    model = build(method)
    f, start = model.map.at(snapshot, physics)
    with torch.no_grad():
        result = model.solver.solve(f, start)
        on = Picard(tol=0.0, max_iter=200).solve(f, result.value)
    assert result.converged.all()
    assert (result.residuals[0] <= 1e-3).nonzero()[0] < 60
    quality, later = (
        psnr(model.map.video(z, snapshot, physics)[0], truth) for z in (result.value, on.value)
    )
    assert on.residuals[0, -1] < 1e-4
    lost = 0.2 if METHODS[method].tolerance > 3e-5 else 0.1  # stopped earlier, it moves on further
    assert later > quality - lost


def test_default_model_beats_total_variation(part_of_runner: Problem) -> None:
    physics, snapshot, truth = part_of_runner
    ours, baseline = (
        psnr(build(name).reconstruct(snapshot, physics).video[0], truth)
        for name in (DEFAULT_METHOD, "gap-tv")
    )
    assert ours > baseline + 1
