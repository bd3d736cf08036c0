"""The DE-GAP-ST map: one pass of space–time network and proximal data step."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from deqsci.denoisers.space_time import SpaceTimeNetwork
from deqsci.fixed_point.monitor import Map
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap, checked_spread
from deqsci.reconstruction.total_variation import GapTV

PLANES = 5

ANCHOR_ITERATIONS = 20
"""Of GAP-TV: 40 gain 0.2 dB and take as long as half an evaluation of the network more."""


class SpaceTimeMap(EquilibriumMap):
    """f(z; y, Φ) = (1 − α) z + α P(D(z; a, Φ, y/ΣΦ, doubt)), P the proximal data step and a the
    anchor.

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
    relaxation : α, as in `EquilibriumMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0, or a relaxation outside (0, 1].
    """

    heeds_noise = True

    def __init__(
        self, network: nn.Module | None = None, spread: float = 0.05, relaxation: float = 1.0
    ) -> None:
        super().__init__(relaxation)
        self.network = SpaceTimeNetwork(PLANES) if network is None else network
        self.spread = checked_spread(spread)

    def at(
        self, snapshot: Tensor, physics: SnapshotPhysics, context: Tensor | None = None
    ) -> tuple[Map, Tensor]:
        """z ↦ f(z; y, Φ), and the anchor, where a solve begins."""
        context = self.context(snapshot, physics) if context is None else context
        f = partial(self, snapshot=snapshot, physics=physics, context=context)
        return f, context[:, :, 0].clone()  # no view: a start may outlive the solve

    @torch.no_grad()
    def context(self, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """What y and Φ alone decide of every frame: the anchor, its mask, the mean frame y/ΣΦ and
        the doubt, how much of a misfit may be noise. Shape: (B, H, W) → (B, T, 4, H, W)."""
        anchor = physics.proximal(
            GapTV(ANCHOR_ITERATIONS)(snapshot, physics), snapshot, self.spread
        )
        doubt = physics.doubt(self.spread).unsqueeze(-3).expand_as(anchor)
        masks = physics.masks.expand_as(anchor)
        return torch.stack((anchor, masks, physics.initial(snapshot), doubt), 2)

    def forward(
        self,
        z: Tensor,
        snapshot: Tensor,
        physics: SnapshotPhysics,
        context: Tensor | None = None,
    ) -> Tensor:
        """One pass; the context is made where it is not given.

        Shape: (B, T, H, W), (B, H, W) → (B, T, H, W).
        """
        if context is None:
            context = self.context(snapshot, physics)
        cleaned = self.clean(z, context, snapshot, physics)
        return self.relax(z, physics.proximal(cleaned, snapshot, self.spread))

    def clean(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D(u). Shape: (B, T, H, W) → (B, T, H, W)."""
        cleaned: Tensor = self.network(self.planes(u, context, snapshot, physics))
        return cleaned

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D of what the data step makes of a noisy video, at another noise level than the learned
        one, (B,) or a number."""
        u = physics.proximal(z, snapshot, self.spread)
        context = self.context(snapshot, physics)
        denoised: Tensor = self.network(self.planes(u, context, snapshot, physics), sigma)
        return denoised

    def planes(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """What the network sees of every frame, the estimate first. Shape: (B, T, PLANES, H, W)."""
        return torch.cat((u.unsqueeze(2), context), 2)
