"""What is written down about the reconstruction of one snapshot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from deqsci.metrics import quality
from deqsci.reconstruction.result import Reconstruction

Float = NDArray[np.float32]
Trace = NDArray[np.float64]

EQUILIBRIUM = "equilibrium"
"""The kind of method that has a tolerance, and whose solver returns its best iterate."""

LEVELS = ("1e-2", "1e-3", "1e-4")
"""Relative residuals that evaluations are counted to."""


@dataclass(frozen=True)
class SnapshotRecord:
    """How one snapshot was reconstructed; ``residual`` is that of the returned video."""

    snapshot: int
    status: str
    converged: bool
    iterations: int
    evaluations: int
    residual: float | None
    seconds: float
    psnr: float | None = None
    ssim: float | None = None

    @staticmethod
    def of(index: int, result: Reconstruction, kind: str, seconds: float) -> SnapshotRecord:
        """The record of a result of one sample, by a method of that kind."""
        trace = residual_trace(result.residuals)
        return SnapshotRecord(
            snapshot=index,
            status=result.status[0],
            converged=bool(result.converged[0]),
            iterations=len(trace),
            evaluations=int(result.evaluations[0]),
            residual=_returned(trace, kind),
            seconds=seconds,
        )

    def scored(self, video: Float, truth: Float | None) -> SnapshotRecord:
        """With PSNR and SSIM of its video (T, H, W) against the truth (N·T, H, W) of all of them.

        In colour (…, 3). Without a truth there is nothing to add.
        """
        if truth is None:
            return self
        first = self.snapshot * len(video)
        psnr, ssim = quality(video, truth[first : first + len(video)])
        return replace(self, psnr=psnr, ssim=ssim)

    @property
    def outcome(self) -> str:
        """What the status says before it explains."""
        return re.split("[:;]", self.status, maxsplit=1)[0]


def residual_trace(residuals: Tensor) -> Trace:
    """Residuals (1, n) of one snapshot until its solve stopped; the rest is NaN."""
    values: Trace = residuals[0].double().cpu().numpy()
    stopped = np.flatnonzero(~np.isnan(values))
    return values[: stopped[-1] + 1] if len(stopped) else values[:0]


def evaluations_to(trace: Trace) -> dict[str, int | None]:
    """Evaluations until the residual first was at most each of the protocol's levels."""
    reached = {level: np.flatnonzero(trace <= float(level)) for level in LEVELS}
    return {level: int(at[0]) + 1 if len(at) else None for level, at in reached.items()}


def mean(values: Sequence[float | None]) -> float | None:
    """The mean where all values are known: means over different parts do not compare."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _returned(trace: Trace, kind: str) -> float | None:
    """Residual of the returned video: a solver keeps its best iterate, a schedule its last."""
    finite = trace[np.isfinite(trace)]
    if len(finite) == 0:
        return None
    return float(finite.min() if kind == EQUILIBRIUM else finite[-1])
