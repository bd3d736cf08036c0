"""The page of one run, and the page that leads to several."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deqsci.io.colour import mosaicked
from deqsci.io.finished_run import FinishedRun
from deqsci.io.jsonable import jsonable
from deqsci.io.run_folder import REPORT
from deqsci.metrics import channels, psnr_per_frame
from deqsci.viz.figure import absolute_error, error_top, snapshot_white
from deqsci.viz.report import words
from deqsci.viz.report.pixels import colours, png_frames, thumbnail
from deqsci.viz.report.render import link, write_page

FILES = {
    "video.mp4": "the recovered video, to look at",
    "preview.gif": "snapshot, reconstruction and truth side by side, moving",
    "figure.png": "the first snapshot on one page",
    "video.npz": "the recovered video as numbers: float32, intensities 0…1",
    "snapshot.npz": "the snapshots, masks and, where known, truth; deqsci reconstruct takes it",
    "residuals.csv": "the residual of every pass",
    "run.json": "everything written down about the run",
}
"""What a run's folder may hold, and what it is."""


def write_report(run: FinishedRun, path: Path) -> None:
    """Write the page of ``run`` to ``path``, whole or not at all.

    The page needs no other file and no network: pictures are PNGs of 8-bit grays or colours inside
    it. Links to the files of the run are relative to ``path``.

    Raises
    ------
    OutputError : ``path`` cannot be written, or holds something that is no such page.
    """
    write_page(path, "page.html", _content(run, path))


def write_index(runs: Iterable[FinishedRun], path: Path) -> None:
    """Write a page that lists runs and leads to the ``report.html`` in each one's folder.

    Raises
    ------
    OutputError : as :func:`write_report`.
    """
    rows = [
        {
            "link": link(run.path / REPORT, path),
            "name": run.path.name,
            "method": run.summary["method"],
            "snapshots": len(run.scene.snapshots),
            "thumbnail": thumbnail(run.video[0]),
            "psnr": _mean(run, "psnr"),
            "ssim": _mean(run, "ssim"),
            "statuses": _statuses(run),
        }
        for run in runs
    ]
    write_page(path, "index.html", {"title": path.resolve().parent.name, "runs": rows})


def _content(run: FinishedRun, path: Path) -> dict[str, Any]:
    """What the template shows; ``data`` and ``pixels`` are for the script."""
    summary, scene = run.summary, run.scene
    count, frames = len(scene.snapshots), len(scene.masks)
    white = snapshot_white(scene.snapshots)
    snapshots = [_snapshot(run, index) for index in range(count)]
    pixels = [
        {
            "snapshot": png_frames(scene.snapshots[index : index + 1] / white)[0],
            "video": png_frames(run.video[_part(index, frames)]),
            "truth": None if scene.truth is None else png_frames(scene.truth[_part(index, frames)]),
        }
        for index in range(count)
    ]
    data = {
        "frames": frames,
        "height": scene.masks.shape[1],
        "width": scene.masks.shape[2],
        "white": white,
        "errorTop": None if scene.truth is None else error_top(_errors(run.video, scene.truth)),
        "colours": None if scene.truth is None else colours(),
        "tolerance": summary["tolerance"],
        "snapshots": snapshots,
    }
    return {
        "title": Path(summary["input"]).name,
        "method": summary["method"],
        "lede": words.lede(run),
        "facts": _facts(run, snapshots),
        "snapshots": snapshots,
        "thumbnails": [thumbnail(frame) for frame in run.video[frames // 2 :: frames]],
        "frames": frames,
        "truth": scene.truth is not None,
        "tolerance": summary["tolerance"],
        "notices": [str(notice) for notice in summary["notices"]],
        "protocol": summary["protocol"],
        "settings": _settings(summary),
        "files": [
            {"name": name, "what": what, "link": link(run.path / name, path)}
            for name, what in FILES.items()
            if (run.path / name).is_file()
        ],
        "data": jsonable(data),
        "pixels": pixels,
    }


def _snapshot(run: FinishedRun, index: int) -> dict[str, Any]:
    """One snapshot in words and curves."""
    record, tolerance, scene = run.summary["snapshots"][index], run.summary["tolerance"], run.scene
    part = _part(index, len(scene.masks))
    video = run.video[part]
    seen = video if scene.bayer is None else mosaicked(video, scene.bayer)
    misfit = _misfit(scene.snapshots[index], scene.masks, seen)
    curve = None
    if scene.truth is not None and np.isfinite(video).all():
        each = psnr_per_frame(channels(video), channels(scene.truth[part]))
        curve = each.reshape(len(video), -1).mean(1)
    return {
        "label": words.label(record, tolerance),
        "tone": words.tone(record, tolerance),
        "psnr": record["psnr"],
        "ssim": record["ssim"],
        "misfit": misfit,
        "psnrPerFrame": curve,
        "residuals": run.residuals[index],
        "solve": words.solve_sentences(record, run.summary["method"], tolerance),
        "agreement": words.agreement_sentence(misfit),
        "certificate": words.certificate(record, tolerance, run.summary["lipschitz"]),
    }


def _errors(video: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float32]:
    """What the error maps show. Shape: → (N·T, H, W)."""
    return np.stack([absolute_error(*pair) for pair in zip(video, truth)])


def _misfit(snapshot: NDArray[Any], masks: NDArray[Any], video: NDArray[Any]) -> float:
    """‖y − Σₜ Φₜ ⊙ xₜ‖ / ‖y‖."""
    left = snapshot - np.einsum("thw,thw->hw", masks, video)
    return float(np.linalg.norm(left) / max(float(np.linalg.norm(snapshot)), 1e-12))


def _facts(run: FinishedRun, snapshots: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """The numbers at the top: name, value, unit."""
    records = run.summary["snapshots"]
    facts = []
    if (mean := _mean(run, "psnr")) is not None:
        facts.append(("PSNR", f"{mean:.2f}", "dB"))
    if (mean := _mean(run, "ssim")) is not None:
        facts.append(("SSIM", f"{mean:.3f}", ""))
    if run.summary["tolerance"] is not None:
        done = sum(record["converged"] for record in records)
        facts.append(("Converged", str(done), f"of {len(records)}"))
    misfit = float(np.mean([snapshot["misfit"] for snapshot in snapshots]))
    if math.isfinite(misfit):
        value, unit = words.percent(misfit).split()
        facts.append(("Snapshot misfit", value, unit))
    passes = sorted(record["evaluations"] for record in records)
    spread = f"{passes[0]}" if passes[0] == passes[-1] else f"{passes[0]}–{passes[-1]}"
    facts.append(("Passes", spread, ""))
    seconds = sum(record["seconds"] for record in records) / len(records)
    facts.append(("Time a snapshot", f"{seconds:.1f}", "s"))
    return facts


def _settings(summary: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """``run.json`` but for what the page shows elsewhere: a line a value, names joined by dots."""
    elsewhere = {"snapshots", "notices", "files", "protocol", "format", "psnr", "ssim"}
    lines = []
    for key, value in summary.items():
        if not prefix and key in elsewhere:
            continue
        if isinstance(value, Mapping):
            lines += _settings(value, f"{prefix}{key}.")
        else:
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            lines.append((f"{prefix}{key}", "–" if value is None else text))
    return lines


def _statuses(run: FinishedRun) -> list[tuple[str, str, int]]:
    """How many snapshots ended how: tone, label, number."""
    tolerance = run.summary["tolerance"]
    ends = [(words.tone(r, tolerance), words.label(r, tolerance)) for r in run.summary["snapshots"]]
    return [(*end, ends.count(end)) for end in dict.fromkeys(ends)]


def _mean(run: FinishedRun, key: str) -> float | None:
    """The mean where all snapshots have one, as ``run.json`` tells it."""
    values = [record[key] for record in run.summary["snapshots"]]
    return None if None in values else fmean(values)


def _part(index: int, frames: int) -> slice:
    return slice(index * frames, (index + 1) * frames)
