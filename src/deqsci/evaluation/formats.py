"""A table as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deqsci.evaluation.cell_file import ERROR, Cell
from deqsci.evaluation.record import LEVELS
from deqsci.evaluation.sweeps import shown
from deqsci.evaluation.table import Curves, Row, Score, Table, curves, tabulate
from deqsci.io.atomic import atomic_path

NOTHING = "–"
FOREIGN = "†"
COSTS = ("evaluations", "residual", "converged", "s / snapshot", "memory (GB)")

Bold = Callable[[str], str]


def write_tables(folder: Path, document: Mapping[str, Any]) -> None:
    """``table.md``, ``table.csv`` and ``table.tex`` of a benchmark's document.

    Raises
    ------
    OutputError : a file cannot be written.
    """
    table, cells = tabulate(document), document["cells"]
    for name, text in {
        "table.md": markdown(table, cells, curves(document)),
        "table.csv": table_csv(cells),
        "table.tex": latex(table),
    }.items():
        with atomic_path(folder / name) as part:
            part.write_text(text, encoding="utf-8")


def markdown(table: Table, cells: Sequence[Cell], sweeps: Sequence[Curves] = ()) -> str:
    """The page ``table.md``: the table, what its numbers mean, the errors, cells, sweeps."""
    lines = [*_pipes(*grid(table, "**{}**".format)), "", *(f"{note}\n" for note in table.notes)]
    if table.errors:
        lines += ["Failed:", ""]
        lines += [f"{number}. {text}" for number, text in enumerate(table.errors, 1)] + [""]
    lines += ["## Cells", "", *_pipes(*_details(table, cells)), ""]
    for sweep in sweeps:
        lines += [f"## {sweep.name}", "", f"![PSNR against {sweep.name}](sweep-{sweep.name}.png)"]
        values = [shown(value) for value in sweep.values]
        rows = [[m, *(_number(v, ".2f") for v in line)] for m, line in sweep.psnr.items()]
        lines += ["", *_pipes([f"PSNR (dB) at {sweep.name}", *values], rows), ""]
        lines += [f"Mean over {', '.join(sweep.scenes) or 'no scene: each lacks a value'}.", ""]
    return "\n".join(lines)


def _details(table: Table, cells: Sequence[Cell]) -> tuple[list[str], list[list[str]]]:
    """Every cell of the table with all that is known of it."""
    head = ["scene", "method", "snapshots", "PSNR", "SSIM", *COSTS[:2], *COSTS[3:], "status"]
    rows = [
        [
            title,
            cell["method"],
            str(len(cell["snapshots"])),
            _number(cell["psnr"], ".2f"),
            _number(cell["ssim"], ".3f"),
            _number(cell.get("evaluations"), ".1f"),
            _number(cell.get("residual"), ".0e"),
            _seconds(cell.get("seconds")),
            _gigabytes(cell.get("memory_bytes")),
            _outcomes(cell) or cell["file"],
        ]
        for name, title in table.scenes.items()
        for cell in cells
        if cell["scene"] == name and cell["sweep"] is None and cell[ERROR] is None
    ]
    return head, rows


def _outcomes(cell: Cell) -> str:
    return ", ".join(f"{n}× {text}" for text, n in cell.get("outcomes", {}).items())


def latex(table: Table) -> str:
    """``table.tex``: a ``table`` environment for a paper that uses ``booktabs``."""
    head, body = grid(table, r"\textbf{{{}}}".format, _escape)
    notes = " ".join(_escape(note) for note in table.notes)
    return "\n".join(
        [
            r"% \usepackage{booktabs}",
            *(f"% failed ({number}): {text}" for number, text in enumerate(table.errors, 1)),
            r"\begin{table*}",
            r"  \centering",
            rf"  \caption{{PSNR (dB) / SSIM. {notes}}}",
            rf"  \begin{{tabular}}{{l{'c' * (len(table.scenes) + 1)}{'r' * len(COSTS)}}}",
            r"    \toprule",
            f"    {' & '.join(head)} \\\\",
            r"    \midrule",
            *(f"    {' & '.join(row)} \\\\" for row in body),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table*}",
            "",
        ]
    )


COLUMNS = (
    "sweep", "value", "method", "scene", "psnr", "ssim", "evaluations", "residual", "converged",
    *(f"evaluations_to_{level}" for level in LEVELS), "snapshots", "seconds",
    "memory_bytes", "outcomes", "file", "error",
)  # fmt: skip


def table_csv(cells: Sequence[Cell]) -> str:
    """``table.csv``: one line a cell, whole numbers of digits, empty where nothing is known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for cell in cells:
        done = cell[ERROR] is None
        counts = {
            "snapshots": len(cell["snapshots"]) if done else None,
            "outcomes": _outcomes(cell),
            **{f"evaluations_to_{name}": n for name, n in cell.get("evaluations_to", {}).items()},
        }
        writer.writerow(cell | counts)
    return text.getvalue()


def grid(
    table: Table, bold: Bold, escape: Callable[[str], str] = str
) -> tuple[list[str], list[list[str]]]:
    """Head and rows: method, scenes, average, then what they cost; scores may be in bold."""
    columns: list[Callable[[Row], Score]] = [
        lambda row, name=name: row.scores.get(name, Score())  # type: ignore[misc]
        for name in table.scenes
    ]
    columns.append(lambda row: row.average)
    texts = [_scores([column(row) for row in table.rows], bold) for column in columns]
    head = ["method", *table.scenes.values(), "average", *COSTS]
    body = [
        [
            f"{row.name} {FOREIGN}" if row.foreign else row.name,
            *scores,
            _number(row.evaluations, ".1f"),
            _number(row.residual, ".0e"),
            row.converged or NOTHING,
            _seconds(row.seconds),
            _gigabytes(row.memory),
        ]
        for row, scores in zip(table.rows, zip(*texts))
    ]
    # A score may be in bold already, and holds nothing that needs an escape.
    return [escape(word) for word in head], [[escape(row[0]), *row[1:]] for row in body]


def _scores(column: Sequence[Score], bold: Bold) -> list[str]:
    """``PSNR / SSIM`` of every row, the best of each in bold; equal as printed is equal."""
    psnrs = [_number(score.psnr, ".2f") for score in column]
    ssims = [_number(score.ssim, ".3f") for score in column]
    texts = []
    best = [
        max((t for t in part if t != NOTHING), key=float, default="") for part in (psnrs, ssims)
    ]
    for score, *parts in zip(column, psnrs, ssims):
        if score.error is not None:
            texts.append(f"failed ({score.error})")
        elif parts == [NOTHING, NOTHING]:
            texts.append(NOTHING)
        else:
            texts.append(" / ".join(bold(t) if t == b else t for t, b in zip(parts, best)))
    return texts


def _seconds(value: float | None) -> str:
    return _number(value, ".3f" if value is not None and value < 1 else ".2f")


def _gigabytes(value: float | None) -> str:
    return _number(None if value is None else value / 1e9, ".2f")


def _number(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def _pipes(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return [line(head), "|---" * len(head) + "|", *map(line, rows)]


_LATEX: dict[str, Any] = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "σ": r"$\sigma$",
    "×": r"$\times$",
    "†": r"\dag{}",
    "–": "--",
}


def _escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_LATEX.get(character, character) for character in text)
