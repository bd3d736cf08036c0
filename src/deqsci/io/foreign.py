"""Videos that other programs reconstructed, in the files they leave behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deqsci.errors import InputFileError, ShapeError, ValueRangeError
from deqsci.io.containers import Array, read_container
from deqsci.io.counts import EIGHT_BIT
from deqsci.io.roles import MASK_NAMES, SNAPSHOT_NAMES, TRUTH_NAMES
from deqsci.io.scale import OVERSHOOT, finite
from deqsci.io.video import read_video

Float = NDArray[np.float32]

ARRAYS = (".npz", ".mat", ".h5", ".hdf5")
VIDEOS = (".mp4", ".gif", ".avi", ".mkv", ".mov")
VIDEO_NAMES = ("video", "recon", "reconstruction", "pred", "pic", "out", "output", "x", "vgaptv")
"""Names of the reconstruction in a file of arrays; without them, its only stack of images."""


def read_reconstruction(path: Path, size: tuple[int, int]) -> Float:
    """The video of a file, clipped to [0, 1]; ``size`` is the (H, W) of the scene it belongs to.

    A file of arrays (.npz, .mat, .h5) holds it as T×H×W, H×W×T or N×T×H×W, whole numbers 0…255 or
    real ones 0…1 or 0…255. A video file (.mp4, .gif) gives its luma.

    Returns (F, H, W).

    Raises
    ------
    InputFileError : no readable file, or no video in it.
    ShapeError : images of another size.
    ValueRangeError : NaN or infinity, or numbers on no known scale.
    """
    if path.suffix.lower() in VIDEOS:
        video = read_video(path)
        return _frames_first(video, size, str(path))
    name, array = _stack_of(path)
    where = f"{path}: {name!r}"
    stack = _frames_first(finite(array, where), size, where)
    return np.clip(stack.astype(np.float32) / np.float32(_scale(stack, where)), 0, 1)


def _stack_of(path: Path) -> tuple[str, Array]:
    """The array that is the video, with its name."""
    names = read_container(path, ()).names
    given = {*SNAPSHOT_NAMES, *MASK_NAMES, *TRUTH_NAMES} - {*VIDEO_NAMES}
    known = [name for name in VIDEO_NAMES if name in names]
    stacks = {}
    for name in known or [name for name in names if name not in given]:
        try:
            array = read_container(path, [name]).arrays[name]
        except InputFileError:  # text, a struct, a cell: no video
            continue
        if array.ndim in (3, 4) or (name in known and array.ndim == 2):
            stacks[name] = array
    if known and stacks:
        return next(iter(stacks.items()))
    if len(stacks) != 1:
        found = ", ".join(stacks or names) or "nothing"
        raise InputFileError(
            f"{path} holds {'several stacks of images' if stacks else 'no video'} ({found}); "
            f"wanted one array called {VIDEO_NAMES[0]}"
        )
    return next(iter(stacks.items()))


def _frames_first(array: Array, size: tuple[int, int], where: str) -> Array:
    """(F, H, W), wherever the frames are: the axes of the images are known by their lengths."""
    if array.ndim == 2:
        array = array[None]
    if array.shape[-2:] == size:
        return array.reshape(-1, *size)
    # H×W×T, and T×H×W that MATLAB's order of axes has turned into W×T×H.
    for axes in ((2, 0, 1), (1, 2, 0)):
        if array.ndim == 3 and array.transpose(axes).shape[1:] == size:
            return array.transpose(axes)
    raise ShapeError(
        f"{where} has shape {'×'.join(map(str, array.shape))}; wanted frames of {size[0]}×{size[1]}"
    )


def _scale(stack: Array, where: str) -> float:
    """The number that stands for full intensity."""
    low, high = float(stack.min()), float(stack.max())
    whole = stack.dtype.kind in "ui"
    for scale in (EIGHT_BIT,) if whole else (1.0, EIGHT_BIT):
        if -OVERSHOOT * scale <= low and high <= (1 + OVERSHOOT) * scale:
            return scale
    raise ValueRangeError(f"{where} spans {low:g} to {high:g}; wanted 0…1, or 0…255")
