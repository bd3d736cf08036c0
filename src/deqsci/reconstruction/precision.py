"""The floating-point type that a method computes in."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.result import Reconstruction

STATE_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
"""The type of states, sums and weights for each choice: in bfloat16 networks alone compute."""


class ReducedPrecision(Reconstructor):
    """A method whose networks compute in bfloat16; states, data steps, solvers' sums and filters of
    patches stay float32.

    It takes half of a network's time where a processor has bfloat16 arithmetic; one that has none
    becomes slower. A solve cannot come closer to its fixed point than the rounding of the network
    allows, a relative residual of a few 1e-4 to 3e-3; tolerances differ therefore
    (`Method.reduced_tolerance`). `de-gap-nl` finds other groups of patches then.
    """

    def __init__(self, model: Reconstructor) -> None:
        self.model = model

    @property
    def max_evaluations(self) -> int:
        """Evaluations of the map at most."""
        return self.model.max_evaluations

    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction:
        """The video and how it was reached. Shape: (B, H, W) → (B, T, H, W)."""
        with torch.autocast(snapshot.device.type, torch.bfloat16):
            return self.model.reconstruct(snapshot, physics, callback)


def in_precision(model: Reconstructor, dtype: str) -> Reconstructor:
    """The model as it is, or with reduced precision."""
    return ReducedPrecision(model) if dtype == "bfloat16" else model
