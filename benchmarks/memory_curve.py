"""What ``deqsci reconstruct`` holds in memory, from start to end, on a snapshot of any size.

Clips side by side fill the sensor, and each method reconstructs it in a process of its own, whose
resident size is read four times a second (Linux). OUTPUT receives the curves as JSON and picture.

    python -m benchmarks.memory_curve CLIPS... -o out/memory [--size 2160 3840] [--methods gap-tv]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from matplotlib.figure import Figure

from benchmarks.mosaic import clips_in, mosaic
from deqsci.cli.runtime import environment
from deqsci.io import save_snapshots
from deqsci.reconstruction.zoo import find

Curve = list[tuple[float, float, float]]
"""Seconds, gigabytes resident, gigabytes of these that are mapped files."""

FIELDS = ("VmRSS", "RssFile")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+", help="videos, or folders of .mp4")
    parser.add_argument("-o", "--output", type=Path, required=True, help="without a suffix")
    parser.add_argument("--size", type=int, nargs=2, default=(2160, 3840))
    parser.add_argument("--snapshots", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=["gap-tv"])
    parser.add_argument("--max-iter", type=int, default=10)
    parser.add_argument("--tile", type=int)
    arguments = parser.parse_args()
    options = ["--threads", "1"]
    if arguments.tile is not None:
        options += ["--tile", str(arguments.tile)]
    runs: dict[str, dict[str, Any]] = {}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mosaic.npz"
        scene = mosaic(clips_in(arguments.clips), *arguments.size, snapshots=arguments.snapshots)
        save_snapshots(path, scene.snapshots, scene.masks, scene.truth)
        shape = [len(scene.snapshots), *scene.masks.shape]
        del scene
        for method in arguments.methods:
            out = Path(folder) / method
            command = ["reconstruct", str(path), "-o", str(out), "--method", method, *options]
            if find(method).has_limit:
                command += ["--max-iter", str(arguments.max_iter)]
            curve = watch([sys.executable, "-m", "deqsci", *command])
            summary = json.loads((out / "run.json").read_text(encoding="utf-8"))
            runs[method] = {
                "peak_gb": max(total for _, total, _ in curve),
                "seconds": curve[-1][0],
                "tile": summary["tile"],
                "psnr": summary["psnr"],
                "status": summary["snapshots"][0]["status"],
                "curve": curve,
            }
            print(method, {key: value for key, value in runs[method].items() if key != "curve"})
            document = {"shape": shape, "options": options, **environment(), "runs": runs}
            arguments.output.with_suffix(".json").write_text(json.dumps(document) + "\n")
            draw(arguments.output.with_suffix(".png"), {n: run["curve"] for n, run in runs.items()})


def watch(command: Sequence[str], interval: float = 0.25) -> Curve:
    """Run a command to its end; what it held meanwhile."""
    curve: Curve = []
    began = time.perf_counter()
    process = subprocess.Popen(command)
    while process.poll() is None:
        text = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        sizes = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        if all(field in sizes for field in FIELDS):  # a process that has just ended has none
            held = (int(sizes[field].split()[0]) * 1024 / 1e9 for field in FIELDS)
            curve.append((round(time.perf_counter() - began, 2), *held))
        time.sleep(interval)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return curve


def draw(path: Path, curves: dict[str, Curve]) -> None:
    """Gigabytes over the course of each run, and dotted what of them is not mapped files."""
    figure = Figure(figsize=(8, 3.2), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for name, curve in curves.items():
        end = curve[-1][0]
        share = [100 * seconds / end for seconds, _, _ in curve]
        (line,) = axes.plot(share, [total for _, total, _ in curve], label=name)
        own = [total - mapped for _, total, mapped in curve]
        axes.plot(share, own, ":", color=line.get_color(), label="without mapped files")
    axes.set(xlabel="% of the run", ylabel="GB resident", xlim=(0, 100))
    axes.set_ylim(bottom=0)
    axes.grid(True, color="#e5e5e5")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path)


if __name__ == "__main__":
    main()
