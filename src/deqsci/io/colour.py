"""What a snapshot file says of a colour camera.

``bayer`` is a 2×2 array, the channel that each of the upper left pixels sees (0 red, 1 green,
2 blue), as ``CFAPattern`` in an image's EXIF: any kind of file can hold it. The truth of a colour
camera has an axis of three channels: (N·T, H, W, 3), H×W×3×F in MATLAB.
"""

from __future__ import annotations

import numpy as np
import torch

from deqsci.errors import InputFileError, ShapeError
from deqsci.io.containers import Array, Container
from deqsci.io.scale import Float
from deqsci.physics.bayer import PATTERNS, Pattern, cell, mosaic

BAYER = "bayer"


def pattern_of(file: Container) -> Pattern | None:
    """The pattern that a file remembers.

    Raises
    ------
    InputFileError : an entry of that name which is no Bayer pattern.
    """
    found = file.arrays.get(BAYER)
    if found is None:
        return None
    for pattern in PATTERNS:
        if found.shape == (2, 2) and cell(pattern) == tuple(found.ravel()):
            return pattern
    raise InputFileError(
        f"{file.path}: {BAYER!r} is {found.tolist()}; wanted two rows of two channels, 0 red, "
        f"1 green, 2 blue, of one of the patterns {', '.join(PATTERNS)}"
    )


def pattern_array(pattern: Pattern) -> Array:
    """What :func:`pattern_of` reads back. Shape: (2, 2)."""
    return np.array(cell(pattern), np.uint8).reshape(2, 2)


def colour_frames(array: Array, file: Container, where: str) -> Array:
    """(F, H, W, 3), wherever the file has its frames.

    Raises
    ------
    ShapeError : no axis of three channels where it belongs.
    """
    frames = np.moveaxis(array, -1, 0) if file.matlab else array
    if frames.shape[-1] != 3:
        wanted = "H×W×3×F" if file.matlab else "(N·T, H, W, 3)"
        raise ShapeError(f"{where} has shape {array.shape}; wanted {wanted} for colour")
    return frames


def mosaicked(video: Float, pattern: Pattern) -> Float:
    """What the sensor sees of (F, H, W, 3), one frame at a time. Shape: → (F, H, W)."""
    seen = np.empty(video.shape[:-1], np.float32)
    for frame, result in zip(video, seen):
        result[:] = mosaic(torch.from_numpy(np.ascontiguousarray(frame)), pattern).numpy()
    return seen
