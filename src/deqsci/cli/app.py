"""The ``deqsci`` command: parses, runs one verb, turns errors into sentences and exit codes.

Exit codes: 0 done; 1 a fault of ours; 2 the input or the command is wrong; 3 done, but ``--strict``
was given and some snapshot did not reach the tolerance; 4 a benchmark is done, but for cells that
failed; 130 interrupted; 141 nobody reads on.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from deqsci import __version__
from deqsci.cli.benchmark import INTERRUPTED, benchmark
from deqsci.cli.calibrate import calibrate
from deqsci.cli.config_file import apply_config_file
from deqsci.cli.demo import demo
from deqsci.cli.info import info
from deqsci.cli.inspect import inspect
from deqsci.cli.options import Reporting
from deqsci.cli.reconstruct import reconstruct
from deqsci.cli.report import report
from deqsci.cli.simulate import simulate
from deqsci.cli.train import train
from deqsci.errors import DeqsciError

app = App(
    name="deqsci",
    help=(
        "Video snapshot compressive imaging: from one coded snapshot back to the video.\n\n"
        "Start with: deqsci demo"
    ),
    help_format="markdown",  # joins the lines of a docstring
    version=__version__,
    config=apply_config_file,
)
for verb in (demo, simulate, inspect, calibrate, reconstruct, report, benchmark, train, info):
    app.command(verb, sort_key=len(list(app)))


CLOSED_PIPE = 141
"""Exit code where nobody reads the output any more, as a shell has it for other programs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (without the program's name) and return its exit code."""
    verbose = False
    try:
        command, bound, _ = app.parse_args(argv, print_error=False, exit_on_error=False)
        reporting = bound.arguments.get("reporting")
        verbose = isinstance(reporting, Reporting) and reporting.verbose
        code = command(*bound.args, **bound.kwargs)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (BrokenPipeError, SystemExit):  # `deqsci … | head`; rich ends the program then
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, "interrupted; unfinished results were not kept")
    except (CycloptsError, DeqsciError) as error:
        if verbose:
            traceback.print_exc()
        return _fail(2, f"error: {error}")
    except Exception as error:
        if verbose:
            traceback.print_exc()
        hint = "" if verbose else "; -v prints the traceback"
        return _fail(1, f"internal error: {type(error).__name__}: {error}{hint}")


def _fail(code: int, message: str) -> int:
    print("deqsci:", " ".join(message.split()), file=sys.stderr)
    return code


def run() -> None:
    """Entry point of the ``deqsci`` script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console without × still shows the rest
    sys.exit(main())
