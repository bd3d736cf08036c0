"""What every reconstruction method returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Reconstruction:
    """A video and how it was reached, sample by sample.

    Attributes
    ----------
    video : (B, T, H, W), intensity.
    status : B sentences a person can act on.
    converged : (B,) bool; False for finite schedules, which have nothing to converge to.
    residuals : (B, n) relative residual ‖f(z) − z‖ / ‖f(z)‖ at each evaluation.
    evaluations : (B,) int64, evaluations of the map.
    """

    video: Tensor
    status: tuple[str, ...]
    converged: Tensor
    residuals: Tensor
    evaluations: Tensor
