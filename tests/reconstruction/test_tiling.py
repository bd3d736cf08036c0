"""Tiles: the answer of the whole snapshot, without seams, whatever the tile."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.cnn import CNN
from deqsci.errors import ConfigError, ShapeError, ValueRangeError
from deqsci.fixed_point import Anderson, JacobianFree
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import GapMap
from deqsci.reconstruction.result import Reconstruction
from deqsci.reconstruction.tiling import (
    ALIGNMENT,
    BLEND,
    HALO,
    SMALLEST,
    TILE,
    Tiled,
    spans,
    whole_or_tiled,
)
from deqsci.reconstruction.total_variation import GapTV

HEIGHT, WIDTH, FRAMES = 150, 203, 3


@pytest.fixture
def problem() -> tuple[SnapshotPhysics, Tensor]:
    """A camera and the snapshot of two discs, one of which moves."""
    generator = torch.Generator().manual_seed(0)
    row, column = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    ramp = 0.2 + 0.3 * column / WIDTH
    still = (row - 40).square() + (column - 60).square() < 300
    video = torch.stack([torch.where(still, 0.9, ramp) for _ in range(FRAMES)])
    for t, frame in enumerate(video):
        frame[(row - 100).square() + (column - 90 - 4 * t).square() < 400] = 0.7
    physics = SnapshotPhysics(bernoulli_masks(FRAMES, HEIGHT, WIDTH, generator=generator))
    return physics, physics.A(video[None])


def equilibrium(tol: float = 1e-5) -> DeepEquilibrium:
    """N(u) ≈ u minus its 3×3 mean at a few tenths: a map that contracts and looks around."""
    net = CNN(channels=2, depth=2)
    with torch.no_grad():
        for layer in net.layers:
            layer.weight.zero_()
        high = -torch.ones(3, 3) / 9
        high[1, 1] += 1
        net.layers[0].weight[0, 0], net.layers[0].weight[1, 0] = high, -high
        net.layers[1].weight[0, 0, 1, 1], net.layers[1].weight[0, 1, 1, 1] = 0.5, -0.5
    return DeepEquilibrium(GapMap(net), Anderson(tol, 200), JacobianFree())


@pytest.mark.parametrize("length", [1, 127, 128, 129, 190, 256, 1000, 2160, 3841])
@pytest.mark.parametrize("tile", [SMALLEST, 200, 512])
def test_tiles_cover_a_side_with_weights_that_add_up_to_one(length: int, tile: int) -> None:
    total = torch.zeros(length)
    parts = spans(length, tile)
    for part in parts:
        assert part.seen.stop - part.seen.start <= tile
        assert part.seen.start % ALIGNMENT == 0
        weight = part.weight(total)
        assert 0 <= weight.min()
        total[part.seen] += weight
        # Next to a cut nothing is kept: what is solved there has lost its neighbours.
        dropped = HALO - BLEND
        assert part.first == 0 or not weight[:dropped].any()
        assert part.last == length or not weight[-dropped:].any()
    torch.testing.assert_close(total, torch.ones(length))
    assert [part.last for part in parts[:-1]] == [part.first for part in parts[1:]]
    assert len(parts) == 1 or length > tile


@pytest.mark.parametrize("make", [GapTV, equilibrium], ids=["gap-tv", "equilibrium"])
@pytest.mark.parametrize("tile", [SMALLEST, 160])
def test_the_answer_is_that_of_the_whole(problem, make, tile: int) -> None:
    physics, snapshot = problem
    whole = make().reconstruct(snapshot, physics)
    tiled = Tiled(make(), tile).reconstruct(snapshot, physics)
    torch.testing.assert_close(tiled.video, whole.video, rtol=0, atol=1e-3)
    assert torch.equal(tiled.converged, whole.converged)


def test_all_tiles_converged_is_the_whole_converged(problem) -> None:
    physics, snapshot = problem
    tol = 1e-5
    model = equilibrium(tol)
    result = Tiled(model, SMALLEST).reconstruct(snapshot, physics)
    assert result.converged.all()
    assert result.residuals[0, -1] <= tol
    with torch.no_grad():
        again = model.map(result.video, snapshot, physics)
    assert (again - result.video).norm() / again.norm() <= 2 * tol


def test_a_snapshot_of_one_tile_is_solved_as_without_tiles(problem) -> None:
    physics, snapshot = problem
    whole = GapTV(5).reconstruct(snapshot, physics)
    tiled = Tiled(GapTV(5), max(HEIGHT, WIDTH)).reconstruct(snapshot, physics)
    assert torch.equal(tiled.video, whole.video)
    assert tiled.status == whole.status


class Echo:
    """Converges at once where the snapshot is dark; says how it went."""

    max_evaluations = 10

    def reconstruct(self, snapshot, physics, callback=None) -> Reconstruction:
        dark = bool(snapshot.max() == 0)
        evaluations = 2 if dark else 10
        for iteration in range(1, evaluations + 1):
            if callback is not None:
                callback(iteration, torch.ones(1))
        trace = torch.full((1, evaluations), 0.5)
        trace[0, -1] = 0.0 if dark else 0.1
        status = "converged: well" if dark else "not converged: raise max_iter"
        video = 1 + physics.initial(snapshot)
        return Reconstruction(
            video, (status,), torch.tensor([dark]), trace, torch.tensor([evaluations])
        )


def test_tiles_are_told_together() -> None:
    snapshot = torch.zeros(1, 128, 192)
    snapshot[..., -10:] = 1
    physics = SnapshotPhysics(torch.ones(1, 128, 192))
    seen = []
    tiled = Tiled(Echo(), SMALLEST)
    result = tiled.reconstruct(snapshot, physics, lambda i, _: seen.append(i))
    left, right = spans(192, SMALLEST)
    assert result.status == ("not converged in 1 of 2 tiles: raise max_iter",)
    assert result.converged.tolist() == [False]
    assert result.residuals.shape == (1, 10)
    assert 0 < result.residuals[0, -1] < 0.1  # of the right tile only
    assert result.evaluations.tolist() == [6]  # the mean of 2 and 10: tiles of equal size
    assert (left.seen.stop - left.seen.start) == (right.seen.stop - right.seen.start)
    assert seen == sorted(seen)
    assert seen[-1] == tiled.max_evaluations
    torch.testing.assert_close(result.video, 1 + physics.initial(snapshot))


@pytest.mark.parametrize("untold", [True, False])
def test_without_residuals_tiles_have_none(untold: bool) -> None:
    """A method of one pass has none, and a part whose solve failed at once does not either."""

    class Silent(Echo):
        def reconstruct(self, snapshot, physics, callback=None) -> Reconstruction:
            result = super().reconstruct(snapshot, physics)
            if untold or not result.converged:
                result.residuals.fill_(torch.nan)
            return result

    snapshot = torch.zeros(1, 128, 192)
    snapshot[..., -10:] = 1
    physics = SnapshotPhysics(torch.ones(1, 128, 192))
    result = Tiled(Silent(), SMALLEST).reconstruct(snapshot, physics)
    assert result.residuals.isnan().all()
    assert result.status == ("not converged in 1 of 2 tiles: raise max_iter",)


def test_several_snapshots_with_masks_and_noise_of_their_own(problem) -> None:
    physics, snapshot = problem
    masks = torch.stack([physics.masks, physics.masks.flip(0)])
    noise = torch.rand(2, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    both = SnapshotPhysics(masks, noise=noise)
    snapshots = torch.cat([snapshot, snapshot])
    together = Tiled(GapTV(5), SMALLEST)(snapshots, both)
    for i in range(2):
        alone = SnapshotPhysics(masks[i], noise=noise[i])
        video = Tiled(GapTV(5), SMALLEST)(snapshot, alone)
        torch.testing.assert_close(together[i : i + 1], video)


def test_tiles_come_by_themselves_where_the_snapshot_is_large() -> None:
    model = GapTV()
    assert whole_or_tiled(model, 8, 256, 256) is model
    assert whole_or_tiled(model, 8, 256, 256, tile=256) is model
    asked = whole_or_tiled(model, 8, 256, 257, tile=256)
    assert isinstance(asked, Tiled)
    assert asked.tile == 256
    for frames in (8, 50):
        large = whole_or_tiled(model, frames, 2160, 3840)
        assert isinstance(large, Tiled)
        assert 0.9 * TILE < frames * large.tile**2 <= TILE


def test_what_is_wrong_is_told(problem) -> None:
    physics, snapshot = problem
    with pytest.raises(ConfigError, match=str(SMALLEST)):
        Tiled(GapTV(), SMALLEST - 1)
    with pytest.raises(ShapeError):
        Tiled(GapTV(), 128)(snapshot[..., :-1], physics)
    with pytest.raises(ValueRangeError):
        Tiled(GapTV(), 128)(snapshot.log() * 0, physics)
