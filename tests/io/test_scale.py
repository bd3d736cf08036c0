"""Which count is full: every row of the table in deqsci.io.scale."""

from __future__ import annotations

import numpy as np
import pytest

from deqsci.errors import DeqsciError, MaskError, ValueRangeError
from deqsci.io.scale import check_scale, frame_sums, intensity, transmission

MASKS = np.ones((8, 2, 3), np.float32)
TRUTH = np.random.default_rng(3).random((8, 2, 3), dtype=np.float32)
SUM = TRUTH.sum(0, keepdims=True)


def test_real_numbers_that_fit_are_intensities_already() -> None:
    sums, _, notices = frame_sums(SUM, MASKS, None, "f")
    np.testing.assert_array_equal(sums, SUM)
    assert notices == ()


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_truth_tells_the_scale(scale: float) -> None:
    sums, found, notices = frame_sums(SUM * scale, MASKS, TRUTH, "f")
    np.testing.assert_allclose(sums, SUM, rtol=1e-6)
    assert found.full_scale == scale
    assert notices == (() if scale == 1 else ("f was divided by 255, which its truth agrees with",))


@pytest.mark.parametrize("factor", [1.3, 2.0])
def test_intensities_that_are_off_their_truth_are_no_counts(factor: float) -> None:
    """Divided by 255 they are nearer to the truth, but as little explained by it as 0 is."""
    sums, scale, (notice,) = frame_sums(factor * SUM, MASKS, TRUTH, "f")
    np.testing.assert_array_equal(sums, factor * SUM)
    assert scale.full_scale == 1
    assert f"differs from the sum of masks times truth by {100 * factor - 100:.3g} %" in notice


def test_noise_above_a_dark_truth_does_not_make_counts() -> None:
    dark = 0.01 * TRUTH
    noisy = dark.sum(0, keepdims=True) + np.float32([[[-0.3, 0.2, 0.3], [0.1, -0.2, 0.4]]])
    _, scale, _ = frame_sums(noisy, MASKS, dark, "f")
    assert scale.full_scale == 1


def test_real_numbers_that_no_scale_explains_are_guessed_or_refused() -> None:
    counts = np.rint(SUM * 31)
    _, scale, _ = frame_sums(counts, MASKS, TRUTH, "f")
    assert scale.guessed
    assert scale.full_scale == 255 / 8
    with pytest.raises(ValueRangeError, match="at most 8 frames of intensity 1"):
        frame_sums(5.01 * SUM, MASKS, TRUTH, "f")


def test_a_given_full_scale_is_taken() -> None:
    counts = np.rint(SUM * 1023).astype(np.uint16)
    sums, _, _ = frame_sums(counts, MASKS, None, "f", full_scale=1023)
    np.testing.assert_allclose(sums, SUM, atol=1e-3)


def test_a_given_black_level_is_taken_off() -> None:
    counts = np.rint(64 + SUM * 1023).astype(np.uint16)
    sums, scale, notices = frame_sums(counts, MASKS, None, "f", full_scale=1023, black_level=64)
    np.testing.assert_allclose(sums, SUM, atol=1e-3)
    assert scale.intensity(64) == 0
    assert notices == ()


@pytest.mark.parametrize("full_scale", [None, 255])
@pytest.mark.parametrize("black_level", [200.0, 300.0])
def test_a_black_level_above_most_counts_is_refused(
    black_level: float, full_scale: float | None
) -> None:
    counts = np.full((1, 2, 3), 200, np.uint8)
    wanted = f"black level is {black_level:g}; wanted less than 200, the mean of f"
    for truth in (None, TRUTH):
        with pytest.raises(ValueRangeError, match=wanted):
            frame_sums(counts, MASKS, truth, "f", full_scale=full_scale, black_level=black_level)


def test_a_guess_is_told_with_how_to_say_otherwise() -> None:
    counts = np.full((1, 2, 3), 200, np.uint8)
    sums, scale, (notice,) = frame_sums(counts, MASKS, None, "f")
    assert scale.guessed
    np.testing.assert_allclose(sums, 200 / (255 / 8))
    assert "black level 0 and full scale 31.88" in notice
    assert "--black-level and --full-scale" in notice


@pytest.mark.parametrize(
    ("snapshot", "full_scale", "sentence"),
    [
        (np.full((1, 2, 3), 9000.5), None, "spans 9000.5 to 9000.5, but .* at most 8 frames"),
        (np.full((1, 2, 3), -9.0), None, "spans -9 to -9"),
        (np.full((1, 2, 3), 1800.0), 10, "180 at full scale 10"),
    ],
)
def test_numbers_on_no_known_scale_are_refused(
    snapshot: np.ndarray, full_scale: float | None, sentence: str
) -> None:
    with pytest.raises(ValueRangeError, match=sentence) as caught:
        frame_sums(snapshot, MASKS, None, "f", full_scale=full_scale)
    assert "--full-scale" in str(caught.value)


def test_noise_beyond_the_range_is_no_error() -> None:
    noisy = SUM.copy()
    noisy[0, 0, :2] = -0.3, 8.4
    sums, _, _ = frame_sums(noisy, MASKS, None, "f")
    np.testing.assert_array_equal(sums, noisy)


def test_a_snapshot_normalised_to_1_is_told() -> None:
    _, _, notices = frame_sums(SUM / SUM.max(), MASKS, None, "f")
    assert "a dark scene, or another scale" in notices[0]


def test_a_snapshot_of_another_video_is_told() -> None:
    _, _, notices = frame_sums(SUM, MASKS, 1 - TRUTH, "f")
    assert "differs from the sum of masks times truth" in notices[0]


@pytest.mark.parametrize(
    ("truth", "full_scale", "expected"),
    [
        (np.float64(0.5), None, 0.5),
        (np.uint8(1), None, 1 / 255),
        (np.float64(51), None, 0.2),
        (np.uint8(51), 1000, 0.2),  # 8 bits are 8 bits
        (np.uint16(500), 1000, 0.5),
        (np.float64(0.5), 1000, 0.5),
        (np.float64(1.01), None, 1.01),  # a resize overshoots
        (np.float32(2.5), 1000, 2.5),
        (np.float64(-0.01), None, -0.01),  # or undershoots
        (np.float32(-0.01), 1000, -0.01),
        (np.float64(2.55), None, 0.01),
        (np.uint16(2), None, 2 / 255),
    ],
)
def test_truth_in_counts_becomes_intensity(
    truth: np.generic, full_scale: float | None, expected: float
) -> None:
    result = intensity(np.full((1, 2, 2), truth), full_scale, "f")
    np.testing.assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("value", "full_scale"),
    [(256.0, None), (-0.5, None), (np.int16(-1), None), (1001.0, 1000)],
)
def test_truth_on_no_known_scale_is_refused(value: float, full_scale: float | None) -> None:
    with pytest.raises(ValueRangeError, match="wanted intensities"):
        intensity(np.full((1, 2, 2), value), full_scale, "f")


@pytest.mark.parametrize(
    ("value", "expected"), [(1.0, 1.0), (0.25, 0.25), (True, 1.0), (255, 1.0), (204.0, 0.8)]
)
def test_masks_become_transmission(value: float, expected: float) -> None:
    masks = np.array([[[0, value]]])
    np.testing.assert_allclose(transmission(masks, "f")[0], [[[0, expected]]], rtol=1e-6)


def test_16_bit_masks_become_transmission() -> None:
    phi, (notice,) = transmission(np.array([[[0, 65535, 13107]]], np.uint16), "f")
    np.testing.assert_allclose(phi, [[[0, 1, 0.2]]])
    assert "divided by 65535" in notice


@pytest.mark.parametrize("value", [0, -1, 2, 1.02, 200.5, 4095, 60000])
def test_masks_that_could_mean_several_things_are_refused(value: float) -> None:
    with pytest.raises(MaskError):
        transmission(np.array([[[0, value]]]), "f")


@pytest.mark.parametrize("full_scale", [0.0, -255.0, float("nan"), float("inf")])
def test_a_full_scale_is_a_positive_number(full_scale: float) -> None:
    with pytest.raises(DeqsciError, match="wanted a positive count"):
        check_scale(full_scale, None)


def test_a_black_level_is_a_finite_number() -> None:
    with pytest.raises(DeqsciError, match="black level is nan; wanted a finite count"):
        check_scale(None, float("nan"))


def test_counts_that_the_truth_contradicts_are_refused() -> None:
    """An 8-bit capture of the whole range 0…T beside a truth in intensities: neither 1 nor 255."""
    rng = np.random.default_rng(0)
    masks = (rng.random((8, 6, 6)) < 0.5).astype(np.float32)
    truth = rng.random((8, 6, 6), dtype=np.float32)
    sums = (masks * truth).sum(0)[None]
    counts = np.round(sums * 255 / 8).astype(np.uint8)
    with pytest.raises(ValueRangeError, match="--full-scale"):
        frame_sums(counts, masks, truth, "snapshot")
    scaled, _, notices = frame_sums(counts, masks, truth, "snapshot", full_scale=255 / 8)
    assert not notices
    np.testing.assert_allclose(scaled, sums, atol=0.02)
