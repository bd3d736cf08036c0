"""One answer: the fixed points reached from different starts, against each other.

python -m benchmarks.claims.starts SCENES...
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import combinations, product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.command import Command, equilibrium_model
from benchmarks.claims.problem import Problem, first_snapshot

NOISE = 0.2


def main(argv: Sequence[str] | None = None) -> None:
    command = Command("starts", __doc__)
    command.add_methods()
    command.add_crop()
    command.parser.add_argument("--tol", type=float, default=1e-5, help="relative residual")
    command.parser.add_argument("--max-iter", type=int, default=600, help="evaluations at most")
    arguments = command.parse(argv)
    results = command.results(arguments)
    for method, scene in product(arguments.methods, arguments.scenes):
        results.fill(
            {"model": method, "scene": scene.name}, partial(measure, method, scene, arguments)
        )


@torch.no_grad()
def measure(method: str, scene: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Where the solves of one snapshot end, and how far apart."""
    device = arguments.device
    model = equilibrium_model(method, device, tol=arguments.tol, max_iter=arguments.max_iter)
    problem = first_snapshot(scene, arguments.crop).to(device)
    videos: list[Tensor] = []
    rows: list[dict[str, Any]] = []
    _, own = problem.bind(model.map)
    for name, start in starts(problem, own).items():
        solution = model.equilibrium(problem.snapshot, problem.physics, start)
        videos.append(problem.video(model.map, solution.value))
        rows.append(
            {
                "start": name,
                "psnr_of_start": problem.psnr(start),
                "psnr": problem.psnr(videos[-1]),
                "evaluations": int(solution.evaluations[0]),
                "residual": float(solution.residual[0]),
                "converged": bool(solution.converged[0]),
            }
        )
    values = [row["psnr"] for row in rows]
    distances = [
        float((a - b).norm() / max(a.norm(), b.norm())) for a, b in combinations(videos, 2)
    ]
    return {
        "starts": rows,
        "largest_distance": max(distances),
        "psnr_spread": max(values) - min(values),
    }


def starts(problem: Problem, own: Tensor) -> dict[str, Tensor]:
    """Five points to start from, and ``own``, where the map itself begins, if that is another one;
    (1, T, H, W) each."""
    generator = torch.Generator().manual_seed(0)
    mean = problem.physics.initial(problem.snapshot)

    def drawn(draw: Any) -> Tensor:
        sample: Tensor = draw(mean.shape, generator=generator)
        return sample.to(mean)

    given = {} if torch.equal(own, mean) else {"where the map begins": own}
    return {
        "mean frame y/ΣΦ": mean,
        "Φᵀy": problem.physics.A_adjoint(problem.snapshot),
        "zeros": torch.zeros_like(mean),
        "uniform noise": drawn(torch.rand),
        f"y/ΣΦ + Gaussian noise {NOISE}": mean + NOISE * drawn(torch.randn),
    } | given


if __name__ == "__main__":
    main()
