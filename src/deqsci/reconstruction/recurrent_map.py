"""The DE-RNN map: one pass of a recurrent network over the frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deqsci.denoisers.recurrent import RecurrentNetwork
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap

PLANES = 5


class RecurrentMap(EquilibriumMap):
    """f(z; y, Φ) = (1 − α) z + α P(D(what each frame sees)), from one estimate to the next.

    Paper, DE-RNN. A frame sees its estimate, the normalised snapshot y/ΣΦ, its mask, and the
    estimates of its neighbours in time; hidden states carry the rest from frame to frame. The
    projection P comes last, so that the snapshot with the other frames' estimates taken out is
    Φₜ zₜ, which the frame sees as well, and the equilibrium explains the snapshot. Autonomous: f
    depends on z, y, Φ and the weights alone.

    Parameters
    ----------
    network : planes (B, T, 5, H, W) → (B, T, H, W).
    relaxation : α, as in `EquilibriumMap`.

    Raises
    ------
    ConfigError : a relaxation outside (0, 1].
    """

    def __init__(self, network: nn.Module | None = None, relaxation: float = 1.0) -> None:
        super().__init__(relaxation)
        self.network = RecurrentNetwork(PLANES) if network is None else network

    def forward(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """One pass. Shape: (B, T, H, W), (B, H, W) → (B, T, H, W)."""
        planes = (
            z,
            physics.initial(snapshot),
            physics.masks.expand_as(z),
            torch.cat((z[:, :1], z[:, :-1]), 1),
            torch.cat((z[:, 1:], z[:, -1:]), 1),
        )
        u = physics.project(self.network(torch.stack(planes, 2)), snapshot)
        return self.relax(z, u)
