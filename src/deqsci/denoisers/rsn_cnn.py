"""RSN-CNN: a residual CNN, spectrally normalised so that the denoiser itself is a contraction."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Frequencies per axis at which the symbol of a filter bank is sampled; at 256 the correction for
# what lies between the samples is below 0.6 % for filters up to 9×9.
_FREQUENCIES = 256


def filter_bank_norm(filters: Tensor) -> Tensor:
    r"""An upper bound of the operator norm of u ↦ (w_c ∗ u)_c, for images of every size.

    A zero-padded convolution is a restriction of the one on ℤ², whose squared norm is
    max_ω s(ω), s(ω) = Σ_c |ŵ_c(ω)|². s is a real trigonometric polynomial of degree d = k − 1 in
    each variable (its coefficients are the filters' summed autocorrelation), so its maximum is at
    most its largest sample on an N×N grid divided by cos(πd/N)² (Ehlich & Zeller 1964, applied
    once per axis). Differentiable. Shape: filters (C, 1, k, k) → ().
    """
    degree = filters.shape[-1] - 1
    # By FFT, not by convolution, which reduced-precision modes of a device would round.
    room = (2 * degree + 2,) * 2
    spectrum = torch.fft.rfft2(filters[:, 0], s=room)
    power = (spectrum.real.square() + spectrum.imag.square()).sum(0)
    autocorrelation = torch.fft.fftshift(torch.fft.irfft2(power, s=room))
    # The DFT of the uncentred array differs from s by a phase, which the modulus takes away.
    symbol = torch.fft.rfft2(autocorrelation, s=(_FREQUENCIES, _FREQUENCIES)).abs()
    return (symbol.max() / math.cos(math.pi * degree / _FREQUENCIES) ** 2).sqrt()


class Shrinkage(nn.Module):
    r"""One step u − Wᵀ clip(Wu, −t, t) against what the filters W find, up to the thresholds t.

    W is a bank of filters divided by ``filter_bank_norm``: ‖W‖ ≤ 1. The clipping is the gradient
    of a sum of Huber functions, so this is a gradient step on a convex potential that is 1-smooth:
    a firmly nonexpansive operator (Baillon & Haddad 1977).

    Shape: (N, 1, H, W) → (N, 1, H, W).
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        filters = torch.randn(channels, 1, kernel, kernel) / kernel
        # An image's mean is signal, not noise.
        self.filters = nn.Parameter(filters - filters.mean((-1, -2), keepdim=True))
        self.log_threshold = nn.Parameter(torch.full((channels,), math.log(0.02)))

    def forward(self, u: Tensor) -> Tensor:
        unit = self.filters / filter_bank_norm(self.filters)
        threshold = self.log_threshold.exp().view(-1, 1, 1, 1)
        # t · clip(Wu / t, −1, 1): the thresholds go into the filters and cost nothing per pixel.
        found = F.hardtanh(_analyse(u, unit / threshold), inplace=True)
        return u - _synthesise(found, unit * threshold)


def _analyse(u: Tensor, filters: Tensor) -> Tensor:
    """Wu on its whole support: (N, 1, H, W), (C, 1, k, k) → (N, C, H + k − 1, W + k − 1).

    The k rows a filter spans become channels and the convolution runs along columns only, several
    times faster on CPUs than a convolution with one input channel.
    """
    size = filters.shape[-1]
    padded = F.pad(u[:, 0], [size - 1] * 4)
    height = padded.shape[-2] - size + 1
    rows = torch.stack([padded[:, r : r + height] for r in range(size)], dim=-1)
    kernel = filters.transpose(1, 2).contiguous(memory_format=torch.channels_last)
    return F.conv2d(rows.permute(0, 3, 1, 2), kernel)


def _synthesise(found: Tensor, filters: Tensor) -> Tensor:
    """Wᵀ, the adjoint of ``_analyse``: (N, C, H + k − 1, W + k − 1) → (N, 1, H, W)."""
    size = filters.shape[-1]
    kernel = filters.squeeze(1).flip(-1).transpose(0, 1).unsqueeze(2)
    rows = F.conv2d(found, kernel.contiguous(memory_format=torch.channels_last))
    height = found.shape[-2] - size + 1
    shifted = [rows[:, r, size - 1 - r : size - 1 - r + height] for r in range(size)]
    return torch.stack(shifted).sum(0).unsqueeze(1)


class RSNCNN(nn.Module):
    r"""Residual CNN whose denoiser D, not only its residual, has a Lipschitz constant below 1.

    The paper's RSN-CNN bounds each layer of the residual N, which leaves up to 2 for D = I − N and
    proves nothing about GAP. Here D is ``LIPSCHITZ`` times a composition of ``Shrinkage`` blocks,
    each nonexpansive, so D, and with it the DE-GAP map D ∘ P, contracts for every weight, every
    mask and every image size: Picard converges, and to one point whatever the start. That is so
    in exact arithmetic; float32 keeps it (0.998 leaves room for rounding), bfloat16 may not.
    Blind, like ``CNN``.

    Shape: (N, 1, H, W) → (N, 1, H, W), any H and W.
    """

    LIPSCHITZ = 0.998

    def __init__(self, blocks: int = 3, channels: int = 64, kernel: int = 8) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Shrinkage(channels, kernel) for _ in range(blocks))

    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.LIPSCHITZ * x
