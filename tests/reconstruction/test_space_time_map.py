"""The space–time map: its data step, and that it is autonomous and deaf to other samples."""

from __future__ import annotations

import math

import pytest
import torch

from deqsci.denoisers.space_time import GATE
from deqsci.errors import ConfigError
from deqsci.fixed_point import Picard
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks, gray_masks
from deqsci.reconstruction.space_time_map import (
    ANCHOR_ITERATIONS,
    AcceleratedSpaceTimeMap,
    SpaceTimeMap,
)
from deqsci.reconstruction.total_variation import GapTV


@pytest.fixture(params=[SpaceTimeMap, AcceleratedSpaceTimeMap])
def map(request: pytest.FixtureRequest) -> SpaceTimeMap:
    torch.manual_seed(0)
    map: SpaceTimeMap = request.param()
    torch.nn.init.normal_(map.network.head.weight)
    return map


@pytest.mark.parametrize("masks", [bernoulli_masks(4, 9, 12), gray_masks(4, 9, 12)])
def test_an_untrained_map_is_the_data_step_of_a_blend(masks: torch.Tensor) -> None:
    z, snapshot = torch.rand(2, 4, 9, 12), 4 * torch.rand(2, 9, 12)
    map = SpaceTimeMap(spread=0.05)
    share = torch.tensor(GATE).sigmoid()
    for physics in (SnapshotPhysics(masks), SnapshotPhysics(masks, noise=0.1)):
        _, anchor = map.at(snapshot, physics)
        blend = torch.lerp(z, anchor, share)
        wanted = physics.proximal(blend, snapshot, 0.05)
        torch.testing.assert_close(map(z, snapshot, physics), wanted)


def test_an_untrained_map_contracts_to_its_anchor() -> None:
    """f(z) = P((1 − g) z + g a), and a is in the set that P projects on."""
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8).double())
    snapshot = physics.A(torch.rand(1, 3, 8, 8).double())
    map = SpaceTimeMap().double()
    f, anchor = map.at(snapshot, physics)
    solution = Picard(tol=1e-12, max_iter=300).solve(f, torch.rand(1, 3, 8, 8).double())
    torch.testing.assert_close(solution.value, anchor)
    rate = (solution.residuals[0, 101] / solution.residuals[0, 100]).item()
    assert rate == pytest.approx(1 - torch.tensor(GATE).sigmoid().item(), rel=1e-3)


def test_the_data_step_comes_last() -> None:
    map = SpaceTimeMap()
    torch.nn.init.normal_(map.network.head.weight)
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8))
    snapshot = physics.A(torch.rand(1, 3, 8, 8))
    z = physics.project(torch.rand(1, 3, 8, 8), snapshot)
    denoised = map.denoise(z, None, snapshot, physics)
    torch.testing.assert_close(map(z, snapshot, physics), physics.project(denoised, snapshot))


def test_bound_to_a_snapshot_it_is_the_same_map(map: SpaceTimeMap) -> None:
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8))
    z = torch.rand(2, 3, 8, 8)
    snapshot = physics.A(torch.rand_like(z))
    f, start = map.at(snapshot, physics)
    assert torch.equal(f(z), map(z, snapshot, physics))
    torch.testing.assert_close(physics.A(start), snapshot)
    video = GapTV(ANCHOR_ITERATIONS)(snapshot, physics)
    torch.testing.assert_close(start, physics.proximal(video, snapshot, map.spread))


def test_relaxed_it_goes_a_part_of_the_way(map: SpaceTimeMap) -> None:
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8))
    z = torch.rand(2, 3, 8, 8)
    snapshot = physics.A(torch.rand_like(z))
    relaxed = type(map)(map.network, relaxation=0.6)
    wanted = 0.4 * z + 0.6 * map(z, snapshot, physics)
    torch.testing.assert_close(relaxed(z, snapshot, physics), wanted)


def test_the_map_remembers_nothing(map: SpaceTimeMap) -> None:
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8))
    z = torch.rand(1, 3, 8, 8)
    snapshot = physics.A(torch.rand_like(z))
    first = map(z, snapshot, physics)
    map(torch.rand_like(z), snapshot, physics)
    assert torch.equal(map(z, snapshot, physics), first)


def test_masks_and_noise_of_each_sample_are_its_own(map: SpaceTimeMap) -> None:
    masks = torch.stack([bernoulli_masks(3, 8, 8) for _ in range(2)])
    noise = torch.tensor([0.0, 0.1])
    z = torch.rand(2, 3, 8, 8)
    physics = SnapshotPhysics(masks, noise=noise)
    snapshot = physics.A(torch.rand_like(z))
    together = map(z, snapshot, physics)
    for k in range(2):
        own = SnapshotPhysics(masks[k], noise=noise[k])
        alone = map(z[k : k + 1], snapshot[k : k + 1], own)
        torch.testing.assert_close(together[k : k + 1], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"spread": 0.0}, {"spread": math.nan}, {"relaxation": 0.0}])
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SpaceTimeMap(**wrong)


def test_accelerated_its_network_sees_what_the_estimate_lacks() -> None:
    """P(u) − u, after what the other map shows; of a noisy snapshot, as far as it is trusted."""
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8), noise=torch.tensor([0.0, 0.1]))
    u = torch.rand(2, 3, 8, 8)
    snapshot = physics.A(torch.rand_like(u))
    map = AcceleratedSpaceTimeMap()
    context = map.context(snapshot, physics)
    *planes, misfit = map.planes(u, context, snapshot, physics).unbind(2)
    others = SpaceTimeMap().planes(u, context, snapshot, physics)
    assert torch.equal(torch.stack(planes, 2), others)
    torch.testing.assert_close(u + misfit, physics.proximal(u, snapshot, map.spread))


def test_accelerated_it_denoises_as_in_a_solve() -> None:
    map = AcceleratedSpaceTimeMap()
    torch.nn.init.normal_(map.network.head.weight)
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8))
    noisy = torch.rand(1, 3, 8, 8)
    snapshot = physics.A(torch.rand_like(noisy))
    wanted = map.clean(noisy, map.context(snapshot, physics), snapshot, physics)
    torch.testing.assert_close(map.denoise(noisy, None, snapshot, physics), wanted)
