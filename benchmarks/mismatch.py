"""What calibration wins back where the masks file is not what the camera has.

For the first snapshot of each file: PSNR with the nominal masks, with calibrated ones, with the
true masks, and with the true masks, gain and offset. The published mismatch (shift (0.5, 0.3) px,
rotation 0.1°, gain 1.02, offset 0.002, 10⁴ photons at the snapshot's brightest pixel, read noise
1/255), then ``--random`` ones within ±1 px, ±0.3°, ±5 % gain with the same noise. Files are scenes
with a truth, whose own masks are used, or videos, whose middle 256×256 pixels are seen through
``--masks`` or random binary masks. Cells that OUTPUT holds already are not measured again.

    python -m benchmarks.mismatch FILES... -o out/mismatch.json [--methods …] [--random 20]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.problem import Problem, first_snapshot
from benchmarks.claims.results import Results
from deqsci.cli.runtime import environment
from deqsci.io import load_masks, read_video
from deqsci.io.containers import SUFFIXES
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.physics.camera import MaskDeviation
from deqsci.physics.masks import bernoulli_masks
from deqsci.physics.noise import Noise
from deqsci.reconstruction.calibration import Calibration, calibrate
from deqsci.reconstruction.zoo import build, shipped_weights

FRAMES, SIDE = 8, 256
PHOTONS_AT_PEAK = 1e4
READ_NOISE = 1 / 255
WITHIN = {"shift": 1.0, "rotation": 0.3, "gain": 0.05}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="scenes with a truth, or videos")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=["gap-tv", "de-gap-cnn"])
    parser.add_argument("--masks", type=Path, help="for videos; without it, random binary masks")
    parser.add_argument("--random", type=int, default=0, help="random mismatches for each file")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = {name: shipped_weights(name) for name in arguments.methods}
    weights = {name: path for name, path in found.items() if path is not None}
    header = {
        "claim": "mismatch",
        "settings": {"masks": arguments.masks and arguments.masks.name},
        "environment": environment(),
    }
    results = Results(arguments.output, header, weights)
    cells = [
        results.fill(
            {"model": method, "file": path.name, "mismatch": mismatch},
            lambda method=method, path=path, mismatch=mismatch: measure(
                method, problem(path, arguments.masks), mismatch
            ),
        )
        for method in arguments.methods
        for path in arguments.files
        for mismatch in range(arguments.random + 1)
    ]
    for method in arguments.methods:
        show([cell for cell in cells if cell["model"] == method])


def problem(path: Path, masks: Path | None) -> Problem:
    """The first snapshot of a scene, or of the middle of a video, without mismatch and noise."""
    if path.suffix.lower() in SUFFIXES:
        return first_snapshot(path)
    generator = torch.Generator().manual_seed(0)
    phi = bernoulli_masks(FRAMES, SIDE, SIDE, generator=generator)
    if masks is not None:
        phi = torch.from_numpy(load_masks(masks)[0])
    frames, height, width = phi.shape
    video = torch.from_numpy(read_video(path, max_frames=frames))
    top, left = (video.shape[1] - height) // 2, (video.shape[2] - width) // 2
    if min(top, left) < 0:
        raise SystemExit(f"{path} is smaller than {height}×{width}")
    video = video[None, :, top : top + height, left : left + width]
    physics = SnapshotPhysics(phi)
    return Problem(physics.A(video), physics, video)


def deviate(seed: int) -> tuple[MaskDeviation, float, float]:
    """Deviation, gain and offset number ``seed``; 0 is the published one."""
    if seed == 0:
        return MaskDeviation((0.5, 0.3), 0.1), 1.02, 0.002
    u = (2 * torch.rand(4, generator=torch.Generator().manual_seed(seed)) - 1).tolist()
    shift = (WITHIN["shift"] * u[0], WITHIN["shift"] * u[1])
    return MaskDeviation(shift, WITHIN["rotation"] * u[2]), 1 + WITHIN["gain"] * u[3], 0.002


def measure(method: str, nominal: Problem, mismatch: int) -> dict[str, Any]:
    """PSNR with each camera that one may believe in, and what the calibration found."""
    deviation, gain, offset = deviate(mismatch)
    masks = nominal.physics.masks
    true = SnapshotPhysics(deviation(masks))
    light = true.A(nominal.truth)
    noise = Noise(READ_NOISE, PHOTONS_AT_PEAK / float(light.max()), gain=gain, offset=offset)
    snapshot = noise(light, FRAMES, torch.Generator().manual_seed(mismatch))

    began = time.process_time()
    found = calibrate(snapshot, masks)
    seconds = time.process_time() - began
    model = build(method)

    def quality(y: Tensor, physics: SnapshotPhysics) -> float:
        video = model.reconstruct(y, physics).video
        return psnr(video[0], nominal.truth[0]) if bool(video.isfinite().all()) else float("nan")

    return {
        "shift": deviation.shift,
        "rotation": deviation.rotation,
        "gain": gain,
        "nominal": quality(snapshot, nominal.physics),
        "calibrated": quality(found.correct(snapshot), SnapshotPhysics(found.deviation(masks))),
        "true_masks": quality(snapshot, true),
        "true_camera": quality((snapshot - offset) / gain, true),
        "error_px": place_error(found, deviation, true.shape),
        "found": found,
        "core_seconds": seconds,
    }


def place_error(found: Calibration, true: MaskDeviation, shape: tuple[int, int]) -> float:
    """Pixels by which a corner of the sensor sees the masks elsewhere than it was found to."""
    height, width = shape
    ramps = torch.stack(
        [
            torch.arange(height).double()[:, None].expand(shape),
            torch.arange(width).double().expand(shape),
        ]
    )
    # Ramps in place of masks carry their own coordinates; [0, 1] holds them all.
    scale = float(max(shape))
    seen = [camera(ramps / scale)[:, 2:-2, 2:-2] * scale for camera in (found.deviation, true)]
    return float((seen[0] - seen[1]).norm(dim=0).max())


def show(cells: list[dict[str, Any]]) -> None:
    columns = ("nominal", "calibrated", "true_masks", "true_camera")
    print(f"\n{cells[0]['model']}, PSNR in dB")
    for cell in cells:
        if cell["mismatch"] == 0:
            values = "  ".join(f"{name} {cell[name]:.2f}" for name in columns)
            print(f"{cell['file']:<32}{values}  error {cell['error_px']:.4f} px")
    drawn = [cell for cell in cells if cell["mismatch"] > 0]
    for name, group in (("published", [c for c in cells if c["mismatch"] == 0]), ("random", drawn)):
        if not group:
            continue
        means = "  ".join(f"{c} {statistics.fmean(x[c] for x in group):.2f}" for c in columns)
        trusted = [x for x in group if x["found"]["verdict"] == "calibrated"]
        losses = [x["true_masks"] - x["calibrated"] for x in group]
        recovered = sum(loss < 2 for loss in losses) / len(group)
        print(
            f"{name}: {len(group)} mismatches, mean {means}; largest loss to the true masks "
            f"{max(losses):.2f} dB; within 2 dB {100 * recovered:.0f} %; flagged "
            f"{len(group) - len(trusted)}; largest error {max(x['error_px'] for x in group):.4f} px"
        )


if __name__ == "__main__":
    main()
