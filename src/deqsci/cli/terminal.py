"""Everything a command says: results on standard output, the rest on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deqsci.cli.options import Reporting

if TYPE_CHECKING:
    from torch import Tensor

Callback = Callable[[int, "Tensor"], None]
"""What a solver calls at each iteration: its number, and the residuals (B,)."""


class Terminal:
    """Speaks as ``-q``, ``-v`` and ``--json`` ask."""

    def __init__(self, reporting: Reporting) -> None:
        self._json = reporting.json
        self._quiet = reporting.quiet
        self._verbose = reporting.verbose

    def say(self, text: str) -> None:
        """A result for a person."""
        if not (self._quiet or self._json):
            print(text)

    def notice(self, text: str) -> None:
        """Something the user should know about the input."""
        if not self._quiet:
            print(f"deqsci: {text}", file=sys.stderr)

    def detail(self, text: str) -> None:
        """Something for ``-v``."""
        if self._verbose and not self._quiet:
            print(text, file=sys.stderr)

    def result(self, value: Mapping[str, Any]) -> None:
        """The one object of ``--json``."""
        if self._json:
            print(json.dumps(value, allow_nan=False))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of results for a person; numbers stand to the right."""
        if self._quiet or self._json:
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD)
        for row in rows:
            table.add_row(*row)
        for column, cells in zip(table.columns, zip(*rows)):
            if all(cell[:1].isdigit() or cell == "–" for cell in cells):
                column.justify = "right"
        # Not a terminal: no wrapping at 80 columns, so that the rows can be searched.
        Console(width=None if sys.stdout.isatty() else 200).print(table)

    @contextmanager
    def progress(self, title: str, snapshots: int, evaluations: int) -> Iterator[SolveProgress]:
        """A bar on standard error while ``snapshots`` are solved; silent where none is wanted."""
        if self._quiet or not sys.stderr.isatty():
            yield SolveProgress(None, snapshots, evaluations)
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        with bar:
            task = bar.add_task(title, total=float(snapshots), state="")

            def show(done: float, state: str) -> None:
                bar.update(task, completed=done, state=state)

            yield SolveProgress(show, snapshots, evaluations)


class SolveProgress:
    """Snapshot, iteration and residual of the running solve."""

    def __init__(
        self, show: Callable[[float, str], None] | None, snapshots: int, evaluations: int
    ) -> None:
        self._show, self._snapshots, self._evaluations = show, snapshots, max(1, evaluations)

    def callback(self, index: int) -> Callback | None:
        """Say that snapshot ``index`` has begun; what its solver calls at each iteration.

        None where nothing is shown: reading the residual would make a GPU wait.
        """
        show = self._show
        if show is None:
            return None
        snapshot = f"snapshot {index + 1}/{self._snapshots}"
        show(index, f"{snapshot}  preparing")  # some methods take seconds before they iterate

        def on_iteration(iteration: int, residual: Tensor) -> None:
            show(
                index + min(1.0, iteration / self._evaluations),
                f"{snapshot}  iteration {iteration}  residual {float(residual.max()):.1e}",
            )

        return on_iteration
