"""A scene of any size out of ordinary clips: as many of them side by side as fill the sensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from deqsci.errors import InputFileError
from deqsci.io import SnapshotFile, read_video
from deqsci.physics.masks import bernoulli_masks

PANEL = (270, 480)
"""Height and width of what is taken from the middle of a clip."""


def mosaic(
    clips: Sequence[Path], height: int, width: int, frames: int = 8, snapshots: int = 1
) -> SnapshotFile:
    """Snapshots of clips side by side through random binary masks, with the truth.

    Clips that are smaller than a panel or too short are passed over.
    """
    truth = np.empty((snapshots * frames, height, width), np.float32)
    panels = _panels(clips, len(truth))
    for top, left in product(range(0, height, PANEL[0]), range(0, width, PANEL[1])):
        place = truth[:, top : top + PANEL[0], left : left + PANEL[1]]
        place[:] = next(panels)[:, : place.shape[1], : place.shape[2]]
    generator = torch.Generator().manual_seed(0)
    masks = bernoulli_masks(frames, height, width, generator=generator).numpy()
    coded = [
        np.einsum("thw,thw->hw", masks, truth[i : i + frames]) for i in range(0, len(truth), frames)
    ]
    return SnapshotFile(Path("mosaic"), np.stack(coded), masks, truth)


def _panels(clips: Sequence[Path], frames: int) -> Iterator[NDArray[np.float32]]:
    found = False
    for clip in cycle(clips):
        video = read_video(clip, max_frames=frames)
        top, left = ((n - p) // 2 for n, p in zip(video.shape[1:], PANEL))
        if len(video) == frames and top >= 0 and left >= 0:
            found = True
            yield video[:, top : top + PANEL[0], left : left + PANEL[1]]
        elif not found and clip == clips[-1]:
            raise InputFileError(f"no clip has {frames} frames of {PANEL[0]}×{PANEL[1]} or more")


def clips_in(paths: Sequence[Path]) -> list[Path]:
    """The files given, and the .mp4 of folders given."""
    return [
        clip for path in paths for clip in (sorted(path.glob("*.mp4")) if path.is_dir() else [path])
    ]
