"""Unlimited iterations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.claims.report.figures import COLOURS, LINES, drawable, legend, panels, save
from benchmarks.claims.report.section import (
    Document,
    Section,
    Verdict,
    by_scene,
    number,
    power,
    scene_name,
    snapshot_used,
    table,
    values_of,
)

TITLE = "Unlimited iterations"
CLAIM = "From convergence on, PSNR never falls below its best: running on costs nothing but time."
LIMIT = 0.05
"""dB that count as nothing."""


def section(document: Document, image: Path) -> Section:
    """Where the solves end, and what running on does to them."""
    cells, total = by_scene(document["cells"]), document["settings"]["evaluations"]
    _draw(cells, image)
    levels = list(cells[0]["evaluations"])
    header = ["method", "scene", *(f"evaluations to {level}" for level in levels)]
    header += ["solved to", "PSNR there (dB)", "best after", f"at {total}", "residual there"]
    rows = [
        [
            f"`{c['model']}`",
            scene_name(c["scene"]),
            *(number(c["evaluations"][level], 0) for level in levels),
            power(c["tolerance"]),
            f"{number(c['psnr_solved'])} after {c['solved_after']}",
            number(c["psnr_best_after"]),
            number(c["psnr_last"]),
            power(c["residual_last"]),
            number(c["largest_fall"], 3),
        ]
        for c in cells
    ]
    return Section(
        [_verdict(model, [c for c in cells if c["model"] == model]) for model in models_of(cells)],
        f"{snapshot_used(document['settings'])}, the method's default solver until it reaches the "
        f"tolerance stated, then plain evaluations z ← f(z) until {total} in all. PSNR is that of "
        "f(z) after every evaluation; nothing picks the best one.",
        [table([*header, "largest fall (dB)"], rows)],
        "PSNR and residual against evaluations, the solve and what follows it",
        "The largest fall is taken from the running best, over all evaluations from the end of "
        "the solve on. Where PSNR still rises while plain evaluations run on, that "
        "tolerance stopped short of the fixed point.",
    )


def models_of(cells: list[Document]) -> list[str]:
    """Names of the methods measured."""
    return values_of(cells, "model")


def _verdict(model: str, cells: list[Document]) -> Verdict:
    open_ended = [scene_name(c["scene"]) for c in cells if not c["converged"]]
    if open_ended:
        return Verdict(False, f"`{model}` did not converge on {', '.join(open_ended)}.")
    if any(c["largest_fall"] is None for c in cells):
        return Verdict(False, f"`{model}` diverges when it is run on.")
    worst = max(cells, key=lambda c: c["largest_fall"])
    gains = [c["psnr_last"] - c["psnr_solved"] for c in cells]
    return Verdict(
        worst["largest_fall"] <= LIMIT,
        f"`{model}` falls by {worst['largest_fall']:.3f} dB at most ({scene_name(worst['scene'])};"
        f" {LIMIT} dB is allowed), and ends {min(gains):+.2f} to {max(gains):+.2f} dB from where "
        "the solve stopped.",
    )


def _draw(cells: list[Document], image: Path) -> None:
    models = models_of(cells)
    figure, axes = panels(2, len(models), 2.6)
    scenes = sorted({scene_name(c["scene"]) for c in cells})
    for column, model in enumerate(models):
        above, below = axes[0][column], axes[1][column]
        for cell in (c for c in cells if c["model"] == model):
            index = scenes.index(scene_name(cell["scene"]))
            style: dict[str, Any] = {
                "color": COLOURS[index % len(COLOURS)],
                "linestyle": LINES[index % len(LINES)],
                "label": scene_name(cell["scene"]),
            }
            curve = cell["curve"]
            at = curve["evaluation"].index(cell["solved_after"])
            dot = {"color": style["color"], "marker": "o", "linestyle": ""}
            for panel, values in ((above, curve["psnr"]), (below, curve["residual"])):
                panel.plot(curve["evaluation"], drawable(values), **style)
                panel.plot(cell["solved_after"], values[at], **dot)
        above.set(title=model, xscale="log")
        below.set(xscale="log", yscale="log", xlabel="evaluations (dot: solve ends)")
    axes[0][0].set_ylabel("PSNR (dB)")
    axes[1][0].set_ylabel("relative residual")
    legend(figure, axes[0][0], len(scenes))
    save(figure, image)
