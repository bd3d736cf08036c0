"""One answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.claims.report.figures import COLOURS, MARKERS, legend, row_panel, save
from benchmarks.claims.report.section import (
    Document,
    Section,
    Verdict,
    by_scene,
    number,
    power,
    scene_name,
    snapshot_used,
    span,
    table,
    values_of,
)

TITLE = "One answer"
CLAIM = "Where the solve starts does not matter: all starts end at the same video."
DISTANCE, SPREAD = 1e-2, 0.05
"""Relative distance, and dB, that count as the same."""


def section(document: Document, image: Path) -> Section:
    """How far apart the solves end."""
    cells = by_scene(document["cells"])
    _draw(cells, image)
    rows = [
        [
            f"`{c['model']}`",
            scene_name(c["scene"]),
            span([s["psnr_of_start"] for s in c["starts"]], 1),
            span([s["psnr"] for s in c["starts"]], 2),
            number(c["psnr_spread"], 3),
            power(c["largest_distance"]),
            span([s["evaluations"] for s in c["starts"]]),
            power(max(s["residual"] for s in c["starts"])),
        ]
        for c in cells
    ]
    header = ["method", "scene", "PSNR of the starts (dB)", "of the ends", "spread (dB)"]
    header += ["largest distance", "evaluations", "largest residual"]
    settings = document["settings"]
    names = list(dict.fromkeys(start["start"] for c in cells for start in c["starts"]))
    return Section(
        [_verdict(m, [c for c in cells if c["model"] == m]) for m in values_of(cells, "model")],
        f"{snapshot_used(settings)} from {len(names)} starts ("
        + ", ".join(names)
        + f"), each solved to a relative residual of {settings['tol']:.0e} or for "
        f"{settings['max_iter']} evaluations. Distance: ‖a − b‖ over the larger norm, of the two "
        "ends furthest apart.",
        [table(header, rows)],
        "PSNR of the starts and of the ends",
        "Where the map contracts by construction, equal ends are a theorem and this only checks "
        "the code. Elsewhere it is evidence: other starts might find another end.",
    )


def _verdict(model: str, cells: list[Document]) -> Verdict:
    distance = max(c["largest_distance"] for c in cells)
    spread = max(c["psnr_spread"] for c in cells)
    open_ended = sum(not s["converged"] for c in cells for s in c["starts"])
    short = f" {open_ended} solves stopped short of the tolerance." if open_ended else ""
    return Verdict(
        distance <= DISTANCE and spread <= SPREAD,
        f"the ends of `{model}` lie within {distance:.1e} of each other (allowed: {DISTANCE:.0e}) "
        f"and within {spread:.3f} dB (allowed: {SPREAD}).{short}",
    )


def _draw(cells: list[Document], image: Path) -> None:
    figure, axes = row_panel([f"{c['model']}, {scene_name(c['scene'])}" for c in cells])
    for row, cell in enumerate(cells):
        for colour, marker, start in zip(COLOURS, MARKERS, cell["starts"]):
            style: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": ""}
            axes.plot(start["psnr_of_start"], row, markerfacecolor="none", **style)
            axes.plot(start["psnr"], row, label=start["start"], **style)
    axes.set_xlabel("PSNR (dB); open: start, full: end")
    legend(figure, axes, 3)
    save(figure, image)
