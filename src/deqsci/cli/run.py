"""One run: every snapshot of a scene reconstructed, measured and written to its folder."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deqsci.cli.colour import colour_facts, frame_shape, solved_size
from deqsci.cli.options import Computing, Solving
from deqsci.cli.runtime import environment, prepare
from deqsci.cli.terminal import Terminal
from deqsci.errors import ConfigError
from deqsci.evaluation.record import EQUILIBRIUM, SnapshotRecord, Trace, residual_trace
from deqsci.io import RunFolder, SnapshotFile
from deqsci.io.digest import sha256
from deqsci.io.jsonable import jsonable
from deqsci.metrics import quality
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.colour import Colour
from deqsci.reconstruction.demosaic import Demosaicking
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.schedule import FiniteSchedule
from deqsci.reconstruction.sensor import Sensor
from deqsci.reconstruction.space_time_map import SpaceTimeMap
from deqsci.reconstruction.tiling import Tiled, whole_or_tiled
from deqsci.reconstruction.warm_start import WarmStarted
from deqsci.reconstruction.zoo import DEFAULT_METHOD, METHODS, build, shipped_weights
from deqsci.viz import preview_frames, reconstruction_figure
from deqsci.viz.picture import FRAME_RATE

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Run:
    """The reconstruction of a scene.

    Attributes
    ----------
    video : (N·T, H, W), in colour (N·T, H, W, 3), on disk where it is large.
    records, residuals : one for each snapshot.
    tile : longest side of the tiles, None where the snapshots were solved in one piece.
    """

    video: Float
    records: tuple[SnapshotRecord, ...]
    residuals: tuple[Trace, ...]
    tile: int | None


class Reconstructor:
    """A method that is built, on its device, and ready for any number of scenes.

    Raises
    ------
    ConfigError, MethodError, WeightsError : the options ask for what is not there.
    """

    def __init__(
        self, solving: Solving, computing: Computing, demosaic: Demosaicking = "joint"
    ) -> None:
        self.demosaic = demosaic
        self.device, self.dtype = prepare(computing)
        self.method = solving.method or DEFAULT_METHOD
        self.solving, self.computing = solving, computing
        self.model = build(
            self.method,
            weights=solving.weights,
            max_iter=solving.max_iter,
            tol=solving.tol,
            device=self.device,
            dtype=self.dtype,
        )
        self.kind = METHODS[self.method].kind
        if solving.strict and self.kind != EQUILIBRIUM:
            raise ConfigError(
                f"{self.method} runs a finite schedule and has no tolerance to reach; "
                f"leave --strict out"
            )
        solver = self.model.solver if isinstance(self.model, DeepEquilibrium) else None
        self.tolerance: float | None = getattr(solver, "tol", None)
        equilibrium_map = self.model.map if isinstance(self.model, DeepEquilibrium) else None
        self.lipschitz: float | None = getattr(equilibrium_map, "lipschitz", None)
        # The data steps of all others take the snapshot as it is.
        self.heeds_noise = isinstance(equilibrium_map, SpaceTimeMap)
        self.weights = solving.weights or shipped_weights(self.method)
        self._whole = self.model if solving.warm_start is None else self._warm(solving.warm_start)

    def _warm(self, method: str) -> WarmStarted:
        """The model begun at another method's video.

        Raises
        ------
        ConfigError : there is no solve to begin, or the other method is none to begin at.
        """
        starts = [
            name
            for name, other in METHODS.items()
            if other.kind != EQUILIBRIUM and (not other.networks or shipped_weights(name))
        ]
        if isinstance(self.model, DeepEquilibrium) and method in starts:
            first = build(method, device=self.device, dtype=self.dtype)
            if isinstance(first, FiniteSchedule):
                return WarmStarted(self.model, first)
        raise ConfigError(
            f"{self.method} cannot begin at {method}; --warm-start wants an equilibrium method to "
            f"begin at one of {', '.join(starts)}"
        )

    def run(
        self,
        scene: SnapshotFile,
        folder: RunFolder,
        terminal: Terminal,
        sensor: Sensor | None = None,
    ) -> Run:
        """Reconstruct the scene's snapshots, one at a time, into the folder's ``video.npz``.

        Memory does not grow with their number; a large one is solved in tiles. Without a
        ``sensor`` every reading is trusted.

        Raises
        ------
        ShapeError, MaskError, ValueRangeError : the scene cannot be reconstructed.
        """
        masks = torch.from_numpy(np.require(scene.masks, requirements="A"))
        count, frames = len(scene.snapshots), len(scene.masks)
        height, width = solved_size(scene)
        model = whole_or_tiled(self._whole, frames, height, width, self.solving.tile)
        tile = model.tile if isinstance(model, Tiled) else None
        if isinstance(model, Tiled) and self.solving.tile is None:
            solved = "snapshots" if scene.bayer is None else "the four colour phases"
            terminal.notice(
                f"{solved} of {height}×{width}×{frames} are solved in "
                f"{model.count(height, width)} tiles of at most {tile} pixels' side; --tile sets it"
            )
        if scene.bayer is not None:
            model = Colour(model, scene.bayer, self.demosaic)
        records, residuals = [], []
        limit = model.max_evaluations
        with (
            folder.video_parts((count * frames, *frame_shape(scene))) as write,
            terminal.progress(self.method, count, limit) as progress,
        ):
            for index, snapshot in enumerate(scene.snapshots):
                began = time.perf_counter()
                y = torch.from_numpy(np.array(snapshot))
                physics = SnapshotPhysics(masks)
                if sensor is not None:
                    physics, y = sensor.physics(y, masks), sensor.bad.filled(y, masks)
                result = model.reconstruct(
                    y[None].to(self.device, self.dtype),
                    physics.to(self.device, self.dtype),
                    callback=progress.callback(index),
                )
                video = result.video[0].float().cpu().numpy()
                write(video)
                seconds = time.perf_counter() - began
                record = SnapshotRecord.of(index, result, self.kind, seconds)
                if scene.truth is not None:
                    part = slice(index * frames, (index + 1) * frames)
                    psnr, ssim = quality(video, scene.truth[part])
                    record = replace(record, psnr=psnr, ssim=ssim)
                records.append(record)
                residuals.append(residual_trace(result.residuals))
                terminal.detail(
                    f"snapshot {index + 1}/{count}: {record.status}, {record.iterations} "
                    f"iterations, {seconds:.1f} s"
                )
                del result, video  # not beside the next one
        return Run(folder.video(), tuple(records), tuple(residuals), tile)

    def facts(self) -> dict[str, Any]:
        """Method, weights, options and machine, as ``run.json`` records them."""
        weights = None
        if self.weights is not None:
            weights = {"file": self.weights.name, "sha256": sha256(self.weights)}
        return {
            "method": self.method,
            "weights": weights,
            "options": asdict(self.solving) | asdict(self.computing),
            "tolerance": self.tolerance,
            "lipschitz": self.lipschitz,
            "demosaic": self.demosaic,
            "seed": self.computing.seed,
            "device": str(self.device),
            **environment(),
        }


def write_run(folder: RunFolder, run: Run, scene: SnapshotFile, summary: dict[str, Any]) -> None:
    """Put all files of a run into its folder; the figure shows the first snapshot."""
    frames = len(scene.masks)
    folder.write_scene(scene)
    folder.write_movie(run.video, FRAME_RATE)
    folder.write_preview(preview_frames(scene.snapshots, run.video, scene.truth), FRAME_RATE)
    reconstruction_figure(
        folder.figure,
        scene.snapshots[0],
        run.video[:frames],
        None if scene.truth is None else scene.truth[:frames],
        masks=scene.masks,
        residuals=run.residuals[0] if len(run.residuals[0]) else None,
        tolerance=summary["tolerance"],
        title=f"{scene.path.name}, snapshot 1 of {len(run.records)}, {summary['method']}",
    )
    folder.write_residuals(run.residuals)
    folder.write_summary(summary)


def summarize(
    run: Run, scene: SnapshotFile, output: Path, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of ``run.json``, and of ``--json``."""
    content = {
        "input": str(scene.path),
        "output": str(output),
        **facts,
        **colour_facts(scene, facts["demosaic"]),
        "tile": run.tile,
        # What is proved of the map on a snapshot is not proved of tiles blended or of colours.
        "lipschitz": facts["lipschitz"] if run.tile is None and scene.bayer is None else None,
        "notices": list(scene.notices),
        "frames_per_second": len(run.video) / sum(record.seconds for record in run.records),
        "psnr": _mean([record.psnr for record in run.records]),
        "ssim": _mean([record.ssim for record in run.records]),
        "snapshots": [asdict(record) for record in run.records],
    }
    result: dict[str, Any] = jsonable(content)
    return result


def show(terminal: Terminal, run: Run, title: str) -> None:
    """The table at the end of a run."""
    columns = ["snapshot", "evaluations", "residual", "seconds", "PSNR", "SSIM", "status"]
    rows = [
        [
            str(record.snapshot + 1),
            str(record.evaluations),
            _number(record.residual, ".1e"),
            f"{record.seconds:.1f}",
            _number(record.psnr, ".2f"),
            _number(record.ssim, ".3f"),
            _short(record.status),
        ]
        for record in run.records
    ]
    if len(run.records) > 1:
        evaluations = sum(record.evaluations for record in run.records)
        seconds = sum(record.seconds for record in run.records)
        rows.append(
            [
                "all",
                str(evaluations),
                "",
                f"{seconds:.1f}",
                _number(_mean([record.psnr for record in run.records]), ".2f"),
                _number(_mean([record.ssim for record in run.records]), ".3f"),
                "",
            ]
        )
    terminal.table(title, columns, rows)
    seconds = sum(record.seconds for record in run.records)
    terminal.say(f"{len(run.video)} frames, {len(run.video) / seconds:.3g} frames per second")
    # The whole sentence once for all snapshots that ended alike.
    for status in {_short(record.status): record.status for record in run.records}.values():
        terminal.say(status)


def _short(status: str) -> str:
    """What a status says before it explains."""
    return re.split("[:;]", status, maxsplit=1)[0]


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
