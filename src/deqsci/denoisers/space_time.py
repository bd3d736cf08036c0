"""The space–time network: one 2-D U-net for every frame, whose features look across the frames."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 8
"""Pixels that one place of the coarsest features stands for, along each side."""

LEVEL_STEP = 20.0
"""log σ is this times the parameter: an optimizer moves all by the same steps, and those of the
weights are too small for a level."""


GATE = -2.0
"""Logit of an untrained network's share of the anchor, 0.12."""


class SpaceTimeNetwork(nn.Module):
    """D(u) = u + Σ g ⊙ (a − u) − N: a U-net of 2-D convolutions shared by the frames, mixed in time
    by moving features, says of every pixel how much noise N it holds and how far it goes back to
    the anchor a, a share g between 0 and 1.

    Without the anchor, what looks like a video to the network stays as it is, and a fixed point
    has neighbours that are nearly fixed: solves take long and end here or there. The untrained
    network contracts towards a by 1 − g = 0.88.

    The planes of every frame (u and a first, then what else the map knows of it, further anchors
    last) and a constant plane of σ are embedded at half the resolution and descend to a quarter and
    an eighth. In every residual block a quarter of the features comes from the frame before and a
    quarter from the frame after, which costs no arithmetic (temporal shift, Lin et al. 2019). Every
    frame meets the same filters: T is free. Nothing is normalised, so that nothing changes during a
    solve or with the size.

    Parameters
    ----------
    planes : P ≥ 1 + ``anchors``.
    widths : channels at 1/2, 1/4 and 1/8 of the resolution.
    blocks : residual blocks at each of these going down (at 1/8: in all); as many at 1/2 and one
        more at 1/4 come on the way up.
    level : initial value of the learned noise level that is used where none is given.
    anchors : videos that a pixel may go towards, each with a share g of its own.

    Shape: planes (B, T, P, H, W), σ a number or (B,), the scale of N a number or (B, T, H, W)
    → (B, T, H, W), any T, H and W.
    """

    def __init__(
        self,
        planes: int,
        widths: tuple[int, int, int] = (32, 64, 96),
        blocks: tuple[int, int, int] = (1, 1, 3),
        level: float = 10 / 255,
        anchors: int = 1,
    ) -> None:
        super().__init__()
        self.anchors = anchors
        fine, middle, coarse = widths
        self.embed = nn.Conv2d(4 * planes + 1, fine, 3, padding=1)
        self.fine_down = nn.ModuleList(Block(fine) for _ in range(blocks[0]))
        self.to_middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.middle_down = nn.ModuleList(Block(middle) for _ in range(blocks[1]))
        self.to_coarse = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(Block(coarse) for _ in range(blocks[2]))
        self.from_coarse = nn.Conv2d(coarse, 4 * middle, 1)
        self.middle_up = nn.ModuleList(Block(middle) for _ in range(blocks[1] + 1))
        self.from_middle = nn.Conv2d(middle, 4 * fine, 1)
        self.fine_up = nn.ModuleList(Block(fine) for _ in range(blocks[0]))
        self.head = nn.Conv2d(fine, 4 * (1 + anchors), 3, padding=1)
        for parameter in self.head.parameters():  # an untrained network finds no noise
            nn.init.zeros_(parameter)
        nn.init.constant_(self.head.bias[4:], GATE)  # type: ignore[index]
        self.log_level = nn.Parameter(torch.tensor(math.log(level) / LEVEL_STEP))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(
        self,
        planes: Tensor,
        sigma: Tensor | float | None = None,
        scale: Tensor | float = 1.0,
    ) -> Tensor:
        batch, frames, _, height, width = planes.shape
        if sigma is None:
            sigma = (LEVEL_STEP * self.log_level).exp()
        level = torch.as_tensor(sigma, dtype=planes.dtype, device=planes.device).view(-1, 1)
        u, anchor, others = planes.tensor_split((1, 2), 2)
        more = self.anchors - 1
        others, further = others.tensor_split((others.shape[2] - more,), 2)
        # Of the estimate the network sees its distance from the anchor, and of further anchors
        # theirs from the estimate: small numbers, which bf16 rounds by little.
        ways = torch.cat((anchor, further), 2) - u
        told = torch.cat((-ways[:, :, :1], anchor, others, ways[:, :, 1:]), 2)
        padded = F.pad(told.flatten(0, 1), (0, -width % STRIDE, 0, -height % STRIDE), "replicate")
        phases = F.pixel_unshuffle(padded, 2)
        level = level.expand(batch, frames).reshape(-1, 1, 1, 1)
        seen = torch.cat((phases, level.expand(-1, 1, *phases.shape[-2:])), 1)
        fine = self.embed(seen.contiguous(memory_format=torch.channels_last))
        fine = _through(self.fine_down, fine, frames)
        middle = _through(self.middle_down, self.to_middle(F.relu(fine)), frames)
        coarse = _through(self.coarse, self.to_coarse(F.relu(middle)), frames)
        middle = middle + F.pixel_shuffle(self.from_coarse(coarse), 2)
        middle = _through(self.middle_up, middle, frames)
        fine = fine + F.pixel_shuffle(self.from_middle(middle), 2)
        fine = _through(self.fine_up, fine, frames)
        found = F.pixel_shuffle(self.head(F.relu(fine)).to(planes.dtype), 2)[..., :height, :width]
        noise, logits = found.unflatten(0, (batch, frames)).split((1, self.anchors), 2)
        return u.squeeze(2) + (logits.sigmoid() * ways).sum(2) - scale * noise.squeeze(2)


def _through(blocks: nn.ModuleList, x: Tensor, frames: int) -> Tensor:
    for block in blocks:
        x = block(x, frames)
    return x


class Block(nn.Module):
    """x + two convolutions of x and its neighbours in time: (B·T, C, h, w) → (B·T, C, h, w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.3)  # a deep sum of blocks begins near the identity

    def forward(self, x: Tensor, frames: int) -> Tensor:
        mixed = self.first(F.relu(exchange(x, frames), inplace=True))
        added: Tensor = self.second(F.relu(mixed, inplace=True))
        return added.add_(x)


def exchange(x: Tensor, frames: int) -> Tensor:
    """A quarter of the channels from the frame before, a quarter from the one after; zeros come
    in at the ends. Shape: (B·T, C, h, w), T → (B·T, C, h, w), laid in memory as ``x`` is."""
    moved: Tensor = _Exchange.apply(x, frames, 0, x.shape[1] // 4)
    return moved


class _Exchange(torch.autograd.Function):
    """The channels from ``first`` on come from the frame before, those from ``second`` on from the
    one after.

    Written by hand for the layout: slices that are padded and joined come out channels first, and
    every convolution would turn them round again, a third of the network's time.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, frames: int, first: int, second: int) -> Tensor:
        ctx.frames, ctx.first, ctx.second = frames, first, second
        count = abs(second - first)
        moved = x.clone()
        old, new = (tensor.unflatten(0, (-1, frames)) for tensor in (x, moved))
        before, after = slice(first, first + count), slice(second, second + count)
        new[:, 1:, before], new[:, 0, before] = old[:, :-1, before], 0
        new[:, :-1, after], new[:, -1, after] = old[:, 1:, after], 0
        return moved

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        back: Tensor = _Exchange.apply(gradients[0], ctx.frames, ctx.second, ctx.first)
        return back, None, None, None
