"""Unlimited iterations: PSNR and residual after every evaluation, far beyond convergence.

The default solver until it converges, then plain evaluations of the map: nothing picks the best
iterate any more, the map goes where it leads.

    python -m benchmarks.claims.iterations SCENES...
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, product
from pathlib import Path
from typing import Any

import torch

from benchmarks.claims.command import Command, equilibrium_model
from benchmarks.claims.problem import first_snapshot, watched

LEVELS = (1e-2, 1e-3, 1e-4)
WHOLE, EVERY = 200, 10
"""Of a curve the first ``WHOLE`` points are kept, and every ``EVERY``-th after."""


def main(argv: Sequence[str] | None = None) -> None:
    command = Command("iterations", __doc__)
    command.add_methods()
    command.add_crop()
    command.parser.add_argument("--evaluations", type=int, default=1000, help="in all")
    arguments = command.parse(argv)
    results = command.results(arguments)
    for method, scene in product(arguments.methods, arguments.scenes):
        results.fill(
            {"model": method, "scene": scene.name},
            partial(measure, method, scene, arguments),
        )


@torch.no_grad()
def measure(method: str, scene: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """The curves of one method on one scene's first snapshot, and what they say."""
    model = equilibrium_model(method, arguments.device)
    problem = first_snapshot(scene, arguments.crop).to(arguments.device)
    psnr: list[float] = []
    residual: list[float] = []

    def watch(z: torch.Tensor, value: float) -> None:
        psnr.append(problem.psnr(problem.video(model.map, z)))
        residual.append(value)

    map, start = problem.bind(model.map)
    f = watched(map, watch)
    solution = model.solver.solve(f, start)
    solved, z = len(psnr), solution.value
    while len(psnr) < arguments.evaluations:
        z = f(z)
    onwards = psnr[solved - 1 :]
    return {
        "tolerance": model.solver.tol,
        "converged": bool(solution.converged[0]),
        "evaluations": {f"{level:.0e}": first_below(residual, level) for level in LEVELS},
        "solved_after": solved,
        "psnr_solved": onwards[0],
        "psnr_best_after": max(onwards),
        "psnr_last": onwards[-1],
        "residual_last": residual[-1],
        "largest_fall": max(best - now for best, now in zip(accumulate(onwards, max), onwards)),
        "curve": thinned(psnr, residual),
    }


def first_below(residuals: Sequence[float], level: float) -> int | None:
    """Number of the first evaluation, from 1, with a residual of at most ``level``."""
    return next((k for k, residual in enumerate(residuals, 1) if residual <= level), None)


def thinned(psnr: Sequence[float], residual: Sequence[float]) -> dict[str, list[Any]]:
    """Columns ``evaluation``, ``psnr``, ``residual`` of the points that are kept."""
    kept = [k for k in range(1, len(psnr) + 1) if k <= WHOLE or k % EVERY == 0]
    return {
        "evaluation": kept,
        "psnr": [round(psnr[k - 1], 4) for k in kept],
        "residual": [float(f"{residual[k - 1]:.3e}") for k in kept],
    }


if __name__ == "__main__":
    main()
