"""A solve that begins in bfloat16 and ends in full precision."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from deqsci.fixed_point.anderson import Anderson
from deqsci.fixed_point.monitor import Callback, Map, full_precision
from deqsci.fixed_point.result import FixedPoint


@dataclass(frozen=True)
class MixedPrecision(Anderson):
    """`Anderson`, its first evaluations of f under autocast to bfloat16, where a network takes half
    the time; the others, from where these led, in the precision of the state.

    So fixed point and tolerance are those of f itself. What bfloat16 makes of f is a neighbour,
    whose solves end some 1e-3 from the fixed points of f, or nowhere.
    """

    rounded_tol: float = 2e-3
    """Relative residual at which full precision begins: about the rounding of bfloat16."""
    rounded_iter: int = 12
    """Evaluations in bfloat16 at most: of some maps rounding keeps the residual above that."""

    @torch.no_grad()
    def solve(self, f: Map, z0: Tensor, callback: Callback | None = None) -> FixedPoint:
        """Iterate from ``z0`` (B, ...) until every sample has stopped; nothing is recorded.

        At least the last evaluation is in full precision, and only there a sample converges. In a
        batch full precision begins for all at once.
        """
        rounded_iter = min(self.rounded_iter, self.max_iter - 1)
        if rounded_iter == 0:
            with full_precision(z0):
                return super().solve(f, z0, callback)
        first = replace(self, tol=max(self.rounded_tol, self.tol), max_iter=rounded_iter)
        with torch.autocast(z0.device.type, torch.bfloat16):
            begun = Anderson.solve(first, f, z0, callback)
        past = begun.residuals.shape[1]

        def onwards(iteration: int, residual: Tensor) -> None:
            if callback is not None:
                callback(past + iteration, residual)

        rest = replace(self, max_iter=self.max_iter - past)
        with full_precision(z0):
            ended = Anderson.solve(rest, f, begun.value, onwards)
        return replace(
            ended,
            residuals=_traces(begun, ended),
            evaluations=begun.evaluations + ended.evaluations,
        )


def _traces(begun: FixedPoint, ended: FixedPoint) -> Tensor:
    """Residuals of one solve after the other, NaN after the end. Shape: (B, n) and (B, m) →
    (B, ≤ n + m)."""
    # bfloat16 may find a residual smaller than it is: where full precision began it is known, and
    # the smallest of the trace is to be that of the solution.
    known = ended.residuals[:, :1]
    rows = [
        torch.cat((first[:count], then[:more]))
        for first, count, then, more in zip(
            begun.residuals.clamp_min(known),
            begun.evaluations.tolist(),
            ended.residuals,
            ended.evaluations.tolist(),
        )
    ]
    return pad_sequence(rows, batch_first=True, padding_value=torch.nan)
