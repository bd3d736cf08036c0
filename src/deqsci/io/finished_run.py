"""A run's folder read back: what was reconstructed, what came out, what was written about it."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deqsci.errors import InputFileError
from deqsci.io.atomic import reason
from deqsci.io.colour import BAYER, pattern_of
from deqsci.io.containers import Array, read_container
from deqsci.io.images import natural_key
from deqsci.io.run_folder import FORMAT, RESIDUALS, SNAPSHOT, SUMMARY, VIDEO
from deqsci.io.snapshots import SnapshotFile

_NUMBER = (int, float)
_SUMMARY_TYPES: dict[str, tuple[type, ...]] = {
    "input": (str,),
    "method": (str,),
    "tolerance": (*_NUMBER, type(None)),
    "lipschitz": (*_NUMBER, type(None)),
    "notices": (list,),
    "protocol": (str,),
    "snapshots": (list,),
}
_RECORD_TYPES: dict[str, tuple[type, ...]] = {
    "status": (str,),
    "converged": (bool,),
    "evaluations": (int,),
    "residual": (*_NUMBER, type(None)),
    "seconds": _NUMBER,
    "psnr": (*_NUMBER, type(None)),
    "ssim": (*_NUMBER, type(None)),
}


@dataclass(frozen=True)
class FinishedRun:
    """A run as it lies on disk.

    Attributes
    ----------
    path : its folder.
    summary : the content of ``run.json``, its numbers checked.
    scene : snapshots (N, H, W), masks (T, H, W) and, where known, truth (N·T, H, W).
    video : (N·T, H, W), intensity.
    residuals : one series a snapshot, a value an iteration; NaN where none was finite.
    """

    path: Path
    summary: dict[str, Any]
    scene: SnapshotFile
    video: NDArray[np.float32]
    residuals: tuple[list[float], ...]

    @classmethod
    def load(cls, path: Path) -> FinishedRun:
        """Read the folder of one run.

        Raises
        ------
        InputFileError : no run there, a file of it is missing, or they do not belong together.
        """
        summary = _summary(path)
        for name in (SNAPSHOT, VIDEO, RESIDUALS):
            if not (path / name).is_file():
                raise InputFileError(
                    f"{path} holds a run without {name}; reconstruct it again to have it whole"
                )
        scene = _scene(path / SNAPSHOT)
        video = read_container(path / VIDEO, ("video",)).arrays.get("video")
        count, size = len(scene.snapshots), (len(scene.masks), *scene.masks.shape[1:])
        wanted: tuple[int, ...] = (count * size[0], *size[1:])
        if scene.bayer is not None:
            wanted = (*wanted, 3)
        if video is None or video.shape != wanted or len(summary["snapshots"]) != count:
            found = "nothing" if video is None else "×".join(map(str, video.shape))
            raise InputFileError(
                f"{path}: {VIDEO} holds {found} and {SUMMARY} {len(summary['snapshots'])} records; "
                f"{SNAPSHOT} wants {'×'.join(map(str, wanted))} and {count}: files of one run only"
            )
        return cls(path, summary, scene, video, _residuals(path / RESIDUALS, count))


def find_runs(path: Path) -> list[Path]:
    """``path`` where it is the folder of a run, or else the folders of runs in it, 2 before 10.

    Raises
    ------
    InputFileError : there is none.
    """
    folders = [path] if is_run(path) else [found.parent for found in path.glob(f"*/{SUMMARY}")]
    runs = [folder for folder in folders if is_run(folder)]
    if not runs:
        what = "is no folder" if not path.is_dir() else f"holds no {SUMMARY} of a reconstruction"
        raise InputFileError(f"{path} {what}; wanted what deqsci reconstruct or demo wrote")
    return sorted(runs, key=lambda folder: natural_key(folder.name))


def is_run(path: Path) -> bool:
    """Whether ``path`` is the folder of a reconstruction."""
    try:
        content = json.loads((path / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _scene(file: Path) -> SnapshotFile:
    """What the run wrote, as it stands: its axes and units are those used inside."""
    content = read_container(file, ("snapshot", "masks", "truth", BAYER))
    snapshots, masks = content.arrays.get("snapshot"), content.arrays.get("masks")
    truth = content.arrays.get("truth")
    if snapshots is None or masks is None or not _fit(snapshots, masks, truth):
        raise InputFileError(f"{file} is not what a run writes; reconstruct it again")
    return SnapshotFile(file, snapshots, masks, truth, bayer=pattern_of(content))


def _fit(snapshots: Array, masks: Array, truth: Array | None) -> bool:
    if not snapshots.ndim == masks.ndim == 3 or snapshots.shape[1:] != masks.shape[1:]:
        return False
    wanted = (len(snapshots) * len(masks), *masks.shape[1:])
    return truth is None or truth.shape[:3] == wanted


def _summary(path: Path) -> dict[str, Any]:
    file = path / SUMMARY
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(f"{file} cannot be read ({reason(error)})") from None
    except ValueError as error:
        raise InputFileError(f"{file} is no JSON ({error})") from None
    _check_types(content, _SUMMARY_TYPES, str(file))
    for index, record in enumerate(content["snapshots"]):
        _check_types(record, _RECORD_TYPES, f"{file}, snapshot {index}")
    return dict(content)


def _check_types(content: Any, types: dict[str, tuple[type, ...]], where: str) -> None:
    if not isinstance(content, dict):
        raise InputFileError(f"{where}: {type(content).__name__}; wanted an object")
    for key, allowed in types.items():
        if key not in content:
            raise InputFileError(f"{where}: no {key!r}; wanted what this version writes")
        value = content[key]
        # json.loads takes NaN and Infinity, which jsonable never writes.
        finite = not isinstance(value, float) or math.isfinite(value)
        if not isinstance(value, allowed) or not finite:
            wanted = " or ".join(kind.__name__ for kind in allowed).replace("NoneType", "null")
            raise InputFileError(f"{where}: {key!r} is {value!r}; wanted {wanted}")


def _residuals(file: Path, count: int) -> tuple[list[float], ...]:
    """Series from rows of snapshot (from 0), iteration (from 1) and value."""
    series: tuple[list[float], ...] = tuple([] for _ in range(count))
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                values = series[int(row["snapshot"])]
                gap = int(row["iteration"]) - len(values) - 1
                values.extend([math.nan] * gap)
                values.append(float(row["residual"]))
    except (OSError, UnicodeDecodeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise InputFileError(f"{file} is no table of residuals ({error})") from None
    return series
