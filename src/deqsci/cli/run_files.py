"""The files of a run's folder, and the summary that is one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deqsci.cli.colour import colour_facts
from deqsci.cli.run import Run
from deqsci.evaluation.record import mean
from deqsci.io import RunFolder, SnapshotFile
from deqsci.io.jsonable import jsonable
from deqsci.viz import preview_frames, reconstruction_figure
from deqsci.viz.picture import FRAME_RATE


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
        **colour_facts(scene, run.demosaicking),
        "tile": run.tile,
        # What is proved of the map on a snapshot is not proved of tiles blended or of colours.
        "lipschitz": facts["lipschitz"] if run.tile is None and scene.bayer is None else None,
        "notices": list(scene.notices),
        "frames_per_second": len(run.video) / run.seconds,
        "psnr": mean([record.psnr for record in run.records]),
        "ssim": mean([record.ssim for record in run.records]),
        "snapshots": [asdict(record) for record in run.records],
    }
    result: dict[str, Any] = jsonable(content)
    return result
