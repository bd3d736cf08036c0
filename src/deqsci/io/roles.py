"""Which array of a file is what.

============  ==================================================  =====================
part          names it may have in the file, first found is used  shape
============  ==================================================  =====================
snapshots     snapshot, snapshots, meas, measurement, y,          (N, H, W) or (H, W)
              meas_bayer
masks         masks, mask, Phi, phi, mask_bayer                   (T, H, W) or (H, W)
truth         truth, orig, gt, orig_bayer                         (N·T, H, W), optional
============  ==================================================  =====================

The truth of a colour camera is (N·T, H, W, 3): :mod:`deqsci.io.colour`.

A file without names (.npy, TIFF, PNG, a folder of images) is the one or the other by its place on
the command line.
"""

from __future__ import annotations

from pathlib import Path

from deqsci.errors import InputFileError, MaskError, NoMasksError, ShapeError
from deqsci.io.agreement import is_named_masks
from deqsci.io.containers import Array, Container
from deqsci.io.scale import finite

SNAPSHOT_NAMES = ("snapshot", "snapshots", "meas", "measurement", "y", "meas_bayer")
MASK_NAMES = ("masks", "mask", "Phi", "phi", "mask_bayer")
TRUTH_NAMES = ("truth", "orig", "gt", "orig_bayer")


def snapshots_of(file: Container) -> tuple[Array, str]:
    """(N, H, W), and what to call it."""
    name, array = find(file, SNAPSHOT_NAMES) or _no_snapshot(file)
    where = called(file, name)
    snapshots = finite(stack(array, where, "(N, H, W) or (H, W)"), where)
    if snapshots.size == 0:
        raise ShapeError(f"{where} is empty, shape {array.shape}; wanted at least one snapshot")
    return snapshots, where


def masks_of(file: Container) -> tuple[Array, str, tuple[str, ...]]:
    """(T, H, W) as stored, what to call it, and notices."""
    found = find(file, MASK_NAMES)
    if found is None:
        raise NoMasksError(
            f"{file.path} holds no mask (it holds {_listing(file)}; wanted an array called "
            f"{_either(MASK_NAMES)}); give those it was taken with to `deqsci reconstruct` as "
            f"--masks {_masks_beside(file.path) or 'FILE'}, or store both in one file"
        )
    name, array = found
    where = called(file, name)
    masks = stack(array, where, "(T, H, W)")
    if masks.size == 0:
        raise MaskError(
            f"{where} is empty, T×H×W = {'×'.join(map(str, masks.shape))}; wanted at least one mask"
        )
    if array.ndim == 2:
        return masks, where, (f"{where} is a single mask: T = 1, one frame from each snapshot",)
    return masks, where, ()


def find(file: Container, names: tuple[str, ...]) -> tuple[str, Array] | None:
    return next(((name, file.arrays[name]) for name in names if name in file.arrays), None)


def called(file: Container, name: str) -> str:
    return f"{file.path}: {name!r}" if file.names else str(file.path)


def stack(array: Array, where: str, wanted: str) -> Array:
    """A lone image is a stack of one."""
    if array.ndim not in (2, 3):
        raise ShapeError(f"{where} has shape {array.shape}; wanted {wanted}")
    return array[None] if array.ndim == 2 else array


def _masks_beside(path: Path) -> Path | None:
    """A file in or beside the same folder whose name says that it may be what is missing."""
    folders = (path, path.parent) if path.is_dir() else (path.parent,)
    files = (file for folder in folders for file in sorted(folder.iterdir()) if file != path)
    return next(filter(is_named_masks, files), None)


def _no_snapshot(file: Container) -> tuple[str, Array]:
    raise InputFileError(
        f"{file.path} holds no snapshot (it holds {_listing(file)}); wanted an array called "
        f"{_either(SNAPSHOT_NAMES)}, or make one from a video with `deqsci simulate`"
    )


def _listing(file: Container) -> str:
    if file.arrays and not file.names:
        return "one array without a name"
    return ", ".join(file.names[:8]) + (", …" if len(file.names) > 8 else "") or "nothing"


def _either(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]
