"""Constant memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.ticker import NullFormatter, ScalarFormatter

from benchmarks.claims.memory import RULES
from benchmarks.claims.report.figures import COLOURS, LINES, MARKERS, legend, panels, save
from benchmarks.claims.report.section import (
    Document,
    Section,
    Verdict,
    number,
    percent,
    table,
    values_of,
)
from benchmarks.claims.step_memory import Step

TITLE = "Constant memory"
CLAIM = (
    "Training at the equilibrium, and reconstructing, take the same memory however many "
    "evaluations the solve needs; the same network unrolled takes more with every one."
)
LIMIT = 0.01
"""Share of the unrolled network's growth that counts as none: resident sizes are not exact."""


def section(document: Document, image: Path) -> Section:
    """Memory by evaluations, and its slope."""
    cells = document["cells"]
    models, counts = values_of(cells, "model"), sorted(set(values_of(cells, "evaluations")))
    held = {(c["model"], c["rule"], c["evaluations"]): float(c["megabytes"]) for c in cells}
    rows, verdicts = [], []
    for model in models:
        curves = {r: {n: held[model, r, n] for n in counts if (model, r, n) in held} for r in RULES}
        slopes = {rule: slope(curve) for rule, curve in curves.items()}
        for rule, curve in curves.items():
            sizes = [number(curve.get(count), 0) for count in counts]
            rows.append([f"`{model}`", rule, *sizes, number(slopes[rule], 3)])
        verdicts += [
            _verdict(f"`{model}`, {rule}", ours, unrolled)
            for rule in (RULES[0], RULES[2])
            if (ours := slopes[rule]) is not None and (unrolled := slopes[RULES[1]]) is not None
        ]
    size = document["settings"]["size"]
    _draw(held, models, counts, image)
    return Section(
        verdicts,
        f"One snapshot of {Step.frames} frames of {size}×{size}; a forward solve of exactly N "
        "evaluations and, in training, the backward pass. Every figure is the peak of a fresh "
        "process over what it held before the step, after its imports and one tiny step.",
        [table(["method", "MB for N =", *map(str, counts), "MB an evaluation"], rows)],
        "Peak memory against evaluations: flat for the equilibrium, rising for unrolling",
        "The forward solve of an equilibrium records nothing, and its gradient needs one recorded "
        "evaluation and the solver's own memory of past iterates, whatever N is. Unrolling keeps "
        "the activations of all N. The slope is a least-squares line.",
    )


def slope(curve: Mapping[int, float]) -> float | None:
    """MB an evaluation; None of fewer than two points."""
    if len(curve) < 2:
        return None
    return float(np.polyfit(list(curve), list(curve.values()), 1)[0])


def _verdict(what: str, ours: float, unrolled: float) -> Verdict:
    share = ours / unrolled
    return Verdict(
        share <= LIMIT,
        f"{what} grows by {ours:.3f} MB an evaluation, unrolled training by {unrolled:.3f}: "
        f"{percent(share)} of it; up to {percent(LIMIT)} counts as none.",
    )


def _draw(
    held: Mapping[tuple[str, str, int], float], models: list[str], counts: list[int], image: Path
) -> None:
    figure, ((axes,),) = panels(1, 1, 3.4)
    for colour, marker, rule in zip(COLOURS, MARKERS, RULES):
        for line, model in zip(LINES, models):
            found = [(n, held[model, rule, n]) for n in counts if (model, rule, n) in held]
            label = rule if len(models) == 1 else f"{model}: {rule}"
            if found:
                axes.loglog(*zip(*found), line, color=colour, marker=marker, label=label)
    axes.set_xticks(counts)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("evaluations of the map")
    axes.set_ylabel("peak memory of one step (MB)")
    legend(figure, axes, len(models))
    save(figure, image)
