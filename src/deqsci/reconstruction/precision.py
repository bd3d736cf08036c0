"""The floating-point type that a method computes in."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.fixed_point import FixedPoint, MixedPrecision
from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.result import Reconstruction

STATE_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
"""The type of states, sums and weights for each choice: in bfloat16 networks alone compute."""


class ReducedPrecision(Reconstructor):
    """A method whose networks compute in bfloat16; states, data steps and filters of patches stay
    float32.

    It takes half of a network's time where a processor has bfloat16 arithmetic; one that has none
    becomes slower.
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
        with _bfloat16(snapshot):
            return self.model.reconstruct(snapshot, physics, callback)


class MixedEquilibrium(DeepEquilibrium):
    """A model whose solves begin in bfloat16 and end in float32, at the same equilibrium.

    What `de-gap-nl` makes before a solve is in bfloat16 too, and may group a few patches otherwise.
    """

    def __init__(self, model: DeepEquilibrium) -> None:
        super().__init__(model.map, MixedPrecision(model.solver), model.adjoint)

    def equilibrium(
        self,
        snapshot: Tensor,
        physics: SnapshotPhysics,
        start: Tensor | None = None,
        callback: Callback | None = None,
    ) -> FixedPoint:
        """The fixed point with its residuals, from ``start`` or from where the map begins."""
        with _bfloat16(snapshot):
            return super().equilibrium(snapshot, physics, start, callback)


def in_precision(model: Reconstructor, dtype: str) -> Reconstructor:
    """The model as it is, or with as much of it in bfloat16 as keeps its answer."""
    if dtype != "bfloat16":
        return model
    if isinstance(model, DeepEquilibrium):
        return MixedEquilibrium(model)
    return ReducedPrecision(model)


def _bfloat16(like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, torch.bfloat16)
