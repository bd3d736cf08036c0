"""Whether tiles can be seen: the first snapshot of each scene whole and in tiles of several sizes.

OUTPUT receives the PSNR of each and how the difference of the videos, root mean square, depends on
the distance from the lines where tiles give way to each other; the last pair is drawn.

    python -m benchmarks.seams SCENES... -o out/seams [--methods gap-tv] [--tiles 128 160]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.warm_starts import middle
from deqsci.cli.runtime import environment
from deqsci.io import load_snapshots
from deqsci.metrics import psnr
from deqsci.reconstruction.tiling import Tiled, spans
from deqsci.reconstruction.zoo import build

Float = NDArray[np.float32]

AMPLIFIED = 50
"""By how much the picture of the difference is brighter than the video."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path, nargs="+", help="files with a truth")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    parser.add_argument("--methods", nargs="+", default=["gap-tv"])
    parser.add_argument("--tiles", type=int, nargs="+", default=[128, 160])
    parser.add_argument("--crop", type=int, default=256, help="middle of the scenes that is used")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    for method in arguments.methods:
        model = build(method)
        for path in arguments.scenes:
            physics, snapshots, truth = middle(load_snapshots(path), arguments.crop)
            whole = model.reconstruct(snapshots[:1], physics)
            for tile in arguments.tiles:
                tiled = Tiled(model, tile).reconstruct(snapshots[:1], physics)
                difference = (tiled.video - whole.video)[0].abs().numpy()
                row = {
                    "method": method,
                    "scene": path.stem,
                    "tile": tile,
                    "psnr": psnr(tiled.video[0], truth[0]),
                    "psnr_whole": psnr(whole.video[0], truth[0]),
                    "evaluations": int(tiled.evaluations),
                    "evaluations_whole": int(whole.evaluations),
                    "rms": float(np.sqrt(np.square(difference).mean())),
                    "largest": float(difference.max()),
                    "rms_by_distance": by_distance(difference, tile),
                }
                rows.append(row)
                print({key: row[key] for key in row if key != "rms_by_distance"}, flush=True)
                document = {"crop": arguments.crop, **environment(), "rows": rows}
                arguments.output.with_suffix(".json").write_text(json.dumps(document) + "\n")
                draw(arguments.output.with_suffix(".png"), tiled.video[0].numpy(), difference, row)


def by_distance(difference: Float, tile: int, width: int = 8) -> list[float]:
    """Root mean square in bands of ``width`` pixels from the nearest cut outwards."""
    rows, columns = (distances(length, tile) for length in difference.shape[1:])
    band = np.minimum(rows[:, None], columns[None]) // width
    power = np.square(difference).mean(0)
    return [float(np.sqrt(power[band == i].mean())) for i in range(int(band.max()) + 1)]


def distances(length: int, tile: int) -> NDArray[np.int64]:
    """Pixels to the nearest cut of a side, 0 beside it."""
    places = np.arange(length)
    ways = [np.where(places < c, c - 1 - places, places - c) for c in cuts(length, tile)]
    return np.min(ways, axis=0) if ways else np.full(length, length)


def cuts(length: int, tile: int) -> list[int]:
    return [span.first for span in spans(length, tile)[1:]]


def draw(path: Path, video: Float, difference: Float, row: dict[str, Any]) -> None:
    """The first frame in tiles, its difference amplified, and the difference by distance."""
    figure = Figure(figsize=(11, 3.6), dpi=150, layout="constrained")
    first, second, third = figure.subplots(1, 3)
    first.imshow(video[0], cmap="gray", vmin=0, vmax=1)
    first.set_title(f"{row['scene']}, {row['method']}, tiles of {row['tile']}", fontsize=9)
    second.imshow(AMPLIFIED * difference[0], cmap="inferno", vmin=0, vmax=1)
    second.set_title(f"difference to the whole, {AMPLIFIED} times brighter", fontsize=9)
    for axes in (first, second):
        axes.set_xticks(cuts(video.shape[2], row["tile"]))
        axes.set_yticks(cuts(video.shape[1], row["tile"]))
        axes.tick_params(labelsize=8)
    profile = row["rms_by_distance"]
    third.semilogy([8 * i + 4 for i in range(len(profile))], profile, "o-")
    third.set(xlabel="pixels from the nearest cut", ylabel="rms difference", ylim=(1e-8, 1e-1))
    third.grid(True, color="#e5e5e5")
    third.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


if __name__ == "__main__":
    main()
