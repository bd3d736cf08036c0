"""GAP-TV and ADMM-TV: exact answers where there are some, the published quality on the scenes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from deqsci.errors import ConfigError, ShapeError, ValueRangeError
from deqsci.io import load_snapshots
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks, gray_masks, shifting_masks
from deqsci.reconstruction.schedule import FiniteSchedule
from deqsci.reconstruction.total_variation import AdmmTV, GapTV

METHODS = [GapTV, AdmmTV]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Waiting threads count as processor time where the machine is busy; one thread never waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def moving_square(frames: int, height: int = 33, width: int = 30) -> Tensor:
    """A bright square that crosses a smooth ground. (1, T, H, W)."""
    video = torch.linspace(0.1, 0.4, width).expand(1, frames, height, width).clone()
    for t in range(frames):
        video[0, t, 8:20, 3 + t : 15 + t] = 0.9
    return video


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("masks", "frames"),
    [
        (bernoulli_masks, 1),  # inpainting
        (bernoulli_masks, 8),
        (gray_masks, 4),
        (gray_masks, 8),
        (shifting_masks, 3),
        (shifting_masks, 8),
    ],
)
def test_it_beats_its_start_for_every_camera(
    method: type[FiniteSchedule], masks: Callable[..., Tensor], frames: int
) -> None:
    generator = torch.Generator().manual_seed(0)
    physics = SnapshotPhysics(masks(frames, 33, 30, generator=generator))
    truth = moving_square(frames)
    snapshot = physics.A(truth)
    video = method()(snapshot, physics)
    assert video.shape == truth.shape
    error = (video - truth).square().mean()
    assert error < 0.8 * (physics.initial(snapshot) - truth).square().mean()


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_scene_is_found(method: type[FiniteSchedule]) -> None:
    generator = torch.Generator().manual_seed(0)
    physics = SnapshotPhysics(bernoulli_masks(4, 32, 32, generator=generator))
    truth = torch.full((1, 4, 32, 32), 0.6)
    video = method(iterations=300)(physics.A(truth), physics)
    torch.testing.assert_close(video, truth, rtol=0, atol=2e-3)


def test_gap_tv_explains_the_snapshot() -> None:
    generator = torch.Generator().manual_seed(0)
    physics = SnapshotPhysics(bernoulli_masks(8, 33, 30, generator=generator))
    snapshot = physics.A(moving_square(8))
    misfit = physics.A(GapTV(iterations=200)(snapshot, physics)) - snapshot
    assert misfit.norm() < 0.01 * snapshot.norm()


def test_admm_tv_trusts_a_noisy_snapshot_less() -> None:
    generator = torch.Generator().manual_seed(0)
    physics = SnapshotPhysics(bernoulli_masks(8, 64, 64, generator=generator))
    truth = moving_square(8, 64, 64)
    snapshot = physics.A(truth) + 0.3 * torch.randn(1, 64, 64, generator=generator)
    errors = [
        (model(snapshot, physics) - truth).square().mean().item()
        for model in (AdmmTV(rho=2.0), AdmmTV(rho=0.01), GapTV())
    ]
    assert errors[0] < 0.7 * errors[1]
    assert errors[1] == pytest.approx(errors[2], rel=0.05)  # accelerated GAP is ADMM with ρ → 0


@pytest.mark.parametrize("method", METHODS)
def test_samples_do_not_see_each_other(method: type[FiniteSchedule]) -> None:
    generator = torch.Generator().manual_seed(0)
    masks = gray_masks(6, 9, 11, generator=generator).view(2, 3, 9, 11)
    snapshots = torch.rand(2, 9, 11, generator=generator)
    together = method()(snapshots, SnapshotPhysics(masks))
    for i in range(2):
        alone = method()(snapshots[i : i + 1], SnapshotPhysics(masks[i]))
        torch.testing.assert_close(together[i : i + 1], alone)


@pytest.mark.parametrize("method", METHODS)
def test_reconstruct_tells_how_it_went(method: type[FiniteSchedule]) -> None:
    physics = SnapshotPhysics(bernoulli_masks(4, 16, 16))
    snapshots = physics.A(torch.rand(2, 4, 16, 16))
    before = snapshots.clone()
    model, calls = method(iterations=7), []
    result = model.reconstruct(snapshots, physics, lambda i, r: calls.append((i, r.clone())))
    assert model.max_evaluations == 7
    assert [i for i, _ in calls] == list(range(1, 8))
    torch.testing.assert_close(torch.stack([r for _, r in calls], 1), result.residuals)
    assert result.residuals.shape == (2, 7)
    assert bool((result.residuals[:, -1] < result.residuals[:, 1]).all())
    assert result.evaluations.tolist() == [7, 7]
    assert result.converged.tolist() == [False, False]
    assert all("schedule of 7 iterations" in status for status in result.status)
    assert torch.equal(result.video, model(snapshots, physics))
    assert torch.equal(snapshots, before)


@pytest.mark.parametrize("method", METHODS)
def test_pixels_never_seen_are_filled_from_their_neighbours(method: type[FiniteSchedule]) -> None:
    masks = bernoulli_masks(4, 16, 16, generator=torch.Generator().manual_seed(0))
    masks[:, 5:7, 5:7] = 0
    physics = SnapshotPhysics(masks)
    video = method(iterations=400)(physics.A(torch.full((1, 4, 16, 16), 0.6)), physics)
    torch.testing.assert_close(
        video[..., 5:7, 5:7], torch.full((1, 4, 2, 2), 0.6), rtol=0, atol=0.1
    )


@pytest.mark.parametrize("method", METHODS)
def test_bad_input_is_refused(method: type[FiniteSchedule]) -> None:
    physics = SnapshotPhysics(torch.ones(2, 4, 5))
    for call in (method(), method().reconstruct):
        with pytest.raises(ShapeError):
            call(torch.ones(1, 5, 4), physics)
        with pytest.raises(ValueRangeError):
            call(torch.full((1, 4, 5), torch.nan), physics)
    for setting in ({"iterations": 0}, {"weight": 0.0}, {"tv_iterations": 0}):
        with pytest.raises(ConfigError, match="wanted"):
            method(**setting)


def test_admm_needs_a_penalty() -> None:
    with pytest.raises(ConfigError, match="rho"):
        AdmmTV(rho=0)


# The floors are 0.1 dB below what was measured: 20.78, 30.08, 35.35 and 20.85, 29.98, 35.16.
# The reference GAP-TV has 29.81 and 34.95 on the same snapshots of Runner and Drop.
@pytest.mark.parametrize(
    ("method", "scene", "count", "floor"),
    [
        (GapTV, "traffic48", 6, 20.68),
        (GapTV, "runner40", 1, 29.98),
        (GapTV, "drop40", 1, 35.25),
        (AdmmTV, "traffic48", 1, 20.75),
        (AdmmTV, "runner40", 1, 29.88),
        (AdmmTV, "drop40", 1, 35.06),
    ],
)
@pytest.mark.usefixtures("one_thread")
def test_quality_and_time_on_the_scenes(
    shared: Path, method: type[FiniteSchedule], scene: str, count: int, floor: float
) -> None:
    file = load_snapshots(shared / f"data/benchmark/{scene}_cacti.mat")
    assert file.masks is not None
    assert file.truth is not None
    physics = SnapshotPhysics(torch.from_numpy(file.masks))
    values, seconds = [], []
    for i in range(count):
        began = time.process_time()
        result = method().reconstruct(torch.from_numpy(file.snapshots[i : i + 1]), physics)
        seconds.append(time.process_time() - began)
        values.append(psnr(result.video[0], torch.from_numpy(file.truth[8 * i : 8 * i + 8])))
    assert sum(values) / count >= floor
    assert min(seconds) < 1.5  # core-seconds, what the reference takes; 0.25 on an idle machine
