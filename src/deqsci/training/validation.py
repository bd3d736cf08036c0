"""Scores on held-out clips, always the same crops and masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import InputFileError
from deqsci.fixed_point import Anderson, Picard, Unrolled
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.training.config import Stage, TrainConfig
from deqsci.training.samples import add_noise, code

TOLERANCE = 1e-4
MAX_EVALUATIONS = 150
RUN_ON = 30


@dataclass(frozen=True)
class Judged:
    """``score`` selects the model, among those judged by the same ``measure``; None stands for a
    number that is not finite. Each picture is (input, estimate, truth)."""

    measure: str
    scores: dict[str, float | None]
    pictures: list[tuple[Tensor, Tensor, Tensor]]


def choose_clips(clips: Sequence[Tensor], config: TrainConfig) -> list[Tensor]:
    """The middles of the first clips that are long and large enough, as (1, T, H, W) in [0, 1].

    T is the validation's own, or the largest of the stages'. Raises InputFileError where no clip
    will do.
    """
    frames = config.validation.frames or max(stage.frames for stage in config.stages)
    size, chosen = config.validation.size, []
    for clip in clips:
        if clip.shape[0] >= frames and min(clip.shape[1:]) >= size:
            t, i, j = ((a - b) // 2 for a, b in zip(clip.shape, (frames, size, size)))
            crop = clip[t : t + frames, i : i + size, j : j + size]
            chosen.append(crop[None].float() / 255)
    if not chosen:
        raise InputFileError(
            f"no validation clip has {frames} frames of at least {size}×{size} pixels"
        )
    return chosen[: config.validation.clips]


@torch.no_grad()
def validate(
    map: EquilibriumMap, stage: Stage, config: TrainConfig, videos: Sequence[Tensor]
) -> Judged:
    """Mean PSNR of a stage's task over the videos, each (1, T, H, W), on the map's device."""
    device = next(map.parameters()).device
    generator = torch.Generator(device).manual_seed(1)
    judge = _judge_denoising if stage.kind == "denoise" else _judge_recovery
    frames = config.validation.frames or stage.frames
    judged = [judge(map, stage, config, v[:, :frames].to(device), generator) for v in videos]
    rows = [row for row, _ in judged]
    means = {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
    finite = {name: mean if math.isfinite(mean) else None for name, mean in means.items()}
    return Judged(_measure(stage), finite, [picture for _, picture in judged[:4]])


def _measure(stage: Stage) -> str:
    unrolled = isinstance(stage.build_adjoint(), Unrolled)
    return "denoising" if stage.kind == "denoise" else "unrolled" if unrolled else "equilibrium"


def psnr(estimate: Tensor, truth: Tensor) -> float:
    """Mean over frames, as the measurement protocol says. Shape: (1, T, H, W)."""
    error = (estimate.clamp(0, 1) - truth).square().mean((-1, -2)).clamp_min(1e-10)
    return float((-10 * error.log10()).mean())


Row = tuple[dict[str, float], tuple[Tensor, Tensor, Tensor]]


def _judge_denoising(
    map: EquilibriumMap,
    stage: Stage,
    config: TrainConfig,
    video: Tensor,
    generator: torch.Generator,
) -> Row:
    middle = (stage.sigma[0] * stage.sigma[1]) ** 0.5
    noisy, sigma = add_noise(video, (middle, middle), generator)
    coded = code(video, config, generator)
    estimate = map.denoise(noisy, sigma, coded.snapshot, coded.physics)
    score = psnr(estimate, video)
    return {"score": score, "psnr": score}, (noisy[0], estimate[0], video[0])


def _judge_recovery(
    map: EquilibriumMap,
    stage: Stage,
    config: TrainConfig,
    video: Tensor,
    generator: torch.Generator,
) -> Row:
    """PSNR at the converged point and after running on from it; the latter is the score, so that
    a transient cannot win. A stage that trains an unrolling is judged by that unrolling."""
    coded = code(video, config, generator)
    f, start = map.at(coded.snapshot, coded.physics)
    adjoint = stage.build_adjoint()
    if isinstance(adjoint, Unrolled):
        if stage.depth is not None:
            adjoint = Unrolled(stage.depth[1])
        value = adjoint.fixed_point(f, start, stage.build_solver()).value
        value = map.video(value, coded.snapshot, coded.physics)
        row = {"score": psnr(value, video), "psnr": psnr(value, video)}
        return row, (coded.snapshot, value[0], video[0])
    solution = Anderson(tol=TOLERANCE, max_iter=MAX_EVALUATIONS).solve(f, start)
    later = solution.value  # plain evaluations: Anderson would pick the best of them
    for _ in range(RUN_ON - 1):
        later = f(later)
    end = Picard(tol=0.0, max_iter=1).solve(f, later)
    converged, last = (
        map.video(z, coded.snapshot, coded.physics) for z in (solution.value, end.value)
    )
    row = {
        "score": psnr(last, video),
        "psnr": psnr(converged, video),
        "evaluations": float(solution.evaluations[0]),
        "converged": float(solution.converged[0]),
        "residual": float(end.residual[0]),
    }
    return row, (coded.snapshot, last[0], video[0])
