"""A small scene in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from deqsci.io import SnapshotFile, load_snapshots
from tests.cli.support import write_scene


def scene(folder: Path, snapshots: int = 1, *, truth: bool = True) -> SnapshotFile:
    """Snapshots of 4 frames of 32×48, written to ``folder`` and read again."""
    return load_snapshots(write_scene(folder / "scene.npz", snapshots, truth=truth))


def without_truth(whole: SnapshotFile) -> SnapshotFile:
    return replace(whole, truth=None)


def nothing(*_: object) -> None:
    """Watches nothing."""


NAN = np.full((32, 48), np.nan, dtype=np.float32)
