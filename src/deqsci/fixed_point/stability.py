"""How a map behaves around a point: what plain iteration does from there, and ρ(J)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.jacobian import spectral_radius
from deqsci.fixed_point.monitor import Map, norms, rows

GROWTH = 10.0
"""Residual over the first one at which plain iteration has left, as solvers have it by default."""


@dataclass(frozen=True)
class Stability:
    """Plain iteration from a point, and two estimates of ρ(J) there.

    Attributes
    ----------
    residuals : (B, n) float64 on the CPU, ‖f(z) − z‖ / ‖f(z)‖ at each plain evaluation, the first
        at the point itself; infinite once a sample is no longer finite.
    drift : (B,), how far the plain evaluations led, relative to the point.
    step : (B, ...), what one more plain evaluation would change.
    radius_from_step, radius_from_noise : (B,), ρ(J) at the point by power iteration, started from
        ``step``, which lies where J grows most among what the solve left, and from noise, which
        holds every direction. Neither is a bound, and each can miss what the other finds.
    """

    residuals: Tensor
    drift: Tensor
    step: Tensor
    radius_from_step: Tensor
    radius_from_noise: Tensor

    @property
    def radius(self) -> Tensor:
        """(B,), the larger estimate of ρ(J)."""
        return torch.fmax(self.radius_from_step, self.radius_from_noise)

    @property
    def stays(self) -> Tensor:
        """(B,) bool on the CPU: the residual never grew tenfold, and fell over the last half."""
        floor = 100 * torch.finfo(self.step.dtype).eps  # under it rounding alone moves the iterate
        first, middle, last = (
            self.residuals[:, k].clamp_min(floor) for k in (0, self.residuals.shape[1] // 2, -1)
        )
        return (self.residuals.amax(1) <= GROWTH * first) & (last <= middle)


def stability(
    f: Map,
    z: Tensor,
    plain: int = 50,
    products: int = 100,
    generator: torch.Generator | None = None,
) -> Stability:
    """Iterate ``f`` plainly ``plain`` times from ``z`` (B, ...), and estimate ρ(J) at ``z``.

    A power iteration takes ``products`` products with J. Memory: one recorded evaluation of f.

    Raises
    ------
    ConfigError : fewer than one evaluation or product.
    """
    if plain < 1 or products < 1:
        raise ConfigError(f"plain is {plain}, products {products}; wanted at least 1 of each")
    trace = []
    with torch.no_grad():
        value = f(z)
        step = value - z
        for _ in range(plain):
            trace.append(_relative(step, value))
            following = f(value)
            step = following - value
            value = following
    residuals = torch.stack(trace, 1)
    left = ~step.flatten(1).isfinite().all(1)
    noise = torch.randn(z.shape, generator=generator, dtype=z.dtype).to(z.device)
    return Stability(
        residuals=residuals,
        drift=_relative(value - z, z),
        step=step,
        radius_from_step=spectral_radius(
            f, z, products, start=torch.where(rows(left, z), noise, step)
        ),
        radius_from_noise=spectral_radius(f, z, products, start=noise),
    )


def _relative(change: Tensor, value: Tensor) -> Tensor:
    """‖change‖ / ‖value‖ of each sample, infinite where one is not finite. Shape: (B,)."""
    size = norms(value).double().cpu()
    share = norms(change).double().cpu() / size.clamp_min(torch.finfo(value.dtype).tiny)
    return torch.where(size.isfinite(), share.nan_to_num(nan=torch.inf), torch.inf)
