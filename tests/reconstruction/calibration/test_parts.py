"""What calibration is built of: the patch model, the registration, the order of frames, noise."""

from __future__ import annotations

import pytest
import torch

from deqsci.physics.camera import MaskDeviation
from deqsci.physics.masks import bernoulli_masks
from deqsci.physics.noise import Noise
from deqsci.reconstruction.calibration import calibrate
from deqsci.reconstruction.calibration.frame_order import frame_order, taken_order
from deqsci.reconstruction.calibration.noise_level import fit_noise_level
from deqsci.reconstruction.calibration.patches import MAX_PATCHES, Patches, Projection
from deqsci.reconstruction.calibration.refine import NOMINAL, Scene
from deqsci.reconstruction.calibration.registration import register
from tests.reconstruction.calibration.support import FRAMES, SIDE, moving_texture, take


def test_patches_tile_the_sensor() -> None:
    patches = Patches(8, (33, 50))
    image = torch.arange(33 * 50.0).view(33, 50)
    tiles = patches.cut(image)
    assert tiles.shape == (4 * 6, 64)
    torch.testing.assert_close(tiles[7], image[8:16, 8:16].flatten())
    torch.testing.assert_close(patches.centres()[7], torch.tensor([11.5, 11.5]).double())
    many = Patches(8, (1024, 1024), snapshots=4)
    assert len(many.centres()) * 4 <= MAX_PATCHES


def test_the_patch_model_explains_frames_of_one_gray_and_a_common_slope() -> None:
    generator = torch.Generator().manual_seed(0)
    masks = bernoulli_masks(5, 40, 40, generator=generator).double()
    row, column = torch.arange(40).double()[:, None], torch.arange(40).double()
    video = torch.rand(5, 1, 1, generator=generator).double() + 0.02 * row - 0.01 * column
    patches = Patches(10, (40, 40))
    projection = Projection(patches.with_slopes(patches.cut(masks)))
    y = patches.cut((masks * video).sum(0)[None]).permute(1, 2, 0)
    assert projection.residual(y).abs().max() < 1e-4  # the ridge
    texture = torch.rand_like(y)
    once = projection.residual(texture)
    torch.testing.assert_close(projection.residual(once), once, rtol=0, atol=1e-4)


def test_derivatives_are_those_of_the_residual() -> None:
    taken = take(MaskDeviation((0.3, 0.2)), Noise())
    scene = Scene(taken.snapshots, taken.masks, 8, taken.video[0])  # nothing is projected out
    theta = torch.tensor(NOMINAL).double() + torch.tensor([0.31, 0.22, 0.1, 1e-3, 0.3, 0.1, 0.05])
    fit = scene.fit(theta)
    columns = scene.derivatives(theta, range(7), fit)
    for k, step in enumerate((1e-3, 1e-3, 1e-3, 1e-5, 1e-3, 1e-3, 1e-3)):
        moved = theta.clone()
        moved[k] += step
        secant = -(scene.fit(moved).residuals - fit.residuals) / step
        error = (secant - columns[..., k]).norm() / secant.norm()
        assert error < 0.1, k  # the masks' derivatives are secants over more of a pixel


@pytest.mark.parametrize("true", [MaskDeviation((3.0, -5.0)), MaskDeviation((0.5, 0.5), 0.8, 1.01)])
def test_registration_comes_within_a_pixel(true: MaskDeviation) -> None:
    taken = take(true)
    found = register(taken.snapshots.double(), taken.masks.double())
    assert found.score > 10
    assert found.shift == pytest.approx(true.shift, abs=0.5)
    assert found.rotation == pytest.approx(true.rotation, abs=0.3)
    assert found.scale == pytest.approx(true.scale, abs=0.005)


def test_the_order_is_that_of_least_change_and_snapshots_tell_the_direction() -> None:
    generator = torch.Generator().manual_seed(0)
    drift = torch.randn(50, 2 * FRAMES, generator=generator).cumsum(1)
    values = drift.view(50, 2, FRAMES).transpose(1, 2)
    unit, quiet = torch.eye(FRAMES).expand(50, -1, -1), torch.full((50, 2), 1e-4)
    assert frame_order(values, unit, quiet) == tuple(range(FRAMES))
    shuffled = [2, 5, 0, 4, 1, 3]
    found = frame_order(values[:, shuffled], unit, quiet)
    assert [shuffled[frame] for frame in found] == list(range(FRAMES))
    assert frame_order(values.flip(1), unit, quiet) == tuple(range(FRAMES))[::-1]
    # One snapshot runs as well backwards as forwards: then the given direction stands.
    assert frame_order(values[..., :1].flip(1), unit, quiet[:, :1]) == tuple(range(FRAMES))


def test_frames_that_only_noise_parts_stay_in_the_given_order() -> None:
    values = torch.randn(1000, FRAMES, 1, generator=torch.Generator().manual_seed(0))
    unit = torch.eye(FRAMES).expand(1000, -1, -1)
    assert frame_order(values, unit, torch.ones(1000, 1)) == tuple(range(FRAMES))


def test_noise_level_of_pure_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    levels = 4 * torch.rand(4000, generator=generator)
    variances = 0.03**2 + levels / 1000
    chi2 = torch.randn(4000, 50, generator=generator).square().mean(1)
    found = fit_noise_level(levels, variances * chi2, 50)
    assert found.read == pytest.approx(0.03, rel=0.15)
    assert found.photons == pytest.approx(1000, rel=0.1)
    assert found.sigma == pytest.approx((0.03**2 + 2 / 1000) ** 0.5, rel=0.03)


@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_noise_level_of_a_snapshot_with_a_smooth_part(sigma: float) -> None:
    video = moving_texture()
    video[..., : SIDE // 2] = 0.4
    taken = take(MaskDeviation((0.2, 0.4)), Noise(gaussian=sigma), video=video)
    found = calibrate(taken.snapshots, taken.masks).noise
    assert found.sigma == pytest.approx(sigma, rel=0.2)


def test_no_order_is_told_of_frames_behind_one_mask() -> None:
    taken = take(MaskDeviation(), Noise())
    shuffled = taken.masks[[0, 3, 1, 2, 4, 5]]
    assert taken_order(taken.snapshots, shuffled) is not None
    open_masks = torch.ones_like(taken.masks)
    assert taken_order((open_masks * taken.video).sum(1), open_masks) is None
    twice = shuffled.clone()
    twice[5] = twice[0]
    assert taken_order((twice * taken.video).sum(1), twice) is None
    assert calibrate((twice * taken.video).sum(1), twice).order is None
