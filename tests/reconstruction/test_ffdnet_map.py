"""The DE-GAP-FFDNet map: its one noise level, its start, and that it is autonomous."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.ffdnet import LevelledFFDNet
from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.ffdnet_map import FFDNetMap
from deqsci.reconstruction.total_variation import GapTV


@pytest.fixture
def map() -> FFDNetMap:
    torch.manual_seed(0)
    return FFDNetMap(LevelledFFDNet(channels=8, depth=4, share=0.5)).double()


def coded(speed: int = 2) -> tuple[Tensor, SnapshotPhysics]:
    """Waves that move by so many pixels a frame, in two directions."""
    generator = torch.Generator().manual_seed(1)
    masks = torch.stack([bernoulli_masks(4, 16, 12, generator=generator) for _ in range(2)])
    wave = (0.5 + 0.4 * torch.linspace(0, 2 * math.pi, 13)[:12].sin()).double().expand(16, 12)
    frames = [torch.stack([wave.roll(sign * speed * t, 1) for t in range(4)]) for sign in (1, -1)]
    physics = SnapshotPhysics(masks.double())
    return physics.A(torch.stack(frames)), physics


def test_the_level_is_a_share_of_how_far_frames_are_from_their_mean(map: FFDNetMap) -> None:
    snapshot, physics = coded()
    a = torch.rand(2, 4, 16, 12).double()
    mean = physics.initial(snapshot)
    wanted = [0.5 * math.sqrt(float((a[k] - mean[k]).square().mean())) for k in range(2)]
    found = map.level(a, snapshot, physics)
    torch.testing.assert_close(found, torch.tensor(wanted).double(), rtol=1e-5, atol=0)


def test_what_stands_still_has_a_lower_level(map: FFDNetMap) -> None:
    levels = []
    for speed in (0, 3):
        snapshot, physics = coded(speed)
        levels.append(map.level(map.context(snapshot, physics), snapshot, physics))
    assert (levels[0] < 0.6 * levels[1]).all()


def test_one_pass_denoises_at_that_level_and_nowhere_else(map: FFDNetMap) -> None:
    snapshot, physics = coded()
    f, start = map.at(snapshot, physics)
    torch.testing.assert_close(start, GapTV(20)(snapshot, physics))
    z = torch.rand_like(start)
    video = physics.project(z, snapshot)
    levels = map.level(start, snapshot, physics)
    cleaned = [map.network((2 * video - z)[k].unsqueeze(1), levels[k]) for k in range(2)]
    wanted = z + torch.stack(cleaned).squeeze(2) - video
    torch.testing.assert_close(f(z), wanted, rtol=1e-5, atol=1e-6)


def test_the_map_remembers_nothing(map: FFDNetMap) -> None:
    snapshot, physics = coded()
    f, start = map.at(snapshot, physics)
    first = f(start)
    f(torch.rand_like(start))
    assert torch.equal(f(start), first)
    assert torch.equal(map(start, snapshot, physics), first)


def test_the_share_is_trained_through_the_equilibrium(map: FFDNetMap) -> None:
    snapshot, physics = coded()
    f, start = map.at(snapshot, physics)
    f(start).square().mean().backward()
    gradient = map.network.log_share.grad
    assert gradient is not None
    assert gradient != 0


@pytest.mark.parametrize("wrong", [{"spread": 0.0}, {"spread": math.inf}, {"relaxation": 1.5}])
def test_wrong_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        FFDNetMap(**wrong)  # type: ignore[arg-type]
