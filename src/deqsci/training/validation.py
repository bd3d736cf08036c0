"""Scores on held-out clips, always the same crops and masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from deqsci.errors import InputFileError
from deqsci.fixed_point import Anderson, Picard
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.training.config import Stage

SIZE = 96
CLIPS = 6
TOLERANCE = 1e-3
MAX_EVALUATIONS = 60
RUN_ON = 30


def centre(clip: Tensor, frames: int) -> Tensor:
    """The middle of a clip. Shape: (F, H, W) uint8 → (1, T, SIZE, SIZE) in [0, 1]."""
    t, i, j = ((a - b) // 2 for a, b in zip(clip.shape, (frames, SIZE, SIZE), strict=True))
    crop = clip[t : t + frames, i : i + SIZE, j : j + SIZE]
    return crop[None].float() / 255


def psnr(estimate: Tensor, truth: Tensor) -> float:
    """Mean over frames, as the measurement protocol says. Shape: (1, T, H, W)."""
    error = (estimate.clamp(0, 1) - truth).square().mean((-1, -2)).clamp_min(1e-10)
    return float((-10 * error.log10()).mean())


@torch.no_grad()
def validate(model: DeepEquilibrium, stage: Stage, clips: Sequence[Tensor]) -> dict[str, float]:
    """Mean PSNR (denoise), or PSNR at the converged point and after running on (equilibrium).

    ``score`` selects the model: the PSNR after running on, so that a transient cannot win.
    """
    usable = [c for c in clips if c.shape[0] >= stage.frames and min(c.shape[1:]) >= SIZE][:CLIPS]
    if not usable:
        raise InputFileError(
            f"no validation clip has {stage.frames} frames of at least {SIZE}×{SIZE} pixels"
        )
    videos = [centre(c, stage.frames) for c in usable]
    if stage.kind == "denoise":
        return _validate_denoiser(model.map.get_submodule("denoiser"), stage, videos)
    return _validate_equilibrium(model.map, videos)


def _validate_denoiser(
    denoiser: nn.Module, stage: Stage, videos: Sequence[Tensor]
) -> dict[str, float]:
    generator = torch.Generator().manual_seed(1)
    sigma = (stage.sigma[0] * stage.sigma[1]) ** 0.5
    total = 0.0
    for video in videos:
        frame = video[:, :1]
        noisy = frame + sigma * torch.randn(frame.shape, generator=generator)
        total += psnr(denoiser(noisy, sigma), frame)
    return {"score": total / len(videos), "psnr": total / len(videos)}


def _validate_equilibrium(map: nn.Module, videos: Sequence[Tensor]) -> dict[str, float]:
    generator = torch.Generator().manual_seed(1)
    converging = Anderson(tol=TOLERANCE, max_iter=MAX_EVALUATIONS)
    rows = []
    for video in videos:
        physics = SnapshotPhysics((torch.rand(video.shape[1:], generator=generator) < 0.5).float())
        snapshot = physics.A(video)
        f = partial(map, snapshot=snapshot, physics=physics)
        solution = converging.solve(f, physics.initial(snapshot))
        later = solution.value  # plain evaluations: Anderson would pick the best of them
        for _ in range(RUN_ON - 1):
            later = f(later)
        end = Picard(tol=0.0, max_iter=1).solve(f, later)
        rows.append(
            {
                "score": psnr(end.value, video),
                "psnr": psnr(solution.value, video),
                "evaluations": float(solution.evaluations[0]),
                "converged": float(solution.converged[0]),
                "residual": float(end.residual[0]),
            }
        )
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
