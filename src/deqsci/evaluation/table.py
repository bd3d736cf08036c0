"""From measured cells to the rows of a table and the lines of a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from deqsci.evaluation.cell import MEMORY, TIMING
from deqsci.evaluation.cell_file import ERROR, Cell
from deqsci.evaluation.record import mean
from deqsci.evaluation.scenes import in_order, titles
from deqsci.metrics import PROTOCOL


@dataclass(frozen=True)
class Score:
    """Quality on one scene, or the number of the error that stands in its place."""

    psnr: float | None = None
    ssim: float | None = None
    error: int | None = None


@dataclass(frozen=True)
class Row:
    """One method. What others made has scores only."""

    name: str
    foreign: bool
    scores: Mapping[str, Score]
    """By scene."""
    average: Score
    evaluations: float | None
    residual: float | None
    converged: str | None
    """``14/16`` of the snapshots; None for a method without a tolerance."""
    seconds: float | None
    memory: float | None
    """Bytes."""


@dataclass(frozen=True)
class Table:
    """The table of a benchmark."""

    scenes: Mapping[str, str]
    """The title of every scene by its name, in the order of the columns."""
    rows: Sequence[Row]
    notes: Sequence[str]
    """Sentences without which the numbers cannot be read."""
    errors: Sequence[str]
    """The sentences behind the numbered errors, from 1."""


@dataclass(frozen=True)
class Curves:
    """Mean PSNR (dB) of every method at every value of a sweep; None where it is not known."""

    name: str
    values: Sequence[Any]
    psnr: Mapping[str, Sequence[float | None]]
    scenes: Sequence[str]
    """Titles of the scenes that the mean is over."""


def tabulate(document: Mapping[str, Any]) -> Table:
    """The table of the results in the document of a benchmark."""
    cells = [cell for cell in document["cells"] if cell["sweep"] is None]
    names = [path.name for path in in_order({Path(cell["scene"]) for cell in cells})]
    shown = titles(names)
    errors: list[str] = []
    for cell in cells:
        if cell[ERROR] is not None and cell[ERROR] not in errors:
            errors.append(cell[ERROR])
    size = _common_size(cells)
    counted = [n for n in names if any(c["scene"] == n and _psnr(c) is not None for c in cells)]
    rows = [
        _row(document, method, [c for c in cells if c["method"] == method], counted, size, errors)
        for method in _methods(document, cells)
    ]
    return Table(
        {name: shown[name] for name in names},
        rows,
        _notes(document, cells, {name: shown[name] for name in counted}, size),
        errors,
    )


def curves(document: Mapping[str, Any]) -> list[Curves]:
    """The curves of all sweeps in the document.

    A mean is over the same scenes all along: those that some method did at every value that any
    scene could be simulated at.
    """
    swept = [cell for cell in document["cells"] if cell["sweep"] is not None]
    return [
        _curves(name, [cell for cell in swept if cell["sweep"] == name], document)
        for name in {cell["sweep"]: None for cell in swept}
    ]


def _curves(name: str, cells: Sequence[Cell], document: Mapping[str, Any]) -> Curves:
    values = list({cell["value"]: None for cell in cells})
    if not any(isinstance(value, str) for value in values):
        values.sort()
    known = {(c["method"], c["scene"], c["value"]): _psnr(c) for c in cells}
    done = {(scene, value) for (_, scene, value), psnr in known.items() if psnr is not None}
    possible = {value for _, value in done}
    names = [path.name for path in in_order({Path(cell["scene"]) for cell in cells})]
    scenes = [n for n in names if possible and all((n, value) in done for value in possible)]
    lines = {
        method: [mean([known.get((method, s, value)) for s in scenes]) for value in values]
        for method in _methods(document, cells)
    }
    return Curves(name, values, lines, [titles(names)[scene] for scene in scenes])


def _common_size(cells: Sequence[Cell]) -> list[int] | None:
    """T, H, W of most snapshots: times of other sizes do not belong into one number."""
    sizes = Counter(tuple(cell["size"]) for cell in cells if "size" in cell)
    return list(sizes.most_common(1)[0][0]) if sizes else None


def _methods(document: Mapping[str, Any], cells: Sequence[Cell]) -> list[str]:
    """Those that have cells, in the document's order; what others made comes last."""
    there = {cell["method"]: None for cell in cells}
    return [m for m in document["methods"] if m in there] + [
        m for m in there if m not in document["methods"]
    ]


def _row(
    document: Mapping[str, Any],
    method: str,
    cells: Sequence[Cell],
    counted: Sequence[str],
    size: Sequence[int] | None,
    errors: list[str],
) -> Row:
    scores = {
        cell["scene"]: Score(cell.get("psnr"), cell.get("ssim"))
        if cell[ERROR] is None
        else Score(error=errors.index(cell[ERROR]) + 1)
        for cell in cells
    }
    done = [cell for cell in cells if cell[ERROR] is None]
    foreign = any("file" in cell for cell in cells)
    records = [] if foreign else [record for cell in done for record in cell["snapshots"]]
    tolerance = document["methods"].get(method, {}).get("tolerance") is not None and records
    timings = [t for cell in done if cell.get("size") == size for t in cell.get("timings", [])]
    counted_scores = [scores.get(name, Score()) for name in counted]
    return Row(
        name=method,
        foreign=foreign,
        scores=scores,
        average=Score(
            mean([score.psnr for score in counted_scores]),
            mean([score.ssim for score in counted_scores]),
        ),
        evaluations=fmean(r["evaluations"] for r in records) if records else None,
        residual=max((r for cell in done if (r := cell.get("residual")) is not None), default=None),
        converged=f"{sum(r['converged'] for r in records)}/{len(records)}" if tolerance else None,
        seconds=median(timings) if timings else None,
        memory=max((m for cell in done if (m := cell.get("memory_bytes"))), default=None),
    )


def _notes(
    document: Mapping[str, Any],
    cells: Sequence[Cell],
    counted: Mapping[str, str],
    size: Sequence[int] | None,
) -> list[str]:
    settings = document["settings"]
    threads, device = settings["threads"], settings["device"]
    machine = settings["processor"] or "CPU" if device == "cpu" else device
    on = f"{machine}, {threads} CPU thread{'s' if threads > 1 else ''}"
    of_size = f" of {size[1]}×{size[2]}×{size[0]}" if size else ""
    notes = [
        f"{PROTOCOL}. Averages: over the snapshots of a scene, then over the scenes. "
        "Masks: the scene file's own.",
        "Evaluations: mean over the snapshots. Residual: the largest, relative, of the videos "
        "returned (of a finite schedule: its last change). Converged: snapshots that reached the "
        "tolerance.",
        f"Seconds per snapshot{of_size}: {TIMING}; on {on}. Memory: {MEMORY}.",
    ]
    if counted and len(counted) < len({cell["scene"] for cell in cells}):
        notes.append(f"The average is over {', '.join(counted.values())}.")
    most = settings["max_snapshots"]
    first = "first snapshot" if most == 1 else f"first {most} snapshots"
    notes.append("All snapshots of every file." if most is None else f"The {first} of every file.")
    if any("file" in cell for cell in cells):
        notes.append("† videos made elsewhere, scored by the same protocol.")
    return notes


def _psnr(cell: Cell) -> float | None:
    psnr: float | None = cell.get("psnr")
    return psnr
