"""The DE-GAP-NL map: the space–time network beside a filter of groups of like patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.denoisers.non_local import NonLocalNetwork
from deqsci.denoisers.patch_groups import PatchGroups
from deqsci.fixed_point import Anderson
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.accelerated import Accelerated
from deqsci.reconstruction.space_time_map import (
    RELAXATION,
    AcceleratedSpaceTimeMap,
    SpaceTimeMap,
)

GUIDE = Anderson(tol=1e-3, max_iter=8)
"""The guide's solve: what it lacks of its equilibrium changes few groups."""

ROUNDS = ((8, 14 / 255), (12, 11 / 255), (14, 8 / 255))
"""Side in pixels of the patches, and noise level, of each solve of the filter alone; its groups are
those of what the one before gave. Seams between the patches of one solve lie elsewhere in the next.
Validation crops: with 10 pixels thrice the anchor was 0.3 dB worse, of two rounds 0.2 dB; at
7.4/255 thrice, on the six where total variation has least, it is 0.5 dB."""

FILTER = Anderson(tol=1e-3, max_iter=10)
"""A solve of the filter alone; of rounds that end at 2e-3 the last is 0.15 dB worse, there too."""

SCALE = 16.0
"""What the network's 1 stands for, in units of disagreement: at 4 it learned too slowly."""

LARGE = 0.1
"""Disagreement, in intensities, of which half is believed. A pixel that one frame alone sees is
given: there the state moves on until D gives it back, and noise that grows without bound with how
far it has moved would drive it away for ever."""

TINY = 1e-8
"""Mean square under which nothing disagrees; the root has a derivative then."""


@dataclass(frozen=True)
class NonLocalContext:
    """What y, Φ and the weights decide before a solve."""

    planes: Tensor
    """Of every frame the anchor, the mask, the mean frame and the doubt, (B, T, 4, H, W)."""
    groups: Sequence[PatchGroups]
    """Of each sample the patches that are alike in the anchor."""
    start: Tensor
    """The state of the filter alone whose video is the anchor, (B, T, H, W)."""

    def __getitem__(self, samples: slice) -> NonLocalContext:
        return NonLocalContext(self.planes[samples], self.groups[samples], self.start[samples])


class NonLocalMap(Accelerated):
    r"""f(z; y, Φ) = z + α (D(u) − P(z)), u = 2 P(z) − z, the map of accelerated GAP, with

    .. math:: D(u) = u + g \odot (a - u) + h \odot (W u - u) - N

    W is the `GroupWiener` filter of groups of patches that are alike in the anchor a, across space
    and time. The anchor is made without the network, in rounds: patches of another size, at a lower
    noise level each time, are grouped in the best video so far, the first time in a short solve of
    the guide, an `AcceleratedSpaceTimeMap`, and f with that filter alone for D is solved, from
    where the solve before ended. The network says of every pixel how far it goes back to a and
    towards W u, two shares between 0 and 1, and how much noise N it holds besides, in units of how
    far u, W u and the snapshot disagree around it, up to a bound: where they agree a network of few
    weights would but add its own error. It sees what that of `SpaceTimeMap` does, W u, and the
    misfit P(W u) − W u. Networks of few weights, trained for hours, know little of how videos look;
    that a video repeats itself they need not learn: it is in the snapshot.

    Autonomous: anchor and groups are made once a solve, of y, Φ and the weights alone. No gradient
    passes through them.

    Parameters
    ----------
    network : the guide's weights, the filter and the network.
    spread, relaxation : as in `SpaceTimeMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0, or a relaxation outside (0, 1].
    """

    network: NonLocalNetwork
    sees = (*SpaceTimeMap.sees, "misfit of what was filtered", "filtered")

    def __init__(
        self, network: NonLocalNetwork | None = None, spread: float = 0.05, relaxation: float = 1.0
    ) -> None:
        super().__init__(relaxation)
        self.network = self.new_network() if network is None else network
        self.guide = AcceleratedSpaceTimeMap(self.network.guide, spread, RELAXATION)
        self.spread = spread

    @classmethod
    def new_network(cls) -> NonLocalNetwork:
        """An untrained network for what this map and its guide show it."""
        return NonLocalNetwork(len(AcceleratedSpaceTimeMap.sees), len(cls.sees))

    @torch.no_grad()
    def context(self, snapshot: Tensor, physics: SnapshotPhysics) -> NonLocalContext:
        """The anchor and its groups. Shape: snapshot (B, H, W)."""
        wiener = self.network.wiener
        planes = self.guide.context(snapshot, physics)
        guide, start = self.guide.at(snapshot, physics, planes)
        z = GUIDE.solve(guide, start).value
        video = self.guide.video(z, snapshot, physics)
        for side, level in ROUNDS:
            filtered = partial(wiener, groups=wiener.match(video, side), level=level)
            alone = partial(self.plain, operator=filtered, snapshot=snapshot, physics=physics)
            z = FILTER.solve(alone, z).value
            video = self.video(z, snapshot, physics)
        planes[:, :, 0] = video
        return NonLocalContext(planes, wiener.match(video), z)

    def start(self, context: NonLocalContext, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The state of the filter alone."""
        return context.start

    def clean(
        self,
        u: Tensor,
        context: NonLocalContext,
        snapshot: Tensor,
        physics: SnapshotPhysics,
    ) -> Tensor:
        filtered = self.network.wiener(u, context.groups)
        misfit = physics.proximal(filtered, snapshot, self.spread) - filtered
        further = torch.stack((misfit, filtered), 2)
        planes = torch.cat((u.unsqueeze(2), context.planes, further), 2)
        scale = disagreement(filtered - u, misfit)
        cleaned: Tensor = self.network.space_time(planes, scale=scale)
        return cleaned


def disagreement(change: Tensor, misfit: Tensor) -> Tensor:
    """`SCALE` times r / (1 + r / `LARGE`), r the root mean square, over 5×5 pixels, of what a
    filter changes and of what its result leaves unexplained. Shape: (B, T, H, W) each."""
    power = F.avg_pool2d(change.square() + misfit.square(), 5, 1, 2, count_include_pad=False)
    root = (power + TINY).sqrt()
    return SCALE * root / (1 + root / LARGE)
