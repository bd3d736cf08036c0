"""One cell of a benchmark: a method on a scene, or what others made of the scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import cycle, islice
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deqsci.errors import InputFileError, ShapeError
from deqsci.evaluation.record import LEVELS, SnapshotRecord, mean
from deqsci.evaluation.worker import Setup, Worker
from deqsci.io import SnapshotFile
from deqsci.metrics import quality

TIMED = 3
"""Solves that are timed at least; a file of fewer snapshots is solved again."""

ENOUGH = 45.0
"""Seconds of solving after which nothing is solved again: one long solve is timing enough."""

TIMING = (
    f"median over the snapshots and at least {TIMED} solves of each scene (fewer where they take "
    f"more than {ENOUGH:.0f} seconds), after a warm-up"
)
MEMORY = (
    "peak resident size of a process that runs the method on one snapshot at a time, "
    "interpreter and libraries included (on a GPU: torch's peak allocation)"
)

Watch = Callable[[int, int], None]
"""Told how many of how many solves are done."""


def measure(setup: Setup, scene: SnapshotFile, *, timed: int = TIMED, watch: Watch) -> Any:
    """Reconstruct every snapshot of the scene in a fresh process, and score it where truth is.

    ``timed`` solves are timed at least, unless they take long. One snapshot's video is held at a
    time.

    Raises
    ------
    WorkerError : the method failed on a snapshot, or its process died.
    """
    records, counts = [], []
    seconds: list[float] = []
    count, before, peak = len(scene.snapshots), None, None
    # The solves beyond the snapshots are for the clock only.
    order = list(islice(cycle(range(count)), max(count, timed)))
    with Worker(setup, scene.masks) as worker:
        for done, index in enumerate(order):
            if done >= count and sum(seconds) >= ENOUGH:
                break
            watch(done, len(order))
            solved = worker.solve(index, scene.snapshots[index])
            seconds.append(solved.record.seconds)
            before, peak = solved.before, solved.peak
            if done < count:
                records.append(solved.record.scored(solved.video, scene.truth))
                counts.append(solved.evaluations_to)
    return summary(records) | {
        "size": scene.masks.shape,
        "evaluations_to": {level: mean([count[level] for count in counts]) for level in LEVELS},
        "seconds": median(seconds),
        "timings": seconds,
        "memory_bytes": peak,
        "memory_before_bytes": before,
        "snapshots": [
            asdict(record) | {"evaluations_to": count} for record, count in zip(records, counts)
        ],
    }


def summary(records: Sequence[SnapshotRecord]) -> dict[str, Any]:
    """What a table says of a cell: means over its snapshots, and the largest residual."""
    residuals = [record.residual for record in records if record.residual is not None]
    return {
        "psnr": mean([record.psnr for record in records]),
        "ssim": mean([record.ssim for record in records]),
        "evaluations": fmean(record.evaluations for record in records),
        "residual": max(residuals, default=None),
        "converged": sum(record.converged for record in records),
        "outcomes": dict(Counter(record.outcome for record in records)),
    }


def score(video: NDArray[np.float32], scene: SnapshotFile) -> dict[str, Any]:
    """Quality of a video (N·T, H, W) that somebody else made of the scene.

    Raises
    ------
    InputFileError : the scene has no truth.
    ShapeError : a video of another size or length.
    """
    if scene.truth is None:
        raise InputFileError(f"{scene.path} holds no truth to score a video against")
    if video.shape != scene.truth.shape:
        found, wanted = ("×".join(map(str, shape)) for shape in (video.shape, scene.truth.shape))
        raise ShapeError(f"the video has {found} (frames×H×W), the scene {wanted}")
    frames = len(scene.masks)
    parts = [slice(start, start + frames) for start in range(0, len(video), frames)]
    scores = [quality(video[part], scene.truth[part]) for part in parts]
    return {
        "psnr": mean([psnr for psnr, _ in scores]),
        "ssim": mean([ssim for _, ssim in scores]),
        "snapshots": [
            {"snapshot": index, "psnr": psnr, "ssim": ssim}
            for index, (psnr, ssim) in enumerate(scores)
        ],
    }
