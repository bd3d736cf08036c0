"""What is guessed of counts, on cameras whose black level and full scale are known."""

from __future__ import annotations

import numpy as np
import pytest

from deqsci.io.counts import guess_black_level, guess_full_scale, top_count

RNG = np.random.default_rng(5)
MASKS = (RNG.random((8, 64, 64)) < 0.5).astype(np.float32)
ROW, COLUMN = np.mgrid[:64, :64] / 64
VIDEO = np.stack([0.5 + 0.4 * np.sin(5 * ROW + 3 * COLUMN + t / 4) for t in range(8)])
LIGHT = (MASKS * VIDEO).sum(0)[None]


def codes(black: float, full: float, top: int, noise: float = 1.0) -> np.ndarray:
    counts = black + full * LIGHT + noise * RNG.standard_normal(LIGHT.shape)
    return np.clip(np.rint(counts), 0, top).astype(np.uint8 if top < 256 else np.uint16)


@pytest.mark.parametrize(
    ("black", "full", "top"), [(16, 30, 255), (64, 120, 1023), (256, 450, 4095), (900, 900, 65535)]
)
def test_the_black_level_is_found_to_a_hundredth_of_the_range(
    black: int, full: float, top: int
) -> None:
    counts = codes(black, full, top)
    # Not the darkest pixel: dead ones are darker, and a scene need not have a dark one.
    counts[0, RNG.random((64, 64)) < 0.015] = 0
    assert guess_black_level(counts, MASKS) == pytest.approx(black, abs=0.01 * counts.max())


def test_no_black_level_is_guessed_where_there_is_none() -> None:
    assert guess_black_level(codes(0, 30, 255), MASKS) == 0


@pytest.mark.parametrize("other", [np.roll(MASKS, 3, axis=1), MASKS.swapaxes(1, 2)])
def test_masks_that_do_not_fit_tell_no_black_level(other: np.ndarray) -> None:
    assert guess_black_level(codes(16, 30, 255), other) == 0


def test_masks_that_are_open_alike_tell_no_black_level() -> None:
    assert guess_black_level(codes(16, 30, 255), np.ones_like(MASKS)) == 0


def test_sums_of_8_bit_frames_have_full_scale_255() -> None:
    assert guess_full_scale(np.rint(255 * LIGHT), MASKS, 0) == 255


@pytest.mark.parametrize("top", [255, 4095, 65535])
def test_a_camera_is_exposed_to_fill_its_bits_at_the_mean_opening(top: int) -> None:
    opening = float(MASKS.sum(0).mean())
    black = top // 16
    full = (top - black) / opening
    assert guess_full_scale(codes(black, full, top), MASKS, black) == pytest.approx(full)


def test_real_numbers_are_no_counts() -> None:
    assert guess_full_scale(100.5 * LIGHT, MASKS, 0) is None
    assert guess_black_level(16 + 30 * LIGHT, MASKS) == 0


@pytest.mark.parametrize(
    ("high", "dtype", "top"),
    [
        (9, np.uint8, 255),
        (200, np.uint16, 255),
        (256, np.uint16, 1023),
        (4095, np.float64, 4095),
        (4096, np.int32, 16383),
        (65535, np.uint16, 65535),
        (65536, np.uint32, None),
        (0.5, np.float32, None),
    ],
)
def test_bits_are_the_fewest_that_hold_the_counts(high: float, dtype: type, top: float) -> None:
    assert top_count(np.array([[[0, high]]], dtype)) == top
