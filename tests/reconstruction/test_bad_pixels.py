"""Bad pixels that were put there are found, and hardly any others."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from deqsci.physics.noise import Noise
from deqsci.reconstruction.bad_pixels import BadPixels, find_bad_pixels
from deqsci.reconstruction.calibration.clip_level import clip_level
from deqsci.reconstruction.calibration.deleted_residuals import deleted_residuals
from deqsci.reconstruction.calibration.noise_level import NoiseLevel
from tests.reconstruction.calibration.support import FRAMES, SIDE, take

QUIET = NoiseLevel(0.005, math.inf, 1.0)


def drawn(share: float, seed: int) -> Tensor:
    """So large a share of the pixels, (SIDE, SIDE) bool."""
    return torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) < share


def share_of(found: Tensor, true: Tensor) -> float:
    return float((found & true).sum() / true.sum())


@pytest.mark.parametrize(("snapshots", "least"), [(1, 0.9), (4, 0.98)])
def test_dead_pixels_are_found_and_more_snapshots_find_more(snapshots: int, least: float) -> None:
    taken, dead = take(snapshots=snapshots), drawn(0.005, 1)
    y = taken.snapshots * ~dead
    found = find_bad_pixels(y, taken.masks, QUIET)
    seen = dead & (taken.masks.sum(0) > 0)
    assert share_of(found.dead, seen) >= least
    assert int((found.dead & ~dead).sum()) <= 1
    assert int(found.hot.sum()) <= 1


def test_hot_pixels_are_found() -> None:
    taken, hot = take(snapshots=3), drawn(0.002, 2)
    readings = 4 + torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    y = torch.where(hot, readings, taken.snapshots)
    found = find_bad_pixels(y, taken.masks, QUIET)
    assert share_of(found.hot, hot) > 0.7
    assert int((found.hot & ~hot).sum()) <= 1


def test_a_pixel_that_is_dark_for_once_is_not_dead() -> None:
    taken = take(snapshots=3)
    y = taken.snapshots.clone()
    y[1, 40, 40] = 0
    assert not find_bad_pixels(y, taken.masks, QUIET).dead[40, 40]


def test_masks_of_another_camera_invent_few_bad_pixels() -> None:
    """The prediction is uncertain then and its uncertainty known: only some of the 1 in 2^6 pixels
    that no true mask opens seem dead."""
    found = find_bad_pixels(take().snapshots, take(seed=5).masks, QUIET)
    assert float((found.dead | found.hot).double().mean()) < 0.005


def test_constant_snapshots_do_not_clip() -> None:
    masks = take().masks
    assert clip_level(torch.full((2, SIDE, SIDE), 0.7), masks) is None


@pytest.mark.parametrize("bits", [None, 8])
def test_the_clip_level_is_seen_in_the_snapshots(bits: int | None) -> None:
    taken = take(noise=Noise(gaussian=0.005, bits=bits, saturation=1.8))
    assert clip_level(taken.snapshots, taken.masks) == pytest.approx(1.8)
    found = find_bad_pixels(taken.snapshots, taken.masks, QUIET)
    at_the_end = taken.snapshots[0] >= 1.8 - 1e-6
    assert int(at_the_end.sum()) > 100
    assert torch.equal(found.saturated(taken.snapshots[0]), at_the_end)


def test_a_white_scene_is_not_taken_for_saturation() -> None:
    white = torch.ones(FRAMES, SIDE, SIDE)
    taken = take(noise=Noise(), video=white)
    assert clip_level(taken.snapshots, taken.masks) is None


def test_a_known_saturation_is_taken() -> None:
    taken = take()
    assert find_bad_pixels(taken.snapshots, taken.masks, QUIET, 2.5).saturation == 2.5


def test_pixels_are_counted_once_and_filled_with_the_mean_frame_around() -> None:
    dead = torch.zeros(8, 8, dtype=torch.bool)
    dead[3, 3] = True
    masks = torch.ones(2, 8, 8)
    masks[0, 3, 3] = 0
    snapshot = torch.full((8, 8), 1.2)
    snapshot[3, 3], snapshot[0, 0] = 0.0, 2.0
    bad = BadPixels(dead, torch.zeros_like(dead), saturation=2.0)
    assert bad.saturated(snapshot).nonzero().tolist() == [[0, 0]]
    assert int(bad.of(snapshot).sum()) == 2
    filled = bad.filled(snapshot, masks)
    assert float(filled[3, 3]) == pytest.approx(0.6)  # one mask of two is open there
    assert torch.equal(filled[~dead], snapshot[~dead])


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("place", [(0, 0), (3, 5), (7, 7)])
def test_deleted_residuals_are_those_of_fits_without_the_pixel(
    place: tuple[int, int], trusted: bool
) -> None:
    """By brute force, whether the pixel is trusted or not: its own reading never counts."""
    taken = take(noise=Noise(gaussian=0.05))
    y, masks = taken.snapshots[0, :8, :8].double(), taken.masks[:, :8, :8].double()
    trust = torch.ones(8, 8, dtype=torch.bool)
    trust[place] = trusted
    surprise = deleted_residuals(y, masks, trust)[place]
    ramp = (torch.arange(8).double() - 3.5) / 8
    opening = masks.sum(0)
    columns = [*masks, opening * ramp[:, None], opening * ramp]
    basis, values = torch.stack(columns, -1).flatten(0, 1), y.flatten()
    pixel = 8 * place[0] + place[1]
    others = torch.arange(64) != pixel
    a, b = basis[others], values[others]
    c = torch.linalg.lstsq(a, b[:, None]).solution[:, 0]
    variance = (b - a @ c).square().sum() / (len(b) - a.shape[1])
    leverage = basis[pixel] @ torch.linalg.inv(a.mT @ a) @ basis[pixel]
    expected = (values[pixel] - basis[pixel] @ c) / (variance * (1 + leverage)).sqrt()
    assert float(surprise) == pytest.approx(float(expected), rel=0.02)


def test_a_sensor_without_room_for_a_patch_is_not_judged() -> None:
    nothing = deleted_residuals(torch.ones(5, 9), torch.ones(3, 5, 9), torch.ones(5, 9) > 0)
    assert torch.equal(nothing, torch.zeros(5, 9))
