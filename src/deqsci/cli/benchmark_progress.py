"""How far a benchmark is: a line for each cell, and on a terminal a bar with the time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from deqsci.cli.options import Reporting
from deqsci.cli.terminal import Terminal
from deqsci.evaluation.benchmark import Task
from deqsci.evaluation.cell_file import ERROR, Cell
from deqsci.evaluation.forecast import Forecast

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


class Progress:
    """Told by the benchmark how it goes on, tells the user."""

    def __init__(self, terminal: Terminal, reporting: Reporting, tasks: Sequence[Task]) -> None:
        self._terminal = terminal
        self._total, self._done = len(tasks), 0
        self._forecast = Forecast(task.method for task in tasks)
        self._bars = None if reporting.quiet or not sys.stderr.isatty() else _bars()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
            self._bar = self._bars.add_task("", total=float(self._total), left="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def begin(self, task: Task) -> None:
        self._task, self._began = task, time.perf_counter()
        self._show(0.0)

    def step(self, done: int, of: int) -> None:
        self._show(done / of)

    def end(self, task: Task, cell: Cell) -> None:
        self._done += 1
        self._forecast.add(task.method, time.perf_counter() - self._began)
        left = f"; {self._left(0.0, 0.0)}" if self._done < self._total else ""
        self._terminal.notice(f"{self._done}/{self._total} {task}: {_told(cell)}{left}")

    def _show(self, share: float) -> None:
        if self._bars is None:
            return
        elapsed = time.perf_counter() - self._began
        state: dict[str, Any] = {"description": str(self._task), "left": self._left(elapsed, share)}
        self._bars.update(self._bar, completed=self._done + share, **state)

    def _left(self, elapsed: float, share: float) -> str:
        seconds, whole = self._forecast.left(self._task.method, elapsed, share)
        return f"{'' if whole else 'at least '}{duration(seconds)} left"


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _told(cell: Cell) -> str:
    if cell[ERROR] is not None:
        return f"failed: {cell[ERROR]}"
    words = [] if cell["psnr"] is None else [f"{cell['psnr']:.2f} dB"]
    if "seconds" in cell:
        words.append(f"{cell['seconds']:.3g} s a snapshot")
    return ", ".join(words) or "scored"


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
    )
