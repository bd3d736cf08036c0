"""The snapshots of a file as they are, before anything is recovered from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deqsci.io.atomic import atomic_path
from deqsci.viz.shrink import shrink
from deqsci.viz.suffix import check_suffix

MOST = 6
"""Snapshots shown; of a longer file, so many evenly spread."""

_WIDTH, _PANEL, _CURVE, _LONGEST = 15.0, 3.6, 2.6, 512


def capture_figure(path: Path, counts: NDArray[Any], title: str) -> None:
    """Write a page with the snapshots and how often each count occurs in them.

    Shape: counts (N, H, W).

    Raises
    ------
    OutputError : another suffix than .png, .pdf or .svg, or ``path`` cannot be written.
    """
    suffix = check_suffix(path)
    chosen = np.unique(np.linspace(0, len(counts) - 1, MOST).round().astype(int))
    images = shrink(counts[chosen].astype(np.float32), _LONGEST)
    top = float(np.quantile(images, 0.999))
    figure = Figure(
        figsize=(_WIDTH, _PANEL + _CURVE + 0.6), facecolor="white", layout="constrained"
    )
    figure.suptitle(title, parse_math=False, fontsize=11)
    grid = figure.add_gridspec(2, 1, height_ratios=[_PANEL, _CURVE])
    upper, lower = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    for place, image in enumerate(images):
        axes = upper.add_subplot(1, max(3, len(images)), place + 1)
        axes.imshow(image, cmap="gray", vmin=min(0.0, float(images.min())), vmax=top or 1.0)
        axes.set_title(f"snapshot {chosen[place] + 1} of {len(counts)}", fontsize=9)
        axes.set_axis_off()
    axes = lower.add_subplot()
    low, high = float(counts.min()), float(counts.max())
    whole = counts.dtype.kind in "ui" and high - low < 300
    bars = int(high - low) + 1 if whole else 256
    half = 0.5 if whole else 0.0
    axes.hist(
        counts[chosen].ravel(), bars, range=(low - half, high + half), color="#666666", log=True
    )
    axes.set(xlabel="count", ylabel="pixels")
    axes.margins(x=0.01)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    with atomic_path(path) as part:
        figure.savefig(part, format=suffix[1:], dpi=110)
