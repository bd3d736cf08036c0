"""What equilibrium models are compared with: networks that answer in one pass, T fixed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deqsci.denoisers.stacked_unet import StackedUNet
from deqsci.errors import ShapeError
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap

FRAMES = 8
STAGES = 9


class EndToEndMap(EquilibriumMap):
    """f(z; y, Φ) = y/ΣΦ + U(y/ΣΦ, Φ ⊙ y/ΣΦ, Φ): one U-net from the snapshot to the video.

    After E2E-CNN (Qiao et al., APL Photonics 2020), with the masks among what it sees, so that it
    need not know one by heart. The estimate z has no part in it.

    Parameters
    ----------
    network : (B, 2 T + 1, H, W) → (B, T, H, W).
    """

    network: StackedUNet

    def __init__(self, network: StackedUNet | None = None) -> None:
        super().__init__()
        self.network = new_unet() if network is None else network

    def forward(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The video, whatever z. Shape: (B, T, H, W), (B, H, W) → (B, T, H, W)."""
        _check(physics, self.network.frames)
        mean = physics.initial(snapshot)
        masks = physics.masks.expand_as(mean)
        seen = torch.cat((mean[:, :1], masks * mean, masks), 1)
        video: Tensor = mean + self.network(seen)
        return video


class GapNetMap(EquilibriumMap):
    """f(z; y, Φ): stages of z ← u − Uₖ(u), u = P(z), each with a U-net of its own.

    After GAP-net (Meng, Jalali, Yuan 2020), generalised alternating projection unrolled and
    untied. One pass is the whole network; another one begins with the first stage again.

    Parameters
    ----------
    network : the U-nets of the stages, (B, T, H, W) → (B, T, H, W) each.
    """

    network: nn.ModuleList

    def __init__(self, network: nn.ModuleList | None = None) -> None:
        super().__init__()
        self.network = new_stages() if network is None else network

    def forward(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """All stages. Shape: (B, T, H, W), (B, H, W) → (B, T, H, W)."""
        stage: StackedUNet
        for stage in self.network:  # type: ignore[assignment]
            _check(physics, stage.frames)
            u = physics.project(z, snapshot)
            z = u - stage(u)
        return z


def new_unet() -> StackedUNet:
    """The network of an `EndToEndMap`."""
    return StackedUNet(2 * FRAMES + 1, FRAMES, widths=(64, 128, 256))


def new_stages() -> nn.ModuleList:
    """The networks of a `GapNetMap`."""
    return nn.ModuleList(StackedUNet(FRAMES, FRAMES) for _ in range(STAGES))


def _check(physics: SnapshotPhysics, frames: int) -> None:
    if physics.frames != frames:
        raise ShapeError(
            f"the snapshot holds {physics.frames} frames, and this network is made for {frames}; "
            f"an equilibrium method takes any number"
        )
