"""The space–time network: one 2-D U-net for every frame, whose features look across the frames."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 8
"""Pixels that one place of the coarsest features stands for, along each side."""


class SpaceTimeNetwork(nn.Module):
    """U-net of 2-D convolutions shared by the frames, mixed in time by moving features.

    The planes of every frame (what the map knows of it) are embedded at half the resolution and
    descend to a quarter and an eighth. In every residual block a quarter of the features comes from
    the frame before and a quarter from the frame after, which costs no arithmetic (Lin et al. 2019,
    temporal shift). Every frame meets the same filters: T is free. No normalisation, hence nothing
    that changes during a solve or depends on the size.

    Parameters
    ----------
    planes : P.
    widths : channels at 1/2, 1/4 and 1/8 of the resolution.
    blocks : residual blocks at 1/4 going down, at 1/8, and at 1/4 going up.

    Shape: planes (B, T, P, H, W) → (B, T, H, W), any T, H and W.
    """

    def __init__(
        self,
        planes: int,
        widths: tuple[int, int, int] = (32, 64, 96),
        blocks: tuple[int, int, int] = (1, 3, 2),
    ) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.embed = nn.Conv2d(4 * planes, fine, 3, padding=1)
        self.refine = nn.Conv2d(fine, fine, 3, padding=1)
        self.down = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.descent = nn.ModuleList(Block(middle) for _ in range(blocks[0]))
        self.deepen = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.bottom = nn.ModuleList(Block(coarse) for _ in range(blocks[1]))
        self.rise = nn.Conv2d(coarse, 4 * middle, 1)
        self.ascent = nn.ModuleList(Block(middle) for _ in range(blocks[2]))
        self.raise_ = nn.Conv2d(middle, 4 * fine, 1)
        self.join = nn.Conv2d(fine, fine, 3, padding=1)
        self.head = nn.Conv2d(fine, 4, 3, padding=1)
        for parameter in self.head.parameters():  # an untrained network adds nothing
            nn.init.zeros_(parameter)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, planes: Tensor) -> Tensor:
        batch, frames, _, height, width = planes.shape
        padded = F.pad(planes.flatten(0, 1), (0, -width % STRIDE, 0, -height % STRIDE), "replicate")
        phases = F.pixel_unshuffle(padded, 2).contiguous(memory_format=torch.channels_last)
        fine = F.relu(self.refine(F.relu(self.embed(phases))))
        middle = F.relu(self.down(fine))
        for block in self.descent:
            middle = block(middle, frames)
        coarse = F.relu(self.deepen(middle))
        for block in self.bottom:
            coarse = block(coarse, frames)
        middle = middle + F.pixel_shuffle(self.rise(coarse), 2)
        for block in self.ascent:
            middle = block(middle, frames)
        fine = F.relu(fine + F.pixel_shuffle(self.raise_(middle), 2))
        added = F.pixel_shuffle(self.head(F.relu(self.join(fine))), 2)
        return added[:, 0, :height, :width].unflatten(0, (batch, frames))


class Block(nn.Module):
    """x + two convolutions of x and its neighbours in time: (B·T, C, h, w) → (B·T, C, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.3)  # a deep sum of blocks begins near the identity

    def forward(self, x: Tensor, frames: int) -> Tensor:
        return x + self.second(F.relu(self.first(F.relu(exchange(x, frames)))))


def exchange(x: Tensor, frames: int) -> Tensor:
    """A quarter of the channels from the frame before, a quarter from the one after; zeros come
    in at the ends. Shape: (B·T, C, h, w), T → (B·T, C, h, w)."""
    video = x.unflatten(0, (-1, frames))
    quarter = x.shape[1] // 4
    before = F.pad(video[:, :-1, :quarter], (0, 0, 0, 0, 0, 0, 1, 0))
    after = F.pad(video[:, 1:, quarter : 2 * quarter], (0, 0, 0, 0, 0, 0, 0, 1))
    return torch.cat((before, after, video[:, :, 2 * quarter :]), 2).flatten(0, 1)
