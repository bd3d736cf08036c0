"""The folder that a reconstruction leaves behind.

==================  ===========================================================================
``snapshot.npz``    what was reconstructed: ``snapshot``, ``masks`` and, where known, ``truth``
``video.npz``       ``video`` (F, H, W) float32, intensities in [0, 1]; in colour (F, H, W, 3)
``video.mp4``       the same to look at
``preview.gif``     snapshot, reconstruction and truth side by side
``figure.png``      the same on one page
``residuals.csv``   the course of every solve
``run.json``        everything there is to say about the run; written last
``report.html``     the page of the run, where ``deqsci report`` was asked for one; ``-o`` may name
                    it otherwise
==================  ===========================================================================

``run.json`` marks the folder: with it the run is whole, and the folder is ours to replace.
:mod:`deqsci.io.finished_run` reads it back.
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deqsci.errors import OutputError
from deqsci.io.atomic import atomic_path, reason
from deqsci.io.containers import read_container
from deqsci.io.jsonable import jsonable
from deqsci.io.on_disk import npz_writer
from deqsci.io.snapshots import SnapshotFile, save_snapshots
from deqsci.io.video import write_gif, write_mp4

FORMAT = "deqsci run 1"
SUMMARY = "run.json"
FIGURE = "figure.png"
REPORT = "report.html"
REPORT_MARK = '<meta name="generator" content="deqsci report">'
VIDEO, SNAPSHOT, RESIDUALS = "video.npz", "snapshot.npz", "residuals.csv"
_PARTIAL = ".deqsci-partial-"


class RunFolder:
    """Collects a run's files out of sight and shows them all at once.

    ``with RunFolder.create(out) as run: …`` — the files go to a hidden folder inside ``out``. When
    the block ends well they take the place of a previous run's files, ``run.json`` last; when it
    raises (Ctrl-C included) nothing of it stays and a previous run is as it was.

    Attributes
    ----------
    path : the folder the user named.
    staging : where files are to be written meanwhile, for those that others write.
    """

    def __init__(self, path: Path, staging: Path, *, made: bool, replaces: set[str]) -> None:
        self.path = path
        self.staging = staging
        self._made = made
        self._replaces = replaces

    @classmethod
    def create(cls, path: Path) -> Self:
        """Check that ``path`` may be written and begin; call it before the long computation.

        Raises
        ------
        OutputError : not a folder, not writable, or it holds something that no run wrote.
        """
        made = not path.exists()
        check_replaceable(path)
        replaces = _own_files(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            for left_over in path.glob(f"{_PARTIAL}*"):  # of a run that was killed
                shutil.rmtree(left_over)
            staging = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=path))
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written ({reason(error)}); give an output folder that can be"
            ) from error
        return cls(path, staging, made=made, replaces=replaces)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._publish()
        finally:
            shutil.rmtree(self.staging, ignore_errors=True)
            if self._made and not any(self.path.iterdir()):
                self.path.rmdir()

    @contextmanager
    def video_parts(
        self, shape: tuple[int, ...]
    ) -> Iterator[Callable[[NDArray[np.float32]], None]]:
        """Lend what takes the successive parts of ``video.npz``, which together have ``shape``.

        They are clipped to [0, 1].
        """
        with npz_writer(self.staging / VIDEO, "video", shape) as write:
            yield lambda part: write(np.clip(part, 0, 1))

    def video(self) -> NDArray[np.float32]:
        """What ``video.npz`` holds; on disk where it is large."""
        return read_container(self.staging / VIDEO, ("video",)).arrays["video"]

    def write_movie(self, video: NDArray[np.float32], fps: float) -> None:
        """``video.mp4`` of (F, H, W) intensities."""
        write_mp4(self.staging / "video.mp4", video, fps)

    def write_scene(self, scene: SnapshotFile) -> None:
        """``snapshot.npz``, which can be reconstructed again and shown beside the video."""
        path = self.staging / SNAPSHOT
        save_snapshots(path, scene.snapshots, scene.masks, scene.truth, scene.bayer)

    def write_preview(self, frames: NDArray[np.uint8] | NDArray[np.float32], fps: float) -> None:
        """``preview.gif`` of (F, H, W) grays, as :func:`deqsci.viz.preview_frames` makes them."""
        write_gif(self.staging / "preview.gif", frames, fps)

    @property
    def figure(self) -> Path:
        """Where :func:`deqsci.viz.reconstruction_figure` is to write ``figure.png``."""
        return self.staging / FIGURE

    def write_residuals(self, residuals: Iterable[ArrayLike]) -> None:
        """``residuals.csv``: one row for each snapshot (from 0) and iteration (from 1).

        Shape: (n,) for each snapshot, of any length; NaN is left out, as it stands for the
        iterations after a solve had stopped.
        """
        path = self.staging / RESIDUALS
        with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("snapshot", "iteration", "residual"))
            for index, trace in enumerate(residuals):
                for iteration, value in enumerate(np.asarray(trace, np.float64), start=1):
                    if not math.isnan(value):
                        writer.writerow((index, iteration, f"{value:.6e}"))

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """``run.json``; see :func:`jsonable` for what becomes of the values."""
        content = {"format": FORMAT, **summary, "files": sorted({*self._files(), SUMMARY})}
        text = json.dumps(jsonable(content), indent=2, ensure_ascii=False, allow_nan=False)
        with atomic_path(self.staging / SUMMARY) as part:
            part.write_text(text + "\n", encoding="utf-8")

    def _files(self) -> list[str]:
        return [entry.name for entry in self.staging.iterdir()]

    def _publish(self) -> None:
        if not (self.staging / SUMMARY).exists():
            raise RuntimeError("a run folder was closed without its summary")
        try:
            (self.path / SUMMARY).unlink(missing_ok=True)
            for name in self._replaces:
                (self.path / name).unlink(missing_ok=True)
            for name in sorted(self._files(), key=lambda name: name == SUMMARY):
                (self.staging / name).replace(self.path / name)
        except OSError as error:
            raise OutputError(f"writing {self.path} failed: {reason(error)}") from error


def check_replaceable(path: Path) -> None:
    """Raise OutputError unless ``path`` is missing, empty, or holds nothing but a run of ours.

    Hidden files (``.DS_Store``) do not count.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(f"{path} is a file; wanted an output folder")
    try:
        visible = {entry.name for entry in path.iterdir() if not entry.name.startswith(".")}
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({reason(error)})") from error
    own = _own_files(path)
    if visible and not own:
        raise OutputError(
            f"{path} exists and holds {_some(visible)}, not a run of deqsci; "
            f"give a new or empty folder"
        )
    if foreign := visible - own:
        raise OutputError(
            f"{path} holds {_some(foreign)} beside a run of deqsci; move that away or give "
            f"another folder"
        )


def is_report(path: Path) -> bool:
    """Whether ``path`` is a page that ``deqsci report`` wrote, which may be written anew."""
    try:
        with path.open("rb") as file:
            return REPORT_MARK.encode() in file.read(500)
    except OSError:
        return False


def _own_files(path: Path) -> set[str]:
    """The names that the run in ``path`` wrote, and its pages; empty where there is no run.

    A run that was killed while its files were being moved still has its summary in staging.
    """
    summaries = [path / SUMMARY, *path.glob(f"{_PARTIAL}*/{SUMMARY}")]
    names = {name for summary in summaries for name in _listed(summary)}
    return names | {entry.name for entry in path.iterdir() if is_report(entry)} if names else names


def _listed(summary: Path) -> set[str]:
    try:
        content = json.loads(summary.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return set()
        # A name with a folder in it would reach outside.
        return {Path(str(name)).name for name in content["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (", …" if len(names) > len(first) else "")
