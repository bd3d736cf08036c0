"""PSNR and SSIM against known values and against SSIM written out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from deqsci.errors import ShapeError, ValueRangeError
from deqsci.metrics import MAX_PSNR, psnr, psnr_per_frame, quality, ssim, ssim_per_frame


def noisy_pair(sigma: float = 0.1, frames: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    truth = rng.random((frames, 24, 31)).cumsum(axis=2) / 31
    return truth + sigma * rng.standard_normal(truth.shape), truth


def ssim_by_hand(image: np.ndarray, truth: np.ndarray) -> float:
    """Wang et al. 2004, eq. 13, with their 11×11 Gaussian window, where the window fits."""
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def mean(values: np.ndarray) -> np.ndarray:
        return correlate(values, window)[5:-5, 5:-5]

    a, b = mean(image), mean(truth)
    variance_a, variance_b = mean(image**2) - a**2, mean(truth**2) - b**2
    covariance = mean(image * truth) - a * b
    c1, c2 = 0.01**2, 0.03**2
    numerator = (2 * a * b + c1) * (2 * covariance + c2)
    return float((numerator / ((a**2 + b**2 + c1) * (variance_a + variance_b + c2))).mean())


def test_a_constant_error_of_a_tenth_is_20_db() -> None:
    truth = np.full((2, 12, 12), 0.4)
    np.testing.assert_allclose(psnr_per_frame(truth + 0.1, truth), [20, 20])


def test_the_mean_is_taken_over_frames_not_over_squared_errors() -> None:
    truth = np.full((2, 12, 12), 0.5)
    video = truth + np.array([0.1, 0.01])[:, None, None]
    assert psnr(video, truth) == pytest.approx((20 + 40) / 2)


def test_values_are_clipped_before_they_are_measured() -> None:
    truth = np.zeros((1, 12, 12))
    truth[:, 6:] = 1
    video = np.where(truth == 1, 1.5, 0.1)
    assert psnr(video, truth) == pytest.approx(20 + 10 * math.log10(2))  # half the pixels are right
    np.testing.assert_array_equal(
        ssim_per_frame(video * 1, truth), ssim(np.clip(video, 0, 1), truth)
    )


def test_psnr_is_that_of_the_formula() -> None:
    video, truth = noisy_pair()
    error = ((np.clip(video, 0, 1) - np.clip(truth, 0, 1)) ** 2).mean((1, 2))
    np.testing.assert_allclose(psnr_per_frame(video, truth), -10 * np.log10(error))


@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.5])
def test_ssim_is_that_of_the_paper(sigma: float) -> None:
    video, truth = np.clip(noisy_pair(sigma), 0, 1)
    expected = [ssim_by_hand(a, b) for a, b in zip(video, truth, strict=True)]
    np.testing.assert_allclose(ssim_per_frame(video, truth), expected, rtol=1e-10)
    assert ssim(video, truth) == pytest.approx(np.mean(expected))


def test_an_exact_video_has_the_largest_psnr_and_ssim_1() -> None:
    _, truth = noisy_pair()
    assert psnr(truth, truth) == MAX_PSNR
    assert ssim(truth, truth) == pytest.approx(1)


def test_an_exact_frame_leaves_a_mean() -> None:
    truth = np.zeros((2, 12, 12))  # one black frame is met exactly
    video = truth + np.array([0, 0.1])[:, None, None]
    assert psnr(video, truth) == pytest.approx((MAX_PSNR + 20) / 2)
    assert quality(video, truth)[0] == psnr(video, truth)
    assert psnr(truth + 1e-6, truth) == MAX_PSNR  # 120 dB


def test_tensors_and_arrays_measure_the_same() -> None:
    video, truth = (x.astype(np.float32) for x in noisy_pair())
    tensor = torch.from_numpy(video).requires_grad_()
    assert psnr(tensor, torch.from_numpy(truth)) == psnr(video, truth)
    assert ssim(tensor, truth) == ssim(video, truth)


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_what_cannot_be_measured_is_an_error(measure) -> None:
    video, truth = noisy_pair()
    for wrong in (video[:2], video[0], video[:0]):
        with pytest.raises(ShapeError):
            measure(wrong, truth)
    with pytest.raises(ValueRangeError, match="video holds NaN"):
        measure(video * np.nan, truth)


def test_ssim_wants_frames_as_large_as_its_window() -> None:
    frames = np.zeros((1, 10, 20))
    with pytest.raises(ShapeError, match="10×20; SSIM wants at least 11×11"):
        ssim(frames, frames)


def test_quality_is_what_can_be_had() -> None:
    truth = np.full((2, 11, 11), 0.5, dtype=np.float32)
    assert quality(truth + 0.1, truth) == (psnr(truth + 0.1, truth), ssim(truth + 0.1, truth))
    small = truth[:, :10]
    assert quality(small + 0.1, small) == (psnr(small + 0.1, small), None)
    assert quality(np.where(truth > 0, np.nan, 0), truth) == (None, None)


def test_a_batch_of_videos_is_its_frames() -> None:
    rng = np.random.default_rng(1)
    video, truth = rng.random((2, 2, 3, 12, 12))
    assert psnr(video, truth) == psnr(video.reshape(6, 12, 12), truth.reshape(6, 12, 12))
    assert ssim(video, truth) == ssim(video.reshape(6, 12, 12), truth.reshape(6, 12, 12))


def test_a_colour_video_is_measured_by_its_channels_only() -> None:
    rng = np.random.default_rng(1)
    video, truth = rng.random((2, 2, 12, 14, 3))
    with pytest.raises(ShapeError, match="colour"):
        psnr(video, truth)
    each = [psnr(video[..., c], truth[..., c]) for c in range(3)]
    assert quality(video, truth)[0] == pytest.approx(np.mean(each))
