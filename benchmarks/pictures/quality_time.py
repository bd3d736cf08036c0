"""Quality against time, drawn from the results file that ``deqsci benchmark`` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from deqsci.io.atomic import atomic_path
from deqsci.reconstruction.zoo import METHODS
from deqsci.viz.curves import COLOURS, COLUMN_STYLE, MARKERS

NAME = 0.042
"""Height of a method's name as a share of the range of PSNR."""


@dataclass(frozen=True)
class Point:
    """A method: its mean PSNR over the scenes in dB and, as in the table, its median seconds a
    snapshot."""

    method: str
    kind: str
    psnr: float
    seconds: float


def draw_quality_time(results: Path, path: Path) -> None:
    """One point a method that did all scenes, one column wide."""
    document = json.loads(results.read_text(encoding="utf-8"))
    points = averages(document["cells"], document["scenes"])
    kinds = sorted({point.kind for point in points})
    with rc_context(COLUMN_STYLE):
        figure = Figure(figsize=(3.5, 4.0), layout="constrained", dpi=300)
        axes = figure.subplots()
        for point in points:
            index = kinds.index(point.kind)
            axes.plot(point.seconds, point.psnr, MARKERS[index], color=COLOURS[index], markersize=5)
        seconds = [point.seconds for point in points]
        middle = (min(seconds) * max(seconds)) ** 0.5
        for late in (False, True):  # names are kept apart among neighbours
            side = [point for point in points if (point.seconds > 3 * middle) == late]
            gap = NAME * spread([p.psnr for p in points])
            heights = apart([point.psnr for point in side], gap)
            for point, height in zip(side, heights):
                before = hides(point, points, gap)
                axes.annotate(
                    point.method, (point.seconds, height), xytext=(-6 if before else 6, 0),
                    textcoords="offset points", va="center", size=7,
                    ha="right" if before else "left",
                )  # fmt: skip
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.margins(x=0.15, y=0.15)
        axes.set_xlim(right=10 * max(seconds))  # room for the last names
        threads = document["settings"]["threads"]
        cores = "" if threads is None else f", {threads} thread" + "s" * (threads > 1)
        axes.set(
            xlabel=f"seconds a snapshot of 256×256×8{cores}",
            ylabel=f"PSNR (dB), mean of {len(document['scenes'])} scenes",
        )
        for index, kind in enumerate(kinds):
            axes.plot([], [], MARKERS[index], color=COLOURS[index], label=kind)
        below: Any = "outside lower center"  # matplotlib's types do not know the outside
        figure.legend(loc=below, ncols=3, frameon=False, handletextpad=0.2)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, facecolor="white")


def averages(cells: Iterable[dict[str, Any]], scenes: Iterable[str]) -> list[Point]:
    """The methods that have a number for every scene; cells of sweeps do not count."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for cell in cells:
        if cell["sweep"] is None and cell["error"] is None and cell["psnr"] is not None:
            found.setdefault(cell["method"], {})[cell["scene"]] = cell
    return [
        Point(
            method,
            METHODS[method].kind if method in METHODS else "elsewhere",
            fmean(cell["psnr"] for cell in own.values()),
            median(seconds for cell in own.values() for seconds in cell["timings"]),
        )
        for method, own in found.items()
        if own.keys() == set(scenes) and all(cell.get("timings") for cell in own.values())
    ]


def hides(point: Point, points: Iterable[Point], gap: float) -> bool:
    """Whether the name to the right of a point would lie on another point."""
    return any(
        1.5 < other.seconds / point.seconds < 6 and abs(other.psnr - point.psnr) < gap / 2
        for other in points
    )


def apart(heights: list[float], gap: float) -> list[float]:
    """The heights, moved down where needed to be ``gap`` apart."""
    placed: dict[int, float] = {}
    ceiling = float("inf")
    for index in sorted(range(len(heights)), key=lambda index: -heights[index]):
        placed[index] = min(heights[index], ceiling)
        ceiling = placed[index] - gap
    return [placed[index] for index in range(len(heights))]


def spread(values: list[float]) -> float:
    """Largest less smallest."""
    return max(values) - min(values)
