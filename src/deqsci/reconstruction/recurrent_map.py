"""The DE-RNN map: one pass of a recurrent network over the frames."""

from __future__ import annotations

from torch import Tensor, nn

from deqsci.denoisers.recurrent import RecurrentNetwork
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.space_time_map import PLANES as SPACE_TIME_PLANES
from deqsci.reconstruction.space_time_map import SpaceTimeMap

PLANES = SPACE_TIME_PLANES + 1


class RecurrentMap(SpaceTimeMap):
    """f(z; y, Φ) = P(D(what each frame sees)), from one estimate of the video to the next.

    Paper, DE-RNN. A frame sees its estimate, the normalised snapshot y/ΣΦ, its mask, and the
    snapshot with the other frames' estimates taken out, y − Σₛ≠ₜ Φₛ zₛ; its neighbours' features
    and hidden states carry the rest from frame to frame. Anchor and data step are those of
    `SpaceTimeMap`.

    Parameters
    ----------
    network : planes (B, T, 6, H, W), the estimate and the anchor first → (B, T, H, W).
    spread : as in `SpaceTimeMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0.
    """

    def __init__(self, network: nn.Module | None = None, spread: float = 0.05) -> None:
        super().__init__(RecurrentNetwork(PLANES) if network is None else network, spread)

    def planes(
        self, u: Tensor, snapshot: Tensor, physics: SnapshotPhysics, anchor: Tensor
    ) -> tuple[Tensor, ...]:
        misfit = (snapshot - physics.A(u)).unsqueeze(1)
        alone = misfit + physics.masks * u
        return (*super().planes(u, snapshot, physics, anchor), alone)
