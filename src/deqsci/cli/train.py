"""``deqsci train``: a run, or the rest of one, with its progress."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from deqsci.cli.benchmark import INTERRUPTED
from deqsci.cli.options import Output, Reporting
from deqsci.cli.terminal import Terminal
from deqsci.errors import OutputError

if TYPE_CHECKING:
    from deqsci.training.config import TrainConfig
    from deqsci.training.trainer import Progress, Trainer


def train(
    file: Path,
    /,
    *changes: Annotated[str, Parameter(allow_leading_hyphen=True)],
    output: Output,
    resume: Literal["auto", "never"] = "never",
    reporting: Reporting = Reporting(),
) -> int:
    """Train an equilibrium model as a YAML file says.

    The folder receives `last.safetensors` and `best.safetensors` (for `reconstruct --weights`),
    `log.jsonl`, pictures of the validation clips, and the whole state of the run.

    Parameters
    ----------
    file
        Training configuration, such as configs/de-gap-cnn.yaml.
    changes
        Settings that replace the file's: `--section.key value`, as in `--stages.0.batch 8`.
    output
        Folder of the run.
    resume
        auto goes on from the folder's last checkpoint, where there is one; never refuses a folder
        that has one.
    """
    terminal = Terminal(reporting)

    from deqsci.training.config import load_config
    from deqsci.training.run import start
    from deqsci.training.settings import parse_changes

    config = load_config(file, parse_changes(changes))
    if resume == "never" and (output / "state.pt").exists():
        raise OutputError(
            f"{output} holds a training run; go on with --resume auto, or give another --output"
        )
    with start(config, output) as trainer:
        if trainer.rank > 0:
            trainer.fit()
            return 0
        try:
            with _progress(terminal, reporting, config, trainer):
                trainer.fit()
        except KeyboardInterrupt:
            terminal.notice(f"stopped; --resume auto goes on from the last checkpoint in {output}")
            return INTERRUPTED
        finished = trainer.stage == len(config.stages)
        if not finished:
            terminal.notice(
                f"the time is up at stage {trainer.stage}, step {trainer.step}; "
                "--resume auto with more --minutes goes on"
            )
        record = trainer.last_record
        terminal.result({"output": str(output), "finished": finished, "last": record})
        terminal.say(f"weights: {output / 'last.safetensors'}")
    return 0


@contextmanager
def _progress(
    terminal: Terminal, reporting: Reporting, config: TrainConfig, trainer: Trainer
) -> Iterator[None]:
    """One bar a stage: loss, PSNR, evaluations, residual, time left; a line a validation."""
    trainer.on_validation = lambda record: terminal.say(_told(record))
    if reporting.quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=8),
        TextColumn("{task.completed}/{task.total}  {task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
        redirect_stdout=sys.stdout.isatty(),
    )
    tasks = [
        bars.add_task(f"{i + 1} {stage.kind}", total=stage.steps, state="", start=False)
        for i, stage in enumerate(config.stages)
    ]

    def on_step(progress: Progress) -> None:
        task = tasks[progress.stage]
        if not bars.tasks[progress.stage].started:
            bars.start_task(task)
        bars.update(task, completed=progress.step, state=_state(progress))

    trainer.on_step = on_step
    with bars:
        yield


def _state(progress: Progress) -> str:
    """Loss, PSNR, evaluations, residual and videos a second, short enough for 80 columns."""
    metrics = progress.metrics
    words = [f"loss {metrics['loss']:.2f}", f"{metrics['psnr']:.1f} dB"]
    if "evaluations" in metrics:
        words.append(f"{metrics['evaluations']:.0f} evals {metrics['residual']:.0e}")
    return " ".join([*words, f"{progress.rate:.1f}/s"])


def _told(record: dict[str, Any]) -> str:
    """A line for a person."""
    scores = record["validation"]
    where = f"stage {record['stage']} step {record['step']}"
    if None in scores.values():
        return f"{where}: diverged"
    words = [f"{where}: {scores['psnr']:.2f} dB"]
    if "evaluations" in scores:
        words.append(f"in {scores['evaluations']:.1f} evaluations")
        words.append(f"{scores['score']:.2f} dB run on, residual {scores['residual']:.0e}")
    return ", ".join([*words, f"{record['seconds']:.0f} s"])
