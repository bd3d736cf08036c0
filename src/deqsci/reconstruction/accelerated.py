"""Accelerated GAP as an autonomous map: what makes the video of a fixed point both clean and
true to the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap


class Accelerated(EquilibriumMap):
    r"""f(z; y, Φ) = z + α (D(2 P(z) − z) − P(z)), P the proximal data step; the video is P(z).

    Accelerated GAP (Liao, Li, Carin 2014) projects on a target that collects the misfits of all
    passes so far. Without noise its target and its video x together are one state z, P(z) being
    the projection of x, and follow this map, which depends on z, y, Φ and the weights alone:
    Douglas–Rachford (Lions, Mercier 1979).

    At the fixed point D(2 P(z) − z) = P(z): without noise, what was denoised explains the snapshot,
    however strongly D denoises. At one of D ∘ P the video does not explain it, and at one of P ∘ D
    the last P writes the masks' pattern into every frame.

    Mixed into a map of another kind, it takes D, the context and where a solve begins from there.
    That map has ``spread``, the τ of the data step.
    """

    heeds_noise = True
    lipschitz = None
    """None is known: a bound of D says little of this map."""
    spread: float

    def forward(
        self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics, context: Any = None
    ) -> Tensor:
        """One pass; the context is made where it is not given.

        Shape: (B, T, H, W), (B, H, W) → (B, T, H, W).
        """
        if context is None:
            context = self.context(snapshot, physics)

        def operator(u: Tensor) -> Tensor:
            return self.clean(u, context, snapshot, physics)

        return self.relax(z, self.plain(z, operator, snapshot, physics))

    def plain(
        self,
        z: Tensor,
        operator: Callable[[Tensor], Tensor],
        snapshot: Tensor,
        physics: SnapshotPhysics,
    ) -> Tensor:
        """z + D(2 P(z) − z) − P(z), with ``operator`` for D. Shape: (B, T, H, W) → the same."""
        video = self.video(z, snapshot, physics)
        return z + operator(2 * video - z) - video

    def video(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """P(z): at the fixed point it is what D makes of 2 P(z) − z."""
        return physics.proximal(z, snapshot, self.spread)
