"""Quality of the models on benchmark scenes, and stability of those that are equilibria.

For the first snapshot of each scene: PSNR and SSIM; of an equilibrium model at the converged point,
with evaluations to the tolerance, what running on costs, and ρ(J) where that ends. Writes one JSON
file and prints a table.

    python benchmarks/equilibria.py SCENES... -o out/equilibria.json [--methods …] [--run-on 500]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch

from deqsci.fixed_point import Picard, spectral_radius
from deqsci.io import load_snapshots
from deqsci.metrics import psnr, ssim
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.zoo import build, find


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["de-gap-cnn", "de-gap-rsn-cnn"])
    parser.add_argument("--weights", type=Path, help="instead of the shipped ones")
    parser.add_argument("--tol", type=float, help="relative residual")
    parser.add_argument("--run-on", type=int, default=500, help="evaluations in all; 0: do not")
    parser.add_argument("--products", type=int, default=40, help="power iterations for ρ(J); 0: no")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for method in arguments.methods:
        for path in arguments.scenes:
            row = measure(method, path, arguments)
            rows.append(row)
            print(json.dumps(row), flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


def measure(method: str, path: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """One method on the first snapshot of one scene."""
    solves = find(method).kind == "equilibrium"
    limits = {"tol": arguments.tol, "max_iter": 200} if solves else {}
    model = build(method, weights=arguments.weights, **limits)
    scene = load_snapshots(path)
    physics = SnapshotPhysics(torch.from_numpy(scene.masks))
    snapshot = torch.from_numpy(scene.snapshots[:1])
    truth = scene.truth[: physics.frames]
    began = time.process_time()
    with torch.no_grad():
        if solves:
            f, start = model.map.at(snapshot, physics)
            result = model.solver.solve(f, start)
            video = model.map.video(result.value, snapshot, physics)
        else:
            result = model.reconstruct(snapshot, physics)
            video = result.video
    seconds = time.process_time() - began
    trace = result.residuals[0]
    row = {
        "method": method,
        "scene": path.name,
        "psnr": round(psnr(video[0], truth), 3),
        "ssim": round(ssim(video[0], truth), 4),
        "converged": bool(result.converged[0]),
        "evaluations": int(result.evaluations[0]),
        "evaluations_to_1e-3": next((k for k, r in enumerate(trace, 1) if r <= 1e-3), None),
        "core_seconds": round(seconds, 2),
    }
    if not solves:
        return row
    z = result.value
    if arguments.run_on:
        # Plain iteration goes where the map itself leads; no best iterate is picked.
        rest = max(1, arguments.run_on - row["evaluations"])
        with torch.no_grad():
            for _ in range(rest - 1):
                z = f(z)
            later = Picard(tol=0.0, max_iter=1).solve(f, z)
        z = later.value
        row["psnr_run_on"] = round(psnr(model.map.video(z, snapshot, physics)[0], truth), 3)
        row["residual_run_on"] = float(later.residual[0])
    if arguments.products:
        # What plain iteration still moves points where J grows most: a random start would not.
        with torch.no_grad():
            step = f(z) - z
        radius = spectral_radius(f, z, arguments.products, start=step)
        row["spectral_radius"] = round(float(radius[0]), 4)
    return row


if __name__ == "__main__":
    main()
