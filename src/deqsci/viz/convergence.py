"""The picture of a convergence report: the solve, and where plain iteration leads from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deqsci.io.atomic import atomic_path
from deqsci.reconstruction.convergence import ConvergenceReport
from deqsci.viz.curves import COLOURS, COLUMN_STYLE
from deqsci.viz.suffix import check_suffix

MOST = len(COLOURS)
"""Snapshots drawn; of more, the first."""


def convergence_figure(path: Path | str, report: ConvergenceReport) -> None:
    """Draw the relative residual over the evaluations, one column wide; the suffix is the format.

    Solid lines are the solver's, one a snapshot, dotted ones plain iteration from its solution.

    Raises
    ------
    OutputError : another suffix than .png, .pdf or .svg, or ``path`` cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    solved = report.solution.residuals.numpy()
    plain = report.stability.residuals.numpy()
    with rc_context(COLUMN_STYLE):
        figure = Figure(figsize=(3.5, 2.4), layout="constrained", dpi=300)
        axes = figure.subplots()
        for index, (trace, onward) in enumerate(zip(solved[:MOST], plain[:MOST])):
            trace = trace[np.isfinite(trace)]
            colour = COLOURS[index]
            first = index == 0
            axes.semilogy(
                range(1, len(trace) + 1), trace, color=colour, label="solver" if first else None
            )
            axes.semilogy(
                range(len(trace) + 1, len(trace) + 1 + len(onward)),
                np.where(np.isfinite(onward), onward, np.nan),
                color=colour,
                linestyle=":",
                label="plain iteration from there" if first else None,
            )
        axes.set(xlabel="evaluations of the map", ylabel="relative residual ‖f(z) − z‖ / ‖f(z)‖")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, facecolor="white")
