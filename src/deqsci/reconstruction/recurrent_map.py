"""The maps of RNN and DE-RNN: one pass of a recurrent network over the frames."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from deqsci.denoisers.recurrent import RecurrentNetwork
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.space_time_map import AcceleratedSpaceTimeMap, SpaceTimeMap


class RecurrentMap(SpaceTimeMap):
    """f(z; y, Φ) = (1 − α) z + α P(D(what each frame sees)), from one estimate of the video to the
    next.

    Paper, DE-RNN. A frame sees its estimate, the normalised snapshot y/ΣΦ, its mask, and the
    snapshot with the other frames' estimates taken out, y − Σₛ≠ₜ Φₛ zₛ; its neighbours' features
    and hidden states carry the rest from frame to frame. Anchor, data step and parameters are those
    of `SpaceTimeMap`.
    """

    sees = (*SpaceTimeMap.sees, "frame alone")

    @classmethod
    def new_network(cls, **sizes: Any) -> RecurrentNetwork:
        return RecurrentNetwork(len(cls.sees), **sizes)

    def planes(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        misfit = (snapshot - physics.A(u)).unsqueeze(1)
        alone = misfit + physics.masks * u
        return torch.cat((super().planes(u, context, snapshot, physics), alone.unsqueeze(2)), 2)


class AcceleratedRecurrentMap(AcceleratedSpaceTimeMap, RecurrentMap):
    """f(z; y, Φ) = z + α (D(what each frame sees) − P(z)), of u = 2 P(z) − z: the network in
    accelerated GAP, which is DE-RNN here; each frame sees u where it saw z, and the misfit
    P(u) − u."""

    sees = (*RecurrentMap.sees, "misfit")
