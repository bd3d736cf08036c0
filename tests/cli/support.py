"""What the tests of the command line share: an outcome, a small video, a small scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deqsci.io import save_snapshots

FRAMES, HEIGHT, WIDTH = 4, 32, 48


@dataclass(frozen=True)
class Outcome:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


def moving_video(frames: int) -> np.ndarray:
    """(F, H, W): a bright disc crosses a ramp."""
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    discs = [np.hypot(row - HEIGHT / 2, column - 8 - 2 * frame) < 7 for frame in range(frames)]
    ramp = 0.2 + 0.3 * column / WIDTH
    return np.stack([np.where(disc, 0.9, ramp) for disc in discs]).astype(np.float32)


def write_scene(path: Path, snapshots: int = 1, *, truth: bool = True) -> Path:
    """A snapshot file of ``snapshots`` snapshots with masks and, if wanted, truth."""
    video = moving_video(snapshots * FRAMES)
    masks = np.random.default_rng(0).integers(0, 2, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    coded = np.einsum("nthw,thw->nhw", video.reshape(snapshots, *masks.shape), masks)
    save_snapshots(path, coded.astype(np.float32), masks, video if truth else None)
    return path
