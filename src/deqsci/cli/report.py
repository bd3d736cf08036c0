"""``deqsci report``: a run as one page to open in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deqsci.cli.options import Reporting
from deqsci.cli.terminal import Terminal
from deqsci.errors import ConfigError, OutputError

PAGES = (".html", ".htm")
"""Suffixes that a browser knows."""


def report(
    run: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    reporting: Reporting = Reporting(),
) -> int:
    """Make a page of a run: pictures that play, curves, and what they mean.

    The page is one file that needs no network; the links in it lead to the run's other files.

    Parameters
    ----------
    run
        Folder that `reconstruct` or `demo` wrote, or a folder of such: then a page in each, and one
        that leads to them.
    output
        Page to write; without it, `report.html` in the folder.
    """
    terminal = Terminal(reporting)
    if output is not None and output.suffix.lower() not in PAGES:
        raise OutputError(f"{output} is no page; give a name that ends in {' or '.join(PAGES)}")

    from deqsci.io.finished_run import FinishedRun, find_runs
    from deqsci.io.run_folder import REPORT
    from deqsci.viz.report import write_index, write_report

    folders = find_runs(run)
    several = folders != [run]
    if several and output is not None:
        raise ConfigError(
            f"{run} holds {len(folders)} runs, and a page is written in each; leave --output out, "
            f"or name one run such as {folders[0]}"
        )
    pages = []
    for folder in folders:
        page = output or folder / REPORT
        write_report(FinishedRun.load(folder), page)
        pages.append(page)
    if several:
        write_index(map(FinishedRun.load, folders), run / REPORT)
        pages.append(run / REPORT)
    for page in pages:
        terminal.say(f"page: {page}, {page.stat().st_size / 1e6:.1f} MB")
    terminal.result({"pages": [str(page) for page in pages]})
    return 0
