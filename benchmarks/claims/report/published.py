"""Against the authors' checkpoints."""

from __future__ import annotations

from pathlib import Path

from benchmarks.claims.report.section import (
    Document,
    Section,
    Verdict,
    by_scene,
    number,
    scene_name,
    table,
    values_of,
)

TITLE = "Against the published checkpoints"
CLAIM = (
    "Converged, each model is at least as good as the authors' checkpoint of it, run as they "
    "report it."
)


def section(document: Document, image: Path) -> Section:
    """Our converged scores beside their transient ones; no picture."""
    cells = by_scene(document["cells"])
    rows = [
        [
            f"`{c['model']}`",
            scene_name(c["scene"]),
            f"{number(c['psnr'])} / {number(c['ssim'], 3)}",
            f"{c['evaluations']}{'' if c['converged'] else ', not converged'}",
            f"{number(c['published']['psnr'])} / {number(c['published']['ssim'], 3)}",
            f"{c['psnr'] - c['published']['psnr']:+.2f}",
        ]
        for c in cells
    ]
    header = ["method", "scene", "ours (dB / SSIM)", "evaluations", "published", "difference (dB)"]
    return Section(
        [_verdict(m, [c for c in cells if c["model"] == m]) for m in values_of(cells, "model")],
        "The first snapshot of each scene. Ours: the default solver and tolerance. Theirs: the "
        "checkpoint in this library's code for the fixed number of evaluations of "
        "`benchmarks/peers.py`, a transient: its fixed point is worse.",
        [table(header, rows)],
    )


def _verdict(model: str, cells: list[Document]) -> Verdict:
    differences = {scene_name(c["scene"]): c["psnr"] - c["published"]["psnr"] for c in cells}
    converged = all(c["converged"] for c in cells)
    said = ", ".join(f"{scene} {value:+.2f} dB" for scene, value in differences.items())
    return Verdict(
        converged and min(differences.values()) >= 0,
        f"`{model}` against its published checkpoint: {said}"
        + ("." if converged else "; not every solve converged."),
    )
