"""A benchmark: every method on every scene, every sweep, and what others made of the scenes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deqsci.errors import DeqsciError, InputFileError
from deqsci.evaluation.cell import measure, score
from deqsci.evaluation.cell_file import ERROR, Cell
from deqsci.evaluation.results import Results
from deqsci.evaluation.scenes import first, standard_name
from deqsci.evaluation.sweeps import Sweep, Value, shown, varied
from deqsci.evaluation.worker import Setup
from deqsci.io import SnapshotFile, load_snapshots
from deqsci.io.foreign import ARRAYS, VIDEOS, read_reconstruction
from deqsci.reconstruction.zoo import find

FORMAT = "deqsci benchmark 1"


@dataclass(frozen=True)
class Task:
    """A cell to be measured."""

    method: str
    """A method of ours, or the name of the results that were made elsewhere."""
    scene: Path
    setup: Setup | None = None
    """How our method is to run."""
    video: Path | None = None
    """What was made elsewhere."""
    sweep: str | None = None
    value: Value | None = None

    @property
    def key(self) -> dict[str, Any]:
        """What names the cell."""
        return {
            "method": self.method,
            "scene": self.scene.name,
            "sweep": self.sweep,
            "value": self.value,
        }

    def __str__(self) -> str:
        where = "" if self.value is None else f", {self.sweep} {shown(self.value)}"
        return f"{self.method} on {self.scene.name}{where}"


class Watch(Protocol):
    """Who is told how the run goes on."""

    def begin(self, task: Task) -> None:
        """A cell is begun."""

    def step(self, done: int, of: int) -> None:
        """So many solves of the cell are done."""

    def end(self, task: Task, cell: Cell) -> None:
        """The cell is written."""


def plan(
    scenes: Sequence[Path],
    setups: Sequence[Setup],
    sweeps: Sequence[Sweep] = (),
    foreign: Mapping[str, Path] | None = None,
) -> list[Task]:
    """All cells, in the order in which they are measured: the table's, scene by scene, first.

    ``foreign`` is a folder of videos for each name.

    Raises
    ------
    InputFileError : a folder of videos with none, or several, for a scene.
    """
    tasks = [Task(setup.method, scene, setup) for scene in scenes for setup in setups]
    for name, folder in (foreign or {}).items():
        found = {scene: video for scene in scenes if (video := find_video(folder, scene))}
        if not found:
            raise InputFileError(
                f"{folder} holds no result of these scenes; wanted files such as "
                f"{scenes[0].stem}.npz (or {', '.join([*ARRAYS[1:], *VIDEOS])})"
            )
        tasks += [Task(name, scene, video=video) for scene, video in found.items()]
    for sweep in sweeps:
        tasks += [
            Task(setup.method, scene, setup, sweep=sweep.name, value=value)
            for scene in scenes
            for value in sweep.values
            for setup in setups
            if _able(setup.method, sweep.name, value)
        ]
    return tasks


def _able(method: str, sweep: str, value: Value) -> bool:
    """Whether the method has what is swept: a limit, or any T."""
    known = find(method)
    if sweep == "max-iter":
        return known.has_limit
    return sweep != "frames" or known.frames in (None, value)


def find_video(folder: Path, scene: Path) -> Path | None:
    """The file of ``folder`` that is named as the scene, or as the standard scene that it is.

    Raises
    ------
    InputFileError : no such folder, or several files of that name.
    """
    if not folder.is_dir():
        raise InputFileError(f"{folder} is no folder; wanted a folder of reconstructed videos")
    stems = {scene.stem.lower(), standard_name(scene)}
    found = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in (*ARRAYS, *VIDEOS) and file.stem.lower() in stems
    )
    if len(found) > 1:
        raise InputFileError(
            f"{folder} holds {found[0].name} and {found[1].name} for {scene.name}; wanted one"
        )
    return found[0] if found else None


def pending(tasks: Sequence[Task], results: Results) -> list[Task]:
    """The cells that are not there. What was made elsewhere takes no time: it is scored anew."""
    return [task for task in tasks if task.video is not None or results.find(task.key) is None]


def run(
    tasks: Sequence[Task],
    results: Results,
    watch: Watch,
    *,
    max_snapshots: int | None = None,
    written: Callable[[], None],
) -> None:
    """Measure the cells that are not there; what fails becomes a sentence in its cell.

    ``written`` is called whenever a cell has been added to the results.

    Raises
    ------
    OutputError : the results cannot be written.
    """
    scene: SnapshotFile | None = None
    for task in pending(tasks, results):
        watch.begin(task)
        try:
            if scene is None or scene.path != task.scene:
                scene = None  # two at a time would need the memory of both
                scene = load_snapshots(task.scene)
            content = _measured(task, scene, max_snapshots, watch)
        except DeqsciError as error:
            content = {ERROR: str(error)}
        except Exception as error:  # of one cell; the others can still be measured
            content = {ERROR: f"{type(error).__name__}: {error}"}
        cell = results.put(task.key, content)
        written()
        watch.end(task, cell)


def _measured(
    task: Task, scene: SnapshotFile, max_snapshots: int | None, watch: Watch
) -> dict[str, Any]:
    if scene.bayer is not None:
        raise InputFileError(
            f"{scene.path} is of a colour camera ({scene.bayer}); gray scenes are compared here, "
            f"`deqsci reconstruct` measures it in colour"
        )
    part = first(scene, max_snapshots)
    if task.setup is None:
        assert task.video is not None
        video = read_reconstruction(task.video, scene.masks.shape[1:])
        if scene.truth is not None and len(video) == len(scene.truth) and part.truth is not None:
            video = video[: len(part.truth)]
        return {ERROR: None, "file": task.video.name, **score(video, part)}
    setup = task.setup
    if task.sweep is None or task.value is None:
        return {ERROR: None, **measure(setup, part, watch=watch.step)}
    part, setup = varied(part, setup, task.sweep, task.value)
    return {ERROR: None, **measure(setup, part, timed=1, watch=watch.step)}
