"""Quality over masks, frames per snapshot, sizes and noise, with one set of weights a method.

The middle of each clip is seen through independent binary masks (``reference``) and through others,
one thing changed at a time: ``shifting`` and ``gray`` masks, masks of a ``--masks`` file, a sparser
opening, T = 4 and 16, an odd size, three levels of read and shot noise that the method is told or,
with ``--untold``, is not, and crops of other ``--sizes``. Every T takes the first frames of the
same crop. Cells that OUTPUT holds already are not measured again; a table of means over the clips
is printed.

    python -m benchmarks.generality CLIPS... -o out/generality.json [--methods …] [--masks FILE...]
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.results import Results
from deqsci.cli.runtime import environment
from deqsci.errors import InputFileError
from deqsci.io import load_masks, read_video
from deqsci.metrics import psnr, ssim
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks, gray_masks, shifting_masks
from deqsci.physics.noise import Noise
from deqsci.reconstruction.zoo import build, find, shipped_weights

FRAMES = 8
MOST_FRAMES = 16
NOISES = {"low": (1 / 255, 1e4), "middle": (0.01, 1e3), "high": (0.03, 200.0)}
"""Read noise, and photons at intensity 1."""

UNTOLD = ", not told"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["gap-tv", "de-gap-cnn", "de-gap-st"])
    parser.add_argument("--masks", type=Path, nargs="*", default=[])
    parser.add_argument("--size", type=int, default=128, help="height and width of the crop")
    parser.add_argument("--sizes", nargs="*", default=[], help="of further crops, as 200x300")
    parser.add_argument("--untold", action="store_true", help="noise of which nothing is said too")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = {name: shipped_weights(name) for name in arguments.methods}
    header = {
        "claim": "generality",
        "settings": {"size": arguments.size},
        "environment": environment(),
    }
    results = Results(
        arguments.output, header, {name: path for name, path in found.items() if path is not None}
    )
    sizes = [tuple(map(int, size.split("x"))) for size in arguments.sizes]
    conditions = cameras(arguments.size, arguments.masks, sizes, arguments.untold)
    cells = [
        results.fill(
            {"model": method, "clip": path.name, "condition": condition},
            lambda method=method, path=path, camera=camera: measure(method, path, *camera),
        )
        for path in arguments.clips
        for condition, camera in conditions.items()
        for method in arguments.methods
        if find(method).frames in (None, len(camera[0]))
    ]
    print(table({"cells": cells}))


def cameras(
    size: int, files: list[Path], sizes: list[tuple[int, ...]], untold: bool
) -> dict[str, tuple[Tensor, str | None]]:
    """Masks (T, H, W) and the name of the noise, by condition."""
    square = (size, size)
    generator = torch.Generator().manual_seed(0)
    reference = bernoulli_masks(FRAMES, *square, generator=generator)
    made: dict[str, tuple[Tensor, str | None]] = {"reference": (reference, None)}
    for path in files:
        masks = torch.from_numpy(load_masks(path)[0].copy())[:FRAMES, :size, :size]
        made[path.stem] = masks, None
    made |= {
        "shifting": (shifting_masks(FRAMES, *square, generator=generator), None),
        "gray": (gray_masks(FRAMES, *square, generator=generator), None),
        "density 0.3": (bernoulli_masks(FRAMES, *square, density=0.3, generator=generator), None),
        "T = 4": (bernoulli_masks(4, *square, generator=generator), None),
        "T = 16": (bernoulli_masks(MOST_FRAMES, *square, generator=generator), None),
        "odd size": (reference[:, : size - 3, : size - 25], None),
    }
    for height, width in sizes:
        masks = bernoulli_masks(FRAMES, height, width, generator=generator)
        made[f"{height} × {width}"] = masks, None
    told = [*NOISES, *(name + UNTOLD for name in NOISES if untold)]
    return made | {f"noise, {name}": (reference, name) for name in told}


def measure(method: str, path: Path, masks: Tensor, noise: str | None) -> dict[str, Any]:
    """One method on one snapshot of the middle of a clip."""
    frames, height, width = masks.shape
    video = torch.from_numpy(read_video(path)[:MOST_FRAMES])
    # Sizes that differ by little begin at the same corner; what the clip has not is refused.
    top, left = (max(0, a - max(height, width)) // 2 for a in video.shape[1:])
    truth = video[:frames, top : top + height, left : left + width].contiguous()
    if truth.shape[1:] != masks.shape[1:]:
        raise InputFileError(f"{path} is smaller than {height}×{width} pixels")
    snapshot = SnapshotPhysics(masks).A(truth[None])
    deviation = torch.zeros(())
    if noise is not None:
        read, photons = NOISES[noise.removesuffix(UNTOLD)]
        generator = torch.Generator().manual_seed(1)
        snapshot = Noise(gaussian=read, photons=photons)(snapshot, float(frames), generator)
        if not noise.endswith(UNTOLD):
            deviation = (read**2 + snapshot.clamp_min(0) / photons).sqrt()
    physics = SnapshotPhysics(masks, noise=deviation)
    result = build(method).reconstruct(snapshot, physics)
    restored = result.video[0].clamp(0, 1).numpy()
    return {
        "psnr": psnr(restored, truth.numpy()),
        "ssim": ssim(restored, truth.numpy()),
        "evaluations": int(result.evaluations[0]),
        "converged": bool(result.converged[0]),
    }


def table(document: dict[str, Any]) -> str:
    """Means over the clips, PSNR in dB / SSIM, of every method under every condition."""
    cells = document["cells"]
    methods = list({cell["model"]: None for cell in cells})
    head = ["PSNR (dB) / SSIM", *(f"`{method}`" for method in methods)]
    lines = [head, ["---"] * len(head)]
    for condition in {cell["condition"]: None for cell in cells}:
        row = [condition]
        for method in methods:
            chosen = [c for c in cells if (c["model"], c["condition"]) == (method, condition)]
            mean = [statistics.mean(c[name] for c in chosen) for name in ("psnr", "ssim") if chosen]
            row.append("{:.2f} / {:.3f}".format(*mean) if mean else "–")
        lines.append(row)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
