"""Against the paper's authors: our converged models and their published checkpoints.

Theirs are run as they report them, for a fixed number of evaluations that is a transient
(`benchmarks/peers.py`); ours by the default solver until it converges.

    python -m benchmarks.claims.published SCENES... --cnn cnn.ckpt --rsn-cnn rsn_cnn.ckpt
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks.claims.command import Command, equilibrium_model
from benchmarks.claims.problem import first_snapshot
from benchmarks.peers import measure as measure_peer
from deqsci.metrics import ssim


def main(argv: Sequence[str] | None = None) -> None:
    command = Command("published", __doc__)
    command.parser.add_argument("--cnn", type=Path, help="the authors' DE-GAP-CNN checkpoint")
    command.parser.add_argument("--rsn-cnn", type=Path, help="their DE-GAP-RSN-CNN checkpoint")
    arguments = command.parse(argv)
    given = {"de-gap-cnn": arguments.cnn, "de-gap-rsn-cnn": arguments.rsn_cnn}
    arguments.methods = [method for method, file in given.items() if file is not None]
    results = command.results(arguments)
    for method, scene in product(arguments.methods, arguments.scenes):
        results.fill(
            {"model": method, "scene": scene.name},
            partial(measure, method, given[method], scene, arguments.device),
        )


def measure(method: str, checkpoint: Path, scene: Path, device: torch.device) -> dict[str, Any]:
    """Both on the first snapshot of one scene."""
    theirs = measure_peer(method, checkpoint, scene, 1, torch.get_num_threads())
    model = equilibrium_model(method, device)
    problem = first_snapshot(scene).to(device)
    result = model.reconstruct(problem.snapshot, problem.physics)
    return {
        "published": {name: theirs[name] for name in ("psnr", "ssim")},
        "psnr": problem.psnr(result.video),
        "ssim": ssim(result.video[0], problem.truth[0]),
        "converged": bool(result.converged[0]),
        "evaluations": int(result.evaluations[0]),
    }


if __name__ == "__main__":
    main()
