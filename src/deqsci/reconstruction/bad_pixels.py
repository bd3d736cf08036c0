"""Pixels that say nothing of the scene: dead, hot and saturated ones, found from the snapshots."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.reconstruction.calibration.clip_level import clip_level
from deqsci.reconstruction.calibration.deleted_residuals import deleted_residuals
from deqsci.reconstruction.calibration.noise_level import NoiseLevel

DEAD = 2.0
"""Standard deviations by which a pixel that reads nothing must fall short of what its neighbours
promise: it is rare in itself, so that little more is asked."""

PROMISED = 3.0
"""What they promise at least, in the most that a pixel without light reads: in the dark a dead
pixel is not told from a live one, and does no harm."""

HOT = 10.0
"""Standard deviations by which a pixel must exceed that in every snapshot."""

_LOOK = 8
"""Snapshots that are looked at for dead and hot pixels, which are the same in all."""

_PASSES = 2
"""A bad pixel spoils the prediction for its neighbours until it is known."""


@dataclass(frozen=True)
class BadPixels:
    """Which pixels are to be left out of the data term.

    Attributes
    ----------
    dead, hot : (H, W) bool, the same in all snapshots.
    saturation : level from which on a pixel is saturated; None where nothing clips.
    """

    dead: Tensor
    hot: Tensor
    saturation: float | None = None

    def saturated(self, snapshot: Tensor) -> Tensor:
        """Pixels of one snapshot that clip, (H, W) bool. Shape: (H, W)."""
        if self.saturation is None:
            return torch.zeros_like(self.dead)
        # Codes that became float32 are not told apart more finely.
        clips = snapshot >= self.saturation - 1e-5 * abs(self.saturation)
        return clips & ~self.dead & ~self.hot

    def of(self, snapshot: Tensor) -> Tensor:
        """All pixels to be left out of one snapshot, (H, W) bool. Shape: (H, W)."""
        return self.dead | self.hot | self.saturated(snapshot)

    def filled(self, snapshot: Tensor, masks: Tensor) -> Tensor:
        """The snapshot with what dead and hot pixels would about read, for a solve to start from.

        A saturated one keeps its reading, which is the least that it received.

        Shape: (H, W), (T, H, W) → (H, W).
        """
        stuck = self.dead | self.hot
        if not stuck.any():
            return snapshot
        return torch.where(stuck, _promised(snapshot, masks.sum(0), ~stuck), snapshot)


def find_bad_pixels(
    snapshots: Tensor, masks: Tensor, noise: NoiseLevel, saturation: float | None = None
) -> BadPixels:
    """Look for pixels that contradict their neighbours, in all snapshots of a file together.

    A dead pixel reads nothing, to within the noise, where its neighbours promise light; a hot one
    far more than they do. Masks that do not fit, texture and motion make the prediction uncertain
    and so hide bad pixels rather than invent them.

    Parameters
    ----------
    snapshots : (N, H, W), in intensities.
    masks : (T, H, W).
    noise : of the snapshots.
    saturation : level at which the sensor clips, where it is known; else it is looked for.
    """
    if saturation is None:
        saturation = clip_level(snapshots, masks)
    nothing = torch.zeros(snapshots.shape[-2:], dtype=torch.bool)
    bad = BadPixels(nothing, nothing, saturation)
    chosen = snapshots[:: math.ceil(len(snapshots) / _LOOK)]
    opening = masks.sum(0)
    floor = max(3 * noise.read, noise.sigma)
    for _ in range(_PASSES):
        reads_nothing, always_more = ~nothing, ~nothing
        short = torch.zeros(snapshots.shape[-2:], dtype=snapshots.dtype)
        seen, promised = torch.zeros_like(short), torch.zeros_like(short)
        for snapshot in chosen:
            clips = snapshot >= math.inf if saturation is None else snapshot >= saturation
            trusted = ~bad.of(snapshot)
            surprise = deleted_residuals(snapshot, masks, trusted)
            promised += torch.where(clips, 0, _promised(snapshot, opening, trusted))
            reads_nothing = reads_nothing & (snapshot <= floor)
            always_more = always_more & (surprise > HOT) & ~clips
            short -= torch.where(clips, 0, surprise)
            seen += ~clips
        contradicted = (short > DEAD * seen.sqrt()) & (promised > PROMISED * floor * seen)
        dead = reads_nothing & contradicted
        bad = BadPixels(dead, always_more & ~dead, saturation)
    return bad


def _promised(snapshot: Tensor, opening: Tensor, trusted: Tensor) -> Tensor:
    """What pixels would read of the mean frame around them. Shape: (H, W) each → (H, W)."""
    both = torch.stack([snapshot, opening.to(snapshot)]) * trusted
    around = F.avg_pool2d(both[:, None], 5, stride=1, padding=2)[:, 0]
    return around[0] / around[1].clamp_min(torch.finfo(snapshot.dtype).tiny) * opening
