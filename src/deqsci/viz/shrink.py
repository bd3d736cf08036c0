"""Pictures of large sensors at a size that a page or a preview can show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def shrink(frames: Float, longest: int) -> Float:
    """Means over squares of pixels, as small as leave no side longer than ``longest``.

    Rows and columns that fill no square are left out. Frames that are small enough come back as
    they are.

    Shape: (F, H, W) → (F, H′, W′), or in colour (F, H, W, 3) → (F, H′, W′, 3).
    """
    side = -(-max(frames.shape[1:3]) // longest)
    if side == 1:
        return frames
    height, width = (max(1, n // side) for n in frames.shape[1:3])
    rows, columns = min(side, frames.shape[1]), min(side, frames.shape[2])
    small = np.empty((len(frames), height, width, *frames.shape[3:]), np.float32)
    for frame, result in zip(frames, small):
        whole = frame[: height * rows, : width * columns]
        result[:] = whole.reshape(height, rows, width, columns, *frames.shape[3:]).mean((1, 3))
    return small
