"""The point of it all."""

from __future__ import annotations

from pathlib import Path

from benchmarks.claims.report.figures import COLOURS, MARKERS, legend, row_panel, save
from benchmarks.claims.report.section import (
    Document,
    Section,
    Verdict,
    by_scene,
    mean,
    number,
    scene_name,
    span,
    table,
    values_of,
)
from benchmarks.claims.twins import ROLES, SETTLED

TITLE = "The point of it all"
CLAIM = "The converged equilibrium model is ahead of its plug-and-play and of its unrolled twin."
Score = dict[str, float | None]


def section(document: Document, image: Path) -> Section:
    """The three roles side by side: single scenes, and the mean over validation clips."""
    settings = document["settings"]
    columns = [*ROLES, "unrolled, run on"]
    groups = grouped(document["cells"])
    _draw(groups, columns, image)
    rows = [
        [name, *(_score(roles.get(column, [])) for column in columns)]
        for name, roles in groups.items()
    ]
    return Section(
        _verdicts(document["cells"]),
        f"Method `{settings['method']}`: one network in one map with three sets of weights. "
        "Equilibrium and plug-and-play: the default solver; the fixed point where a residual of "
        f"{SETTLED:.0e} was reached, else plain evaluations, as many as stated. Unrolled: the "
        f"{settings['steps']} plain evaluations it was trained for, and run on. Nowhere is the "
        "best iterate picked by the truth.",
        [table(["PSNR (dB) / SSIM, evaluations", *columns], rows)],
        "PSNR of the three twins, scene by scene",
    )


def grouped(cells: list[Document]) -> dict[str, dict[str, list[Document]]]:
    """Results by row of the table and by column of it; validation clips share a row."""
    groups: dict[str, dict[str, list[Document]]] = {}
    for cell in by_scene(cells):
        name = scene_name(cell["scene"]) if cell["kind"] == "scenes" else "Validation, mean"
        columns = groups.setdefault(name, {})
        columns.setdefault(cell["model"], []).append(cell)
        if "run_on" in cell:
            columns.setdefault("unrolled, run on", []).append(cell["run_on"])
    names = sorted(groups, key=lambda name: name.startswith("Validation"))
    return {name: groups[name] for name in names}


def _score(results: list[Document]) -> str:
    if not results:
        return "–"
    lost = sum(result["psnr"] is None for result in results)
    if lost:
        return "diverged" if len(results) == 1 else f"diverged on {lost} of {len(results)}"
    psnr, ssim = (mean(result[key] for result in results) for key in ("psnr", "ssim"))
    return f"{psnr:.2f} / {ssim:.3f}, {span([result['evaluations'] for result in results])}"


def _verdicts(cells: list[Document]) -> list[Verdict]:
    verdicts = []
    for kind in values_of(cells, "kind"):
        means = {}
        for role in ROLES:
            own = [c["psnr"] for c in cells if c["kind"] == kind and c["model"] == role]
            means[role] = mean(own) if own and None not in own else None
        measured = {
            role: {c["scene"] for c in cells if c["kind"] == kind and c["model"] == role}
            for role in ROLES
        }
        if not measured["equilibrium"]:
            continue
        if (ours := means["equilibrium"]) is None:
            verdicts.append(Verdict(False, f"{kind}: the equilibrium model has no score."))
            continue
        for twin in ROLES[1:]:
            if measured[twin] != measured["equilibrium"]:
                continue  # not measured to the end: nothing to compare yet
            theirs = means[twin]
            ahead = "which diverged" if theirs is None else f"{ours - theirs:+.2f} dB"
            verdicts.append(
                Verdict(
                    theirs is None or ours > theirs,
                    f"mean PSNR, {kind}: equilibrium {number(ours)} dB against the {twin} twin's "
                    f"{number(theirs)}: {ahead}.",
                )
            )
    return verdicts


def _draw(groups: dict[str, dict[str, list[Document]]], columns: list[str], image: Path) -> None:
    figure, axes = row_panel(list(groups))
    for colour, marker, column in zip(COLOURS, MARKERS, columns):
        found = []
        for row, roles in enumerate(groups.values()):
            values = [result["psnr"] for result in roles.get(column, [])]
            if values and None not in values:
                found.append((mean(values), row))
        if found:
            axes.plot(*zip(*found), color=colour, marker=marker, linestyle="", label=column)
    axes.set_xlabel("PSNR (dB)")
    legend(figure, axes, 4)
    save(figure, image)
