"""Any method on the snapshots of a colour camera: from Bayer mosaic to colour video."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import Pattern, cell
from deqsci.reconstruction.demosaic import DEMOSAICKINGS, Demosaicking, demosaic
from deqsci.reconstruction.phases import Phases
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.result import Reconstruction


class Colour(Reconstructor):
    """A method for a colour camera: it solves the phases of the mosaic, then these are demosaicked.

    Parameters
    ----------
    model : any method.
    pattern : of the camera's mosaic.
    demosaicking : see :mod:`deqsci.reconstruction.demosaic`.

    Raises
    ------
    ConfigError : no such pattern or demosaicking.
    """

    def __init__(
        self, model: Reconstructor, pattern: Pattern, demosaicking: Demosaicking = "joint"
    ) -> None:
        cell(pattern)  # refuses what is none before anything is solved
        if demosaicking not in DEMOSAICKINGS:
            known = ", ".join(DEMOSAICKINGS)
            raise ConfigError(f"no demosaicking {demosaicking!r}; wanted one of {known}")
        self.phases, self.pattern, self.demosaicking = Phases(model), pattern, demosaicking

    @property
    def max_evaluations(self) -> int:
        """Evaluations of the map on a phase at most."""
        return self.phases.max_evaluations

    @torch.no_grad()
    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction:
        """The colour video; the rest is of its phases before they were demosaicked.

        Shape: (B, H, W) → (B, T, H, W, 3).
        """
        result = self.phases.reconstruct(snapshot, physics, callback)
        video = demosaic(result.video, self.pattern, self.demosaicking, snapshot, physics)
        return replace(result, video=video)
