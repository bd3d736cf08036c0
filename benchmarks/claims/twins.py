"""The point of it all: an equilibrium model against its plug-and-play and its unrolled twin.

All three are the same network in the same map; they differ in what the weights were trained for:
the fixed point, denoising alone, or a few plain evaluations.

    python -m benchmarks.claims.twins SCENES... --method de-gap-cnn \\
        --plug-and-play denoiser.safetensors --unrolled unrolled.safetensors --steps 10 \\
        --validation data/val -o docs/claims/twins-de-gap-cnn.json
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.command import Command, equilibrium_model
from benchmarks.claims.problem import Problem, first_snapshot, from_clip, watched
from deqsci.errors import InputFileError, WeightsError
from deqsci.metrics import ssim
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.zoo import shipped_weights

ROLES = ("equilibrium", "plug-and-play", "unrolled")
TOLERANCE, LIMIT = 1e-4, 200
SETTLED, RUN_ON = 1e-3, 60
"""A solve whose residual stays above ``SETTLED`` found no fixed point: then so many evaluations."""
FRAMES, SIDE = 8, 256


def main(argv: Sequence[str] | None = None) -> None:
    command = Command("twins", __doc__)
    add = command.parser.add_argument
    add("--method", default="de-gap-cnn")
    add("--equilibrium", type=Path, help="weights; those shipped")
    add("--plug-and-play", type=Path, required=True, help="weights pretrained for denoising")
    add("--unrolled", type=Path, required=True, help="weights trained for --steps evaluations")
    add("--steps", type=int, required=True, help="plain evaluations of the unrolled twin")
    add("--validation", type=Path, help="folder of mp4 clips")
    arguments = command.parse(argv)
    equilibrium = arguments.equilibrium or shipped_weights(arguments.method)
    if equilibrium is None:
        raise WeightsError(f"{arguments.method} has no shipped weights; give --equilibrium")
    weights = dict(zip(ROLES, (equilibrium, arguments.plug_and_play, arguments.unrolled)))
    results = command.results(arguments, weights)
    for role, file in weights.items():
        model = equilibrium_model(
            arguments.method, arguments.device, weights=file, tol=TOLERANCE, max_iter=LIMIT
        )
        for kind, name, load in problems(arguments.scenes, arguments.validation):
            results.fill(
                {"model": role, "kind": kind, "scene": name},
                partial(measure, model, role, load, arguments.steps, arguments.device),
            )


def problems(
    scenes: Sequence[Path], validation: Path | None
) -> Iterator[tuple[str, str, Callable[[], Problem]]]:
    """Kind and name of every snapshot, and how to make it."""
    for scene in scenes:
        yield "scenes", scene.name, partial(first_snapshot, scene)
    clips = [] if validation is None else sorted(validation.glob("*.mp4"))
    if validation is not None and not clips:
        raise InputFileError(f"{validation} holds no mp4 clips; wanted a folder of them")
    for clip in clips:
        yield "validation clips", clip.stem, partial(from_clip, clip, FRAMES, SIDE)


@torch.no_grad()
def measure(
    model: DeepEquilibrium,
    role: str,
    load: Callable[[], Problem],
    steps: int,
    device: torch.device,
) -> dict[str, Any]:
    """What one twin makes of one snapshot."""
    problem = load().to(device)
    if role == "unrolled":
        return {
            **plain(model, problem, steps),
            "run_on": plain(model, problem, max(steps, RUN_ON)),
        }
    solution = model.equilibrium(problem.snapshot, problem.physics)
    residual = float(solution.residual[0])
    if residual > SETTLED:
        return plain(model, problem, RUN_ON)
    evaluations = int(solution.evaluations[0])
    video = problem.video(model.map, solution.value)
    return {**scores(problem, video), "evaluations": evaluations, "residual": residual}


def plain(model: DeepEquilibrium, problem: Problem, count: int) -> dict[str, Any]:
    """After ``count`` plain evaluations; PSNR and SSIM are missing where it diverged."""
    residuals: list[float] = []
    map, z = problem.bind(model.map)
    f = watched(map, lambda _, residual: residuals.append(residual))
    for _ in range(count):
        z = f(z)
    return {
        **scores(problem, problem.video(model.map, z)),
        "evaluations": count,
        "residual": residuals[-1],
    }


def scores(problem: Problem, video: Tensor) -> dict[str, float | None]:
    """PSNR in dB and SSIM of a video (1, T, H, W)."""
    if not bool(video.isfinite().all()):
        return {"psnr": None, "ssim": None}
    return {"psnr": problem.psnr(video), "ssim": ssim(video[0], problem.truth[0])}


if __name__ == "__main__":
    main()
