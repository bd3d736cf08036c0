"""The map of accelerated GAP: that it is accelerated GAP, and what its fixed point is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from deqsci.denoisers.rsn_cnn import RSNCNN
from deqsci.fixed_point import Picard
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks, gray_masks
from deqsci.reconstruction.accelerated import Accelerated
from deqsci.reconstruction.maps import GapMap
from deqsci.reconstruction.recurrent_map import AcceleratedRecurrentMap, RecurrentMap
from deqsci.reconstruction.schedule import accelerated_gap
from deqsci.reconstruction.space_time_map import AcceleratedSpaceTimeMap, SpaceTimeMap


class Smooth(nn.Module):
    """A symmetric averaging of neighbours, with eigenvalues in [0.2, 1]: firmly non-expansive."""

    def forward(self, x: Tensor, sigma: float | None = None) -> Tensor:
        neighbours = sum(x.roll(by, axis) for by in (-1, 1) for axis in (-1, -2))
        return 0.6 * x + 0.1 * neighbours


class Towards(nn.Module):
    """D(u) = c + ½ (u − c), whose only fixed point is c."""

    def forward(self, x: Tensor, sigma: float | None = None) -> Tensor:
        return 0.5 * x + 0.5 * torch.linspace(0, 1, x.shape[-1], dtype=x.dtype)


class AcceleratedGapMap(Accelerated, GapMap):
    """Accelerated GAP around one of these."""

    spread = 0.1


def problem(masks: Tensor | None = None) -> tuple[SnapshotPhysics, Tensor]:
    generator = torch.Generator().manual_seed(0)
    masks = bernoulli_masks(4, 10, 12, generator=generator) if masks is None else masks
    physics = SnapshotPhysics(masks.double())
    video = torch.rand(2, 4, 10, 12, generator=generator, dtype=torch.float64)
    return physics, physics.A(video)


@pytest.mark.parametrize("masks", [bernoulli_masks(4, 10, 12), gray_masks(4, 10, 12)])
def test_it_goes_through_the_videos_of_accelerated_gap(masks: Tensor) -> None:
    """Target and video of the one make the state of the other, pass for pass."""
    physics, snapshot = problem(masks)
    map = AcceleratedGapMap(Smooth())
    # The first target is the snapshot: there is no dual yet, and the state is the projection.
    z = physics.project(physics.initial(snapshot), snapshot)
    for video in accelerated_gap(snapshot, physics, 12, lambda u, k: Smooth()(u)):
        z = map(z, snapshot, physics)
        torch.testing.assert_close(
            map.video(z, snapshot, physics), physics.project(video, snapshot)
        )


def test_it_is_averaged_from_two_reflections() -> None:
    """f = (1 − α/2) + α/2 R_D R_P, R = 2 · − 1, of noisy snapshots too."""
    physics, snapshot = problem()
    physics = SnapshotPhysics(physics.masks, noise=torch.tensor([0.0, 0.03]).double())
    z = torch.rand(2, 4, 10, 12).double()
    map = AcceleratedGapMap(Smooth(), relaxation=0.7)
    seen = 2 * physics.proximal(z, snapshot, 0.1) - z
    twice = 2 * Smooth()(seen) - seen
    torch.testing.assert_close(map(z, snapshot, physics), 0.65 * z + 0.35 * twice)


def test_what_is_denoised_at_the_fixed_point_explains_the_snapshot() -> None:
    """Where no video is both a fixed point of D and true to the snapshot."""
    physics, snapshot = problem()
    map = AcceleratedGapMap(Towards())
    f, start = map.at(snapshot, physics)
    solution = Picard(tol=1e-12, max_iter=2000).solve(f, start)
    assert solution.converged.all()
    video = map.video(solution.value, snapshot, physics)
    denoised = Towards()(2 * video - solution.value)
    torch.testing.assert_close(denoised, video)
    torch.testing.assert_close(physics.A(denoised), snapshot)
    assert (Towards()(video) - video).norm() > 0.1 * video.norm()


def test_relaxed_it_has_the_same_fixed_points() -> None:
    physics, snapshot = problem()
    ends = []
    for relaxation in (1.0, 0.6):
        f, start = AcceleratedGapMap(Towards(), relaxation=relaxation).at(snapshot, physics)
        ends.append(Picard(tol=1e-12, max_iter=4000).solve(f, start).value)
    torch.testing.assert_close(*ends)


@pytest.mark.parametrize(
    ("kind", "plain_kind"),
    [(AcceleratedRecurrentMap, RecurrentMap), (AcceleratedSpaceTimeMap, SpaceTimeMap)],
)
def test_mixed_into_a_map_it_keeps_its_start_and_its_network(
    kind: type[SpaceTimeMap], plain_kind: type[SpaceTimeMap]
) -> None:
    torch.manual_seed(0)
    map = kind().double()
    nn.init.normal_(map.network.head.weight, std=0.1)
    physics, snapshot = problem()
    physics = SnapshotPhysics(physics.masks, noise=torch.tensor([0.0, 0.03]).double())
    context = map.context(snapshot, physics)
    f, start = map.at(snapshot, physics)
    torch.testing.assert_close(start, plain_kind().at(snapshot, physics)[1])
    z = torch.rand_like(start)
    video = physics.proximal(z, snapshot, map.spread)
    cleaned = plain_kind.clean(map, 2 * video - z, context, snapshot, physics)
    first = f(z)
    torch.testing.assert_close(first, z + cleaned - video)
    f(torch.rand_like(z))
    assert torch.equal(f(z), first)
    assert torch.equal(map(z, snapshot, physics), first)


def test_a_bound_of_the_denoiser_is_none_of_the_map() -> None:
    contractive = RSNCNN()
    assert GapMap(contractive).lipschitz is not None
    assert AcceleratedGapMap(contractive).lipschitz is None
