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
        self.onwards, self.back = Sweep(channels), Sweep(channels)
        self.join = nn.Conv2d(2 * channels, channels, 1)
        for parameter in self.join.parameters():  # untrained sweeps say nothing
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        seen = F.relu(x)
        swept = torch.cat((self.onwards(seen, frames), self.back(seen, frames, reverse=True)), 1)
        return x + self.join(swept)


class Sweep(nn.Module):
    """Hidden states over the frames of a video, in their order or in reverse: (B·T, C, h, w), T →
    (B·T, C, h, w).

    A gate says how much of the state is kept, so that it neither grows nor is lost over many
    frames (minimal gated unit, Zhou et al. 2016, with convolutions).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.of_frame = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.of_state = nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False)

    def forward(self, seen: Tensor, frames: int, reverse: bool = False) -> Tensor:
        told = self.of_frame(seen).unflatten(0, (-1, frames)).unbind(1)
        state, states = torch.zeros_like(told[0].chunk(2, 1)[0]), []
        for frame in reversed(told) if reverse else told:
            gate, proposal = (frame + self.of_state(state)).chunk(2, 1)
            state = torch.lerp(state, proposal.tanh(), gate.sigmoid())
            states.append(state)
        return torch.stack(states[::-1] if reverse else states, 1).flatten(0, 1)
