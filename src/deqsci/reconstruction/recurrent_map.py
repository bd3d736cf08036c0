"""The maps of RNN and DE-RNN: one pass of a recurrent network over the frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deqsci.denoisers.recurrent import RecurrentNetwork
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.accelerated import Accelerated
from deqsci.reconstruction.space_time_map import PLANES as SPACE_TIME_PLANES
from deqsci.reconstruction.space_time_map import SpaceTimeMap

PLANES = SPACE_TIME_PLANES + 1


class RecurrentMap(SpaceTimeMap):
    """f(z; y, Φ) = (1 − α) z + α P(D(what each frame sees)), from one estimate of the video to the
    next.

    Paper, DE-RNN. A frame sees its estimate, the normalised snapshot y/ΣΦ, its mask, and the
    snapshot with the other frames' estimates taken out, y − Σₛ≠ₜ Φₛ zₛ; its neighbours' features
    and hidden states carry the rest from frame to frame. Anchor and data step are those of
    `SpaceTimeMap`.

    Parameters
    ----------
    network : planes (B, T, 6, H, W), the estimate and the anchor first → (B, T, H, W).
    spread, relaxation : as in `SpaceTimeMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0, or a relaxation outside (0, 1].
    """

    def __init__(
        self, network: nn.Module | None = None, spread: float = 0.05, relaxation: float = 1.0
    ) -> None:
        network = RecurrentNetwork(PLANES) if network is None else network
        super().__init__(network, spread, relaxation)

    def planes(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        misfit = (snapshot - physics.A(u)).unsqueeze(1)
        alone = misfit + physics.masks * u
        return torch.cat((super().planes(u, context, snapshot, physics), alone.unsqueeze(2)), 2)


class AcceleratedRecurrentMap(Accelerated, RecurrentMap):
    """f(z; y, Φ) = z + α (D(what each frame sees) − P(z)), of u = 2 P(z) − z: the network in
    accelerated GAP, which is DE-RNN here; each frame sees u where it saw z."""
