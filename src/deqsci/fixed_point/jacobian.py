"""Spectral radius and norm of the Jacobian of a map at a point, from products alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from deqsci.fixed_point.monitor import Map, norms


def vector_jacobian_product(f: Map, z: Tensor) -> Callable[[Tensor], Tensor]:
    """v ↦ Jᵀv, J being the Jacobian of ``f`` at ``z`` (B, ...), evaluated once."""
    with torch.enable_grad():
        point = z.detach().clone().requires_grad_()
        value = f(point)

    def product(v: Tensor) -> Tensor:
        return torch.autograd.grad(value, point, v, retain_graph=True)[0]

    return product


def jacobian_vector_product(f: Map, z: Tensor) -> Callable[[Tensor], Tensor]:
    """v ↦ Jv by reverse mode twice: Jᵀw is linear in w, and its own transpose is J."""
    with torch.enable_grad():
        point = z.detach().clone().requires_grad_()
        value = f(point)
        dummy = torch.zeros_like(value, requires_grad=True)
        (transposed,) = torch.autograd.grad(value, point, dummy, create_graph=True)

    def product(v: Tensor) -> Tensor:
        return torch.autograd.grad(transposed, dummy, v, retain_graph=True)[0]

    return product


def spectral_radius(
    f: Map,
    z: Tensor,
    iterations: int = 100,
    generator: torch.Generator | None = None,
    start: Tensor | None = None,
) -> Tensor:
    """Estimate ρ(J) of each sample by power iteration. Shape: (B, ...) → (B,).

    The estimate is the geometric mean of the growth over the last half of the iterations, which
    also serves the complex pairs of a J that is not symmetric, where single growths oscillate.
    It approaches ρ(J) and is not a bound. ``start`` (B, ...) replaces the random start: what a
    plain iteration still moves, f(z) − z, lies where the growth is largest.
    """
    product = vector_jacobian_product(f, z)
    v = _random_unit(z, generator) if start is None else start / _column(norms(start), start)
    growth = []
    for _ in range(iterations):
        v = product(v)
        size = norms(v)
        growth.append(size)
        v = v / _column(size, v)
    return torch.stack(growth[iterations // 2 :]).log().mean(0).exp()


def spectral_norm(
    f: Map, z: Tensor, iterations: int = 100, generator: torch.Generator | None = None
) -> Tensor:
    """Estimate ‖J‖₂ of each sample by power iteration on JᵀJ. Shape: (B, ...) → (B,).

    A lower bound that rises to the norm.
    """
    transpose, forward = vector_jacobian_product(f, z), jacobian_vector_product(f, z)
    v = _random_unit(z, generator)
    size = norms(v)
    for _ in range(iterations):
        w = forward(v)
        size = norms(w)
        v = transpose(w)
        v = v / _column(norms(v), v)
    return size


def _random_unit(z: Tensor, generator: torch.Generator | None) -> Tensor:
    origin = None if generator is None else generator.device
    v = torch.randn(z.shape, generator=generator, dtype=z.dtype, device=origin).to(z.device)
    return v / _column(norms(v), v)


def _column(size: Tensor, like: Tensor) -> Tensor:
    tiny = torch.finfo(size.dtype).tiny
    return size.clamp_min(tiny).to(like.dtype).view(-1, *[1] * (like.ndim - 1))
