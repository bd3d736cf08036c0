"""Picard (plain or damped) iteration."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Callback, Map, Monitor, check_limits
from deqsci.fixed_point.result import FixedPoint, Status


@dataclass(frozen=True)
class Picard:
    """z ← z + damping · (f(z) − z).

    Converges at the rate ρ(J) for a contraction, whatever the start; with damping < 1 also for a
    nonexpansive f that has a fixed point (Krasnosel'skii–Mann). Not for maps that are neither:
    use ``Anderson``.
    """

    tol: float = 1e-3
    """Relative residual at which a sample stops."""
    max_iter: int = 100
    """Evaluations of f at most."""
    damping: float = 1.0
    """Share of the step taken, in (0, 1]."""

    def __post_init__(self) -> None:
        check_limits(self.tol, self.max_iter)
        if not 0 < self.damping <= 1:
            raise ConfigError(f"damping is {self.damping}; wanted a number in (0, 1]")

    @torch.no_grad()
    def solve(self, f: Map, z0: Tensor, callback: Callback | None = None) -> FixedPoint:
        """Iterate from ``z0`` (B, ...) until every sample has stopped; nothing is recorded."""
        monitor = Monitor(z0, self.tol, self.max_iter, callback)
        z = z0
        while True:
            fz = f(z)
            step = fz - z
            monitor.observe(fz, step)
            monitor.stop(~monitor.finite, Status.DIVERGED)
            if monitor.done:
                return monitor.finish()
            z = fz if self.damping == 1 else step.mul_(self.damping).add_(z)
