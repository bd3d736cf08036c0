"""What a denoiser sees: single frames, or whole videos."""

from __future__ import annotations

from torch import nn


class VideoDenoiser(nn.Module):
    """Base of the denoisers that look across frames: (B, T, H, W) → (B, T, H, W).

    Every other denoiser is applied to each frame on its own, (N, 1, H, W) → (N, 1, H, W).
    """
