"""What a denoiser sees: single frames, or whole videos."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deqsci.errors import ShapeError

# Pixels denoised at once when no gradient is recorded: activations of 64 channels then stay
# near the cache, which measures a third faster than a whole video at a time.
_CHUNK_PIXELS = 1 << 17


class VideoDenoiser(nn.Module):
    """Base of the denoisers that look across frames: (B, T, H, W) → (B, T, H, W).

    Every other denoiser is applied to each frame on its own, (N, 1, H, W) → (N, 1, H, W).
    """


def denoise_video(denoiser: nn.Module, video: Tensor, sigma: Tensor | float | None) -> Tensor:
    """Denoise a video, frame by frame unless the network is a ``VideoDenoiser``.

    ``sigma`` is one number, or (B,) one per sample. Shape: (B, T, H, W) → (B, T, H, W).

    Raises
    ------
    ShapeError : the denoiser returns another shape than it was given.
    """
    if isinstance(denoiser, VideoDenoiser):
        return _denoised(denoiser, video, sigma)
    frames = video.flatten(0, 1).unsqueeze(1)
    levels = sigma
    if isinstance(sigma, Tensor) and sigma.ndim == 1:
        levels = sigma.repeat_interleave(video.shape[1])
    if torch.is_grad_enabled() or video.device.type != "cpu":
        return _denoised(denoiser, frames, levels).view_as(video)
    denoised = torch.empty_like(frames)
    count = max(1, _CHUNK_PIXELS // frames[0].numel())
    for start in range(0, len(frames), count):
        chunk = slice(start, start + count)
        own = levels[chunk] if isinstance(levels, Tensor) and levels.ndim == 1 else levels
        denoised[chunk] = _denoised(denoiser, frames[chunk], own)
    return denoised.view_as(video)


def _denoised(denoiser: nn.Module, noisy: Tensor, sigma: Tensor | float | None) -> Tensor:
    result: Tensor = denoiser(noisy, sigma)
    if result.shape != noisy.shape:  # some would broadcast, and be a video all the same
        raise ShapeError(
            f"{type(denoiser).__name__} made {tuple(result.shape)} of {tuple(noisy.shape)}; "
            "wanted a denoiser that keeps the shape"
        )
    return result
