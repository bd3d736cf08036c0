"""What the coded camera does to a video."""

from deqsci.physics.snapshot import SnapshotPhysics

__all__ = ["SnapshotPhysics"]
