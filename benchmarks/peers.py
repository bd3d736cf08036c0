"""The classical methods, and the published networks run by this library, on benchmark scenes.

PSNR and SSIM, core-seconds a snapshot after one warm-up iteration, and peak resident memory, each
row in a process of its own. The authors' DE-GAP checkpoints are run for 100 evaluations from the
paper's start Φᵀy, as their figures are: what they report is a transient, and DE-GAP-RSN-CNN's
falls when it is solved further, so that one is iterated plainly (their Anderson iteration averages
its history at these residuals, which is as slow).

    python benchmarks/peers.py SCENES... -o out/peers.json \\
        [--ffdnet net_gray.pth] [--cnn cnn.ckpt] [--rsn-cnn rsn_cnn.ckpt] [--threads 1]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from functools import partial
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--ffdnet", type=Path, help="published FFDNet weights")
    parser.add_argument("--cnn", type=Path, help="the authors' DE-GAP-CNN checkpoint")
    parser.add_argument("--rsn-cnn", type=Path, help="the authors' DE-GAP-RSN-CNN checkpoint")
    parser.add_argument("--snapshots", type=int, default=1, help="of each scene; 0: all")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    methods: list[tuple[str, Path | None]] = [("gap-tv", None), ("admm-tv", None)]
    for method, weights in (
        ("pnp-ffdnet", arguments.ffdnet),
        ("de-gap-cnn", arguments.cnn),
        ("de-gap-rsn-cnn", arguments.rsn_cnn),
    ):
        if weights is not None:
            methods.append((method, weights))
    rows = []
    context = multiprocessing.get_context("spawn")
    for method, weights in methods:
        for scene in arguments.scenes:
            with context.Pool(1) as pool:
                row = pool.apply(
                    measure, (method, weights, scene, arguments.snapshots, arguments.threads)
                )
            rows.append(row)
            print(json.dumps(row), flush=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


def measure(
    method: str, weights: Path | None, path: Path, count: int, threads: int
) -> dict[str, Any]:
    """One method on one scene."""
    import torch

    from deqsci.fixed_point import Anderson, Picard
    from deqsci.io import load_snapshots
    from deqsci.metrics import psnr, ssim
    from deqsci.physics import SnapshotPhysics
    from deqsci.reconstruction.maps import GapMap
    from deqsci.reconstruction.zoo import build

    torch.set_num_threads(threads)
    scene = load_snapshots(path)
    physics = SnapshotPhysics(torch.from_numpy(scene.masks))
    snapshots = torch.from_numpy(scene.snapshots)[: count or None]
    model = build(method, weights=weights)
    equilibrium = weights is not None and method != "pnp-ffdnet"
    solver = Picard(0.0, 100) if method == "de-gap-rsn-cnn" else Anderson(0.0, 100, memory=5)
    scores, times = [], []
    with torch.no_grad():
        if equilibrium:
            model.map(physics.initial(snapshots[:1]), snapshots[:1], physics)
        elif weights is None:
            model(snapshots[:1], physics)
        for k, snapshot in enumerate(snapshots):
            y = snapshot[None]
            began = time.process_time()
            if equilibrium:
                f = partial(GapMap(model.map.network), snapshot=y, physics=physics)
                video = solver.solve(f, physics.A_adjoint(y)).value[0]
            else:
                video = model(y, physics)[0]
            times.append(time.process_time() - began)
            truth = scene.truth[k * physics.frames : (k + 1) * physics.frames]
            scores.append((psnr(video, truth), ssim(video, truth)))
    return {
        "method": method + ("" if weights is None else " (given weights)"),
        "scene": path.name,
        "snapshots": len(times),
        "psnr": round(sum(s[0] for s in scores) / len(scores), 2),
        "ssim": round(sum(s[1] for s in scores) / len(scores), 4),
        "core_seconds": round(sorted(times)[len(times) // 2], 2),
        "peak_rss_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


if __name__ == "__main__":
    main()
