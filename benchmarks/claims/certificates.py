"""Certificates: ρ(J) and ‖J‖ of the map at each scene's equilibrium, and what is proved of them.

python -m benchmarks.claims.certificates SCENES...
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks.claims.command import Command, equilibrium_model
from benchmarks.claims.problem import first_snapshot
from deqsci.fixed_point import spectral_norm
from deqsci.fixed_point.jacobian import jacobian_vector_product
from deqsci.fixed_point.monitor import norms
from deqsci.fixed_point.stability import stability


def main(argv: Sequence[str] | None = None) -> None:
    command = Command("certificates", __doc__)
    command.add_methods()
    command.add_crop()
    command.parser.add_argument("--tol", type=float, default=1e-5, help="relative residual")
    command.parser.add_argument("--max-iter", type=int, default=600, help="evaluations at most")
    command.parser.add_argument("--plain", type=int, default=50, help="evaluations before ρ(J)")
    command.parser.add_argument("--products", type=int, default=100, help="power iterations")
    arguments = command.parse(argv)
    results = command.results(arguments)
    for method, scene in product(arguments.methods, arguments.scenes):
        results.fill(
            {"model": method, "scene": scene.name}, partial(measure, method, scene, arguments)
        )


def measure(method: str, scene: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Radius and norm at one equilibrium, and the bound that holds for every snapshot."""
    device = arguments.device
    model = equilibrium_model(method, device, tol=arguments.tol, max_iter=arguments.max_iter)
    problem = first_snapshot(scene, arguments.crop).to(device)
    f, _ = problem.bind(model.map)
    solution = model.equilibrium(problem.snapshot, problem.physics)
    z = solution.value
    generator = torch.Generator().manual_seed(0)
    around = stability(f, z, arguments.plain, arguments.products, generator)
    step = around.step
    # ‖Jv‖/‖v‖ of any v bounds ‖J‖ from below; from noise the slow one takes long to be reached.
    stretch = norms(jacobian_vector_product(f, z)(step)) / norms(step)
    norm = spectral_norm(f, z, arguments.products, generator)
    radii = {
        "from_plain_step": float(around.radius_from_step[0]),
        "from_noise": float(around.radius_from_noise[0]),
    }
    return {
        "residual": float(solution.residual[0]),
        "evaluations": int(solution.evaluations[0]),
        "spectral_radius": float(around.radius[0]),
        **radii,
        # No eigenvalue is larger than the norm, so the radius found bounds it from below as well.
        "spectral_norm": max(float(norm[0]), float(stretch[0]), *radii.values()),
        "bound": getattr(model.map, "lipschitz", None),
    }


if __name__ == "__main__":
    main()
