"""Certificates."""

from __future__ import annotations

from pathlib import Path

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
    table,
    values_of,
)

TITLE = "Certificates"
CLAIM = "At its equilibria the map is stable: ρ(J) < 1, and ‖J‖ keeps the bound that is proved."


def section(document: Document, image: Path) -> Section:
    """Radius and norm of the Jacobian at each equilibrium."""
    cells, settings = by_scene(document["cells"]), document["settings"]
    _draw(cells, image)
    header = ["method", "scene", "residual", "ρ(J) from a plain step", "ρ(J) from noise", "‖J‖"]
    rows = [
        [
            f"`{c['model']}`",
            scene_name(c["scene"]),
            power(c["residual"]),
            number(c["from_plain_step"], 4),
            number(c["from_noise"], 4),
            number(c["spectral_norm"], 4),
            number(c["bound"], 4),
        ]
        for c in cells
    ]
    verdicts = []
    for model in values_of(cells, "model"):
        own = [c for c in cells if c["model"] == model]
        verdicts.append(_stable(model, own))
        if own[0]["bound"] is not None:
            verdicts.append(_bounded(model, own))
    return Section(
        verdicts,
        f"{snapshot_used(settings)}, solved to a relative residual of {settings['tol']:.0e} "
        f"or for {settings['max_iter']} evaluations; {settings['products']} power iterations with "
        "products Jᵀv, for ‖J‖ with JᵀJv (or what the others found, if that is larger). "
        "ρ(J) twice: from what plain evaluation still moves after "
        f"{settings['plain']} steps, where slow directions are, and from noise, which holds every "
        "direction.",
        [table([*header, "proved bound of ‖J‖"], rows)],
        "Spectral radius and norm of the Jacobian at each equilibrium",
        "‖J‖ is approached from below; ρ(J) is an estimate that can lie on either side, and each "
        "of its two can miss what the other finds. See the theory below for what they do not say. "
        "‖J‖ above 1 beside ρ(J) below 1 means that an error may grow for some evaluations before "
        "it dies out.",
    )


def _stable(model: str, cells: list[Document]) -> Verdict:
    worst = max(cells, key=lambda c: c["spectral_radius"])
    radius = worst["spectral_radius"]
    return Verdict(
        radius < 1,
        f"the largest ρ(J) found for `{model}` is {radius:.4f} ({scene_name(worst['scene'])}), "
        f"{abs(1 - radius):.4f} {'below' if radius < 1 else 'above'} 1; measured, not proved.",
    )


def _bounded(model: str, cells: list[Document]) -> Verdict:
    norm, bound = max(c["spectral_norm"] for c in cells), cells[0]["bound"]
    return Verdict(
        norm <= bound,
        f"the largest ‖J‖ found for `{model}` is {norm:.4f}; proved for every snapshot is "
        f"{bound:.4f}.",
    )


def _draw(cells: list[Document], image: Path) -> None:
    figure, axes = row_panel([f"{c['model']}, {scene_name(c['scene'])}" for c in cells])
    rows = range(len(cells))
    kinds = {"spectral_radius": "ρ(J)", "spectral_norm": "‖J‖", "bound": "proved bound of ‖J‖"}
    for colour, marker, (key, label) in zip(COLOURS, MARKERS, kinds.items()):
        found = [(c[key], row) for row, c in zip(rows, cells) if c[key] is not None]
        if found:
            axes.plot(*zip(*found), color=colour, marker=marker, linestyle="", label=label)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("growth of a small error in one evaluation (no unit)")
    legend(figure, axes, 3)
    save(figure, image)
