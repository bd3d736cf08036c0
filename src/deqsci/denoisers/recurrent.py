"""The network of DE-RNN: a recurrent sweep over the frames in each direction."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deqsci.denoisers.video import denoise_video

STRIDE = 4
"""Pixels that one place of the hidden state stands for, along each side."""


class RecurrentNetwork(nn.Module):
    """D₁(u) + N(planes): a bidirectional convolutional recurrent network over the T frames of a
    video, beside a denoiser of single frames.

    The planes of every frame (u first, then what else the map knows of it) are embedded at half the
    resolution. At a quarter a hidden state sweeps forward and another backward over the frames, and
    both, with the embedding, say what to add to the frame. Every frame meets the same filters: T is
    free.

    Parameters
    ----------
    planes : P.
    width, hidden : channels at half and at a quarter of the resolution.
    frame_wise : D₁, (N, 1, H, W) → (N, 1, H, W); left out, D₁(u) is u.

    Shape: planes (B, T, P, H, W) → (B, T, H, W), any T, H and W.
    """

    def __init__(
        self, planes: int, width: int = 32, hidden: int = 64, frame_wise: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.frame_wise = frame_wise
        self.embed = nn.Conv2d(4 * planes, width, 3, padding=1)
        self.refine = nn.Conv2d(width, width, 3, padding=1)
        self.down = nn.Conv2d(width, hidden, 3, stride=2, padding=1)
        self.onwards, self.back = Cell(hidden), Cell(hidden)
        self.up = nn.Conv2d(2 * hidden, 4 * width, 1)
        self.join = nn.Conv2d(2 * width, width, 3, padding=1)
        self.head = nn.Conv2d(width, 4, 3, padding=1)
        for parameter in self.head.parameters():  # an untrained network adds nothing
            nn.init.zeros_(parameter)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, planes: Tensor) -> Tensor:
        batch, frames, _, height, width = planes.shape
        padded = F.pad(planes.flatten(0, 1), (0, -width % STRIDE, 0, -height % STRIDE), "replicate")
        phases = F.pixel_unshuffle(padded, 2).contiguous(memory_format=torch.channels_last)
        embedded = F.relu(self.refine(F.relu(self.embed(phases))))
        low = F.relu(self.down(embedded)).unflatten(0, (batch, frames)).unbind(1)
        swept = torch.cat((sweep(self.onwards, low), sweep(self.back, low[::-1]).flip(1)), 2)
        raised = F.pixel_shuffle(F.relu(self.up(swept.flatten(0, 1))), 2)
        joined = F.relu(self.join(torch.cat((embedded, raised), 1)))
        added = F.pixel_shuffle(self.head(joined), 2)
        u = planes[:, :, 0]
        if self.frame_wise is not None:
            u = denoise_video(self.frame_wise, u, None)
        return u + added[:, 0, :height, :width].unflatten(0, (batch, frames)).to(u.dtype)


class Cell(nn.Module):
    """One step of a sweep: (B, C, H, W) of the frame and of the hidden state → (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, seen: Tensor, state: Tensor) -> Tensor:
        mixed = F.relu(self.mix(torch.cat((seen, state), 1)))
        return mixed + self.second(F.relu(self.first(mixed)))


def sweep(cell: Cell, frames: tuple[Tensor, ...]) -> Tensor:
    """The hidden states of a sweep in the order given: T × (B, C, H, W) → (B, T, C, H, W)."""
    state, states = torch.zeros_like(frames[0]), []
    for frame in frames:
        state = cell(frame, state)
        states.append(state)
    return torch.stack(states, 1)
