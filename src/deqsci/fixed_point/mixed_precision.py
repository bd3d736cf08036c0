"""A solve that begins in bfloat16 and ends in full precision."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from deqsci.fixed_point.adjoint import Solver
from deqsci.fixed_point.monitor import Callback, Map, full_precision
from deqsci.fixed_point.result import FixedPoint


@dataclass(frozen=True)
class MixedPrecision:
    """First evaluations of f under autocast to bfloat16, where they take half the time; the last,
    from where these led, without.

    So the fixed point is that of f itself, and the tolerance is kept: what rounds f in bfloat16 is
    a neighbour of it, whose solves end some 1e-3 from its fixed points, or nowhere.
    """

    solver: Solver
    rough: float = 1e-3
    """Relative residual at which full precision begins."""
    limit: int = 20
    """Evaluations after which it does, where rounding keeps the residual above that."""

    @property
    def tol(self) -> float:
        """Relative residual at which a sample stops."""
        return self.solver.tol

    @property
    def max_iter(self) -> int:
        """Evaluations of f at most, of either precision."""
        return self.solver.max_iter

    @torch.no_grad()
    def solve(self, f: Map, z0: Tensor, callback: Callback | None = None) -> FixedPoint:
        """Iterate from ``z0`` (B, ...) until every sample has stopped; nothing is recorded.

        The last evaluation is in full precision; only there a solve converges.
        """
        if self.max_iter == 1:
            return self.solver.solve(f, z0, callback)
        rough = replace(
            self.solver, tol=max(self.rough, self.tol), max_iter=min(self.limit, self.max_iter - 1)
        )
        with torch.autocast(z0.device.type, torch.bfloat16):
            begun = rough.solve(f, z0, callback)
        past = begun.residuals.shape[1]

        def onwards(iteration: int, residual: Tensor) -> None:
            if callback is not None:
                callback(past + iteration, residual)

        rest = replace(self.solver, max_iter=self.max_iter - past)
        with full_precision(z0):
            ended = rest.solve(f, begun.value, onwards)
        return replace(
            ended,
            residuals=_traces(begun, ended),
            evaluations=begun.evaluations + ended.evaluations,
        )


def _traces(begun: FixedPoint, ended: FixedPoint) -> Tensor:
    """Residuals of one solve after the other, NaN after the end. Shape: (B, n) and (B, m) →
    (B, ≤ n + m)."""
    # The smallest residual is that of the solution: what bfloat16 made of it does not count.
    least = torch.where(ended.residual.isfinite(), ended.residual, 0).unsqueeze(1)
    rows = [
        torch.cat((first[:count], then))
        for first, then, count in zip(
            begun.residuals.clamp_min(least), ended.residuals, begun.evaluations.tolist()
        )
    ]
    return pad_sequence(rows, batch_first=True, padding_value=torch.nan)
