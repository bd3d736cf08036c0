"""The network of DE-RNN: a recurrent sweep over the frames in each direction."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deqsci.denoisers.space_time import SpaceTimeNetwork


class RecurrentNetwork(SpaceTimeNetwork):
    """The space–time network with a memory: at the coarsest level hidden states sweep over the
    frames, forward and backward, so that every frame hears of all others in one evaluation.

    Moving features alone carry news by one frame a block. As there, every frame meets the same
    filters: T is free.

    Shape: planes (B, T, P, H, W), σ a number or (B,) → (B, T, H, W), any T, H and W.
    """

    def __init__(
        self,
        planes: int,
        widths: tuple[int, int, int] = (32, 64, 96),
        blocks: tuple[int, int, int] = (1, 1, 3),
    ) -> None:
        super().__init__(planes, widths, blocks)
        self.coarse.append(Sweeps(widths[2]))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class Sweeps(nn.Module):
    """x + what a forward and a backward sweep remember: (B·T, C, h, w), T → (B·T, C, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.onwards, self.back = Cell(channels), Cell(channels)
        self.join = nn.Conv2d(2 * channels, channels, 1)
        for parameter in self.join.parameters():  # untrained sweeps say nothing
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        seen = F.relu(x).unflatten(0, (-1, frames)).unbind(1)
        swept = torch.cat((sweep(self.onwards, seen), sweep(self.back, seen[::-1]).flip(1)), 2)
        return x + self.join(swept.flatten(0, 1))


class Cell(nn.Module):
    """One step of a sweep: (B, C, h, w) of the frame and of the hidden state → (B, C, h, w).

    A gate says how much of the state is kept, so that it neither grows nor is lost over many
    frames (minimal gated unit, Zhou et al. 2016, with convolutions).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.proposal = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, seen: Tensor, state: Tensor) -> Tensor:
        both = torch.cat((seen, state), 1)
        return torch.lerp(state, self.proposal(both).tanh(), self.gate(both).sigmoid())


def sweep(cell: Cell, frames: tuple[Tensor, ...]) -> Tensor:
    """The hidden states of a sweep in the order given: T × (B, C, h, w) → (B, T, C, h, w)."""
    state, states = torch.zeros_like(frames[0]), []
    for frame in frames:
        state = cell(frame, state)
        states.append(state)
    return torch.stack(states, 1)
