"""Broyden's method with limited memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import (
    Callback,
    Map,
    Monitor,
    check_limits,
    full_precision,
    norms,
    rows,
)
from deqsci.fixed_point.result import FixedPoint


@dataclass(frozen=True)
class Broyden:
    r"""Broyden's good method for g(z) = f(z) − z = 0, each sample on its own.

    The inverse Jacobian starts as −I, so that the first step is a plain evaluation, and is
    −I + Σ uᵢvᵢᵀ after rank-one updates (Sherman–Morrison)

        u = (Δz − H Δg) / (Δzᵀ H Δg),  v = Hᵀ Δz.

    When ``memory`` updates are stored they are forgotten. A sample whose residual stays
    ``growth``-fold over its best, does not improve for ``patience`` evaluations, or is no longer
    finite, restarts from its best, and is stopped when that brought nothing. More memory and work
    per iteration than ``Anderson``; use it where Anderson's weights become erratic.
    """

    tol: float = 1e-3
    """Relative residual at which a sample stops."""
    max_iter: int = 100
    """Evaluations of f at most."""
    memory: int = 20
    """Rank-one updates remembered."""
    growth: float = 10.0
    """Residual over the best one at which a sample restarts."""
    patience: int = 20
    """Evaluations without a better residual after which a sample restarts."""

    def __post_init__(self) -> None:
        check_limits(self.tol, self.max_iter)
        if min(self.memory, self.patience) < 1 or not self.growth > 1:
            raise ConfigError(
                f"memory is {self.memory}, patience {self.patience}, growth {self.growth}; "
                "wanted memory and patience ≥ 1, growth > 1"
            )

    @torch.no_grad()
    def solve(self, f: Map, z0: Tensor, callback: Callback | None = None) -> FixedPoint:
        """Iterate from ``z0`` (B, ...) until every sample has stopped; nothing is recorded."""
        monitor = Monitor(z0, self.tol, self.max_iter, callback)
        inverse = _InverseJacobian(z0, self.memory)
        point = z0
        fz = f(point)
        g = (fz - point).flatten(1)
        while True:
            monitor.observe(fz, g)
            restart = monitor.restarts(self.growth, self.patience, grace=3)
            if monitor.done:
                return monitor.finish()
            anew = restart | ~monitor.active
            step = inverse.apply(g).neg_().view_as(point)
            following = torch.where(rows(anew, point), monitor.best, point + step)
            inverse.forget(anew | inverse.full)
            fz = f(following)
            before, g = g, (fz - following).flatten(1)
            inverse.update((following - point).flatten(1), g - before, ~anew)
            point = following


class _InverseJacobian:
    """H = −I + Σ uᵢvᵢᵀ of each sample, in buffers that are filled in place."""

    def __init__(self, z0: Tensor, memory: int) -> None:
        batch, size = z0.shape[0], z0[0].numel()
        self.u = z0.new_zeros(batch, memory, size)
        self.v = z0.new_zeros(batch, memory, size)
        self.count = torch.zeros(batch, dtype=torch.int64, device=z0.device)

    @property
    def full(self) -> Tensor:
        """(B,) bool, samples that cannot take another update."""
        return self.count >= self.u.shape[1]

    def apply(self, x: Tensor) -> Tensor:
        """Hx. Shape: (B, n) → (B, n)."""
        return _low_rank(self.u, self.v, x).sub_(x)

    def update(self, step: Tensor, change: Tensor, samples: Tensor) -> None:
        """Take in Δz and Δg of the given samples, (B,) bool."""
        mapped = self.apply(change)
        denominator = (step * mapped).sum(1)
        # Across the secant the model says nothing: such an update would throw the iterate away.
        floor = torch.finfo(step.dtype).eps * norms(step) * norms(mapped)
        u = (step - mapped) / denominator.unsqueeze(1)
        v = _low_rank(self.v, self.u, step).sub_(step)
        usable = samples & (denominator.abs() > floor)
        usable &= u.isfinite().all(1) & v.isfinite().all(1)
        at = usable.nonzero().squeeze(1)
        self.u[at, self.count[at]] = u[at]
        self.v[at, self.count[at]] = v[at]
        self.count[at] += 1

    def forget(self, samples: Tensor) -> None:
        """H = −I again for the given samples, (B,) bool."""
        self.u[samples] = 0
        self.v[samples] = 0
        self.count[samples] = 0


def _low_rank(left: Tensor, right: Tensor, x: Tensor) -> Tensor:
    """Σ leftᵢ (rightᵢ · x). Shape: (B, m, n), (B, m, n), (B, n) → (B, n)."""
    with full_precision(x):
        weights = torch.bmm(right, x.unsqueeze(2)).transpose(1, 2)
        return torch.bmm(weights, left).squeeze(1)
