"""Training curves."""

from __future__ import annotations

from pathlib import Path

from benchmarks.claims.report.figures import COLOURS, LINES, legend, panels, save
from benchmarks.claims.report.section import Document, Section, number, table

TITLE = "Training curves"
CLAIM = "None: a comparison of the same model trained with each gradient."
Points = list[tuple[int, float, float]]


def section(document: Document, image: Path) -> Section:
    """Validation scores against time and steps."""
    curves = {run["label"]: points(run) for run in document["runs"]}
    curves = {label: curve for label, curve in curves.items() if curve}
    _draw(curves, image)
    rows = [
        [label, *(number(v, d) for v, d in zip(_facts(curve), (2, 0, 2, 0, 0)))]
        for label, curve in curves.items()
    ]
    header = ["run", "best score (dB)", "at step", "last score (dB)", "steps", "seconds"]
    return Section(
        [],
        "Validation score (PSNR in dB on held-out clips, after running on where the fixed point "
        "was trained) from the log of each run, over all its stages at the fixed point.",
        [table(header, rows)],
        "Validation score against training time and against steps",
        _reading(curves),
    )


def points(run: Document) -> Points:
    """Step, seconds and score, where a fixed point was solved for: other scores do not compare."""
    solved = [value is not None for value in run["validation_evaluations"]]
    columns = (run["step"], run["seconds"], run["validation_score"])
    return [
        point
        for point, keep in zip(zip(*columns), solved)
        if None not in point and (keep or not any(solved))
    ]


def _facts(curve: Points) -> tuple[float, float, float, float, float]:
    step, _, best = max(curve, key=lambda point: point[2])
    last = curve[-1]
    return best, step, last[2], last[0], last[1]


def _reading(curves: dict[str, Points]) -> str:
    best = {label: _facts(curve)[0] for label, curve in curves.items()}
    ranked = sorted(best, key=lambda label: -best[label])
    behind = [
        f"{label} stays {best[ranked[0]] - best[label]:.2f} dB behind" for label in ranked[1:]
    ]
    return "; ".join([f"The best score is that of {ranked[0]}", *behind]) + "." if ranked else ""


def _draw(curves: dict[str, Points], image: Path) -> None:
    figure, ((left, right),) = panels(1, 2, 3.0)
    for index, (label, curve) in enumerate(curves.items()):
        steps, seconds, scores = zip(*curve)
        colour, line = COLOURS[index % len(COLOURS)], LINES[index % len(LINES)]
        minutes = [value / 60 for value in seconds]
        left.plot(minutes, scores, color=colour, linestyle=line, label=label)
        right.plot(steps, scores, color=colour, linestyle=line)
    left.set(xlabel="training time (minutes)", ylabel="validation score (dB)")
    right.set(xlabel="optimizer steps")
    legend(figure, left, 3)
    save(figure, image)
