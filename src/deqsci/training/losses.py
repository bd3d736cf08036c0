"""What training minimises."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from deqsci.fixed_point.monitor import Map, norms
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.training.config import Stage

Metrics = dict[str, float]


def negative_psnr(estimate: Tensor, truth: Tensor) -> Tensor:
    """10 log₁₀ MSE in dB, averaged over samples: every sample counts the same, bright or dark."""
    error = (estimate - truth).square().flatten(1).mean(1)
    return 10 * (error + 1e-6).log10().mean()


def denoising_loss(
    denoiser: nn.Module, frames: Tensor, stage: Stage, generator: torch.Generator
) -> tuple[Tensor, Metrics]:
    """Gaussian noise of random level, removed. Shape: frames (B, 1, H, W)."""
    low, high = map(math.log, stage.sigma)
    draw = torch.rand(len(frames), 1, 1, 1, generator=generator)
    sigma = (low + (high - low) * draw).exp()
    noisy = frames + sigma * torch.randn(frames.shape, generator=generator)
    loss = negative_psnr(denoiser(noisy, sigma.flatten()), frames)
    return loss, {"psnr": -loss.item()}


def equilibrium_loss(
    model: DeepEquilibrium, video: Tensor, stage: Stage, generator: torch.Generator
) -> tuple[Tensor, Metrics]:
    """The equilibrium of a fresh random snapshot against its video. Shape: (B, T, H, W)."""
    masks = (torch.rand(video.shape, generator=generator) < 0.5).to(video.dtype)
    physics = SnapshotPhysics(masks)
    snapshot = physics.A(video)
    solution = model.equilibrium(snapshot, physics)
    loss = negative_psnr(solution.value, video)
    metrics = {
        "psnr": -loss.item(),
        "evaluations": solution.evaluations.float().mean().item(),
        "residual": solution.residual.mean().item(),
    }
    if stage.stability > 0:
        growth = perturbation_growth(
            lambda z: model.map(z, snapshot, physics), solution.value.detach(), generator
        )
        loss = loss + stage.stability * (growth - stage.growth_limit).relu().mean()
        metrics["growth"] = growth.max().item()
    return loss, metrics


def perturbation_growth(
    f: Map, z: Tensor, generator: torch.Generator, iterations: int = 8, relative: float = 0.02
) -> Tensor:
    """‖f(z+v) − f(z)‖ / ‖v‖ for the v that grows most, with its gradient. Shape: (B,).

    v is found by power iteration on finite differences; its size ``relative``·‖z‖ makes it see
    the neighbourhood that a solver visits and not only the tangent. It starts from what the
    solve left over, where the slow directions are, and noise.
    """
    size = (relative * norms(z)).clamp_min(1e-3).view(-1, 1, 1, 1)  # black clips exist

    def scaled(v: Tensor) -> Tensor:
        return v * (size / norms(v).clamp_min(1e-12).view(-1, 1, 1, 1))

    with torch.no_grad():
        fz = f(z)
        v = scaled(scaled(fz - z) + scaled(torch.randn(z.shape, generator=generator)))
        for _ in range(iterations):
            v = scaled(f(z + v) - fz)
    return norms(f(z + v) - f(z)) / size.flatten()
