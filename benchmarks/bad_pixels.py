"""What it is worth to leave bad pixels out of the data term.

For the first snapshot of each file: PSNR with 0.5 % dead pixels, clipped at the level that 1 % of
the pixels reach, read noise 1/255, when

- bad pixels are used like all others,
- those that `deqsci.reconstruction.sensor` finds are left out,
- the true ones are left out,

and without any damage, with and without looking for some. Cells that OUTPUT holds already are not
measured again.

    python -m benchmarks.bad_pixels SCENES... -o out/bad_pixels.json [--methods …]
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.problem import first_snapshot
from benchmarks.claims.results import Results
from deqsci.cli.runtime import environment
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.physics.noise import Noise
from deqsci.reconstruction.bad_pixels import BadPixels
from deqsci.reconstruction.sensor import Sensor
from deqsci.reconstruction.zoo import build, shipped_weights

DEAD, CLIPPED, READ_NOISE = 0.005, 0.01, 1 / 255
CASES = ("undamaged", "undamaged, looked at", "used", "found ones left out", "true ones left out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["gap-tv", "de-gap-cnn"])
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = {name: shipped_weights(name) for name in arguments.methods}
    header = {
        "claim": "bad pixels",
        "settings": {"dead": DEAD, "clipped": CLIPPED, "read_noise": READ_NOISE},
        "environment": environment(),
    }
    weights = {name: path for name, path in found.items() if path is not None}
    results = Results(arguments.output, header, weights)
    for method in arguments.methods:
        print(f"\n{method}, PSNR in dB")
        for scene in arguments.scenes:
            cells = [
                results.fill(
                    {"model": method, "file": scene.name, "case": case},
                    lambda method=method, scene=scene, case=case: measure(method, scene, case),
                )
                for case in CASES
            ]
            print(f"{scene.name:<24}" + "  ".join(f"{c['case']} {c['psnr']:.2f}" for c in cells))
            looked = cells[CASES.index("found ones left out")]["bad"]
            print(f"{'':<24}" + ", ".join(f"{name} {count}" for name, count in looked.items()))


def measure(method: str, scene: Path, case: str) -> dict[str, Any]:
    """PSNR of one case, and how many pixels were bad, found, and missed."""
    problem = first_snapshot(scene)
    masks, clean = problem.physics.masks, problem.snapshot
    snapshot, true = (clean, nothing(clean)) if case.startswith("undamaged") else damage(clean)
    sensor = Sensor.of(snapshot, masks) if "looked" in case or "found" in case else None
    bad = true if "true" in case else nothing(clean) if sensor is None else sensor.bad
    y = bad.filled(snapshot[0], masks)[None]
    noise = torch.where(bad.of(snapshot[0]), torch.inf, 0.0)
    video = build(method).reconstruct(y, SnapshotPhysics(masks, noise=noise)).video
    return {"psnr": psnr(video[0], problem.truth[0]), "bad": counts(bad, true, snapshot[0])}


def damage(clean: Tensor) -> tuple[Tensor, BadPixels]:
    """The snapshot (1, H, W) of a worse sensor, and its bad pixels."""
    generator = torch.Generator().manual_seed(0)
    level = float(clean.quantile(1 - CLIPPED))
    dead = torch.rand(clean.shape[-2:], generator=generator) < DEAD
    sensor = Noise(READ_NOISE, saturation=level)
    reported = sensor(clean, math.nan, generator) * ~dead
    return reported, BadPixels(dead, torch.zeros_like(dead), level)


def nothing(snapshot: Tensor) -> BadPixels:
    """No bad pixel."""
    none = torch.zeros(snapshot.shape[-2:], dtype=torch.bool)
    return BadPixels(none, none)


def counts(bad: BadPixels, true: BadPixels, snapshot: Tensor) -> dict[str, int]:
    """Of pixels left out, and of those among the truly bad ones."""
    left_out, damaged = bad.of(snapshot), true.of(snapshot)
    return {
        "bad": int(damaged.sum()),
        "left out": int(left_out.sum()),
        "rightly": int((left_out & damaged).sum()),
    }


if __name__ == "__main__":
    main()
