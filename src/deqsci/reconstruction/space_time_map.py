"""The maps around a space–time network: GAP's, and accelerated GAP's, which is DE-GAP-ST's."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from deqsci.denoisers.space_time import SpaceTimeNetwork
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.accelerated import Accelerated
from deqsci.reconstruction.maps import EquilibriumMap, checked_spread
from deqsci.reconstruction.total_variation import GapTV

RELAXATION = 0.8
"""α of de-gap-st, of de-gap-nl's guide and of de-rnn, in training and after. It was found in the
map of GAP, where plainly iterated passes ended in cycles of two at 1."""

ANCHOR_ITERATIONS = 20
"""Of GAP-TV: 40 gain 0.2 dB and take as long as half an evaluation of the network more."""


class SpaceTimeMap(EquilibriumMap):
    """f(z; y, Φ) = (1 − α) z + α P(D(z; a, Φ, y/ΣΦ, doubt)), P the proximal data step and a the
    anchor.

    The anchor is the video of a short GAP-TV, which y and Φ alone decide: solves begin there, and
    D leads back to it. The data step comes last, so that the equilibrium itself explains the
    snapshot; with D last it would be as far from it as D moves. The network sees the masks, so that
    it need not know one by heart, and how much the noise leaves of the snapshot's word. Autonomous:
    f depends on z, y, Φ, the noise level and the weights alone. The last P writes the pattern of
    the masks into the frames; `AcceleratedSpaceTimeMap` does not.

    Parameters
    ----------
    network : the planes that it ``sees`` (B, T, P, H, W) → (B, T, H, W).
    spread : τ of the data step, the standard deviation of an estimate's error that the snapshot's
        noise is weighed against, in intensities.
    relaxation : α, as in `EquilibriumMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0, or a relaxation outside (0, 1].
    """

    heeds_noise = True
    sees: ClassVar[tuple[str, ...]] = ("estimate", "anchor", "mask", "mean frame", "doubt")

    def __init__(
        self, network: nn.Module | None = None, spread: float = 0.05, relaxation: float = 1.0
    ) -> None:
        super().__init__(relaxation)
        self.network = self.new_network() if network is None else network
        self.spread = checked_spread(spread)

    @classmethod
    def new_network(cls, **sizes: Any) -> SpaceTimeNetwork:
        """An untrained network for what this map shows it, of such ``widths`` and ``blocks``."""
        return SpaceTimeNetwork(len(cls.sees), **sizes)

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

    def start(self, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The anchor."""
        return context[:, :, 0]

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
        self,
        u: Tensor,
        context: Tensor,
        snapshot: Tensor,
        physics: SnapshotPhysics,
        sigma: Tensor | float | None = None,
    ) -> Tensor:
        """D(u), at the learned noise level or another, (B,) or a number.

        Shape: (B, T, H, W) → (B, T, H, W).
        """
        cleaned: Tensor = self.network(self.planes(u, context, snapshot, physics), sigma)
        return cleaned

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D of what the data step makes of a noisy video."""
        u = physics.proximal(z, snapshot, self.spread)
        return self.clean(u, self.context(snapshot, physics), snapshot, physics, sigma)

    def planes(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """What the network ``sees`` of u. Shape: (B, T, H, W), (B, H, W) → (B, T, P, H, W)."""
        return torch.cat((u.unsqueeze(2), context), 2)


class AcceleratedSpaceTimeMap(Accelerated, SpaceTimeMap):
    """f(z; y, Φ) = z + α (D(u; a, Φ, y/ΣΦ, doubt, P(u) − u) − P(z)), u = 2 P(z) − z: the network in
    accelerated GAP, which is DE-GAP-ST. The video of a state is P(z).

    What D is given does not explain the snapshot here, and the network sees by how much, the misfit
    P(u) − u. Anchor, data step and parameters are those of `SpaceTimeMap`.
    """

    sees = (*SpaceTimeMap.sees, "misfit")

    def planes(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        misfit = physics.proximal(u, snapshot, self.spread) - u
        return torch.cat((super().planes(u, context, snapshot, physics), misfit.unsqueeze(2)), 2)

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D of the noisy video itself, whose misfit the network sees as in a solve."""
        return self.clean(z, self.context(snapshot, physics), snapshot, physics, sigma)
