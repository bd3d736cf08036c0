"""Curves of several methods over one quantity, one column of a paper wide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from deqsci.io.atomic import atomic_path

# Okabe & Ito (2008), colours that all eyes tell apart, without the yellow that vanishes on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", ":", "-.")

SPREAD = 8.0
"""Largest over smallest value from which on positive whole numbers stand on a logarithmic axis."""
ROOM = 0.09
"""Share of the axis that a number takes."""

_WIDTH, _HEIGHT, _LEGEND_ROW = 3.5, 2.5, 0.17
"""Inches: a column, the picture, a row of its legend."""
COLUMN_STYLE: Any = {  # matplotlib lists every name of a setting in its types
    "font.size": 8,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
}
"""matplotlib's settings for a picture one column wide."""


def sweep_figure(
    path: Path,
    values: Sequence[float | str],
    lines: Mapping[str, Sequence[float | None]],
    *,
    xlabel: str,
    ylabel: str = "PSNR (dB)",
) -> None:
    """Draw one line for each name over ``values``; the suffix of ``path`` chooses the format.

    Words stand side by side and are not joined by lines; whole numbers of a wide range stand on
    a logarithmic axis; None leaves a gap.

    Raises
    ------
    OutputError : ``path`` cannot be written.
    """
    words = any(isinstance(value, str) for value in values)
    places: list[Any] = list(range(len(values))) if words else list(values)
    rows = -(-len(lines) // 2)
    with rc_context(COLUMN_STYLE):
        size = (_WIDTH, _HEIGHT + rows * _LEGEND_ROW)
        figure = Figure(figsize=size, layout="constrained", dpi=300)
        axes = figure.subplots()
        for index, (name, line) in enumerate(lines.items()):
            if all(value is None for value in line):
                continue  # keeps the colours of the others
            axes.plot(
                places,
                [float("nan") if value is None else value for value in line],
                label=name,
                color=COLOURS[index % len(COLOURS)],
                marker=MARKERS[index % len(MARKERS)],
                linestyle="" if words else LINES[index % len(LINES)],
            )
        axes.set(xlabel=xlabel, ylabel=ylabel)
        if words:
            axes.set_xticks(places, [str(value) for value in values])
            axes.margins(x=0.15)
        else:
            if all(isinstance(v, int) and v > 0 for v in places) and (
                max(places) >= SPREAD * min(places)
            ):
                axes.set_xscale("log")
            if _apart(places, axes.get_xscale() == "log"):
                axes.xaxis.set_major_locator(FixedLocator(places))
                axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        below: Any = "outside lower center"  # matplotlib's types do not know the outside
        figure.legend(loc=below, ncols=2, frameon=False, handlelength=3)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, facecolor="white")


def _apart(places: Sequence[float], logarithmic: bool) -> bool:
    """Whether there is room to write every value at its place."""
    along = sorted(math.log(place) if logarithmic else place for place in places)
    return all(b - a >= ROOM * (along[-1] - along[0]) for a, b in zip(along, along[1:]))
