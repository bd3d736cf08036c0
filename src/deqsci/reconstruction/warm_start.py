"""Solves that begin at a better video than the mean frame."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.result import Reconstruction
from deqsci.reconstruction.schedule import FiniteSchedule


class WarmStarted(Reconstructor):
    """An equilibrium model whose solve begins at the video of a cheaper method.

    The equilibrium is that of the model; what the start changes is the way to it. Total variation
    costs less than one evaluation of a network and leaves the slow modes of the map less to do
    than the mean frame does. The equilibrium of the snapshot before leaves them more.

    Attributes
    ----------
    model : what is solved; ``evaluations`` are of its map.
    first : what makes the start.
    """

    def __init__(self, model: DeepEquilibrium, first: FiniteSchedule) -> None:
        self.model, self.first = model, first

    @property
    def max_evaluations(self) -> int:
        """Evaluations of the map at most."""
        return self.model.max_evaluations

    @torch.no_grad()
    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction:
        """The video and how it was reached. Shape: (B, H, W) → (B, T, H, W)."""
        start = self.first(snapshot, physics)
        return self.model.reconstruct(snapshot, physics, callback, start)
