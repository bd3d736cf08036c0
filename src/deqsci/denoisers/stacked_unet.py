"""The U-net of the field's end-to-end methods: the frames of a video are its channels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 4
"""Pixels that one place of the coarsest features stands for, along each side."""


class StackedUNet(nn.Module):
    """A U-net of 2-D convolutions over all frames at once, at full, half and quarter resolution.

    As in E2E-CNN (Qiao et al. 2020) and the stages of GAP-net (Meng et al. 2020). One convolution
    reads every frame, which is cheap, and ties the network to their number. An untrained one
    answers with zeros.

    Parameters
    ----------
    channels : of the input.
    frames : of the output, T.
    widths : channels at full, half and a quarter of the resolution.

    Shape: (B, channels, H, W) → (B, T, H, W), any H and W.
    """

    def __init__(
        self, channels: int, frames: int, widths: tuple[int, int, int] = (32, 64, 128)
    ) -> None:
        super().__init__()
        self.frames = frames
        full, half, quarter = widths
        self.full_down = _convolutions(channels, full)
        self.half_down = _convolutions(full, half, stride=2)
        self.quarter = _convolutions(half, quarter, stride=2)
        self.to_half = nn.Conv2d(quarter, 4 * half, 1)
        self.half_up = _convolutions(half, half)
        self.to_full = nn.Conv2d(half, 4 * full, 1)
        self.full_up = _convolutions(full, full)
        self.head = nn.Conv2d(full, frames, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), "replicate")
        full = self.full_down(padded.contiguous(memory_format=torch.channels_last))
        half = self.half_down(full)
        half = half + F.pixel_shuffle(self.to_half(self.quarter(half)), 2)
        full = full + F.pixel_shuffle(self.to_full(self.half_up(half)), 2)
        video: Tensor = self.head(self.full_up(full)).to(x.dtype)
        return video[..., :height, :width]


def _convolutions(channels: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, stride, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(inplace=True),
    )
