"""One run: every snapshot of a scene reconstructed, measured and kept."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from deqsci.cli.chosen_method import ChosenMethod
from deqsci.cli.colour import frame_shape, solved_size
from deqsci.cli.terminal import Terminal
from deqsci.evaluation.record import SnapshotRecord, Trace, residual_trace
from deqsci.io import RunFolder, SnapshotFile
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.colour import Colour
from deqsci.reconstruction.demosaic import Demosaicking
from deqsci.reconstruction.sensor import Sensor
from deqsci.reconstruction.tiling import Tiled, whole_or_tiled

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Run:
    """The reconstruction of a scene.

    Attributes
    ----------
    video : (N·T, H, W), in colour (N·T, H, W, 3), on disk where it is large.
    records, residuals : one for each snapshot.
    tile : longest side of the tiles, None where the snapshots were solved in one piece.
    demosaicking : how the colours were found, where the camera has some.
    """

    video: Float
    records: tuple[SnapshotRecord, ...]
    residuals: tuple[Trace, ...]
    tile: int | None
    demosaicking: Demosaicking

    @property
    def converged(self) -> bool:
        """Whether every snapshot reached the tolerance."""
        return all(record.converged for record in self.records)

    @property
    def seconds(self) -> float:
        """That the snapshots took."""
        return sum(record.seconds for record in self.records)


def reconstruct_scene(
    method: ChosenMethod,
    scene: SnapshotFile,
    folder: RunFolder,
    terminal: Terminal,
    sensor: Sensor | None = None,
    demosaicking: Demosaicking = "joint",
) -> Run:
    """Reconstruct the scene's snapshots, one at a time, into the folder's ``video.npz``.

    Memory does not grow with their number; a large one is solved in tiles. Without a ``sensor``
    every reading is trusted.

    Raises
    ------
    ShapeError, MaskError, ValueRangeError : the scene cannot be reconstructed.
    """
    masks = torch.from_numpy(np.require(scene.masks, requirements="A"))
    count, frames = len(scene.snapshots), len(scene.masks)
    model = whole_or_tiled(method.model, frames, *solved_size(scene), method.solving.tile)
    tile = model.tile if isinstance(model, Tiled) else None
    if isinstance(model, Tiled) and method.solving.tile is None:
        terminal.notice(_tiles_notice(model, scene))
    if scene.bayer is not None:
        model = Colour(model, scene.bayer, demosaicking)
    records, residuals = [], []
    with (
        folder.video_parts((count * frames, *frame_shape(scene))) as write,
        terminal.progress(method.name, count, model.max_evaluations) as progress,
    ):
        for index, snapshot in enumerate(scene.snapshots):
            began = time.perf_counter()
            y = torch.from_numpy(np.array(snapshot))
            physics = SnapshotPhysics(masks)
            if sensor is not None:
                physics, y = sensor.physics(y, masks), sensor.bad.filled(y, masks)
            result = model.reconstruct(
                y[None].to(method.device, method.dtype),
                physics.to(method.device, method.dtype),
                callback=progress.callback(index),
            )
            video = result.video[0].float().cpu().numpy()
            write(video)
            seconds = time.perf_counter() - began
            record = SnapshotRecord.of(index, result, method.kind, seconds)
            records.append(record.scored(video, scene.truth))
            residuals.append(residual_trace(result.residuals))
            terminal.detail(
                f"snapshot {index + 1}/{count}: {record.status}, {record.iterations} "
                f"iterations, {seconds:.1f} s"
            )
            del result, video  # not beside the next one
    return Run(folder.video(), tuple(records), tuple(residuals), tile, demosaicking)


def _tiles_notice(model: Tiled, scene: SnapshotFile) -> str:
    height, width = solved_size(scene)
    solved = "snapshots" if scene.bayer is None else "the four colour phases"
    return (
        f"{solved} of {height}×{width}×{len(scene.masks)} are solved in "
        f"{model.count(height, width)} tiles of at most {model.tile} pixels' side; --tile sets it"
    )
