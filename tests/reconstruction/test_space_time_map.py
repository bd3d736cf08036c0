"""The space–time map: its data step, and that it is autonomous and deaf to other samples."""

from __future__ import annotations

import math

import pytest
import torch

from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks, gray_masks
from deqsci.reconstruction.space_time_map import SpaceTimeMap


@pytest.fixture
def map() -> SpaceTimeMap:
    torch.manual_seed(0)
    map = SpaceTimeMap(relaxation=0.7)
    torch.nn.init.normal_(map.network.head.weight)
    return map


@pytest.mark.parametrize("masks", [bernoulli_masks(4, 9, 12), gray_masks(4, 9, 12)])
def test_an_untrained_map_is_the_data_step(masks: torch.Tensor) -> None:
    z, snapshot = torch.rand(2, 4, 9, 12), 4 * torch.rand(2, 9, 12)
    exact, noisy = SnapshotPhysics(masks), SnapshotPhysics(masks, noise=0.1)
    map = SpaceTimeMap(spread=0.05)
    torch.testing.assert_close(map(z, snapshot, exact), exact.project(z, snapshot))
    torch.testing.assert_close(map(z, snapshot, noisy), noisy.proximal(z, snapshot, 0.05))


def test_the_data_step_comes_last_and_relaxation_keeps_the_fixed_points(map: SpaceTimeMap) -> None:
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8))
    snapshot = physics.A(torch.rand(1, 3, 8, 8))
    z = physics.project(torch.rand(1, 3, 8, 8), snapshot)
    whole = physics.project(map.denoise(z, None, snapshot, physics), snapshot)
    torch.testing.assert_close(map(z, snapshot, physics) - z, 0.7 * (whole - z))


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


@pytest.mark.parametrize("wrong", [{"spread": 0.0}, {"spread": math.nan}, {"relaxation": 1.5}])
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SpaceTimeMap(**wrong)
