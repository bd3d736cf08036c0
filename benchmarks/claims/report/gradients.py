"""Gradients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.claims.report.figures import COLOURS, MARKERS, legend, panels, save
from benchmarks.claims.report.section import (
    Document,
    Section,
    Verdict,
    mean,
    number,
    percent,
    power,
    table,
    values_of,
)

TITLE = "Gradients"
CLAIM = "The implicit gradient is the nearest to the converged one; its memory does not grow."
NAMES = ("cosine", "norm_ratio", "relative_error", "seconds")
Rules = Mapping[str, Mapping[str, float]]

SOLVED = 1e-6
"""Residual of the reference's forward solve above which nothing is compared with its gradient."""


def section(document: Document, image: Path) -> Section:
    """Each rule against a converged reference."""
    cells, settings = document["cells"], document["settings"]
    measured = [cell for cell in cells if "rules" in cell]
    crops = [cell for cell in measured if cell["reference_residual"] <= SOLVED]
    left = "".join(
        f" `{cell['model']}` on {cell['scene']}, crop {cell['crop'] + 1}, is left out: its "
        f"reference came no nearer than {power(cell['reference_residual'])}."
        for cell in measured
        if cell not in crops
    )
    summary = {model: summarised(model, crops, cells) for model in values_of(crops, "model")}
    _draw(summary, image)
    header = ["method", "rule", "cosine", "lowest cosine", "norm over true norm", "relative error"]
    rows = [
        [
            f"`{model}`",
            rule,
            number(found["cosine"], 4),
            number(found["lowest_cosine"], 4),
            number(found["norm_ratio"], 3),
            power(found["relative_error"]),
            number(found["seconds"], 3),
            number(found.get("megabytes"), 0),
        ]
        for model, rules in summary.items()
        for rule, found in rules.items()
    ]
    return Section(
        [_verdict(model, rules) for model, rules in summary.items()],
        f"Shipped weights, mean squared error at the equilibrium of {settings['crops']} crops of "
        f"{settings['size']}×{settings['size']} of each scene's first snapshot; means over crops. "
        "Reference: the implicit gradient in float64 with both solves taken as far as they go; "
        f"their largest residuals are {power(max(c['reference_residual'] for c in crops))} "
        f"(forward) and {power(max(c['reference_adjoint_residual'] for c in crops))} (adjoint)."
        f"{left} "
        f"Seconds are of a whole step, the median of {settings['repeats']}; memory is its peak, "
        "in a process of its own.",
        [table([*header, "s a step", "MB"], rows)],
        "Relative error of the weight gradient against peak memory, by rule",
        "The rules run in float32 after a forward solve as loose as one in training, so its "
        "residual limits even the exact rule: the tight solve shows by how much. Unrolling "
        "differentiates another function, the iterate it stops at, and is compared with what it "
        "is used for here.",
    )


def summarised(
    model: str, crops: list[Document], cells: list[Document]
) -> dict[str, dict[str, float]]:
    """Means over the crops of one model, rule by rule, and the memory where it was measured."""
    own = [entry for cell in crops if cell["model"] == model for entry in cell["rules"]]
    memory = {c["rule"]: c["megabytes"] for c in cells if c["model"] == model and "megabytes" in c}
    result = {}
    for rule in values_of(own, "rule"):
        entries = [entry for entry in own if entry["rule"] == rule]
        found = {name: mean(entry[name] for entry in entries) for name in NAMES}
        found["lowest_cosine"] = min(entry["cosine"] for entry in entries)
        if rule in memory:
            found["megabytes"] = memory[rule]
        result[rule] = found
    return result


def _verdict(model: str, rules: Rules) -> Verdict:
    ours = rules["implicit"]
    others = {rule: found for rule, found in rules.items() if not rule.startswith("implicit")}
    best = min(others, key=lambda rule: others[rule]["relative_error"])
    tight = rules.get("implicit, tight forward solve")
    closer = f"; after a tight solve {percent(tight['relative_error'])}" if tight else ""
    return Verdict(
        ours["relative_error"] < others[best]["relative_error"],
        f"`{model}`: the implicit gradient is {percent(ours['relative_error'])} off{closer}; "
        f"the nearest other rule ({best}) {percent(others[best]['relative_error'])}.",
    )


def _draw(summary: Mapping[str, Rules], image: Path) -> None:
    figure, (row,) = panels(1, len(summary), 3.2)
    for axes, (model, rules) in zip(row, summary.items()):
        for index, (rule, found) in enumerate(rules.items()):
            if "megabytes" in found:
                axes.loglog(
                    found["megabytes"],
                    found["relative_error"],
                    color=COLOURS[index % len(COLOURS)],
                    marker=MARKERS[index % len(MARKERS)],
                    linestyle="",
                    label=rule,
                )
        axes.set(title=model, xlabel="peak memory of a step (MB)")
    row[0].set_ylabel("relative error of the gradient")
    legend(figure, row[0], 3)
    save(figure, image)
