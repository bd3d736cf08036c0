r"""The noise of a snapshot, from the patches in which nothing else is left.

The patch model (:mod:`.patches`) gets three curvatures of the scene besides its slopes, and patches
overlap by half, so that as many as possible are without texture and motion. Where the least of them
lie, at each level of light, is the noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.reconstruction.calibration.patches import Patches, Projection, patch_side

_SHARE = 0.03
"""Quantile of the patches' variances that is taken for noise alone."""

_NORMAL_QUANTILE = -1.8808  # of _SHARE
_BINS = 8
_LOOK = 16
"""Snapshots that are looked at."""


@dataclass(frozen=True)
class NoiseLevel:
    """Standard deviation √(read² + level / photons) of a snapshot's noise.

    It is rather too high where few patches are without texture and motion.

    Attributes
    ----------
    read : standard deviation in the dark, in intensities.
    photons : photons at intensity 1; infinite where the noise does not grow with the light.
    level : the snapshots' mean, 0…T.
    """

    read: float
    photons: float
    level: float

    @property
    def sigma(self) -> float:
        """Standard deviation at the snapshots' mean, in intensities."""
        return math.sqrt(self.read**2 + max(0.0, self.level) / self.photons)

    def at(self, snapshot: Tensor) -> Tensor:
        """Standard deviation at each pixel's reading; a scalar where it is the same at all."""
        if math.isinf(self.photons):
            return snapshot.new_tensor(self.read)
        return (self.read**2 + snapshot.clamp_min(0) / self.photons).sqrt()


def noise_level(
    snapshots: Tensor, masks: Tensor, saturation: float | None = None
) -> NoiseLevel | None:
    """The noise of snapshots whose masks are these; None where the sensor is too small to tell.

    Masks that do not fit, a calibration left out, count as noise: the snapshot is then trusted no
    more than the masks deserve.

    Parameters
    ----------
    snapshots : (N, H, W), in intensities.
    masks : (T, H, W).
    saturation : level from which on a pixel is saturated; its patches are left out, as they seem
        to have no noise.
    """
    snapshots = snapshots[:: math.ceil(len(snapshots) / _LOOK)]
    side = patch_side(len(masks))
    if min(masks.shape[-2:]) < 2 * side:
        return None
    levels, variances = [], []
    for top in (0, side // 2):
        for left in (0, side // 2):
            part = (..., slice(top, None), slice(left, None))
            y, phi = snapshots[part], masks[part]
            patches = Patches(side, (phi.shape[-2], phi.shape[-1]), len(y))
            tiles, cut = patches.cut(phi).double(), patches.cut(y).double().permute(1, 2, 0)
            basis = torch.cat([patches.with_slopes(tiles), patches.curvatures(tiles)], -1)
            projection = Projection(basis)
            variance = projection.residual(cut).square().sum(1) / projection.freedom
            used = (cut < saturation).all(1) if saturation is not None else variance >= 0
            levels.append(cut.mean(1)[used])
            variances.append(variance[used])
    level, variance = torch.cat(levels), torch.cat(variances)
    return fit_noise_level(level, variance, projection.freedom) if len(level) else None


def fit_noise_level(levels: Tensor, variances: Tensor, freedom: int) -> NoiseLevel:
    """Fit read and shot noise to the low end of the patches' variances.

    Parameters
    ----------
    levels, variances : (M,) mean and residual variance of each patch.
    freedom : degrees of freedom of a variance.
    """
    # Wilson–Hilferty: the low quantile of χ²/ν, by which that of pure noise lies below its mean.
    spread = 2 / (9 * freedom)
    low = (1 - spread + _NORMAL_QUANTILE * math.sqrt(spread)) ** 3
    order = levels.argsort()
    bins = order.tensor_split(min(_BINS, max(1, len(order) // 16)))
    x = torch.stack([levels[i].mean() for i in bins])
    y = torch.stack([variances[i].quantile(_SHARE) for i in bins]) / low
    # Texture only adds: bins are trusted the more the less variance they have.
    weights = 1 / y.clamp_min(1e-12)
    columns = [torch.stack([torch.ones_like(x), x], 1), torch.ones_like(x)[:, None], x[:, None]]
    candidates = []
    for index, a in enumerate(columns):
        solution = torch.linalg.lstsq(a * weights[:, None], y * weights).solution
        misfit = float(((a @ solution - y) * weights).square().sum())
        constant, slope = [(solution[0], solution[-1]), (solution[0], 0.0), (0.0, solution[0])][
            index
        ]
        if constant >= 0 and slope >= 0:
            candidates.append((misfit, float(constant), float(slope)))
    _, constant, slope = min(candidates)
    photons = 1 / slope if slope > 0 else math.inf
    return NoiseLevel(math.sqrt(constant), photons, float(levels.mean()))
