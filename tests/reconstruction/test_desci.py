"""DeSCI: its schedule, and that like patches of other frames are worth more than smoothness."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.patch_groups import PatchGroups
from deqsci.denoisers.wnnm import WNNM
from deqsci.errors import ConfigError
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.desci import DeSCI
from deqsci.reconstruction.total_variation import GapTV


def moving_dots(frames: int = 8, side: int = 40) -> Tensor:
    """Soft dots, 10 pixels apart, that move by a pixel a frame. (1, T, H, W)."""
    wave = torch.cos(2 * torch.pi * torch.arange(side) / 10)
    ground = 0.5 + 0.4 * torch.tanh(4 * (wave[:, None] + wave))
    return torch.stack([ground.roll(t, dims=1) for t in range(frames)])[None]


def camera(frames: int, side: int) -> SnapshotPhysics:
    generator = torch.Generator().manual_seed(0)
    return SnapshotPhysics(bernoulli_masks(frames, side, side, generator=generator))


def test_it_beats_total_variation_where_patches_return() -> None:
    truth, physics = moving_dots(), camera(8, 40)
    snapshot = physics.A(truth)
    ours, tv = DeSCI(iterations=20)(snapshot, physics), GapTV()(snapshot, physics)
    assert psnr(ours, truth) > psnr(tv, truth) + 3


def test_the_noise_level_falls_by_one_factor_from_the_first_to_the_last() -> None:
    model = DeSCI(iterations=5, sigmas=(0.16, 0.01))
    levels = [model.sigma(k) for k in range(model.max_evaluations)]
    assert levels == pytest.approx([0.16, 0.08, 0.04, 0.02, 0.01])
    assert DeSCI(iterations=1, sigmas=(0.16, 0.01)).sigma(0) == 0.16


def test_patches_are_matched_as_often_as_asked_on_grids_that_move() -> None:
    class Noting(WNNM):
        shifts: tuple[int, ...] = ()

        def match(self, video: Tensor, shift: int = 0) -> list[PatchGroups]:
            self.shifts += (shift,)
            return super().match(video, shift)

    physics, denoiser = camera(2, 8), Noting()
    snapshot = physics.A(torch.full((1, 2, 8, 8), 0.5))
    DeSCI(iterations=7, rematch=3, denoiser=denoiser)(snapshot, physics)
    assert denoiser.shifts == (0, 2, 4)


def test_a_constant_scene_is_found() -> None:
    physics, truth = camera(4, 16), torch.full((1, 4, 16, 16), 0.6)
    video = DeSCI(iterations=40)(physics.A(truth), physics)
    torch.testing.assert_close(video, truth, rtol=0, atol=5e-3)


def test_samples_do_not_see_each_other() -> None:
    physics = camera(3, 12)
    snapshots = physics.A(torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0)))
    together = DeSCI(iterations=3)(snapshots, physics)
    for i in range(2):
        alone = DeSCI(iterations=3)(snapshots[i : i + 1], physics)
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "setting", [{"iterations": 0}, {"sigmas": (0.1, 0.0)}, {"sigmas": (-1, 0.1)}, {"rematch": 0}]
)
def test_bad_settings_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="wanted"):
        DeSCI(**setting)
