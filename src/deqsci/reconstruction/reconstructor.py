"""What every method offers, and what wraps one."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.result import Reconstruction


class Reconstructor(Protocol):
    """From snapshots to videos. Networks are reconstructors as they are; a wrapper derives."""

    @property
    def max_evaluations(self) -> int:
        """Evaluations of the map at most; of a wrapper that solves parts, on one part."""
        ...

    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction:
        """The video and how it was reached, without a gradient. Shape: (B, H, W) → (B, T, H, W)."""
        ...

    def __call__(self, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The video. Shape: (B, H, W) → (B, T, H, W)."""
        return self.reconstruct(snapshot, physics).video
