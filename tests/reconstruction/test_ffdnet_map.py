"""The DE-GAP-FFDNet map: its one noise level, its start, and that it is autonomous."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.ffdnet import FFDNet
from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.ffdnet_map import SHARE, FFDNetMap, level
from deqsci.reconstruction.total_variation import GapTV


@pytest.fixture
def map() -> FFDNetMap:
    torch.manual_seed(0)
    return FFDNetMap(FFDNet(channels=8, depth=4), spread=0.1).double()


def coded(speed: int = 2) -> tuple[Tensor, SnapshotPhysics]:
    """Waves that move by so many pixels a frame, in two directions, the second seen with noise."""
    generator = torch.Generator().manual_seed(1)
    masks = torch.stack([bernoulli_masks(4, 16, 12, generator=generator) for _ in range(2)])
    wave = (0.5 + 0.4 * torch.linspace(0, 2 * math.pi, 13)[:12].sin()).double().expand(16, 12)
    frames = [torch.stack([wave.roll(sign * speed * t, 1) for t in range(4)]) for sign in (1, -1)]
    physics = SnapshotPhysics(masks.double(), noise=torch.tensor([0.0, 0.05]).double())
    return physics.A(torch.stack(frames)), physics


def test_the_level_is_a_share_of_the_deviation_over_time_of_each_video() -> None:
    video = torch.rand(3, 5, 8, 8).double()
    wanted = SHARE * video.var(1, correction=0).mean((1, 2)).sqrt()
    torch.testing.assert_close(level(video), wanted)


def test_what_stands_still_has_a_low_level_though_masks_leave_pixels_unseen(map: FFDNetMap) -> None:
    levels = []
    for speed in (0, 3):
        snapshot, physics = coded(speed)
        assert (physics.gram == 0).any()
        levels.append(level(map.context(snapshot, physics)))
    assert (levels[0] < 0.4 * levels[1]).all()


def test_one_pass_denoises_at_that_level_and_heeds_the_noise(map: FFDNetMap) -> None:
    snapshot, physics = coded()
    f, start = map.at(snapshot, physics)
    torch.testing.assert_close(start, GapTV(20)(snapshot, physics))
    z = torch.rand_like(start)
    video = physics.proximal(z, snapshot, 0.1)
    sigmas = level(start)
    cleaned = [map.network((2 * video - z)[k].unsqueeze(1), sigmas[k]) for k in range(2)]
    torch.testing.assert_close(f(z), z + torch.stack(cleaned).squeeze(2) - video)


def test_masks_noise_and_level_of_each_sample_are_its_own(map: FFDNetMap) -> None:
    snapshot, physics = coded()
    z = torch.rand(2, 4, 16, 12).double()
    together = map(z, snapshot, physics)
    for k in range(2):
        own = SnapshotPhysics(physics.masks[k], noise=physics.noise[k])
        alone = map(z[k : k + 1], snapshot[k : k + 1], own)
        torch.testing.assert_close(together[k : k + 1], alone)


def test_the_map_remembers_nothing(map: FFDNetMap) -> None:
    snapshot, physics = coded()
    f, start = map.at(snapshot, physics)
    first = f(start)
    f(torch.rand_like(start))
    assert torch.equal(f(start), first)
    assert torch.equal(map(start, snapshot, physics), first)


@pytest.mark.parametrize("wrong", [{"spread": 0.0}, {"spread": math.inf}, {"relaxation": 1.5}])
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        FFDNetMap(**wrong)  # type: ignore[arg-type]
