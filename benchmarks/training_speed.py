"""How fast a configuration trains: videos a second, and the share of what the device can do.

For every stage: the median step, the floating-point operations in it, and their rate against that
of a large matrix product in the stage's precision on the same device and threads; and the share of
the step that drawing crops, masks and snapshots takes.

    python benchmarks/training_speed.py configs/de-gap-cnn.yaml [--stages.2.batch 32]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from deqsci.training.config import Stage, load_config
from deqsci.training.settings import parse_changes
from deqsci.training.trainer import Trainer

WARM_UP, STEPS = 2, 5
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="JSON file to write")
    arguments, changes = parser.parse_known_args()
    config = load_config(arguments.config, parse_changes(changes))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, Path(folder))
        rows = [measure(trainer, stage) for stage in config.stages]
    for index, row in enumerate(rows):
        print(
            f"stage {index} ({row['kind']}, {row['precision']}): {row['videos_per_second']:.2f} "
            f"videos/s, {row['gflops']:.0f} GFLOP/s of {row['peak_gflops']:.0f} "
            f"({row['share_of_peak']:.0%}), drawing {row['drawing_share']:.1%} of a step"
        )
    if arguments.output is not None:
        document = {"device": str(trainer.device), "threads": torch.get_num_threads(), "rows": rows}
        arguments.output.write_text(json.dumps(document, indent=1) + "\n")


def measure(trainer: Trainer, stage: Stage) -> dict[str, Any]:
    """Rates of one stage from the trainer's present weights."""
    trainer.model.adjoint, trainer.model.solver = stage.build_adjoint(), stage.build_solver()
    trainer.pool = trainer._new_pool(stage)
    seconds = median_seconds(trainer.device, lambda: trainer._update(stage))
    with FlopCounterMode(display=False) as counter:
        trainer._update(stage)

    drawing = median_seconds(trainer.device, lambda: trainer._draw(stage))
    rate = counter.get_total_flops() / seconds / 1e9
    peak = matrix_rate(trainer.device, PRECISIONS[stage.precision])
    return {
        "kind": stage.kind,
        "precision": stage.precision,
        "batch": stage.batch,
        "step_seconds": seconds,
        "videos_per_second": stage.batch / seconds,
        "gflops": rate,
        "peak_gflops": peak,
        "share_of_peak": rate / peak,
        "drawing_share": drawing / stage.reuse / seconds,
    }


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """GFLOP/s of the product of two square matrices, large enough for the device."""
    size = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / median_seconds(device, lambda: a @ b) / 1e9


def median_seconds(device: torch.device, action: Callable[[], Any]) -> float:
    """Of ``STEPS`` timed calls after ``WARM_UP`` others."""
    times = []
    for _ in range(WARM_UP + STEPS):
        began = time.perf_counter()
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return statistics.median(times[WARM_UP:])


if __name__ == "__main__":
    main()
