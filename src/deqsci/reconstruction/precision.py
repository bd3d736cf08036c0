"""The floating-point type that a method computes in."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point import Anderson, MixedPrecision
from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.result import Reconstruction

STATE_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
"""The type of states, sums and weights for each choice: bfloat16 is for networks alone."""


class ReducedPrecision(Reconstructor):
    """A method whose networks compute in bfloat16; data steps and filters of patches stay float32.

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
        with torch.autocast(snapshot.device.type, torch.bfloat16):
            return self.model.reconstruct(snapshot, physics, callback)


def in_precision(model: Reconstructor, dtype: str) -> Reconstructor:
    """The model as it is, or with its network in bfloat16.

    Solves begin in bfloat16 and end in float32, at the same equilibrium; schedules are in bfloat16
    throughout.

    Raises
    ------
    ConfigError : a solver other than Anderson's.
    """
    if dtype != "bfloat16":
        return model
    if not isinstance(model, DeepEquilibrium):
        return ReducedPrecision(model)
    if not isinstance(model.solver, Anderson):
        raise ConfigError(f"{model.solver} cannot begin in bfloat16; wanted Anderson's method")
    solver = MixedPrecision(**vars(model.solver))
    mixed = DeepEquilibrium(model.map, solver, model.adjoint)
    return mixed.train(model.training)
