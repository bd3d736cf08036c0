"""What a camera's counts mean, where nobody says: black level, bits, and which count is full.

=============  =================================================================================
guess          from
=============  =================================================================================
top            the fewest of 8, 10, 12, 14, 16 bits that hold the counts, 8 for uint8
black level    small patches: where fewer masks open a pixel reads less, and with none open the
               black level; the masks must fit, or nothing is guessed
full scale     255, where the counts are sums of 8-bit frames: nowhere above 255 · ΣΦ and near it
               somewhere; else what fills the converter at the masks' mean opening,
               (top − black level) / mean ΣΦ, as the published captures have it
=============  =================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deqsci.io.on_disk import Array

EIGHT_BIT = 255.0
BITS = (8, 10, 12, 14, 16)

_SIDE = 8
"""Of the patches that tell the black level, in pixels."""

_LOOK = 4
"""Snapshots that are looked at for it."""

_LEAST = 2 / 255
"""Share of the top count below which a black level is not told from none."""

_MOST = 1 / 4
"""Share above which it is none that any camera has."""

_BRIGHTEST = 0.999
"""Quantile of the pixels that stands for the brightest ones, noise and defects left out."""


@dataclass(frozen=True)
class Scale:
    """Intensity = (count − black level) / full scale."""

    full_scale: float = 1.0
    """Count above the black level that one frame of full intensity leaves through an open mask."""
    black_level: float = 0.0
    """Count of a pixel without light."""
    guessed: bool = False
    """Whether one of both was guessed."""

    def intensity(self, count: float) -> float:
        """Of one count."""
        return (count - self.black_level) / self.full_scale


def top_count(counts: Array) -> float | None:
    """The highest count that the converter knows; None for other than whole numbers of 16 bits."""
    if counts.dtype == np.uint8:
        return EIGHT_BIT
    if counts.dtype.kind not in "uif" or counts.min() < 0 or np.any(counts[:_LOOK] % 1):
        return None
    high = int(counts.max())
    return next((float(2**bits - 1) for bits in BITS if high < 2**bits), None)


def guess_full_scale(counts: Array, masks: Array, black_level: float) -> float | None:
    """By the table of this module; None where the numbers are no counts.

    Shape: counts (N, H, W), masks (T, H, W).
    """
    opening = masks.sum(0)
    if float(counts.max()) > EIGHT_BIT and float(counts.min()) >= 0:
        open_ = opening >= 1
        mean_frames = counts[: 4 * _LOOK, open_] / opening[open_]
        if mean_frames.size and 0.5 <= np.quantile(mean_frames, _BRIGHTEST) / EIGHT_BIT <= 1:
            return EIGHT_BIT
    top = top_count(counts)
    return None if top is None else (top - black_level) / float(opening.mean())


def guess_black_level(counts: Array, masks: Array) -> float:
    """The count where no mask opens, continued from patches; 0 where they do not tell.

    In a patch the count rises with ΣΦ, however the scene moves, and what is left at ΣΦ = 0 is the
    black level. With masks that do not fit it does not rise, and what is left is most of the
    light: more than the darkest pixels read, by which it is known.

    Shape: counts (N, H, W), masks (T, H, W).
    """
    if min(counts.shape[-2:]) < _SIDE or (top := top_count(counts)) is None:
        return 0.0
    opening = _patches(masks.sum(0).astype(np.float64))
    rise = opening - opening.mean(1, keepdims=True)
    rises = np.square(rise).sum(1)
    told = rises > 1e-6 * opening.size / len(opening)
    if not told.any():
        return 0.0
    opening, rise, rises = opening[told], rise[told], rises[told]
    levels, weights = [], []
    for image in counts[:_LOOK]:
        counted = _patches(image.astype(np.float64))[told]
        mean = counted.mean(1)
        slope = (rise * counted).sum(1) / rises
        left = np.square(counted - mean[:, None] - slope[:, None] * rise).sum(1)
        levels.append(mean - slope * opening.mean(1))
        # One over the variance of a straight line's value at 0.
        weights.append(1 / (left * (1 / _SIDE**2 + opening.mean(1) ** 2 / rises) + 1e-9))
    level = round(_weighted_median(np.concatenate(levels), np.concatenate(weights)))
    live = counts[:_LOOK][counts[:_LOOK] > 0]  # a dead pixel reads less than the black level
    darkest = np.quantile(live, 0.01) if live.size else 0
    # Noise takes the darkest pixels below the black level.
    believed = _LEAST * top <= level <= min(darkest + _LEAST * top, _MOST * top)
    return float(level) if believed else 0.0


def _patches(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W) → (P, side²); what remains at the lower and right edge is left out."""
    rows, columns = (length // _SIDE for length in image.shape)
    tiles = image[: rows * _SIDE, : columns * _SIDE].reshape(rows, _SIDE, columns, _SIDE)
    return tiles.swapaxes(1, 2).reshape(-1, _SIDE**2)


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = values.argsort()
    total = weights[order].cumsum()
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
