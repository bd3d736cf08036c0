"""RSN-CNN: a residual CNN, spectrally normalised so that the denoiser itself is a contraction."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deqsci.denoisers.video import VideoDenoiser

# Samples of a filter bank's symbol for each degree of it; what may lie between them adds 0.25 % an
# axis to the bound.
_OVERSAMPLING = 32


def filter_bank_norm(filters: Tensor) -> Tensor:
    r"""An upper bound of the operator norm of u ↦ (w_c ∗ u)_c, for videos of every size.

    A zero-padded convolution is a restriction of the one on ℤ³, whose squared norm is
    max_ω s(ω), s(ω) = Σ_c |ŵ_c(ω)|². s is a real trigonometric polynomial of degree d = k − 1 in
    each variable (its coefficients are the filters' summed autocorrelation), so its maximum is at
    most its largest sample on a grid of N points an axis divided by Π cos(πd/N) (Ehlich & Zeller
    1964, applied once per axis). Differentiable. Shape: filters (C, k_T, k, k) → ().
    """
    degrees = [k - 1 for k in filters.shape[1:]]
    # By FFT, not by convolution, which reduced-precision modes of a device would round.
    room = tuple(2 * d + 2 for d in degrees)
    spectrum = torch.fft.rfftn(filters, s=room)
    power = (spectrum.real.square() + spectrum.imag.square()).sum(0)
    autocorrelation = torch.fft.fftshift(torch.fft.irfftn(power, s=room))
    grid = tuple(max(_OVERSAMPLING * d, 2) for d in degrees)
    # The DFT of the uncentred array differs from s by a phase, which the modulus takes away.
    symbol = torch.fft.rfftn(autocorrelation, s=grid).abs()
    between = math.prod(math.cos(math.pi * d / n) for d, n in zip(degrees, grid))
    return (symbol.max() / between).sqrt()


class Shrinkage(nn.Module):
    r"""One step u − Wᵀ clip(Wu, −t, t) against what the filters W find, up to the thresholds t.

    W has ``channels`` channels, normalised to ‖W‖ ≤ 1. The clipping is the gradient of a sum of
    Huber functions, so this is a gradient step on a convex potential that is 1-smooth: a firmly
    nonexpansive operator (Baillon & Haddad 1977).

    Filters see ``span`` = 1 or 3 frames. Those of 3 come in pairs, each with its reversal in time.
    Over a video continued by its mirror image, a pair sees exactly what one of them sees in a
    period of 2T frames, whose energy is twice the video's: hence the √2 in the norm.

    Shape: (B, T, H, W) → (B, T, H, W).
    """

    def __init__(self, channels: int, span: int, kernel: int) -> None:
        super().__init__()
        self.pairs = 2 if span == 3 else 1
        filters = torch.randn(channels // self.pairs, span, kernel, kernel) / kernel
        # A video's mean is signal, not noise.
        self.filters = nn.Parameter(filters - filters.mean((-1, -2, -3), keepdim=True))
        self.log_threshold = nn.Parameter(torch.full((len(filters),), math.log(0.02)))

    def forward(self, u: Tensor) -> Tensor:
        bound = math.sqrt(self.pairs) * filter_bank_norm(self.filters)
        bound = bound.clamp_min(torch.finfo(bound.dtype).tiny)
        unit, threshold = self.filters / bound, self.log_threshold.exp()
        if self.pairs == 2:
            unit, threshold = torch.cat((unit, unit.flip(1))), threshold.repeat(2)
        threshold = threshold.view(-1, 1, 1, 1)
        # t · clip(Wu / t, −1, 1): the thresholds go into the filters and cost nothing per pixel.
        find, replace = _analysis_kernel(unit / threshold), _synthesis_kernel(unit * threshold)
        rows = [
            F.conv2d(F.hardtanh(F.conv2d(frames, find), inplace=True), replace)
            for frames in _unfold(u, *unit.shape[1:3]).split(_frames_at_once(u))
        ]
        return u - _fold(torch.cat(rows), u.shape, *unit.shape[1:3])


def _frames_at_once(u: Tensor) -> int:
    """All where a gradient is recorded; on a CPU else one: what it finds stays near the cache."""
    return 1 if u.device.type == "cpu" and not torch.is_grad_enabled() else len(u) * u.shape[1]


def _unfold(u: Tensor, span: int, size: int) -> Tensor:
    """(B, T, H, W) → (B·T, span·k, H + k − 1, W + 2k − 2), what W sees on its whole support.

    The frames and rows a filter spans become channels, so that the convolution runs along columns
    only, several times faster on CPUs than a convolution with few input channels.
    """
    padded = F.pad(u, [size - 1] * 4)
    if span == 3:  # the mirror image in time
        padded = torch.cat((padded[:, :1], padded, padded[:, -1:]), 1)
    frames, height = u.shape[1], u.shape[2] + size - 1
    seen = torch.stack(
        [padded[:, t : t + frames, r : r + height] for t in range(span) for r in range(size)], -1
    )
    return seen.flatten(0, 1).permute(0, 3, 1, 2)


def _analysis_kernel(filters: Tensor) -> Tensor:
    """W after ``_unfold``. Shape: (C, span, k, k) → (C, span·k, 1, k)."""
    kernel = filters.flatten(1, 2).unsqueeze(2)
    return kernel.contiguous(memory_format=torch.channels_last)


def _synthesis_kernel(filters: Tensor) -> Tensor:
    """Wᵀ before ``_fold``. Shape: (C, span, k, k) → (span·k, C, 1, k)."""
    kernel = filters.flip(-1).flatten(1, 2).transpose(0, 1).unsqueeze(2)
    return kernel.contiguous(memory_format=torch.channels_last)


def _fold(rows: Tensor, shape: torch.Size, span: int, size: int) -> Tensor:
    """(B·T, span·k, H + k − 1, W) → (B, T, H, W): back to the rows and frames they came from."""
    rows = rows.unflatten(0, shape[:2]).unflatten(2, (span, size))
    height = shape[2]
    seen = rows[:, :, :, 0, size - 1 : size - 1 + height].clone()
    for r in range(1, size):
        seen += rows[:, :, :, r, size - 1 - r : size - 1 - r + height]
    if span == 1:
        return seen.squeeze(2)
    past, now, future = seen.unbind(2)
    # What a filter found one frame earlier or later goes back there; the mirror's part to the ends.
    earlier = torch.cat((past[:, 1:], future[:, -1:]), 1)
    later = torch.cat((past[:, :1], future[:, :-1]), 1)
    return now + earlier + later


class RSNCNN(VideoDenoiser):
    r"""Residual CNN whose denoiser D, not only its residual, has a Lipschitz constant below 1.

    The paper's RSN-CNN bounds each layer of the residual N, which leaves up to 2 for D = I − N and
    proves nothing about GAP. Here D is ``LIPSCHITZ`` times a composition of ``Shrinkage`` blocks,
    each nonexpansive, so D, and with it the DE-GAP map D ∘ P, contracts for every weight, every
    mask and every video size: Picard converges, and to one point whatever the start. That is so
    in exact arithmetic; float32 keeps it (0.998 leaves room for rounding), bfloat16 and TF32 may
    not. Blocks of 8×8 filters in a frame and of 4×4 filters over 3 frames alternate: both are
    complete, with about as many channels as a filter has weights. Blind, like ``CNN``.

    Shape: (B, T, H, W) → (B, T, H, W), any T, H and W.
    """

    LIPSCHITZ = 0.998

    def __init__(self, rounds: int = 3, channels: int = 64) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            block
            for _ in range(rounds)
            for block in (Shrinkage(channels, 1, 8), Shrinkage(channels, 3, 4))
        )

    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.LIPSCHITZ * x
