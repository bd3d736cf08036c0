"""Frames of the moving preview: snapshot, reconstruction and truth side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from deqsci.errors import ShapeError
from deqsci.viz.shrink import shrink

Float = NDArray[np.float32]

_BAR = 18
"""Pixels of the bar that names the panels."""
_GAP = 4
"""Pixels between two panels."""
_WHITE = 255

LONGEST = 640
"""Pixels of a panel's longer side; a larger sensor is shown smaller."""
MOST_FRAMES = 240
"""Frames of a preview at most."""


def preview_frames(snapshots: Float, video: Float, truth: Float | None = None) -> NDArray[np.uint8]:
    """Each frame beside the snapshot it was hidden in, and beside the truth where it is known.

    The snapshots share one brightness, at which the brightest pixel of all is white. Of a long
    video the first snapshots are shown, and a large one smaller.

    Shape: snapshots (N, H, W), video (N·T, H, W), truth (N·T, H, W) → (F, H′, W′) 8-bit gray; of
    videos (N·T, H, W, 3) → (F, H′, W′, 3) 8-bit colours.

    Raises
    ------
    ShapeError : sizes that do not belong together.
    """
    count = len(snapshots)
    if (
        snapshots.ndim != 3
        or count == 0
        or len(video) == 0
        or len(video) % count
        or video.shape[1:3] != snapshots.shape[1:]
        or (truth is not None and truth.shape != video.shape)
    ):
        raise ShapeError(
            f"snapshots {snapshots.shape}, video {video.shape}, truth "
            f"{None if truth is None else truth.shape}; wanted (N, H, W) and (N·T, H, W)"
        )
    frames = len(video) // count
    count = min(count, max(1, MOST_FRAMES // frames))
    shown = slice(count * frames)
    snapshots, video = shrink(snapshots[:count], LONGEST), shrink(video[shown], LONGEST)
    truth = None if truth is None else shrink(truth[shown], LONGEST)
    brightest = max(float(snapshots.max()), 1e-6)
    names = [f"snapshot, {frames} frames in one", "reconstruction"]
    panels = [np.repeat(gray8(snapshots / brightest), frames, axis=0), gray8(video)]
    if truth is not None:
        names.append("truth")
        panels.append(gray8(truth))

    if video.ndim == 4:
        panels[0] = _colour(panels[0])
    gap = np.full((*panels[0].shape[:2], _GAP, *panels[0].shape[3:]), _WHITE, np.uint8)
    strip = [part for panel in panels for part in (panel, gap)][:-1]
    pictures = np.concatenate(strip, axis=2)
    bars = [
        _bar([names[0], f"{names[1]}, frame {i % frames + 1}", *names[2:]], snapshots.shape[2])
        for i in range(frames)
    ]
    head = np.stack(bars * count)
    return np.concatenate([_colour(head) if video.ndim == 4 else head, pictures], axis=1)


def _colour(grays: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grays beside colours. Shape: (F, H, W) → (F, H, W, 3)."""
    return np.repeat(grays[..., None], 3, axis=3)


def gray8(video: NDArray[Any]) -> NDArray[np.uint8]:
    """Intensities 0…1 as 8 bits, others clipped; any shape."""
    result: NDArray[np.uint8] = np.rint(255 * np.clip(video, 0, 1)).astype(np.uint8)
    return result


def _bar(names: list[str], width: int) -> NDArray[np.uint8]:
    """A white bar with a name over each panel of ``width`` pixels, cut to its panel."""
    font = ImageFont.load_default(12)
    parts = []
    for name in names:
        image = Image.new("L", (width, _BAR), _WHITE)
        ImageDraw.Draw(image).text((2, 2), name, fill=0, font=font)
        parts += [np.asarray(image), np.full((_BAR, _GAP), _WHITE, dtype=np.uint8)]
    return np.concatenate(parts[:-1], axis=1)
