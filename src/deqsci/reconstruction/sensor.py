"""How far a sensor's readings are to be trusted: its noise, and its pixels that say nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import PHASES, interleave_phases
from deqsci.reconstruction.bad_pixels import BadPixels, find_bad_pixels
from deqsci.reconstruction.calibration.clip_level import clip_level
from deqsci.reconstruction.calibration.noise_level import NoiseLevel, noise_level


@dataclass(frozen=True)
class Sensor:
    """What the snapshots of a file tell of the sensor that took them.

    Attributes
    ----------
    noise : their noise; None where nothing tells, and the snapshots are trusted.
    bad : pixels that are left out of the data term.
    """

    noise: NoiseLevel | None
    bad: BadPixels

    @classmethod
    def of(
        cls,
        snapshots: Tensor,
        masks: Tensor,
        noise: float | None = None,
        saturation: float | None = None,
        mosaic: bool = False,
    ) -> Self:
        """Look at all snapshots of a file.

        Parameters
        ----------
        snapshots : (N, H, W), in intensities.
        masks : (T, H, W), which fit.
        noise : standard deviation in intensities, 0 for none, where it is known; else estimated.
        saturation : level at which the sensor clips, where it is known; else looked for.
        mosaic : whether it is a colour camera's, whose neighbours of equal colour are two apart.
        """
        saturation = clip_level(snapshots, masks) if saturation is None else saturation
        if mosaic:
            parts = [
                cls.of(snapshots[..., rows, columns], masks[..., rows, columns], noise, saturation)
                for rows, columns in PHASES
            ]
            levels = [part.noise for part in parts if part.noise is not None]
            return cls(_mean(levels), _interleaved(parts, saturation))
        mean = float(snapshots.mean())
        level = noise_level(snapshots, masks, saturation)
        if noise is not None:
            level = NoiseLevel(noise, math.inf, mean)
        known = level or NoiseLevel(0.0, math.inf, mean)
        return cls(level, find_bad_pixels(snapshots, masks, known, saturation))

    def physics(self, snapshot: Tensor, masks: Tensor) -> SnapshotPhysics:
        """The camera that took one snapshot.

        Bad pixels are left out of the data term of every method, their noise being infinite; the
        noise of the others is weighed by those that heed it.

        Shape: (H, W), (T, H, W).
        """
        std = torch.zeros(()) if self.noise is None else self.noise.at(snapshot)
        bad = self.bad.of(snapshot)
        if bad.any():
            std = torch.where(bad, torch.inf, std)
        return SnapshotPhysics(masks, noise=std)


def _mean(levels: Sequence[NoiseLevel]) -> NoiseLevel | None:
    """Of the variances."""
    if not levels:
        return None
    count = len(levels)
    variance = sum(level.read**2 for level in levels) / count
    slope = sum(1 / level.photons for level in levels) / count
    return NoiseLevel(
        math.sqrt(variance),
        1 / slope if slope > 0 else math.inf,
        sum(level.level for level in levels) / count,
    )


def _interleaved(phases: Sequence[Sensor], saturation: float | None) -> BadPixels:
    dead = interleave_phases([phase.bad.dead for phase in phases])
    hot = interleave_phases([phase.bad.hot for phase in phases])
    return BadPixels(dead, hot, saturation)
