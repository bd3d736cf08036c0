"""The deep equilibrium model: a map, a solver and an adjoint put together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deqsci.fixed_point import Adjoint, FixedPoint, Solver
from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.result import Reconstruction


class DeepEquilibrium(nn.Module):
    """The video is that of the fixed point z = f(z; y, Φ) of ``map`` (paper eq. 5).

    ``solver`` finds it and ``adjoint`` differentiates through it; each can be changed without the
    others, and at any time.
    """

    def __init__(self, map: EquilibriumMap, solver: Solver, adjoint: Adjoint) -> None:
        super().__init__()
        self.map, self.solver, self.adjoint = map, solver, adjoint

    @property
    def max_evaluations(self) -> int:
        """Evaluations of the map at most."""
        return self.solver.max_iter

    def forward(self, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The video. Shape: (B, H, W) → (B, T, H, W)."""
        return self.map.video(self.equilibrium(snapshot, physics).value, snapshot, physics)

    def equilibrium(
        self,
        snapshot: Tensor,
        physics: SnapshotPhysics,
        start: Tensor | None = None,
        callback: Callback | None = None,
    ) -> FixedPoint:
        """The fixed point with its residuals, from ``start`` or from where the map begins."""
        physics.validate(snapshot)
        f, first = self.map.at(snapshot, physics)
        return self.adjoint.fixed_point(f, first if start is None else start, self.solver, callback)

    @torch.no_grad()
    def reconstruct(
        self,
        snapshot: Tensor,
        physics: SnapshotPhysics,
        callback: Callback | None = None,
        start: Tensor | None = None,
    ) -> Reconstruction:
        """The video and how it was reached, without a gradient. Shape: (B, H, W) → (B, T, H, W)."""
        solution = self.equilibrium(snapshot, physics, start, callback)
        return Reconstruction(
            self.map.video(solution.value, snapshot, physics),
            tuple(status.value for status in solution.status),
            solution.converged,
            solution.residuals,
            solution.evaluations,
        )
