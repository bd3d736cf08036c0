"""The DE-RNN map: one pass of a recurrent network over the frames."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.denoisers.recurrent import RecurrentNetwork
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap

PLANES = 6


class RecurrentMap(EquilibriumMap):
    """f(z; y, Φ) = P(z) + N(what each frame sees), from one estimate of the video to the next.

    Paper, DE-RNN. A frame sees the normalised snapshot y/ΣΦ, its mask, the snapshot with the other
    frames' estimates taken out (on its own open pixels), its projected estimate and those of its
    neighbours in time; hidden states carry the rest from frame to frame. Autonomous: it depends on
    z, y, Φ and the weights alone.
    """

    def __init__(self, network: RecurrentNetwork | None = None) -> None:
        super().__init__()
        self.network = RecurrentNetwork(PLANES) if network is None else network

    def forward(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """One pass. Shape: (B, T, H, W), (B, H, W) → (B, T, H, W)."""
        projected = physics.project(z, snapshot)
        misfit = (snapshot - physics.A(z)).unsqueeze(1)
        masks = physics.masks.expand_as(z)
        planes = (
            physics.initial(snapshot),
            masks,
            torch.addcmul(z, masks, misfit),
            projected,
            torch.cat((projected[:, :1], projected[:, :-1]), 1),
            torch.cat((projected[:, 1:], projected[:, -1:]), 1),
        )
        return projected + self.network(torch.stack(planes, 2))
