"""The DE-GAP-ST map: one pass of proximal data step and space–time network."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from deqsci.denoisers.space_time import SpaceTimeNetwork
from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap

PLANES = 4


class SpaceTimeMap(EquilibriumMap):
    """f(z; y, Φ) = (1 − α) z + α P(D(z; Φ, y/ΣΦ, doubt)), P the proximal data step.

    The data step comes last, so that the equilibrium itself explains the snapshot; with D last it
    would be as far from it as D moves. The network sees the masks, so that it need not know one by
    heart, and how much the noise leaves of the snapshot's word. Autonomous: f depends on z, y, Φ,
    the noise level and the weights alone.

    Parameters
    ----------
    network : planes (B, T, 4, H, W) → (B, T, H, W).
    spread : τ of the data step, the standard deviation of an estimate's error that the snapshot's
        noise is weighed against, in intensities.
    relaxation : α, as in `EquilibriumMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0, a relaxation outside (0, 1].
    """

    def __init__(
        self, network: nn.Module | None = None, spread: float = 0.05, relaxation: float = 1.0
    ) -> None:
        super().__init__(relaxation)
        if not 0 < spread < math.inf:
            raise ConfigError(f"spread is {spread}; wanted a number above 0")
        self.network = SpaceTimeNetwork(PLANES) if network is None else network
        self.spread = spread

    def forward(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """One pass. Shape: (B, T, H, W), (B, H, W) → (B, T, H, W)."""
        u = physics.proximal(self._clean(z, None, snapshot, physics), snapshot, self.spread)
        return self.relax(z, u)

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D of what the data step makes of a noisy video, at another noise level than the learned
        one, (B,) or a number."""
        return self._clean(physics.proximal(z, snapshot, self.spread), sigma, snapshot, physics)

    def _clean(
        self, u: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        doubt = physics.doubt(self.spread).unsqueeze(-3)
        planes = (u, physics.masks.expand_as(u), physics.initial(snapshot), doubt.expand_as(u))
        denoised: Tensor = self.network(torch.stack(planes, 2), sigma)
        return denoised
