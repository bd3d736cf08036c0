"""What a fixed-point solve returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Status(Enum):
    """How the solve of one sample ended; the value is the sentence a person should read."""

    CONVERGED = "converged: the relative residual reached the tolerance"
    MAX_ITER = (
        "not converged: the iteration limit came first and the best iterate is returned; "
        "raise that limit or loosen the tolerance"
    )
    STALLED = (
        "stalled: restarting from the best iterate brought nothing better and that iterate is "
        "returned; more memory in the solver may help, more iterations will not"
    )
    UNROLLED = "ran the given number of plain evaluations; a fixed point was not sought"
    DIVERGED = (
        "diverged: the map left the range of finite numbers and the best iterate before that is "
        "returned; try Anderson, a smaller damping, or other weights"
    )


@dataclass(frozen=True)
class FixedPoint:
    """The solution of z = f(z), sample by sample.

    Attributes
    ----------
    value : (B, ...), f(z) at the iterate z of smallest relative residual; a gradient rule may
        append the evaluations that it records.
    status : B entries.
    residuals : (B, n) float64 on the CPU, ‖f(z) − z‖ / ‖f(z)‖ at every evaluation; NaN after a
        sample has stopped.
    evaluations : (B,) int64, evaluations of f until each sample stopped.
    backward : the solve of the adjoint system, there once ``Implicit`` has gone backward.
    """

    value: Tensor
    status: tuple[Status, ...]
    residuals: Tensor
    evaluations: Tensor
    backward: list[FixedPoint]

    @property
    def converged(self) -> Tensor:
        """(B,) bool."""
        return torch.tensor([s is Status.CONVERGED for s in self.status])

    @property
    def residual(self) -> Tensor:
        """(B,), the smallest relative residual seen: that of the iterate behind ``value``."""
        finite = torch.where(self.residuals.isfinite(), self.residuals, torch.inf)
        return finite.min(1).values
