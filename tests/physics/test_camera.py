"""The deviation of the masks: a similarity and a blur, differentiable, within [0, 1]."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.physics.camera import MaskDeviation, warp_masks
from deqsci.physics.masks import bernoulli_masks


def masks(height: int = 12, width: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return bernoulli_masks(3, height, width, generator=generator).double()


def smooth(height: int = 41, width: int = 51) -> Tensor:
    """Masks on which linear interpolation is exact enough to compose: long waves."""
    row, column = torch.arange(height).double()[:, None], torch.arange(width).double()
    return torch.stack(
        [0.5 + 0.4 * torch.sin(row / (9 + t)) * torch.cos(column / 8) for t in (0, 1)]
    )


def test_no_deviation_is_the_identity() -> None:
    given = masks()
    assert MaskDeviation()(given) is given
    none = warp_masks(given, torch.zeros(2).double(), *torch.tensor([0.0, 1.0]).double())
    torch.testing.assert_close(none, given, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -2), (-3, 2)])
def test_a_shift_by_whole_pixels_rolls_the_pattern(down: int, right: int) -> None:
    given, margin = masks(), 3
    moved = MaskDeviation(shift=(down, right))(given)
    inside = (..., slice(margin, -margin), slice(margin, -margin))
    rolled = given.roll((down, right), (-2, -1))
    torch.testing.assert_close(moved[inside], rolled[inside], rtol=0, atol=1e-12)


def test_half_a_pixel_is_the_mean_of_two_neighbours() -> None:
    given = masks()
    moved = MaskDeviation(shift=(0.0, 0.5))(given)
    torch.testing.assert_close(moved[..., 1:], (given[..., 1:] + given[..., :-1]) / 2)


def test_a_quarter_turn_counter_clockwise() -> None:
    given = masks(9, 9)
    turned = MaskDeviation(rotation=90.0)(given)
    torch.testing.assert_close(turned, given.rot90(1, (-2, -1)), rtol=0, atol=1e-9)


def test_magnification_moves_the_pattern_outwards() -> None:
    spot = torch.zeros(1, 21, 21).double()
    spot[0, 10, 14] = 1  # 4 right of the centre
    assert MaskDeviation(scale=2.0)(spot)[0, 10].argmax() == 18


@pytest.mark.parametrize(
    "deviation",
    [MaskDeviation(shift=(1.3, -0.6)), MaskDeviation(rotation=2.0), MaskDeviation(scale=1.03)],
)
def test_there_and_back(deviation: MaskDeviation) -> None:
    down, right = deviation.shift
    back = MaskDeviation((-down, -right), -deviation.rotation, 1 / deviation.scale)
    given, inside = smooth(), (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(back(deviation(given))[inside], given[inside], rtol=0, atol=5e-3)


def test_blur_keeps_the_mean_and_widens_a_spot_by_its_variance() -> None:
    spot = torch.zeros(1, 41, 41).double()
    spot[0, 20, 20] = 1
    blurred = MaskDeviation(blur=2.0)(spot)[0]
    assert blurred.sum().item() == pytest.approx(1)
    distance = (torch.arange(41).double() - 20).square()
    # A pixel adds the variance of its own width, the kernel's end takes some away.
    assert (blurred.sum(1) * distance).sum().item() == pytest.approx(4 + 1 / 12, rel=0.03)


def test_values_stay_transmissions() -> None:
    for frames in (masks().float(), bernoulli_masks(8, 64, 64)):
        warped = MaskDeviation((0.7, -3.4), 1.7, 0.98, 0.6)(frames)
        assert warped.shape == frames.shape
        assert warped.min() >= 0
        assert warped.max() <= 1


def test_every_parameter_has_its_derivative() -> None:
    given = smooth(7, 9).requires_grad_()
    shift = torch.tensor([0.31, -0.23]).double().requires_grad_()
    others = [torch.tensor(v).double().requires_grad_() for v in (1.7, 1.013, 0.8)]
    assert torch.autograd.gradcheck(warp_masks, (given, shift, *others))


def test_sets_of_masks_are_warped_alike() -> None:
    given, deviation = torch.stack([masks(), 1 - masks()]), MaskDeviation((0.4, 0.2), 1.0, 1.0, 0.5)
    alone = torch.stack([deviation(one) for one in given])
    torch.testing.assert_close(deviation(given), alone)


def test_a_slight_blur_reaches_no_neighbour_and_a_flat_mask_has_none() -> None:
    given = masks()
    torch.testing.assert_close(MaskDeviation(blur=0.1)(given), given, rtol=0, atol=1e-5)
    flat = torch.full((1, 12, 16), 0.3)
    torch.testing.assert_close(MaskDeviation(blur=40.0)(flat), flat)


@pytest.mark.parametrize(
    "setting",
    [{"scale": 0.0}, {"blur": -0.1}, {"shift": (float("nan"), 0.0)}, {"rotation": float("inf")}],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="wanted"):
        MaskDeviation(**setting)
