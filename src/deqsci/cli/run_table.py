"""The table that a run ends with."""

from __future__ import annotations

from deqsci.cli.run import Run
from deqsci.cli.terminal import Terminal
from deqsci.evaluation.record import mean


def show(terminal: Terminal, run: Run, title: str) -> None:
    """The table at the end of a run."""
    columns = ["snapshot", "evaluations", "residual", "seconds", "PSNR", "SSIM", "status"]
    rows = [
        [
            str(record.snapshot + 1),
            str(record.evaluations),
            _number(record.residual, ".1e"),
            f"{record.seconds:.1f}",
            _number(record.psnr, ".2f"),
            _number(record.ssim, ".3f"),
            record.outcome,
        ]
        for record in run.records
    ]
    if len(run.records) > 1:
        evaluations = sum(record.evaluations for record in run.records)
        rows.append(
            [
                "all",
                str(evaluations),
                "",
                f"{run.seconds:.1f}",
                _number(mean([record.psnr for record in run.records]), ".2f"),
                _number(mean([record.ssim for record in run.records]), ".3f"),
                "",
            ]
        )
    terminal.table(title, columns, rows)
    terminal.say(f"{len(run.video)} frames, {len(run.video) / run.seconds:.3g} frames per second")
    # The whole sentence once for all snapshots that ended alike.
    for status in {record.outcome: record.status for record in run.records}.values():
        terminal.say(status)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
