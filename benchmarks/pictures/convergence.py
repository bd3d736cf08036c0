"""How methods get to their answer, and whether they stay there: PSNR and residual by evaluation."""

from __future__ import annotations

from pathlib import Path

import torch
from matplotlib import rc_context
from matplotlib.figure import Figure
from torch import Tensor

from benchmarks.claims.problem import Problem, watched
from deqsci.io.atomic import atomic_path
from deqsci.io.scene import Scene
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.schedule import FiniteSchedule
from deqsci.reconstruction.zoo import build
from deqsci.viz.curves import COLOURS, COLUMN_STYLE, LINES

METHODS = ("de-gap-st", "de-gap-rsn-cnn", "pnp-ffdnet", "gap-tv")
EVALUATIONS = 200
SIZE = 128
"""Pixels of the part around the centre that is solved, for the sake of time."""

Curve = tuple[list[float], list[float]]


def draw_convergence(scene: Scene, path: Path) -> None:
    """PSNR over residual, one column wide; what lies after the solver's end is plain iteration."""
    if scene.truth is None:
        raise ValueError("a scene with truth is wanted")
    problem = Problem(scene.snapshot, scene.physics, scene.truth)
    (problem,) = problem.crops(1, min(SIZE, *problem.physics.shape))
    with rc_context(COLUMN_STYLE):
        figure = Figure(figsize=(3.5, 3.9), layout="constrained", dpi=300)
        upper, lower = figure.subplots(2, 1, sharex=True)
        for index, method in enumerate(METHODS):
            (quality, residual), solved = run(method, problem)
            style = {"color": COLOURS[index], "linestyle": LINES[index], "label": method}
            count = range(1, len(quality) + 1)
            upper.plot(count, quality, **style)
            lower.semilogy(count, residual, **style)
            for axes, values in ((upper, quality), (lower, residual)):
                axes.plot(solved, values[solved - 1], "o", color=COLOURS[index], markersize=4)
        upper.set(ylabel="PSNR (dB)")
        lower.set(ylabel="relative residual", xlabel="evaluations")
        figure.legend(
            *upper.get_legend_handles_labels(),
            loc="outside lower center", ncols=2, frameon=False, handlelength=3,
        )  # fmt: skip
        with atomic_path(path) as temporary:
            figure.savefig(temporary, facecolor="white")


@torch.no_grad()
def run(method: str, problem: Problem) -> tuple[Curve, int]:
    """PSNR and residual of every evaluation, and after how many the method had ended."""
    model = build(method)
    quality: list[float] = []
    residual: list[float] = []

    def watch(video: Tensor, value: float) -> None:
        quality.append(problem.psnr(video))
        residual.append(value)

    if isinstance(model, DeepEquilibrium):
        map, start = problem.bind(model.map)
        f = watched(map, lambda z, value: watch(problem.video(model.map, z), value))
        z = model.solver.solve(f, start).value
        solved = len(quality)
        while len(quality) < EVALUATIONS:
            z = f(z)
        return (quality, residual), solved
    assert isinstance(model, FiniteSchedule)
    before = problem.physics.initial(problem.snapshot)
    for video in model.iterates(problem.snapshot, problem.physics):
        watch(video, float((video - before).norm() / video.norm()))
        before = video.clone()
    return (quality, residual), len(quality)
