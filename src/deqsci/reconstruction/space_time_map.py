"""The DE-GAP-ST map: one pass of space–time network and proximal data step."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

from deqsci.denoisers.space_time import SpaceTimeNetwork
from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Map
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.total_variation import GapTV

PLANES = 5

ANCHOR_ITERATIONS = 20
"""Of GAP-TV: 40 gain 0.2 dB and take as long as half an evaluation of the network more."""


class SpaceTimeMap(EquilibriumMap):
    """f(z; y, Φ) = P(D(z; a, Φ, y/ΣΦ, doubt)), P the proximal data step and a the anchor.

    The anchor is the video of a short GAP-TV, which y and Φ alone decide: solves begin there, and
    D leads back to it. The data step comes last, so that the equilibrium itself explains the
    snapshot; with D last it would be as far from it as D moves. The network sees the masks, so that
    it need not know one by heart, and how much the noise leaves of the snapshot's word. Autonomous:
    f depends on z, y, Φ, the noise level and the weights alone.

    Parameters
    ----------
    network : planes (B, T, 5, H, W), the estimate and the anchor first → (B, T, H, W).
    spread : τ of the data step, the standard deviation of an estimate's error that the snapshot's
        noise is weighed against, in intensities.

    Raises
    ------
    ConfigError : a spread that is not above 0.
    """

    def __init__(self, network: nn.Module | None = None, spread: float = 0.05) -> None:
        super().__init__()
        if not 0 < spread < math.inf:
            raise ConfigError(f"spread is {spread}; wanted a number above 0")
        self.network = SpaceTimeNetwork(PLANES) if network is None else network
        self.spread = spread

    def at(self, snapshot: Tensor, physics: SnapshotPhysics) -> tuple[Map, Tensor]:
        """z ↦ f(z; y, Φ), and the anchor, where a solve begins."""
        anchor = self.anchor(snapshot, physics)
        return partial(self, snapshot=snapshot, physics=physics, anchor=anchor), anchor

    @torch.no_grad()
    def anchor(self, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """a: what total variation makes of the snapshot. Shape: (B, H, W) → (B, T, H, W)."""
        video = GapTV(ANCHOR_ITERATIONS)(snapshot, physics)
        return physics.proximal(video, snapshot, self.spread)

    def forward(
        self,
        z: Tensor,
        snapshot: Tensor,
        physics: SnapshotPhysics,
        anchor: Tensor | None = None,
    ) -> Tensor:
        """One pass; the anchor is made where it is not given.

        Shape: (B, T, H, W), (B, H, W) → (B, T, H, W).
        """
        if anchor is None:
            anchor = self.anchor(snapshot, physics)
        denoised = self._denoised(z, None, snapshot, physics, anchor)
        return physics.proximal(denoised, snapshot, self.spread)

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D of what the data step makes of a noisy video, at another noise level than the learned
        one, (B,) or a number."""
        u = physics.proximal(z, snapshot, self.spread)
        return self._denoised(u, sigma, snapshot, physics, self.anchor(snapshot, physics))

    def _denoised(
        self,
        u: Tensor,
        sigma: Tensor | float | None,
        snapshot: Tensor,
        physics: SnapshotPhysics,
        anchor: Tensor,
    ) -> Tensor:
        planes = torch.stack(self.planes(u, snapshot, physics, anchor), 2)
        denoised: Tensor = self.network(planes, sigma)
        return denoised

    def planes(
        self, u: Tensor, snapshot: Tensor, physics: SnapshotPhysics, anchor: Tensor
    ) -> tuple[Tensor, ...]:
        """What the network sees of every frame, (B, T, H, W) each."""
        doubt = physics.doubt(self.spread).unsqueeze(-3).expand_as(u)
        return u, anchor, physics.masks.expand_as(u), physics.initial(snapshot), doubt
