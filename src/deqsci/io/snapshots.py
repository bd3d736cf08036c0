"""Snapshot files: what a coded camera, or a simulation of one, leaves on disk.

============  ==================================================  =====================
part          names it may have in the file, first found is used  shape inside
============  ==================================================  =====================
snapshots     snapshot, snapshots, meas, measurement, y           (N, H, W) or (H, W)
masks         masks, mask, Phi, phi                               (T, H, W)
truth         truth, orig, gt                                     (N·T, H, W), optional
============  ==================================================  =====================

Axes are those of the container (:mod:`deqsci.io.containers`), units become those used inside
(:mod:`deqsci.io.scale`). Both happen here, once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deqsci.errors import InputFileError, MaskError, OutputError, ShapeError
from deqsci.io.atomic import atomic_path
from deqsci.io.containers import SUFFIXES, Array, Container, read_container
from deqsci.io.scale import Float, check_full_scale, finite, frame_sums, intensity, transmission

SNAPSHOT_NAMES = ("snapshot", "snapshots", "meas", "measurement", "y")
MASK_NAMES = ("masks", "mask", "Phi", "phi")
TRUTH_NAMES = ("truth", "orig", "gt")


@dataclass(frozen=True)
class SnapshotFile:
    """The snapshots of one file, in the units used inside."""

    path: Path
    snapshots: Float
    """(N, H, W), sums of frame intensities, 0…T."""
    masks: Float
    """(T, H, W), transmission in [0, 1], one set for all snapshots."""
    truth: Float | None
    """(N·T, H, W), intensities, where the file has it."""
    notices: tuple[str, ...] = ()
    """Sentences about what was taken for granted, for the user to read."""


def load_snapshots(
    path: Path, *, masks: Path | None = None, full_scale: float | None = None
) -> SnapshotFile:
    """Read snapshots and their masks from a .npz, .mat (v5, v7.3) or .h5 file.

    Parameters
    ----------
    path : the file with the snapshots.
    masks : a file whose masks are used in place of those in ``path``.
    full_scale : the count that one frame of full intensity leaves through an open mask, where
        the file does not tell; see :mod:`deqsci.io.scale`.

    Raises
    ------
    InputFileError : no readable file, or no snapshots in it.
    MaskError : no masks anywhere, T = 0, or values that are no transmission.
    ShapeError : sizes that do not belong together.
    ValueRangeError : NaN or infinity, or numbers on no known scale.
    """
    check_full_scale(full_scale)
    file = read_container(path, SNAPSHOT_NAMES + MASK_NAMES + TRUTH_NAMES)
    name, array = _find(file, SNAPSHOT_NAMES) or _no_snapshot(file)
    where = f"{path}: {name!r}"
    snapshots = finite(_stack(array, where, "(N, H, W) or (H, W)"), where)
    if snapshots.size == 0:
        raise ShapeError(f"{where} is empty, shape {array.shape}; wanted at least one snapshot")

    mask_file = file if masks is None else read_container(masks, MASK_NAMES)
    phi, notices = _masks(mask_file)
    _check_sizes(snapshots, phi, where, mask_file)

    truth = None
    if (found := _find(file, TRUTH_NAMES)) is not None:
        truth, more = _truth(found, len(snapshots), phi, full_scale, path)
        notices += more
    sums, more = frame_sums(snapshots, phi, truth, full_scale, where)
    return SnapshotFile(path, sums, phi, truth, notices + more)


def load_masks(path: Path) -> tuple[Float, tuple[str, ...]]:
    """Masks (T, H, W) in [0, 1] of a file, and notices; errors as in :func:`load_snapshots`."""
    return _masks(read_container(path, MASK_NAMES))


def save_snapshots(path: Path, snapshots: Float, masks: Float, truth: Float | None = None) -> None:
    """Write a .npz that :func:`load_snapshots` reads back bit by bit; whole or not at all.

    Shape: snapshots (N, H, W), masks (T, H, W), truth (N·T, H, W).

    Raises
    ------
    OutputError : another suffix, an unwritable place, or a file there that is not of this kind.
    """
    if path.suffix.lower() != ".npz":
        raise OutputError(f"{path} does not end in .npz, the only kind of snapshot file written")
    if path.is_file() and not _is_ours(path):
        raise OutputError(f"{path} exists and is no snapshot file; give another output path")
    arrays = {"snapshot": snapshots, "masks": masks}
    if truth is not None:
        arrays["truth"] = truth
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        plain = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
        np.savez(file, allow_pickle=False, **plain)


def list_inputs(path: Path) -> list[Path]:
    """The snapshot files that ``path`` stands for: itself, or those in a folder, 2 before 10.

    Raises
    ------
    InputFileError : nothing there, or a folder without any snapshot file.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputFileError(f"{path} does not exist; wanted a snapshot file or a folder of them")
    files = [
        file
        for file in path.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]
    if not files:
        raise InputFileError(f"{path} holds none of {', '.join(SUFFIXES)}; wanted snapshot files")
    return sorted(files, key=lambda file: natural_key(file.name))


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that puts ``frame2`` before ``frame10``."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _find(file: Container, names: tuple[str, ...]) -> tuple[str, Array] | None:
    return next(((name, file.arrays[name]) for name in names if name in file.arrays), None)


def _no_snapshot(file: Container) -> tuple[str, Array]:
    raise InputFileError(
        f"{file.path} holds no snapshot (it holds {_listing(file)}); wanted an array called "
        f"{_either(SNAPSHOT_NAMES)}, or make one from a video with `deqsci simulate`"
    )


def _listing(file: Container) -> str:
    return ", ".join(file.names[:8]) + (", …" if len(file.names) > 8 else "") or "nothing"


def _either(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]


def _stack(array: Array, where: str, wanted: str) -> Array:
    """A lone image is a stack of one."""
    if array.ndim not in (2, 3):
        raise ShapeError(f"{where} has shape {array.shape}; wanted {wanted}")
    return array[None] if array.ndim == 2 else array


def _masks(file: Container) -> tuple[Float, tuple[str, ...]]:
    found = _find(file, MASK_NAMES)
    if found is None:
        raise MaskError(
            f"{file.path} holds no mask (it holds {_listing(file)}; wanted an array called "
            f"{_either(MASK_NAMES)}); give the masks it was taken with as --masks FILE"
        )
    name, array = found
    where = f"{file.path}: {name!r}"
    masks = _stack(array, where, "(T, H, W)")
    if masks.size == 0:
        raise MaskError(
            f"{where} is empty, T×H×W = {'×'.join(map(str, masks.shape))}; wanted at least one mask"
        )
    phi, notice = transmission(finite(masks, where), where)
    notices: tuple[str, ...] = () if notice is None else (notice,)
    if array.ndim == 2:
        notices += (f"{where} is a single mask: T = 1, one frame from each snapshot",)
    return phi, notices


def _check_sizes(snapshots: Array, masks: Float, where: str, mask_file: Container) -> None:
    size, mask_size = snapshots.shape[1:], masks.shape[1:]
    if size == mask_size:
        return
    hint = "give the masks of this camera, cut to the same region"
    if masks.shape[:2] == size and not mask_file.matlab:
        hint = "these look like H×W×T, move their last axis to the front"
    raise ShapeError(
        f"{where} has {size[0]}×{size[1]} pixels, the masks of {mask_file.path} have "
        f"{mask_size[0]}×{mask_size[1]}; wanted equal sizes, {hint}"
    )


def _truth(
    found: tuple[str, Array], count: int, masks: Float, full_scale: float | None, path: Path
) -> tuple[Float, tuple[str, ...]]:
    name, array = found
    where = f"{path}: {name!r}"
    truth = finite(_stack(array, where, "(N·T, H, W)"), where)
    wanted = count * len(masks)
    if len(truth) < wanted or truth.shape[1:] != masks.shape[1:]:
        raise ShapeError(
            f"{where} has {'×'.join(map(str, truth.shape))} (frames×H×W); wanted {count} snapshots "
            f"× {len(masks)} masks = {wanted} frames of {masks.shape[1]}×{masks.shape[2]}"
        )
    notices: tuple[str, ...] = ()
    if len(truth) > wanted:
        notices = (f"{where} has {len(truth)} frames; the first {wanted} belong to the snapshots",)
    return intensity(truth[:wanted], full_scale, where), notices


def _is_ours(path: Path) -> bool:
    try:
        names = read_container(path, ()).names
    except InputFileError:
        return False
    return {"snapshot", "masks"} <= set(names) <= {"snapshot", "masks", "truth"}
