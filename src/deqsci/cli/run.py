"""One run: every snapshot of a scene reconstructed, measured and written to its folder."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deqsci.cli.options import Computing, Solving
from deqsci.cli.runtime import environment, prepare
from deqsci.cli.terminal import Callback, Terminal
from deqsci.errors import ConfigError
from deqsci.evaluation.record import EQUILIBRIUM, SnapshotRecord, Trace, residual_trace
from deqsci.io import RunFolder, SnapshotFile
from deqsci.io.digest import sha256
from deqsci.io.jsonable import jsonable
from deqsci.metrics import PROTOCOL, quality
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.result import Reconstruction
from deqsci.reconstruction.zoo import DEFAULT_METHOD, METHODS, build, shipped_weights
from deqsci.viz import preview_frames, reconstruction_figure
from deqsci.viz.picture import FRAME_RATE

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Run:
    """The reconstruction of a scene: video (N·T, H, W), one record per snapshot, residuals."""

    video: Float
    records: tuple[SnapshotRecord, ...]
    residuals: tuple[Trace, ...]


class Model(Protocol):
    """What every method of the zoo offers."""

    @property
    def max_evaluations(self) -> int: ...

    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction: ...


class Reconstructor:
    """A method that is built, on its device, and ready for any number of scenes.

    Raises
    ------
    ConfigError, MethodError, WeightsError : the options ask for what is not there.
    """

    def __init__(self, solving: Solving, computing: Computing) -> None:
        self.device, self.dtype = prepare(computing)
        self.method = solving.method or DEFAULT_METHOD
        self.solving, self.computing = solving, computing
        self.model: Model = build(
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
        self.weights = solving.weights or shipped_weights(self.method)

    def run(self, scene: SnapshotFile, terminal: Terminal) -> Run:
        """Reconstruct the scene's snapshots, one at a time: memory does not grow with their number.

        Raises
        ------
        ShapeError, MaskError, ValueRangeError : the scene cannot be reconstructed.
        """
        masks = torch.from_numpy(scene.masks)
        physics = SnapshotPhysics(masks).to(self.device, self.dtype)
        count, frames = len(scene.snapshots), len(scene.masks)
        video = np.empty((count * frames, *scene.masks.shape[1:]), dtype=np.float32)
        records, residuals = [], []
        limit = self.model.max_evaluations
        with terminal.progress(self.method, count, limit) as progress:
            for index, snapshot in enumerate(scene.snapshots):
                began = time.perf_counter()
                y = torch.from_numpy(snapshot[None]).to(self.device, self.dtype)
                result = self.model.reconstruct(y, physics, callback=progress.callback(index))
                part = slice(index * frames, (index + 1) * frames)
                video[part] = result.video[0].clamp(0, 1).float().cpu().numpy()
                seconds = time.perf_counter() - began
                record = SnapshotRecord.of(index, result, self.kind, seconds)
                if scene.truth is not None:
                    psnr, ssim = quality(video[part], scene.truth[part])
                    record = replace(record, psnr=psnr, ssim=ssim)
                records.append(record)
                residuals.append(residual_trace(result.residuals))
                terminal.detail(
                    f"snapshot {index + 1}/{count}: {record.status}, {record.iterations} "
                    f"iterations, {seconds:.1f} s"
                )
        return Run(video, tuple(records), tuple(residuals))

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
            "seed": self.computing.seed,
            "device": str(self.device),
            **environment(),
            "protocol": PROTOCOL,
        }


def write_run(folder: RunFolder, run: Run, scene: SnapshotFile, summary: dict[str, Any]) -> None:
    """Put all files of a run into its folder; the figure shows the first snapshot."""
    frames = len(scene.masks)
    folder.write_scene(scene)
    folder.write_video(run.video, FRAME_RATE)
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
        "notices": list(scene.notices),
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
