"""What the start of a solve is worth: evaluations and PSNR from several starts, scene by scene.

``mean`` is the mean frame; ``own`` where the map itself begins, if that is another one;
``previous`` the equilibrium of the snapshot before; ``gap-tv`` the video of 40 iterations of that
method, whose cost is reported in evaluations of the map. Scenes are cut to their middle.

    python -m benchmarks.warm_starts SCENES... -o out/warm_starts.json [--snapshots 2] [--crop 128]
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.results import Results
from deqsci.cli.runtime import environment
from deqsci.io import SnapshotFile, load_snapshots
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.total_variation import GapTV
from deqsci.reconstruction.zoo import build, shipped_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path, nargs="+", help="files with a truth")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["de-gap-cnn"])
    parser.add_argument("--snapshots", type=int, default=2, help="of each scene")
    parser.add_argument("--crop", type=int, default=128)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    found = {name: shipped_weights(name) for name in arguments.methods}
    weights = {name: path for name, path in found.items() if path is not None}
    header = {
        "claim": "warm starts",
        "settings": {"crop": arguments.crop},
        "environment": environment(),
    }
    results = Results(arguments.output, header, weights)
    for method in arguments.methods:
        model = build(method)
        for path in arguments.scenes:
            scene = load_snapshots(path)
            for index in range(min(arguments.snapshots, len(scene.snapshots))):
                key = {"model": method, "scene": path.stem, "snapshot": index}
                results.fill(key, partial(measure, model, scene, index, arguments.crop))


def measure(model: DeepEquilibrium, scene: SnapshotFile, index: int, crop: int) -> dict[str, Any]:
    """Evaluations, residual and PSNR from every start."""
    physics, snapshots, truth = middle(scene, crop)
    y, x = snapshots[index : index + 1], truth[index]
    began = time.perf_counter()
    tv = GapTV()(y, physics)
    tv_seconds = time.perf_counter() - began
    mean = physics.initial(y)
    _, own = model.map.at(y, physics)
    starts = {"mean": mean, "gap-tv": tv}
    if not torch.equal(own, mean):
        starts["own"] = own
    if index > 0:
        starts["previous"] = model(snapshots[index - 1 : index], physics)
    cells = {}
    for name, start in starts.items():
        began = time.perf_counter()
        solution = model.equilibrium(y, physics, start)
        seconds = (time.perf_counter() - began) / int(solution.evaluations)
        cells[name] = {
            "evaluations": int(solution.evaluations),
            "residual": float(solution.residual),
            "psnr": psnr(model.map.video(solution.value, y, physics)[0], x),
        }
    return {
        "starts": cells,
        "gap_tv": {"psnr": psnr(tv[0], x), "evaluations": tv_seconds / seconds},
    }


def middle(scene: SnapshotFile, crop: int) -> tuple[SnapshotPhysics, Tensor, Tensor]:
    """Camera, snapshots (N, H, W) and truth (N, T, H, W) of the middle of a scene."""
    if scene.truth is None:
        raise SystemExit(f"{scene.path} has no truth")
    rows, columns = (slice((n - crop) // 2, (n + crop) // 2) for n in scene.masks.shape[1:])
    masks, snapshots, truth = (
        torch.from_numpy(array[..., rows, columns].copy())
        for array in (scene.masks, scene.snapshots, scene.truth)
    )
    return SnapshotPhysics(masks), snapshots, truth.unflatten(0, (-1, len(masks)))


if __name__ == "__main__":
    main()
