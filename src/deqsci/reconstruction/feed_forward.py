"""What equilibrium models are compared with: networks that answer in one pass, T fixed."""

from __future__ import annotations

from collections.abc import Callable

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
        check_frames(physics.frames, self.network.frames)
        mean = physics.initial(snapshot)
        masks = physics.masks.expand_as(mean)
        seen = torch.cat((mean[:, :1], masks * mean, masks), 1)
        video: Tensor = mean + self.network(seen)
        return video


class Stages(nn.Module):
    """z ← u − Uₖ(u), u = P(z), for K stages, each with a U-net of its own.

    Shape: (B, T, H, W) and the projection P → (B, T, H, W).
    """

    def __init__(self, frames: int, count: int) -> None:
        super().__init__()
        self.frames = frames
        self.stages = nn.ModuleList(StackedUNet(frames, frames) for _ in range(count))

    def forward(self, z: Tensor, project: Callable[[Tensor], Tensor]) -> Tensor:
        for network in self.stages:
            u = project(z)
            z = u - network(u)
        return z


class GapNetMap(EquilibriumMap):
    """f(z; y, Φ): the stages of an unrolled projection, each with a U-net of its own.

    After GAP-net (Meng, Jalali, Yuan 2020), generalised alternating projection unrolled and
    untied. One pass is the whole network; another one begins with the first stage again.

    Parameters
    ----------
    network : (B, T, H, W), P → (B, T, H, W).
    """

    network: Stages

    def __init__(self, network: Stages | None = None) -> None:
        super().__init__()
        self.network = new_stages() if network is None else network

    def forward(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """All stages. Shape: (B, T, H, W), (B, H, W) → (B, T, H, W)."""
        check_frames(physics.frames, self.network.frames)
        video: Tensor = self.network(z, lambda video: physics.project(video, snapshot))
        return video


def new_unet() -> StackedUNet:
    """The network of an `EndToEndMap`."""
    return StackedUNet(2 * FRAMES + 1, FRAMES, widths=(64, 128, 256))


def new_stages() -> Stages:
    """The network of a `GapNetMap`."""
    return Stages(FRAMES, STAGES)


def check_frames(found: int, wanted: int) -> None:
    """Raise ShapeError where a network made for so many frames a snapshot meets others."""
    if found != wanted:
        raise ShapeError(
            f"a snapshot of {found} frames, and this method is trained for {wanted}; gap-tv and "
            f"the equilibrium methods take any number"
        )
