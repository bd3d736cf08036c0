"""The non-local map: its guide, its groups, and that it is autonomous and deaf to other samples."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from deqsci.denoisers.non_local import ANCHOR_GATE, FILTER_GATE
from deqsci.fixed_point import Anderson, Picard
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction import non_local_map
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.non_local_map import (
    GUIDE,
    LARGE,
    SCALE,
    NonLocalMap,
    disagreement,
)
from deqsci.reconstruction.space_time_map import RELAXATION, AcceleratedSpaceTimeMap


@pytest.fixture
def map() -> EquilibriumMap:
    torch.manual_seed(0)
    map = NonLocalMap()
    for network in (map.network.guide, map.network.space_time):
        torch.nn.init.normal_(network.head.weight, std=0.1)
    return map.double()


def coded(batch: int = 1) -> tuple[torch.Tensor, torch.Tensor, SnapshotPhysics]:
    generator = torch.Generator().manual_seed(0)
    z, video = torch.rand(2, batch, 3, 24, 20, dtype=torch.float64, generator=generator)
    masks = torch.stack(
        [bernoulli_masks(3, 24, 20, generator=generator) for _ in range(batch)]
    ).double()
    physics = SnapshotPhysics(masks, noise=0.01 * torch.arange(batch))
    return z, physics.A(video), physics


def test_an_untrained_map_is_a_douglas_rachford_step_with_a_blend() -> None:
    """f = ½ (1 + R_D R_P), R = 2 · − 1 the reflections, here of noisy snapshots too."""
    z, snapshot, physics = coded(2)
    map = NonLocalMap(spread=0.05).double()
    context = map.context(snapshot, physics)

    def reflected(operator: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
        return lambda x: 2 * operator(x) - x

    def blend(u: torch.Tensor) -> torch.Tensor:
        to_anchor, to_filtered = torch.tensor([ANCHOR_GATE, FILTER_GATE]).double().sigmoid()
        anchor, filtered = context.planes[:, :, 0], map.network.wiener(u, context.groups)
        return u + to_anchor * (anchor - u) + to_filtered * (filtered - u)

    def data(x: torch.Tensor) -> torch.Tensor:
        return physics.proximal(x, snapshot, 0.05)

    wanted = (z + reflected(blend)(reflected(data)(z))) / 2
    torch.testing.assert_close(map(z, snapshot, physics), wanted)


def test_what_is_denoised_at_the_fixed_point_explains_the_snapshot() -> None:
    _, snapshot, physics = coded()
    map = NonLocalMap().double()
    f, start = map.at(snapshot, physics)
    with torch.no_grad():
        z = Picard(tol=1e-9, max_iter=3000).solve(f, start).value
        video = map.video(z, snapshot, physics)
        denoised = f(z) - z + video
    torch.testing.assert_close(denoised, video, rtol=0, atol=1e-7)
    torch.testing.assert_close(physics.A(denoised), snapshot, rtol=0, atol=1e-7)
    assert (z - video).norm() > 1e-3 * video.norm()  # the state is another point


def test_a_solve_begins_at_the_fixed_point_of_the_filter_alone(
    map: NonLocalMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the filter with the guide's groups after one round: W(2 P(z) − z) = P(z)."""
    monkeypatch.setattr(non_local_map, "ROUNDS", ((7, 0.05),))
    monkeypatch.setattr(non_local_map, "FILTER", Anderson(tol=1e-9, max_iter=2000))
    _, snapshot, physics = coded()
    wiener = map.network.wiener
    guide = AcceleratedSpaceTimeMap(map.network.guide, map.spread, RELAXATION)
    with torch.no_grad():
        z = GUIDE.solve(*guide.at(snapshot, physics)).value
        groups = wiener.match(guide.video(z, snapshot, physics), 7)
        _, start = map.at(snapshot, physics)
        video = map.video(start, snapshot, physics)
        filtered = wiener(2 * video - start, groups, 0.05)
    torch.testing.assert_close(filtered, video, rtol=0, atol=1e-7)


def test_rounds_group_what_the_round_before_gave_and_go_on_from_its_state(
    map: NonLocalMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(non_local_map, "ROUNDS", ((7, 0.1), (9, 0.05), (6, 0.02)))
    monkeypatch.setattr(non_local_map, "FILTER", Picard(tol=0, max_iter=2))
    _, snapshot, physics = coded()
    wiener = map.network.wiener
    guide = AcceleratedSpaceTimeMap(map.network.guide, map.spread, RELAXATION)
    with torch.no_grad():
        z = GUIDE.solve(*guide.at(snapshot, physics)).value
        video = guide.video(z, snapshot, physics)
        for side, level in ((7, 0.1), (9, 0.05), (6, 0.02)):
            groups = wiener.match(video, side)
            for _ in range(2):
                data = map.video(z, snapshot, physics)
                z = z + wiener(2 * data - z, groups, level) - data
            video = map.video(z, snapshot, physics)
    torch.testing.assert_close(map.context(snapshot, physics).start, z)


@pytest.mark.parametrize("rounds", [((7, 0.05),), ((10, 0.1), (8, 0.03))])
def test_the_anchor_is_the_starts_video_and_its_groups_are_used(
    map: NonLocalMap, monkeypatch: pytest.MonkeyPatch, rounds: tuple[tuple[int, float], ...]
) -> None:
    monkeypatch.setattr(non_local_map, "ROUNDS", rounds)
    _, snapshot, physics = coded()
    context = map.context(snapshot, physics)
    anchor = context.planes[:, :, 0]
    torch.testing.assert_close(anchor, map.video(context.start, snapshot, physics))
    (groups,), (wanted,) = context.groups, map.network.wiener.match(anchor)
    assert torch.equal(groups.places.sort().values, wanted.places.sort().values)


def test_bound_to_a_snapshot_it_is_the_same_map_and_remembers_nothing(map: NonLocalMap) -> None:
    z, snapshot, physics = coded()
    f, _ = map.at(snapshot, physics)
    first = f(z)
    f(torch.rand_like(z))
    assert torch.equal(f(z), first)
    assert torch.equal(map(z, snapshot, physics), first)


def test_masks_noise_and_groups_of_each_sample_are_its_own(map: NonLocalMap) -> None:
    z, snapshot, physics = coded(2)
    together = map(z, snapshot, physics)
    for k in range(2):
        own = SnapshotPhysics(physics.masks[k], noise=physics.noise[k])
        alone = map(z[k : k + 1], snapshot[k : k + 1], own)
        torch.testing.assert_close(together[k : k + 1], alone, rtol=1e-6, atol=1e-6)


def test_the_jacobian_holds_the_filter_too(map: NonLocalMap) -> None:
    """Along a line of videos, f moves as its derivative says."""
    z, snapshot, physics = coded()
    f, _ = map.at(snapshot, physics)
    z = z.requires_grad_()
    direction, step = torch.rand_like(z), 1e-6
    (gradient,) = torch.autograd.grad(f(z).square().sum(), z)
    with torch.no_grad():
        ahead, behind = (f(z + s * direction).square().sum() for s in (step, -step))
    wanted = (ahead - behind) / (2 * step)
    torch.testing.assert_close((gradient * direction).sum(), wanted, rtol=1e-6, atol=1e-6)


def test_the_guide_is_not_trained(map: NonLocalMap) -> None:
    z, snapshot, physics = coded()
    map(z, snapshot, physics).sum().backward()
    assert all(p.grad is None for p in map.network.guide.parameters())
    assert map.network.space_time.embed.weight.grad is not None


def test_large_disagreement_is_bounded_and_small_is_as_it_is() -> None:
    def scale(change: float) -> float:
        return float(disagreement(torch.full((1, 1, 8, 8), change), torch.zeros(1, 1, 8, 8)).mean())

    assert scale(0.001) == pytest.approx(SCALE * 0.001, rel=0.02)
    assert scale(LARGE) == pytest.approx(SCALE * LARGE / 2, rel=1e-3)
    assert scale(1e3) == pytest.approx(SCALE * LARGE, rel=1e-3)
