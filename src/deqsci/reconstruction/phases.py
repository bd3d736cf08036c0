"""Any method on the snapshots of a colour camera: phase by phase."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import PHASES, interleave_phases
from deqsci.reconstruction.parts import Part, share, together
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.result import Reconstruction


class Phases(Reconstructor):
    """A method that solves the four phases of a mosaic, each a gray snapshot, and interleaves them.

    What comes out is the mosaicked video, which :mod:`deqsci.reconstruction.demosaic` makes a
    colour video of. It is the same for all four patterns: no method needs to know a colour.
    Memory is that of one phase.

    Parameters
    ----------
    model : any method.
    """

    def __init__(self, model: Reconstructor) -> None:
        self.model = model

    @property
    def max_evaluations(self) -> int:
        """Evaluations of the map on a phase at most."""
        return self.model.max_evaluations

    @torch.no_grad()
    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction:
        """The mosaicked video and how its phases were reached. Shape: (B, H, W) → (B, T, H, W)."""
        physics.validate(snapshot)
        videos, phases = [], []
        for index, (rows, columns) in enumerate(PHASES):
            result = self.model.reconstruct(
                snapshot[:, rows, columns],
                physics.crop(rows, columns),
                share(callback, index, len(PHASES), self.max_evaluations),
            )
            videos.append(result.video)
            phases.append(Part.of(result))
        return together(interleave_phases(videos), phases, "phases")
