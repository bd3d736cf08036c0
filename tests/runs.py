"""A run's folder without a solve: what its readers are tested on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deqsci.io import RunFolder, SnapshotFile

FRAMES, HEIGHT, WIDTH = 4, 24, 32

CONVERGED = "converged: the relative residual reached the tolerance"
LIMIT = "not converged: the iteration limit came first; raise max_iter"


def make_scene(count: int = 2, *, truth: bool = True) -> SnapshotFile:
    """A scene whose truth is a bright square that moves right, other in every snapshot."""
    frames = np.full((count * FRAMES, HEIGHT, WIDTH), 0.2, np.float32)
    for index, frame in enumerate(frames):
        frame[8:16, index % FRAMES * 4 : index % FRAMES * 4 + 8] = 0.9 - 0.1 * (index // FRAMES % 5)
    masks = np.random.default_rng(0).integers(0, 2, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    coded = np.einsum("nthw,thw->nhw", frames.reshape(count, *masks.shape), masks)
    return SnapshotFile(Path("square.npz"), coded, masks, frames if truth else None)


def write_run(path: Path, count: int = 2, *, truth: bool = True, **changes: Any) -> Path:
    """The folder of an equilibrium run; every second snapshot stopped at its limit.

    The video is the truth but for frame 2 of each snapshot, which is 0.1 too dark. ``changes``
    replace entries of ``run.json``.
    """
    scene = make_scene(count)
    video = scene.truth.copy()
    video[1::FRAMES] -= 0.1
    residuals = [[0.5, 0.01, 1e-4 if i % 2 == 0 else 1e-3] for i in range(count)]
    records = [
        {
            "snapshot": i,
            "status": CONVERGED if i % 2 == 0 else LIMIT,
            "converged": i % 2 == 0,
            "iterations": 3,
            "evaluations": 3,
            "residual": trace[-1],
            "seconds": 1.5,
            "psnr": 20.0 + i if truth else None,
            "ssim": 0.5 if truth else None,
        }
        for i, trace in enumerate(residuals)
    ]
    summary = {
        "input": "square.npz",
        "method": "de-gap-cnn",
        "tolerance": 1e-4,
        "lipschitz": None,
        "notices": ["the masks were taken for granted"],
        "protocol": "PSNR per frame",
        "options": {"seed": 0},
        "snapshots": records,
    }
    with RunFolder.create(path) as folder:
        folder.write_scene(scene if truth else make_scene(count, truth=False))
        with folder.video_parts(video.shape) as write:
            write(video)
        folder.write_movie(video, fps=8)
        folder.write_residuals(residuals)
        folder.write_summary(summary | changes)
    return path
