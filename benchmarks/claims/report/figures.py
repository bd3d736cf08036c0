"""The look of the page's pictures: one column wide, colours that all eyes tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deqsci.io.atomic import atomic_path

# Okabe & Ito (2008), without the yellow that vanishes on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", ":", "-.")

_STYLE: Any = {  # matplotlib lists every name of a setting in its types
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def panels(rows: int, columns: int, height: float) -> tuple[Figure, list[list[Axes]]]:
    """A figure of rows × columns panels, each row ``height`` inches tall."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(7.0, rows * height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [list(row) for row in axes]


def row_panel(names: Sequence[str]) -> tuple[Figure, Axes]:
    """A figure of one panel with a named row for each entry, the first on top."""
    figure, ((axes,),) = panels(1, 1, 1.2 + 0.3 * len(names))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    return figure, axes


def legend(figure: Figure, axes: Axes, columns: int) -> None:
    """One legend for all panels, of the labels of ``axes``, each once."""
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    place: Any = "outside upper center"  # matplotlib's types do not know the outside
    figure.legend(list(unique.values()), list(unique), loc=place, ncols=columns, frameon=False)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with rc_context(_STYLE), atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, facecolor="white")


def drawable(values: Sequence[float | None]) -> list[float]:
    """What is not there leaves a gap in the line."""
    return [float("nan") if value is None else value for value in values]
