"""Anderson acceleration of a fixed-point iteration."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Callback, Map, Monitor, check_limits, full_precision, rows
from deqsci.fixed_point.result import FixedPoint


@dataclass(frozen=True)
class Anderson:
    r"""Type-II Anderson acceleration (Walker & Ni 2011), each sample with weights of its own.

    With the last m pairs (zᵢ, f(zᵢ)) and residuals gᵢ = f(zᵢ) − zᵢ,

        α = argmin ‖Σ αᵢ gᵢ‖² + λ Σ αᵢ² ‖gᵢ‖²,  Σ αᵢ = 1;    z ← Σ αᵢ (f(zᵢ) − (1 − β) gᵢ).

    The ridge λ is relative to the residual Gram matrix, so the weights do not depend on the scale
    of f: an absolute ridge turns the method into a moving average as soon as the residuals are
    small. The best iterate is kept; a sample whose residual stays ``growth``-fold over its best,
    does not improve for ``patience`` evaluations, or is no longer finite, restarts from its best,
    and is stopped when that brought nothing.
    """

    tol: float = 1e-3
    """Relative residual at which a sample stops."""
    max_iter: int = 100
    """Evaluations of f at most."""
    memory: int = 8
    """m, the number of pairs remembered."""
    ridge: float = 1e-8
    """λ, relative to the squared residuals."""
    beta: float = 1.0
    """Mixing: 1 combines the f(zᵢ), 0 would combine the zᵢ."""
    growth: float = 10.0
    """Residual over the best one at which a sample restarts."""
    patience: int = 20
    """Evaluations without a better residual after which a sample restarts."""

    def __post_init__(self) -> None:
        check_limits(self.tol, self.max_iter)
        if self.memory < 1 or self.patience < 1:
            raise ConfigError(
                f"memory is {self.memory}, patience {self.patience}; wanted at least 1"
            )
        if not (self.ridge >= 0 and 0 < self.beta <= 1 and self.growth > 1):
            raise ConfigError(
                f"ridge is {self.ridge}, beta {self.beta}, growth {self.growth}; "
                "wanted ridge ≥ 0, beta in (0, 1], growth > 1"
            )

    @torch.no_grad()
    def solve(self, f: Map, z0: Tensor, callback: Callback | None = None) -> FixedPoint:
        """Iterate from ``z0`` (B, ...) until every sample has stopped; nothing is recorded."""
        monitor = Monitor(z0, self.tol, self.max_iter, callback)
        history = _History(z0, self.memory, self.ridge)
        z = z0
        while True:
            fz = f(z)
            monitor.observe(fz, history.push(z, fz))
            restart = monitor.restarts(self.growth, self.patience, grace=self.memory)
            if monitor.done:
                return monitor.finish()
            z = history.mix(self.beta).view_as(z0)
            restart = restart | ~monitor.active
            if bool(restart.any()):
                history.forget(restart)
                z = torch.where(rows(restart, z0), monitor.best, z)


class _History:
    """The last m values and residuals of each sample in ring buffers, and their Gram matrix.

    A new pair costs one pass over the residuals (its Gram row), not m²; a mix costs one over the
    values. The m×m systems are solved in float64 on the CPU: not every device has float64.
    """

    def __init__(self, z0: Tensor, memory: int, ridge: float) -> None:
        batch, size = z0.shape[0], z0[0].numel()
        self.ridge = ridge
        self.values = z0.new_zeros(batch, memory, size)
        self.steps = z0.new_zeros(batch, memory, size)
        self.gram = torch.zeros(batch, memory, memory, dtype=torch.float64)
        self.valid = torch.zeros(batch, memory, dtype=torch.bool)
        self.newest = -1

    def push(self, z: Tensor, fz: Tensor) -> Tensor:
        """Store f(z); return f(z) − z, flat, as a view of the buffer."""
        slot = self.newest = (self.newest + 1) % self.values.shape[1]
        flat, step = fz.flatten(1), self.steps[:, slot]
        self.values[:, slot] = flat
        torch.sub(flat, z.flatten(1), out=step)
        with full_precision(step):
            row = torch.bmm(self.steps, step.unsqueeze(2)).squeeze(2).cpu().double()
        self.gram[:, slot, :] = row
        self.gram[:, :, slot] = row
        self.valid[:, slot] = True
        return step

    def mix(self, beta: float) -> Tensor:
        """Σ αᵢ (f(zᵢ) − (1 − β) gᵢ), flat. Shape: (B, n)."""
        alpha = self.weights().to(self.values.dtype).to(self.values.device).unsqueeze(1)
        with full_precision(self.values):
            mixed = torch.bmm(alpha, self.values)
            if beta != 1:
                mixed.baddbmm_(alpha, self.steps, alpha=beta - 1)
        return mixed.squeeze(1)

    def weights(self) -> Tensor:
        """The αᵢ of each sample, 0 where nothing is remembered. Shape: (B, m)."""
        scale = self.gram.diagonal(dim1=1, dim2=2).sqrt()
        usable = self.valid & (scale > 0) & scale.isfinite()
        inverse = torch.where(usable, 1 / scale, 0.0)
        # With unit residuals the ridge is relative and the system is as well scaled as it can be.
        unit = torch.nan_to_num(self.gram) * inverse.unsqueeze(1) * inverse.unsqueeze(2)
        unit.diagonal(dim1=1, dim2=2).fill_(1 + self.ridge)
        solution, _ = torch.linalg.solve_ex(unit, inverse.unsqueeze(2))
        alpha = solution.squeeze(2) * inverse
        alpha = alpha / alpha.sum(1, keepdim=True)
        plain = torch.zeros_like(alpha)
        plain[:, self.newest] = 1
        return torch.where(alpha.isfinite().all(1, keepdim=True), alpha, plain)

    def forget(self, samples: Tensor) -> None:
        """Empty the history of the given samples, (B,) bool."""
        host = samples.cpu()
        self.valid[host] = False
        # 0 · NaN is NaN: what is forgotten must not be multiplied.
        self.values[samples] = 0
        self.steps[samples] = 0
        self.gram[host] = 0
