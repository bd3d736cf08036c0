"""PSNR and SSIM by the one protocol that every number of this project follows.

Values are clipped to [0, 1], each frame is measured against a peak of 1, a video's number is the
mean over its frames; a frame's PSNR counts as 100 dB at most. SSIM has a Gaussian window of σ = 1.5
cut to 11×11 and population covariance (Wang et al. 2004), over the pixels whose window lies inside
the frame. A colour video's number is the mean over red, green and blue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from skimage import metrics

from deqsci.errors import ShapeError, ValueRangeError

if TYPE_CHECKING:
    from torch import Tensor

    Video = NDArray[Any] | Tensor

Float = NDArray[np.float64]

_psnr: Callable[..., float] = metrics.peak_signal_noise_ratio
_ssim: Callable[..., float] = metrics.structural_similarity

MAX_PSNR = 100.0
"""PSNR in dB of a frame that is met exactly, or as good as: an infinite one would leave its video,
and the scenes beside that, without a mean. Rounding to float32 alone leaves more."""

SSIM_WINDOW = 11

PROTOCOL = (
    "PSNR (dB, at most 100) and SSIM per frame on values clipped to [0, 1], peak 1, mean over "
    "frames; SSIM: Gaussian window 11×11, σ = 1.5, population covariance"
)
"""One sentence to print with every table."""

COLOUR_PROTOCOL = f"{PROTOCOL}; mean over red, green and blue"
"""The same for colour videos."""


def psnr(video: Video, truth: Video) -> float:
    """Mean over frames of the PSNR in dB, of a frame at most ``MAX_PSNR``.

    Shape: two videos (F, H, W), or two batches (B, T, H, W) of them, → scalar.
    """
    return float(psnr_per_frame(video, truth).mean())


def ssim(video: Video, truth: Video) -> float:
    """Mean over frames of the SSIM, at most 1.

    Shape: two videos (F, H, W), or two batches (B, T, H, W) of them, → scalar.
    """
    return float(ssim_per_frame(video, truth).mean())


def quality(video: Video, truth: Video) -> tuple[float | None, float | None]:
    """PSNR and SSIM as far as they can be had: a finite video, room for SSIM's window.

    Shape: two videos (F, H, W), or two colour videos (F, H, W, 3), → two scalars.
    """
    if not bool(np.isfinite(video).all()):
        return None, None
    video, truth = channels(video), channels(truth)
    return psnr(video, truth), ssim(video, truth) if min(truth.shape[-2:]) >= SSIM_WINDOW else None


def channels(video: Video) -> Video:
    """The channels of a colour video as gray frames, which all measures take; a gray one as it is.

    Shape: (F, H, W, 3) → (F, 3, H, W); (F, H, W) → (F, H, W).
    """
    if video.ndim != 4:
        return video
    return np.moveaxis(video, -1, 1) if isinstance(video, np.ndarray) else video.movedim(-1, 1)


def psnr_per_frame(video: Video, truth: Video) -> Float:
    """PSNR in dB of each frame; ``MAX_PSNR`` where it is met exactly, and at most.

    Shape: (F, H, W), (F, H, W) → (F,).

    Raises
    ------
    ShapeError : shapes that differ, are empty or in colour (see :func:`channels`), or are neither
        (F, H, W) nor (B, T, H, W).
    ValueRangeError : NaN or infinity.
    """
    pairs = _pairs(video, truth)
    with np.errstate(divide="ignore"):  # an exact frame: 1/0 = ∞ is meant
        each = [_psnr(reference, estimate, data_range=1) for estimate, reference in pairs]
    return np.minimum(each, MAX_PSNR)


def ssim_per_frame(video: Video, truth: Video) -> Float:
    """SSIM of each frame; errors as :func:`psnr_per_frame`, and frames of at least 11×11.

    Shape: (F, H, W), (F, H, W) → (F,).
    """
    pairs = _pairs(video, truth)
    height, width = truth.shape[-2:]
    if min(height, width) < SSIM_WINDOW:
        raise ShapeError(
            f"frames are {height}×{width}; SSIM wants at least "
            f"{SSIM_WINDOW}×{SSIM_WINDOW}, the size of its window"
        )
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return np.array([_ssim(truth, image, data_range=1, **window) for image, truth in pairs])


def _pairs(video: Video, truth: Video) -> Iterator[tuple[Float, Float]]:
    """Frame and true frame, clipped, one pair at a time: videos may be too large to copy."""
    estimate, reference = _frames(video, "video"), _frames(truth, "truth")
    if video.shape != truth.shape:
        raise ShapeError(
            f"video has shape {tuple(video.shape)}, truth {tuple(truth.shape)}; wanted equal shapes"
        )
    frames = zip(estimate, reference, strict=True)
    return ((_clipped(frame, "video"), _clipped(true, "truth")) for frame, true in frames)


def _frames(video: Video, name: str) -> NDArray[Any]:
    array = video if isinstance(video, np.ndarray) else video.detach().cpu().numpy()
    if array.ndim not in (3, 4) or array.size == 0:
        raise ShapeError(
            f"{name} has shape {array.shape}; wanted (F, H, W) or (B, T, H, W), not empty"
        )
    if array.ndim == 4 and array.shape[-1] == 3:  # rows of three pixels would pass for frames
        raise ShapeError(
            f"{name} has shape {array.shape}: colour; wanted its channels as gray frames, which "
            f"deqsci.metrics.channels makes"
        )
    return array.reshape(-1, *array.shape[-2:])


def _clipped(frame: NDArray[Any], name: str) -> Float:
    if not np.isfinite(frame).all():
        raise ValueRangeError(f"{name} holds NaN or infinite values; wanted finite ones")
    return np.clip(frame.astype(np.float64), 0, 1)
