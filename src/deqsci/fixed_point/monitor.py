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


def full_precision(like: Tensor) -> torch.autocast:
    """A context in which sums and products are not rounded, whatever autocast they run under."""
    return torch.autocast(like.device.type, enabled=False)


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
        self.residual = self.best_residual
        self._ended: list[Status | None] = [None] * batch
        self._evaluations = torch.zeros(batch, dtype=torch.int64, device=z0.device)
        self._trace: list[list[float]] = []
        # Evaluations since the last restart and since the last improvement.
        self._age = torch.zeros_like(self._evaluations)
        self._waited = torch.zeros_like(self._evaluations)
        self._best_at_restart = self.best_residual

    @property
    def done(self) -> bool:
        """Whether every sample has stopped or the limit is reached."""
        return len(self._trace) >= self.max_iter or not bool(self.active.any())

    def observe(self, fz: Tensor, step: Tensor) -> None:
        """Take in f(z) and f(z) − z, flat or not."""
        size, change = norms(fz), norms(step)
        # Finiteness is that of both norms: an overflowing ‖f(z)‖ would make the quotient 0 and
        # look converged, and f(z) = 0 makes it infinite and is no fault.
        self.finite = size.isfinite() & change.isfinite()
        limits = torch.finfo(size.dtype)
        residual = (change / size.clamp_min(limits.tiny)).clamp_max(limits.max)
        self.residual = torch.where(self.finite, residual, torch.inf)
        improved = self.active & (self.residual < self.best_residual)
        if bool(improved.all()):
            self.best = fz
        elif bool(improved.any()):
            self.best = torch.where(rows(improved, fz), fz, self.best)
        self.best_residual = torch.where(improved, self.residual, self.best_residual)
        self._evaluations += self.active
        self._age += 1
        self._waited = torch.where(improved, 0, self._waited + 1)
        # Numbers, not small tensors, which would fragment the heap.
        self._trace.append(torch.where(self.active, self.residual, torch.nan).tolist())
        self.stop(improved & (self.residual <= self.tol), Status.CONVERGED)
        if self.callback is not None:
            shown = torch.where(self.active, self.residual, self.best_residual)
            self.callback(len(self._trace), shown)

    def stop(self, samples: Tensor, status: Status) -> None:
        """End the given samples, (B,) bool, where they have not ended yet."""
        ending = samples & self.active
        if bool(ending.any()):
            self.active = self.active & ~ending
            for sample in ending.nonzero().flatten().tolist():
                self._ended[sample] = status

    def restarts(self, growth: float, patience: int, grace: int) -> Tensor:
        """Samples that should start anew from their best iterate. Shape: (B,) bool.

        They are no longer finite, have not improved for ``patience`` evaluations, or exceed
        ``growth`` times their best residual and have had ``grace`` evaluations to mend it. A
        sample that gained nothing since it last restarted would only repeat itself: it is stopped.
        """
        grown = (self.residual > growth * self.best_residual) & (self._age >= grace)
        stuck = self.active & (~self.finite | grown | (self._waited >= patience))
        futile = stuck & (self.best_residual >= self._best_at_restart)
        self.stop(futile & ~self.finite, Status.DIVERGED)
        self.stop(futile, Status.STALLED)
        again = stuck & ~futile
        self._best_at_restart = torch.where(again, self.best_residual, self._best_at_restart)
        self._age = torch.where(again, 0, self._age)
        self._waited = torch.where(again, 0, self._waited)
        return again

    def finish(self) -> FixedPoint:
        status = tuple(ended or Status.MAX_ITER for ended in self._ended)
        trace = torch.tensor(self._trace, dtype=torch.float64).T
        return FixedPoint(self.best, status, trace, self._evaluations.cpu(), [])


def rows(samples: Tensor, like: Tensor) -> Tensor:
    """A flag per sample, (B,), as a mask that broadcasts over ``like`` (B, ...)."""
    return samples.view(-1, *[1] * (like.ndim - 1))
