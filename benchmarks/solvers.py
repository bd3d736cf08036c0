"""Our solvers against torchdeq's on the same map, side by side.

Evaluations of f until the relative residual first reaches 1e-2, 1e-3 and 1e-4 on a 64×64 crop, and
the solver's own time per iteration at 256×256×8, where f is nearly free. Calls of f are counted by
f itself, so that no library's bookkeeping matters; both see the same residual of the same points.

    python benchmarks/solvers.py SCENE -o out/solvers.json [--method NAME] [--weights FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deqsci.fixed_point import Anderson, Broyden, Picard
from deqsci.io import load_snapshots
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.zoo import build

warnings.simplefilter("ignore")  # torchdeq warns of its own settings
from torchdeq.solver import get_solver  # noqa: E402

LEVELS = (1e-2, 1e-3, 1e-4)
CROP = slice(96, 160)
Solve = Callable[[Callable[[Tensor], Tensor], Tensor, int], Any]


def ours(solver: type, **settings: Any) -> Solve:
    return lambda f, z0, n: solver(tol=1e-12, max_iter=n, **settings).solve(f, z0)


def theirs(name: str, **settings: Any) -> Solve:
    def solve(f: Callable[[Tensor], Tensor], z0: Tensor, n: int) -> Any:
        return get_solver(name)(f, z0, max_iter=n, tol=1e-12, stop_mode="rel", **settings)

    return solve


SOLVERS: dict[str, Solve] = {
    "Picard": ours(Picard),
    "Anderson, m 5": ours(Anderson, memory=5),
    "Anderson, m 8, default": ours(Anderson),
    "Anderson, m 10": ours(Anderson, memory=10),
    "Broyden": ours(Broyden),
    "torchdeq Picard": theirs("fixed_point_iter"),
    "torchdeq Anderson, default": theirs("anderson"),
    "torchdeq Anderson, m 5, λ 1e-8": theirs("anderson", m=5, lam=1e-8),
    "torchdeq Anderson, m 10, λ 1e-8": theirs("anderson", m=10, lam=1e-8),
    "torchdeq Broyden": theirs("broyden"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--method", default="de-gap-cnn")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--limit", type=int, default=150, help="evaluations at most")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    f, z0 = crop_problem(arguments)
    rows = []
    for name, solve in SOLVERS.items():
        row = {"solver": name, "evaluations": evaluations(f, z0, solve, arguments.limit)}
        row["overhead_core_ms"] = round(overhead(solve), 2)
        rows.append(row)
        print(json.dumps(row, ensure_ascii=False), flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def crop_problem(arguments: argparse.Namespace) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """The method's map on a crop of the scene's first snapshot, and the paper's start Φᵀy."""
    scene = load_snapshots(arguments.scene)
    physics = SnapshotPhysics(torch.from_numpy(scene.masks[:, CROP, CROP].copy()))
    snapshot = torch.from_numpy(scene.snapshots[:1, CROP, CROP].copy())
    model = build(arguments.method, weights=arguments.weights)
    f, _ = model.map.at(snapshot, physics)
    return f, physics.A_adjoint(snapshot)


@torch.no_grad()
def evaluations(
    f: Callable[[Tensor], Tensor], z0: Tensor, solve: Solve, limit: int
) -> dict[str, int | None]:
    """Calls of f until its residual first fell to each level; None where it never did."""
    residuals: list[float] = []

    def watched(z: Tensor) -> Tensor:
        fz = f(z.view_as(z0))
        residuals.append(float((fz - z.view_as(z0)).norm() / fz.norm()))
        return fz.view_as(z)

    solve(watched, z0, limit)
    return {
        f"{level:.0e}": next((k for k, r in enumerate(residuals, 1) if r <= level), None)
        for level in LEVELS
    }


@torch.no_grad()
def overhead(solve: Solve, iterations: int = 30, repeats: int = 5) -> float:
    """Core-milliseconds an iteration at 256×256×8, those of f taken off; median of repeats."""
    target = torch.rand(1, 8, 256, 256, generator=torch.Generator().manual_seed(0))
    gain = torch.linspace(-0.9, 0.9, target.numel()).view_as(target)

    def f(z: Tensor) -> Tensor:
        nonlocal calls, inside
        began = time.process_time()
        fz = torch.addcmul(target, gain, z.view_as(target)).view_as(z)
        calls, inside = calls + 1, inside + time.process_time() - began
        return fz

    times = []
    for _ in range(repeats + 1):
        calls, inside = 0, 0.0
        began = time.process_time()
        solve(f, torch.zeros_like(target), iterations)
        times.append(1e3 * (time.process_time() - began - inside) / calls)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
