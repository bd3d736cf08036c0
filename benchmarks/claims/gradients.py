"""Gradients: each rule's weight gradient against a converged one, its time and its memory.

The loss is the mean squared error of the equilibrium on crops of the scenes' first snapshots. The
reference is the implicit gradient in float64, both solves taken as far as they go.

    python -m benchmarks.claims.gradients SCENES...
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.command import Command, equilibrium_model
from benchmarks.claims.problem import Problem, first_snapshot
from benchmarks.claims.step_memory import Step, peak_memory
from deqsci.fixed_point import (
    Adjoint,
    Anderson,
    FixedPoint,
    Implicit,
    JacobianFree,
    Phantom,
    Unrolled,
)
from deqsci.reconstruction.equilibrium import DeepEquilibrium

FORWARD = Anderson(tol=3e-4, max_iter=50)
"""About as loose as the solves of a training."""
TIGHT = Anderson(tol=1e-6, max_iter=500)
RULES: dict[str, tuple[Adjoint, Anderson]] = {
    "implicit": (Implicit(), FORWARD),
    "implicit, tight forward solve": (Implicit(), TIGHT),
    "Jacobian-free (phantom, 1 step)": (JacobianFree(), FORWARD),
    "phantom, 5 steps": (Phantom(5), FORWARD),
    "phantom, 10 steps": (Phantom(10), FORWARD),
    "phantom, 20 steps": (Phantom(20), FORWARD),
    "unrolled, 20 steps": (Unrolled(20), FORWARD),
    "unrolled, 50 steps": (Unrolled(50), FORWARD),
}
"""Gradient rules, each with the forward solver it is used with."""
REFERENCE_FORWARD = Anderson(tol=1e-8, max_iter=2000, memory=20)
REFERENCE_ADJOINT = Implicit(Anderson(tol=1e-9, max_iter=2000, memory=20))


def main(argv: Sequence[str] | None = None) -> None:
    command = Command("gradients", __doc__)
    command.add_methods()
    command.parser.add_argument("--size", type=int, default=64, help="height and width of a crop")
    command.parser.add_argument("--crops", type=int, default=2, help="of each scene")
    command.parser.add_argument("--repeats", type=int, default=3, help="of which the median time")
    arguments = command.parse(argv)
    results = command.results(arguments)
    for method in arguments.methods:
        for scene, crop in product(arguments.scenes, range(arguments.crops)):
            problem = first_snapshot(scene).crops(arguments.crops, arguments.size)[crop]
            results.fill(
                {"model": method, "scene": scene.name, "crop": crop},
                partial(compare, method, problem, arguments.repeats, arguments.device),
            )
        for name, (rule, forward) in RULES.items():
            step = Step(method, rule, forward, arguments.size, arguments.device)
            results.fill({"model": method, "rule": name}, partial(peak_memory, step))


def compare(method: str, problem: Problem, repeats: int, device: torch.device) -> dict[str, Any]:
    """Every rule on one crop."""
    # Not every device has float64; the reference is computed on the CPU.
    exact = equilibrium_model(method, "cpu", dtype=torch.float64)
    exact.solver, exact.adjoint = REFERENCE_FORWARD, REFERENCE_ADJOINT
    reference, solution = weight_gradient(exact, problem.to("cpu", torch.float64))
    model, local = equilibrium_model(method, device), problem.to(device)
    rows = []
    for name, (model.adjoint, model.solver) in RULES.items():
        times = []
        for _ in range(repeats + 1):
            began = time.perf_counter()
            gradient, _ = weight_gradient(model, local)
            times.append(time.perf_counter() - began)
        rows.append(
            {"rule": name, "seconds": statistics.median(times[1:]), **errors(gradient, reference)}
        )
    return {
        "reference_residual": float(solution.residual[0]),
        "reference_adjoint_residual": float(solution.backward[0].residual[0]),
        "rules": rows,
    }


def weight_gradient(model: DeepEquilibrium, problem: Problem) -> tuple[Tensor, FixedPoint]:
    """Gradient of the loss by all weights, flat, float64 on the CPU; and the solve behind it."""
    model.zero_grad()
    solution = model.equilibrium(problem.snapshot, problem.physics)
    (problem.video(model.map, solution.value) - problem.truth).square().mean().backward()
    parts = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return torch.cat(parts).cpu().double(), solution


def errors(gradient: Tensor, reference: Tensor) -> dict[str, float]:
    """Cosine, ratio of the norms and relative error ‖g − g*‖/‖g*‖."""
    size = reference.norm()
    return {
        "cosine": float(gradient @ reference / (gradient.norm() * size)),
        "norm_ratio": float(gradient.norm() / size),
        "relative_error": float((gradient - reference).norm() / size),
    }


if __name__ == "__main__":
    main()
