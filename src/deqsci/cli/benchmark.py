"""``deqsci benchmark``: the table of methods and scenes, and the curves of sweeps."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from deqsci.cli.options import Computing, Count, Output, PositiveFloat, Reporting
from deqsci.cli.terminal import Terminal
from deqsci.errors import ConfigError, OutputError, WeightsError

if TYPE_CHECKING:
    from deqsci.evaluation.results import Results
    from deqsci.evaluation.worker import Setup

FAILED = 4
"""Exit code where the benchmark is done and some cells could not be measured."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""

RESULTS = "results.json"
MEASURED = Group("What is measured", sort_key=1)

Names = Annotated[
    tuple[str, ...],
    Parameter(group=MEASURED, negative="", consume_multiple=True, show_default=False),
]


def benchmark(
    scenes: Path,
    /,
    *,
    output: Output,
    methods: Names = (),
    weights: Names = (),
    results: Names = (),
    sweep: Names = (),
    max_snapshots: Annotated[Count | None, Parameter(group=MEASURED)] = None,
    max_iter: Annotated[Count | None, Parameter(group=MEASURED)] = None,
    tol: Annotated[PositiveFloat | None, Parameter(group=MEASURED)] = None,
    computing: Computing = Computing(),
    reporting: Reporting = Reporting(),
) -> int:
    """Measure every method on every scene: quality, evaluations, time, memory.

    The folder receives `table.md`, `table.csv`, `table.tex`, `results.json` and a picture for each
    sweep. The same command goes on where it was stopped; more methods, scenes or sweeps can be
    added later. Exit code 4: done, and a cell failed (the table says why).

    Parameters
    ----------
    scenes
        Folder of scene files (.npz, .mat, .h5), or one file.
    output
        Folder to write, or to go on in.
    methods
        Methods, separated by commas; without it, all that have weights here.
    weights
        NAME=FILE: weights of a method instead of the shipped ones.
    results
        NAME=FOLDER: videos made elsewhere (.npz, .mat, .mp4, .gif), named as the scenes, to score
        beside ours.
    sweep
        QUANTITY=A,B,…: the scenes taken again from their truth at these values of noise, frames,
        masks (bernoulli, shifting, gray, own), shift (of the masks, pixels) or max-iter.
    max_snapshots
        Snapshots of each file at most; without it, all.
    max_iter
        Evaluations at most, of the methods that have a limit; of a finite schedule without weights
        and of `rnn` how many it runs.
    tol
        Relative residual at which a solve has converged, of the methods that have one.
    """
    terminal = Terminal(reporting)

    from deqsci.cli.benchmark_progress import Progress
    from deqsci.evaluation import benchmark as bench
    from deqsci.evaluation.formats import write_tables
    from deqsci.evaluation.scenes import in_order
    from deqsci.evaluation.sweeps import Sweep
    from deqsci.io import list_inputs

    files = in_order(list_inputs(scenes))
    given = {name: Path(file) for name, file in _pairs("--weights", weights).items()}
    setups = _setups(methods, given, computing, max_iter, tol, terminal)
    foreign = {name: Path(folder) for name, folder in _pairs("--results", results).items()}
    _check_names(foreign)
    sweeps = [Sweep.parse(text) for text in sweep]
    tasks = bench.plan(files, setups, sweeps, foreign)
    store = _open(output, files, setups, computing, max_snapshots)

    with Progress(terminal, reporting, bench.pending(tasks, store)) as progress:
        try:
            bench.run(
                tasks,
                store,
                progress,
                max_snapshots=max_snapshots,
                written=lambda: write_tables(output, store.document),
            )
        except KeyboardInterrupt:
            terminal.notice(f"stopped; the same command goes on from what is in {output}")
            return INTERRUPTED
    return _finish(terminal, output, store)


def _setups(
    methods: Sequence[str],
    weights: Mapping[str, Path],
    computing: Computing,
    max_iter: int | None,
    tol: float | None,
    terminal: Terminal,
) -> list[Setup]:
    """The methods asked for, or all that can run here.

    Raises
    ------
    MethodError, WeightsError, ConfigError : a method that cannot run as it was asked to.
    """
    import torch

    from deqsci.cli.runtime import prepare
    from deqsci.evaluation.worker import Setup
    from deqsci.reconstruction.zoo import METHODS, find, shipped_weights

    names = list(dict.fromkeys(name for text in methods for name in text.split(",") if name))
    without = [
        name
        for name in names or METHODS
        if find(name).networks and name not in weights and shipped_weights(name) is None
    ]
    if names and without:
        raise WeightsError(
            f"{without[0]} has no weights of ours yet; give some with --weights {without[0]}=FILE"
        )
    if without:
        terminal.notice(f"left out, without weights of ours yet: {', '.join(without)}")
    names = names or [name for name in METHODS if name not in without]
    if unused := [name for name in weights if name not in names]:
        find(unused[0])
        raise ConfigError(f"--weights names {unused[0]}, which is not among the methods")
    device, _ = prepare(computing)
    return [
        Setup(
            method=name,
            weights=weights.get(name),
            max_iter=max_iter,
            tol=tol,
            device=str(device),
            dtype=computing.dtype,
            threads=torch.get_num_threads(),
            seed=computing.seed,
        )
        for name in names
    ]


def _open(
    output: Path,
    files: Sequence[Path],
    setups: Sequence[Setup],
    computing: Computing,
    max_snapshots: int | None,
) -> Results:
    """The results in ``output``, where there are some that these settings would have given.

    Raises
    ------
    OutputError : something else is there, or results of other settings.
    """
    import torch

    from deqsci.cli.runtime import environment, hardware
    from deqsci.evaluation.benchmark import FORMAT
    from deqsci.evaluation.results import Results
    from deqsci.evaluation.scenes import facts

    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; wanted an output folder")
    if output.is_dir() and not (output / RESULTS).exists():
        visible = sorted(e.name for e in output.iterdir() if not e.name.startswith("."))
        if visible:
            raise OutputError(
                f"{output} exists and holds {visible[0]}, not a benchmark; "
                f"give a new or empty folder"
            )
    machine, setup = environment(), setups[0]
    settings = {
        "max_iter": setup.max_iter,
        "tol": setup.tol,
        "seed": setup.seed,
        "dtype": setup.dtype,
        "threads": machine["threads"],
        "max_snapshots": max_snapshots,
        "versions": machine["versions"],
        **hardware(torch.device(setup.device)),
    }
    inputs = {
        "scene": {file.name: facts(file) for file in files},
        "method": {setup.method: setup.facts() for setup in setups},
    }
    about = {"command": shlex.join(["deqsci", *sys.argv[1:]]), "platform": machine["platform"]}
    return Results(output / RESULTS, FORMAT, settings, inputs, about)


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """The values of an option that is written NAME=VALUE.

    Raises
    ------
    ConfigError : no ``=``, nothing beside it, or a name twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name or not value or name in pairs:
            raise ConfigError(f"{option} {text}; wanted NAME=PATH, each name once")
        pairs[name] = value
    return pairs


def _check_names(foreign: Mapping[str, Path]) -> None:
    from deqsci.reconstruction.zoo import METHODS

    if ours := [name for name in foreign if name in METHODS]:
        raise ConfigError(f"--results {ours[0]} is the name of a method of ours; give another")


def _finish(terminal: Terminal, output: Path, store: Results) -> int:
    """Tables, pictures, and what to say of them."""
    from rich.markup import escape

    from deqsci.evaluation.cell_file import ERROR
    from deqsci.evaluation.formats import grid, write_tables
    from deqsci.evaluation.sweeps import QUANTITIES
    from deqsci.evaluation.table import curves, tabulate

    write_tables(output, store.document)
    for sweep in curves(store.document):
        from deqsci.viz.curves import sweep_figure

        picture = output / f"sweep-{sweep.name}.png"
        sweep_figure(picture, sweep.values, sweep.psnr, xlabel=QUANTITIES[sweep.name].label)
    table = tabulate(store.document)
    head, body = grid(table, "[bold]{}[/bold]".format, escape)
    costs = len(table.scenes) + 2  # the first column of what it cost; all would not fit 80 columns
    terminal.table("PSNR (dB) / SSIM", head[:costs], [row[:costs] for row in body])
    terminal.table("cost", [head[0], *head[costs:]], [[row[0], *row[costs:]] for row in body])
    for note in table.notes:
        terminal.say(note)
    for number, error in enumerate(table.errors, 1):
        terminal.say(f"({number}) {error}")
    terminal.say(f"tables: {output / 'table.md'}, {output / 'table.csv'}, {output / 'table.tex'}")
    failed = sum(cell[ERROR] is not None for cell in store.cells)
    summary: dict[str, Any] = {"output": str(output), "failed": failed, **store.document}
    terminal.result(summary)
    return FAILED if failed else 0
