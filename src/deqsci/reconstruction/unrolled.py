"""Unrolled networks: a map evaluated a fixed number of times, as it was trained."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.schedule import FiniteSchedule, check_iterations


class UnrolledMap(FiniteSchedule):
    """``passes`` evaluations of a map from where it begins: one of a feed-forward network, more of
    an unrolled one, which is the twin of an equilibrium model (the paper's RNN).

    The weights serve the number of passes they were trained for; another number is allowed, to see
    what it does.

    Raises
    ------
    ConfigError : no pass.
    """

    def __init__(self, map: EquilibriumMap, passes: int = 5) -> None:
        super().__init__()
        check_iterations(passes)
        self.map = map
        self.passes = passes

    @property
    def max_evaluations(self) -> int:
        return self.passes

    def iterates(self, snapshot: Tensor, physics: SnapshotPhysics) -> Iterator[Tensor]:
        f, z = self.map.at(snapshot, physics)
        for _ in range(self.passes):
            z = f(z)
            yield self.map.video(z, snapshot, physics)
