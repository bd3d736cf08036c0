"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.fixed_point.monitor import Map, norms
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.training.config import Correction, Stage
from deqsci.training.samples import Coded, add_noise, normal

Metrics = dict[str, float]


def negative_psnr(estimate: Tensor, truth: Tensor) -> Tensor:
    """10 log₁₀ MSE in dB, averaged over samples: every sample counts the same, bright or dark."""
    error = (estimate - truth).square().flatten(1).mean(1)
    return 10 * (error + 1e-6).log10().mean()


def denoising_loss(
    map: EquilibriumMap, coded: Coded, stage: Stage, generator: torch.Generator
) -> tuple[Tensor, Metrics]:
    """Gaussian noise of random level, removed by the denoiser of ``map``."""
    noisy, sigma = add_noise(coded.video, stage.sigma, generator)
    loss = negative_psnr(map.denoise(noisy, sigma, coded.snapshot, coded.physics), coded.video)
    return loss, {"psnr": -loss.item()}


def equilibrium_loss(
    model: DeepEquilibrium, coded: Coded, stage: Stage, generator: torch.Generator
) -> tuple[Tensor, Metrics, Tensor]:
    """The equilibrium against the video, and what keeps it stable, unique and early; ``coded`` has
    its context.

    Returns the loss, what to log, and the equilibrium (B, T, H, W).
    """
    f, first = model.map.at(coded.snapshot, coded.physics, coded.context)
    visited: list[Tensor] = []

    def remembered(z: Tensor) -> Tensor:
        visited.append(f(z))
        return visited[-1]

    solution = model.adjoint.fixed_point(
        f if stage.correction is None else remembered,  # states take memory
        first if coded.start is None else coded.start,
        model.solver,
    )

    def recovered(z: Tensor) -> Tensor:
        return model.map.video(z, coded.snapshot, coded.physics)

    loss = negative_psnr(recovered(solution.value), coded.video)
    metrics = {
        "psnr": -loss.item(),
        "evaluations": solution.evaluations.float().mean().item(),
        "residual": solution.residual.mean().item(),
    }
    if stage.correction is not None:
        loss = loss + correction_loss(f, recovered, visited, coded.video, stage.correction)
    z = solution.value.detach()
    if stage.jacobian > 0:
        size = jacobian_size(f, z, generator)
        loss = loss + stage.jacobian * size
        metrics["jacobian"] = size.item()
    if stage.stability is not None:
        stability = stage.stability
        some = coded.first(stability.samples or len(z))
        g, _ = model.map.at(some.snapshot, some.physics, some.context)
        growth = perturbation_growth(
            g, z[: len(some.video)], generator, stability.iterations, stability.relative
        )
        loss = loss + stability.weight * (growth - stability.limit).relu().mean()
        metrics["growth"] = growth.max().item()
    return loss, metrics, z


def correction_loss(
    f: Map, recovered: Map, visited: list[Tensor], video: Tensor, correction: Correction
) -> Tensor:
    """Σ γᵏ loss(k-th chosen state before the end): fixed-point correction, of states evenly spaced
    or of the last ones recorded.

    States that are not finite are passed over: the solver restarts from its best.

    Of the evenly spaced ones, those that a solver visited without recording are recorded by one
    evaluation of f each, the Jacobian-free gradient of an intermediate state.
    """
    visited = [state for state in visited if bool(state.isfinite().all())]
    if correction.recorded:
        visited = [state for state in visited if state.requires_grad]
    count = min(correction.states, len(visited) - 1)
    total = video.new_zeros(())
    for k in range(1, count + 1):
        if correction.recorded:
            state = visited[-1 - k]
        else:
            state = visited[(count + 1 - k) * len(visited) // (count + 1) - 1]
        recorded = state if state.requires_grad else f(state)
        total = total + correction.discount**k * negative_psnr(recovered(recorded), video)
    return total


def jacobian_size(f: Map, z: Tensor, generator: torch.Generator) -> Tensor:
    """Hutchinson's estimate of ‖J‖²_F / n, the mean squared singular value of J. Shape: ()."""
    z = z.detach().requires_grad_()
    v = normal(z, generator)
    (product,) = torch.autograd.grad(f(z), z, v, create_graph=True)
    return product.square().mean()


def perturbation_growth(
    f: Map, z: Tensor, generator: torch.Generator, iterations: int, relative: float
) -> Tensor:
    """‖f(z+v) − f(z)‖ / ‖v‖ in the direction v that evaluating f again and again comes to, with
    its gradient: the spectral radius, not the norm, for a small v. Shape: (B,).

    v is found by power iteration on finite differences; by its size ``relative``·‖z‖ it sees the
    neighbourhood that a solver visits and not only the tangent. It starts from what the
    solve left over, where the slow directions are, and noise.
    """
    size = (relative * norms(z)).clamp_min(1e-3).view(-1, 1, 1, 1)  # black clips exist

    def scaled(v: Tensor) -> Tensor:
        return v * (size / norms(v).clamp_min(1e-12).view(-1, 1, 1, 1))

    with torch.no_grad():
        fz = f(z)
        v = scaled(scaled(fz - z) + scaled(normal(z, generator)))
        for _ in range(iterations):
            v = scaled(f(z + v) - fz)
    return norms(f(z + v) - f(z)) / size.flatten()
