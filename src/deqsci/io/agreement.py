"""Snapshots and masks that were stored apart, brought together: the order of their axes, and how
many of the masks one snapshot was taken with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deqsci.errors import ConfigError, MaskError, ShapeError
from deqsci.io.on_disk import Array


def frames_first(
    snapshots: Array, masks: Array, where: str, mask_where: str
) -> tuple[Array, Array, tuple[str, ...]]:
    """Both with images of the same H×W in their last axes, and notices of what was moved.

    Without that being so already, an order H×W×N or H×W×T is tried, as MATLAB and OpenCV users
    save it. Where both agree, T is the shortest axis, as in :func:`lone_masks_first`.

    Shape: snapshots (N, H, W) or (H, W, N), masks (T, H, W) or (H, W, T).

    Raises
    ------
    ShapeError : no order of the axes makes the sizes equal.
    """
    mask_orders = _orders(masks, mask_where, "masks")
    if _frames_last(masks):
        mask_orders.reverse()
    for openings, more in mask_orders:
        for images, notices in _orders(snapshots, where, "snapshots"):
            if images.shape[1:] == openings.shape[1:]:
                if openings is not masks and snapshots.shape[1:] == masks.shape[1:]:
                    more += (
                        f"{where} and {mask_where} agree as stored, too; the shortest axis is "
                        f"taken for the frames",
                    )
                return images, openings, notices + more
    size, mask_size = snapshots.shape[1:], masks.shape[1:]
    hint = "give the masks of this camera, cut to the same region"
    if mask_size == size[::-1]:
        hint = "the masks look transposed, exchange their rows and columns"
    raise ShapeError(
        f"{where} has {_by(size)} pixels, the masks of {mask_where} have {_by(mask_size)}; "
        f"wanted equal sizes, {hint}"
    )


def lone_masks_first(masks: Array, where: str) -> tuple[Array, tuple[str, ...]]:
    """Masks (T, H, W), and a notice where they were moved, without snapshots to tell the order.

    H×W×T is known by T, the shortest axis: a sensor has more rows and columns than a snapshot has
    frames. Masks T×H×W for an image narrower than that are turned wrongly, which the notice tells.
    """
    as_stored, turned = _orders(masks, where, "masks")
    return turned if _frames_last(masks) else as_stored


def masks_of_one_snapshot(
    masks: Array, frames: int | None, path: Path, mask_where: str
) -> tuple[Array, tuple[str, ...]]:
    """The first ``frames`` masks, and a notice; else as many as the name of the snapshots' file
    says, as published captures have it (``meas_hand_cr_10.mat``); else all.

    Raises
    ------
    ConfigError : fewer than one frame.
    MaskError : fewer masks than frames.
    """
    if frames is not None and frames < 1:
        raise ConfigError(f"{frames} frames a snapshot; wanted at least 1")
    wanted, says = frames, "--frames asks for"
    if wanted is None:
        named = re.search(r"(?:^|_)cr_?(\d+)(?:_|$)", path.stem, re.IGNORECASE)
        wanted = int(named.group(1)) if named else len(masks)
        says = f"the name {path.name} says"
    if not 1 <= wanted <= len(masks):
        raise MaskError(
            f"{mask_where} holds {len(masks)} masks where {says} {wanted} frames a snapshot; give "
            f"all its masks with --masks FILE, or another number with --frames"
        )
    if wanted == len(masks):
        return masks, ()
    return masks[:wanted], (
        f"{mask_where} holds {len(masks)} masks; the first {wanted} are used, as {says} {wanted} "
        f"frames a snapshot",
    )


def is_named_masks(path: Path) -> bool:
    """Whether a file's name says that it holds masks: ``mask.mat``, ``real_masks.npy``."""
    return re.search(r"(?<![a-z])masks?(?![a-z])", path.stem, re.IGNORECASE) is not None


def without_masks(files: Iterable[Path], masks: Path | None = None) -> list[Path]:
    """Those files whose names say nothing of masks and that are not the one given as ``masks``."""
    given = None if masks is None else masks.resolve()
    return [file for file in files if not is_named_masks(file) and file.resolve() != given]


def _frames_last(masks: Array) -> bool:
    return masks.shape[2] < min(masks.shape[:2])


def _orders(array: Array, where: str, what: str) -> list[tuple[Array, tuple[str, ...]]]:
    """An array as it is, and with its last axis first and a notice of that."""
    notice = f"{where} has shape {_by(array.shape)}; its last axis is taken for the {what}"
    return [(array, ()), (np.moveaxis(array, -1, 0), (notice,))]


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
