"""Residuals, stopping and the best iterate: what every solver keeps the same way."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.result import FixedPoint, Status

Map = Callable[[Tensor], Tensor]
Callback = Callable[[int, Tensor], None]


def check_limits(tol: float, max_iter: int) -> None:
    """Raise ConfigError unless ``tol`` ≥ 0 and ``max_iter`` ≥ 1."""
    if not tol >= 0:
        raise ConfigError(f"tol is {tol}; wanted a number ≥ 0")
    if max_iter < 1:
        raise ConfigError(f"max_iter is {max_iter}; wanted at least 1")


def norms(x: Tensor) -> Tensor:
    """Euclidean norm of each sample, at least in float32. Shape: (B, ...) → (B,)."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    return torch.linalg.vector_norm(x.flatten(1), dim=1, dtype=dtype)


class Monitor:
    """Watches one solve of a batch; samples stop, and keep their best iterate, independently.

    The best f(z) is kept by reference: no copy is made unless only part of a batch improves.
    """

    def __init__(self, z0: Tensor, tol: float, max_iter: int, callback: Callback | None) -> None:
        batch = z0.shape[0]
        self.tol, self.max_iter, self.callback = tol, max_iter, callback
        self.best = z0
        self.best_residual = torch.full((batch,), torch.inf, device=z0.device)
        self.active = torch.ones(batch, dtype=torch.bool, device=z0.device)
        self.finite = torch.ones_like(self.active)
        self._converged = torch.zeros_like(self.active)
        self._diverged = torch.zeros_like(self.active)
        self._evaluations = torch.zeros(batch, dtype=torch.int64, device=z0.device)
        self._trace: list[Tensor] = []
        self.residual = self.best_residual

    def observe(self, fz: Tensor, step: Tensor) -> bool:
        """Take in f(z) and f(z) − z, flat or not; return whether the solve goes on."""
        size = norms(fz)
        residual = norms(step) / size.clamp_min(torch.finfo(size.dtype).tiny)
        # An overflowing ‖f(z)‖ would make the quotient 0 and look converged.
        self.finite = residual.isfinite() & size.isfinite()
        improved = self.active & self.finite & (residual < self.best_residual)
        if bool(improved.all()):
            self.best = fz
        elif bool(improved.any()):
            rows = improved.view(-1, *[1] * (fz.ndim - 1))
            self.best = torch.where(rows, fz, self.best)
        self.best_residual = torch.where(improved, residual, self.best_residual)
        self._evaluations += self.active
        self._trace.append(torch.where(self.active, residual, torch.nan))
        self._converged |= improved & (residual <= self.tol)
        self.active = self.active & ~self._converged & ~self._diverged
        self.residual = residual
        if self.callback is not None:
            self.callback(len(self._trace), torch.where(self.active, residual, self.best_residual))
        return len(self._trace) < self.max_iter and bool(self.active.any())

    def give_up(self, samples: Tensor) -> None:
        """Stop the given samples, (B,) bool, as diverged."""
        self._diverged |= samples & self.active
        self.active = self.active & ~samples

    def finish(self) -> FixedPoint:
        status = tuple(
            Status.CONVERGED if c else Status.DIVERGED if d else Status.MAX_ITER
            for c, d in zip(self._converged.tolist(), self._diverged.tolist(), strict=True)
        )
        trace = torch.stack(self._trace, 1).cpu()
        return FixedPoint(self.best, status, trace, self._evaluations.cpu(), [])
