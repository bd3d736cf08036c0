"""Snapshot files: what a coded camera, or a simulation of one, leaves on disk.

Which array is what: :mod:`deqsci.io.roles`. Axes are those of the container
(:mod:`deqsci.io.containers`) and are made to agree (:mod:`deqsci.io.agreement`); units become those
used inside (:mod:`deqsci.io.scale`). All that happens here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deqsci.errors import InputFileError, MaskError, OutputError, ShapeError
from deqsci.io.agreement import (
    frames_first,
    lone_masks_first,
    masks_of_one_snapshot,
    without_masks,
)
from deqsci.io.atomic import atomic_path
from deqsci.io.colour import BAYER, colour_frames, mosaicked, pattern_array, pattern_of
from deqsci.io.containers import SUFFIXES, Array, Container, read_container
from deqsci.io.counts import Scale, top_count
from deqsci.io.images import image_files, natural_key, snapshot_images
from deqsci.io.roles import (
    MASK_NAMES,
    SNAPSHOT_NAMES,
    TRUTH_NAMES,
    find,
    masks_of,
    snapshots_of,
    stack,
)
from deqsci.io.scale import Float, check_scale, finite, frame_sums, intensity, transmission
from deqsci.physics.bayer import Pattern

SAMPLE = 1 << 26
"""Values of snapshots that are looked at together: eight of 2160×3840 pixels."""


@dataclass(frozen=True)
class SnapshotFile:
    """The snapshots of one file, in the units used inside."""

    path: Path
    snapshots: Float
    """(N, H, W), sums of frame intensities, 0…T."""
    masks: Float
    """(T, H, W), transmission in [0, 1], one set for all snapshots."""
    truth: Float | None
    """(N·T, H, W), of a colour camera (N·T, H, W, 3), intensities, where the file has it."""
    notices: tuple[str, ...] = ()
    """Sentences about what was taken for granted, for the user to read."""
    scale: Scale = field(default_factory=Scale)
    """How the file's numbers became intensities."""
    saturation: float | None = None
    """Level in the unit of ``snapshots`` from which a pixel is at the end of the converter; None
    where nothing is there, or the file does not tell."""
    bayer: Pattern | None = None
    """The mosaic of a colour camera, None of a gray one."""

    @property
    def sample(self) -> Float:
        """Snapshots to tell the camera by: all, or of a long capture some, evenly spread."""
        return self.snapshots[:: -(-self.snapshots.size // SAMPLE)]


def load_snapshots(
    path: Path | str,
    *,
    masks: Path | str | None = None,
    frames: int | None = None,
    full_scale: float | None = None,
    black_level: float | None = None,
    saturation: float | None = None,
    bayer: Pattern | None = None,
) -> SnapshotFile:
    """Read snapshots and their masks: .npz, .mat (v5, v7.3), .h5, .npy, TIFF, PNG, image folder.

    Parameters
    ----------
    path : the file with the snapshots.
    masks : a file whose masks are used in place of those in ``path``.
    frames : T, where the file has more masks than one snapshot was taken with: the first T.
    full_scale : the count that one frame of full intensity leaves through an open mask, where
        the file does not tell; without it a guess, see :mod:`deqsci.io.scale`.
    black_level : the count of a pixel without light; without it a guess.
    saturation : the count at which the camera clips; without it the last one of its bits.
    bayer : pattern of a colour camera; without it, the one that the file remembers, if any.

    Raises
    ------
    InputFileError : no readable file, or no snapshots in it.
    MaskError : no masks anywhere, T = 0, or values that are no transmission.
    ShapeError : sizes that do not belong together.
    ValueRangeError : NaN or infinity, or numbers on no known scale.
    """
    check_scale(full_scale, black_level)
    path, masks = Path(path), None if masks is None else Path(masks)
    file = _capture(path, (*SNAPSHOT_NAMES, *MASK_NAMES, *TRUTH_NAMES, BAYER), masks)
    array, where = snapshots_of(file)
    mask_file = file if masks is None else read_container(masks, MASK_NAMES)
    stored, mask_where, notices = masks_of(mask_file)
    array, stored, more = frames_first(array, stored, where, mask_where)
    notices += more
    stored, more = masks_of_one_snapshot(stored, frames, path, mask_where)
    notices += more
    phi, more = transmission(finite(stored, mask_where), mask_where)
    notices += more

    bayer = pattern_of(file) if bayer is None else bayer
    if bayer is not None and min(phi.shape[1:]) < 2:
        size = "×".join(map(str, phi.shape[1:]))
        raise ShapeError(f"{where} has {size} pixels; the mosaic {bayer} has at least 2×2")
    truth = seen = None
    if (found := find(file, TRUTH_NAMES)) is not None:
        truth, more = _truth(found, len(array), phi, full_scale, file, bayer)
        notices += more
        seen = truth
        if bayer is not None:
            truth, seen = (truth, mosaicked(truth, bayer)) if truth.ndim == 4 else (None, truth)
    sums, scale, more = frame_sums(
        array, phi, seen, where, full_scale=full_scale, black_level=black_level
    )
    clips = saturation
    if clips is None and (top := top_count(array)) is not None and array.max() == top:
        clips = top
    level = None if clips is None else scale.intensity(clips)
    return SnapshotFile(path, sums, phi, truth, notices + more, scale, level, bayer)


def load_counts(path: Path, masks: Path | None = None) -> Array:
    """The snapshots (N, H, W) of a file as its own numbers, with or without masks.

    Axes are moved as :func:`load_snapshots` moves them, where the masks agree with any order.
    Errors are those of that function.
    """
    file = _capture(path, (*SNAPSHOT_NAMES, *MASK_NAMES), masks)
    counts, where = snapshots_of(file)
    try:
        mask_file = file if masks is None else read_container(masks, MASK_NAMES)
        stored, mask_where, _ = masks_of(mask_file)
        return frames_first(counts, stored, where, mask_where)[0]
    except (MaskError, ShapeError):
        return counts


def load_masks(path: Path, frames: int | None = None) -> tuple[Float, tuple[str, ...]]:
    """Masks (T, H, W) in [0, 1] of a file, the first ``frames`` if given, and notices.

    Errors are those of :func:`load_snapshots`.
    """
    stored, where, notices = masks_of(read_container(path, MASK_NAMES))
    stored, more = lone_masks_first(stored, where)
    notices += more
    if frames is not None:
        stored, more = masks_of_one_snapshot(stored, frames, path, where)
        notices += more
    phi, more = transmission(finite(stored, where), where)
    return phi, notices + more


def save_snapshots(
    path: Path | str,
    snapshots: Float,
    masks: Float,
    truth: Float | None = None,
    bayer: Pattern | None = None,
) -> None:
    """Write a .npz that :func:`load_snapshots` reads back bit by bit; whole or not at all.

    Shape: snapshots (N, H, W), masks (T, H, W), truth (N·T, H, W) or, of a colour camera,
    (N·T, H, W, 3).

    Raises
    ------
    OutputError : another suffix, an unwritable place, or a file there that is not of this kind.
    """
    path = Path(path)
    check_output(path)
    arrays = {"snapshot": snapshots, "masks": masks}
    if truth is not None:
        arrays["truth"] = truth
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        plain = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
        if bayer is not None:
            plain[BAYER] = pattern_array(bayer)
        np.savez(file, allow_pickle=False, **plain)


def check_output(path: Path, *inputs: Path | None) -> None:
    """Raise OutputError where :func:`save_snapshots` cannot write, or would replace an input.

    Call it before the long computation.
    """
    if path.suffix.lower() != ".npz":
        raise OutputError(f"{path} does not end in .npz, the only kind of snapshot file written")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; wanted the path of a file to write")
    if (above := next(filter(Path.exists, path.parents), None)) and not above.is_dir():
        raise OutputError(f"{above} is a file; wanted a folder to write {path.name} in")
    if path.resolve() in [other.resolve() for other in inputs if other is not None]:
        raise OutputError(f"{path} is one of the files to read; give another output path")
    if path.is_file() and not _is_ours(path):
        raise OutputError(f"{path} exists and is no snapshot file; give another output path")


def list_inputs(path: Path, masks: Path | None = None) -> list[Path]:
    """The snapshot files that ``path`` stands for: itself, or those in a folder, 2 before 10.

    A file that is called masks, and ``masks`` itself, is left out beside others. A folder of images
    is one input.

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
    captures, images = without_masks(files, masks), image_files(path)
    if not captures and (without_masks(images, masks) or (images and not files)):
        return [path]
    if not files:
        raise InputFileError(
            f"{path} holds none of {', '.join(SUFFIXES)} and no TIFF or PNG; wanted snapshot files"
        )
    return sorted(captures or files, key=lambda file: natural_key(file.name))


def _capture(path: Path, names: Sequence[str], masks: Path | None) -> Container:
    """A snapshot file; masks that lie in a folder of images are none of its snapshots."""
    return read_container(path, names, snapshot_images(path, masks) if path.is_dir() else None)


def _truth(
    found: tuple[str, Array],
    count: int,
    masks: Float,
    full_scale: float | None,
    file: Container,
    bayer: Pattern | None,
) -> tuple[Float, tuple[str, ...]]:
    """The frames that belong to the snapshots, gray or in colour, and notices."""
    name, array = found
    where = f"{file.path}: {name!r}"
    if array.ndim == 4 and bayer is None:
        raise ShapeError(
            f"{where} has shape {array.shape}: colour; give the pattern of the camera's mosaic, "
            f"such as --bayer RGGB"
        )
    if array.ndim == 4:
        truth = finite(colour_frames(array, file, where), where)
    else:
        truth = finite(stack(array, where, "(N·T, H, W)"), where)
    wanted = count * len(masks)
    notices: tuple[str, ...] = ()
    if truth.ndim == 3 and truth.shape[1:] != masks.shape[1:] == truth.shape[:2]:
        truth = np.moveaxis(truth, -1, 0)
        notices = (f"{where}: its last axis is taken for the frames",)
    if len(truth) < wanted or truth.shape[1:3] != masks.shape[1:]:
        raise ShapeError(
            f"{where} has {'×'.join(map(str, truth.shape))} (frames×H×W); wanted {count} snapshots "
            f"× {len(masks)} masks = {wanted} frames of {masks.shape[1]}×{masks.shape[2]}"
        )
    if len(truth) > wanted:
        notices += (f"{where} has {len(truth)} frames; the first {wanted} belong to the snapshots",)
    if bayer is not None and truth.ndim == 3:
        notices += (f"{where} has no colours to compare with; it tells the scale only",)
    return intensity(truth[:wanted], full_scale, where), notices


def _is_ours(path: Path) -> bool:
    try:
        names = read_container(path, ()).names
    except InputFileError:
        return False
    return {"snapshot", "masks"} <= set(names) <= {"snapshot", "masks", "truth", BAYER}
