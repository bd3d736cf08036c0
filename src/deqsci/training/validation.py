"""Scores on held-out clips, always the same crops and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from deqsci.fixed_point import Anderson, JacobianFree
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
    t, i, j = (
        (a - b) // 2 for a, b in zip(clip.shape, (frames, SIZE, SIZE), strict=True)
    )
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
    generator = torch.Generator().manual_seed(1)
    usable = [c for c in clips if c.shape[0] >= stage.frames and min(c.shape[1:]) >= SIZE][:CLIPS]
    videos = [centre(c, stage.frames) for c in usable]
    if stage.kind == "denoise":
        sigma = (stage.sigma[0] * stage.sigma[1]) ** 0.5
        scores = []
        for video in videos:
            frames = video[:, :1]
            noisy = frames + sigma * torch.randn(frames.shape, generator=generator)
            scores.append(psnr(model.map.denoiser(noisy, sigma), frames))
        mean = sum(scores) / len(scores)
        return {"score": mean, "psnr": mean}
    model = DeepEquilibrium(
        model.map, Anderson(tol=TOLERANCE, max_iter=MAX_EVALUATIONS), JacobianFree()
    )
    run_on = replace(model.solver, tol=0.0, max_iter=RUN_ON)
    rows = []
    for video in videos:
        masks = (torch.rand(video.shape[1:], generator=generator) < 0.5).float()
        physics = SnapshotPhysics(masks)
        snapshot = physics.A(video)
        model.solver = Anderson(tol=TOLERANCE, max_iter=MAX_EVALUATIONS)
        solution = model.equilibrium(snapshot, physics)
        model.solver = run_on
        later = model.equilibrium(snapshot, physics, start=solution.value)
        rows.append(
            (
                psnr(later.value, video),
                psnr(solution.value, video),
                float(solution.evaluations[0]),
                float(solution.converged[0]),
                float(later.residual[0]),
            )
        )
    names = ("score", "psnr", "evaluations", "converged", "residual")
    return {n: sum(col) / len(rows) for n, col in zip(names, zip(*rows, strict=True), strict=True)}
