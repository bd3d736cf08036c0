"""Where the masks' pattern lies on the sensor, to about half a pixel, whatever the video is.

A snapshot is the mean frame times the sum of the masks, more or less. Divided by their own local
means both show the same fine pattern, and their cross-correlation has its peak where the masks
lie. Done block by block it tells rotation and scale too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 16
"""Pixels in each direction within which the pattern is looked for."""

_BLOCK = 64
_SIGMA = 4.0
"""Of the local mean, in pixels."""

_OUTLIER = 0.5
"""Pixels from the common similarity beyond which a block counts little."""


@dataclass(frozen=True)
class Registration:
    """Coarse position of the pattern.

    Attributes
    ----------
    shift, rotation, scale : as in `deqsci.physics.camera.MaskDeviation`.
    score : the correlation's peak in standard deviations of its values elsewhere.
    at_edge : whether the peak lies at the edge of the reach, so that the truth may lie beyond.
    """

    shift: tuple[float, float]
    rotation: float
    scale: float
    score: float
    at_edge: bool


def pattern(images: Tensor) -> Tensor:
    """What is left of (N, H, W) after division by its local mean, about 0. Shape: (N, H, W)."""
    radius = min(round(3 * _SIGMA), min(images.shape[-2:]) - 1)
    taps = torch.arange(-radius, radius + 1, dtype=images.dtype)
    kernel = torch.exp(-taps.square() / (2 * _SIGMA**2))
    kernel = kernel / kernel.sum()
    padded = F.pad(images[:, None], (radius,) * 4, mode="reflect")
    local = F.conv2d(F.conv2d(padded, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))[:, 0]
    dark = 1e-2 * images.abs().mean() + torch.finfo(images.dtype).tiny
    return torch.where(local > dark, images / local.clamp_min(dark) - 1, 0.0).clamp(-1, 1)


def register(snapshots: Tensor, masks: Tensor) -> Registration:
    """The similarity that best lays the masks' pattern on that of the snapshots.

    Shape: snapshots (N, H, W), masks (T, H, W), of at least 32×32 pixels.
    """
    seen, own = pattern(snapshots).mean(0), pattern(masks.sum(0)[None])[0]
    correlation = _block_correlations(seen, own)
    reach = correlation.shape[-1] // 2
    together = correlation.mean((0, 1))
    height = torch.stack([image.max() for image in (together, *correlation.flatten(0, 1))])
    spread = torch.stack([_spread(image) for image in (together, *correlation.flatten(0, 1))])
    peak = _place(together)
    # Blocks without a peak of their own say nothing; all say together where the others must be.
    weights = ((height / spread)[1:] > 6).double().view(correlation.shape[:2])
    shift, rotation, scale = _similarity(correlation, weights, peak, seen.shape)
    score = float((height / spread).max())
    return Registration(shift, rotation, scale, score, max(map(abs, peak)) >= reach)


def _block_correlations(seen: Tensor, own: Tensor) -> Tensor:
    """Cross-correlation of blocks, entry [R + i, R + j] for a shift by (i, j).

    Shape: (H, W), (H, W) → (rows, columns, 2R + 1, 2R + 1).
    """
    block = min(_BLOCK, *seen.shape)
    reach = min(REACH, block // 2)
    size = block + 2 * reach
    pieces = seen.unfold(0, block, block // 2).unfold(1, block, block // 2)
    surroundings = F.pad(own, (reach,) * 4)
    surroundings = surroundings.unfold(0, size, block // 2).unfold(1, size, block // 2)
    spectrum = torch.fft.rfft2(surroundings) * torch.fft.rfft2(pieces, s=(size, size)).conj()
    correlation = torch.fft.irfft2(spectrum, s=(size, size))
    inner = surroundings[..., reach : reach + block, reach : reach + block]
    norm = pieces.flatten(2).norm(dim=-1) * inner.flatten(2).norm(dim=-1)
    lags = correlation[..., : 2 * reach + 1, : 2 * reach + 1].flip(-1, -2)
    return lags / norm.clamp_min(torch.finfo(norm.dtype).tiny)[..., None, None]


def _spread(image: Tensor) -> Tensor:
    """Standard deviation by the median, which a peak does not change."""
    return 1.4826 * image.abs().median() + 1e-9


def _place(image: Tensor) -> tuple[int, int]:
    """Shift at which a correlation (2R + 1, 2R + 1) is largest."""
    size = image.shape[-1]
    index = int(image.argmax())
    return index // size - size // 2, index % size - size // 2


def _similarity(
    correlation: Tensor, weights: Tensor, peak: tuple[int, int], shape: torch.Size
) -> tuple[tuple[float, float], float, float]:
    """Similarity through the shifts of the blocks, robustly."""
    rows, columns = correlation.shape[:2]
    block = min(_BLOCK, *shape)
    equations, shifts = [], []
    for i in range(rows):
        for j in range(columns):
            if not weights[i, j]:
                continue
            # Rows and columns from the sensor's centre.
            r = i * (block // 2) + (block - shape[0]) / 2
            c = j * (block // 2) + (block - shape[1]) / 2
            down, right = _centroid(correlation[i, j])
            equations += [[1.0, 0.0, -c, r], [0.0, 1.0, r, c]]
            shifts += [down, right]
    if len(equations) < 4:
        return (float(peak[0]), float(peak[1])), 0.0, 1.0
    a = torch.tensor(equations, dtype=torch.float64)
    b = torch.tensor(shifts, dtype=torch.float64)
    # A weak pull keeps rotation and scale at none where all blocks lie in one place.
    pull = torch.diag(torch.tensor([1e-9, 1e-9, 1.0, 1.0], dtype=torch.float64))
    start = b.view(-1, 2).median(0).values
    x = torch.tensor([start[0], start[1], 0.0, 0.0], dtype=torch.float64)
    for _ in range(20):  # iteratively reweighted
        w = 1 / (1 + ((a @ x - b) / _OUTLIER).square())
        x = torch.linalg.solve(a.mT @ (w[:, None] * a) + pull, a.mT @ (w * b))
    return (float(x[0]), float(x[1])), math.degrees(float(x[2])), 1 + float(x[3])


def _centroid(image: Tensor) -> tuple[float, float]:
    """Peak of a correlation, between the pixels."""
    peak = _place(image)
    reach = image.shape[-1] // 2
    row, column = (min(max(p, 1 - reach), reach - 1) for p in peak)
    around = image[row + reach - 1 : row + reach + 2, column + reach - 1 : column + reach + 2]
    around = (around - 2 * _spread(image)).clamp_min(0) + 1e-9
    steps = torch.tensor([-1.0, 0.0, 1.0], dtype=image.dtype)
    total = around.sum()
    return (
        row + float((around.sum(1) * steps).sum() / total),
        column + float((around.sum(0) * steps).sum() / total),
    )
