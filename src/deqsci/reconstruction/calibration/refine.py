r"""The deviation to a hundredth of a pixel: maximum likelihood over small patches.

Every patch p of every snapshot n has a noise level of its own, which also holds what the patch
model (:mod:`.patches`) leaves of texture and motion. With it profiled out, the deviation θ
minimises

.. math:: \sum_{p,n} \tfrac{\nu}{2} \log \|r_{pn}(\theta)\|^2,

r being the residual after the best coefficients (variable projection, Golub & Pereyra 1973, with
Kaufman's derivative). Patches that the model describes well decide, by themselves. The uncertainty
is that of M-estimation, H⁻¹ G H⁻¹ with G from patches taken in groups, as neighbours share texture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.physics.camera import MaskDeviation, warp_masks
from deqsci.reconstruction.calibration.clip_level import clip_level
from deqsci.reconstruction.calibration.patches import Patches, Projection

PARAMETERS = ("down", "right", "rotation", "scale", "blur", "offset", "gain")
"""Entries of a vector θ: pixels, pixels, degrees, ratio, pixels² (the blur's variance), intensity,
ratio."""

NOMINAL = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0)

_STEPS = (0.05, 0.05, 0.02, 2e-4, 0.04)
"""Differences by which the masks' derivatives are taken, a few hundredths of a pixel: a derivative
exact at a point would see linear interpolation's kinks."""

_BLUR = PARAMETERS.index("blur")
_OFFSET = PARAMETERS.index("offset")
_GAIN = PARAMETERS.index("gain")

_FLOOR = 2e-3
"""Noise level that no patch is trusted to be below, as a share of the snapshots' mean."""

_GROUP = 4
"""Patches in each direction that are taken as one observation."""

_SETTLED = 1e-2
"""Gain in log-likelihood below which an iteration was the last: far less than a standard
error."""


def deviation(theta: Tensor) -> MaskDeviation:
    """θ (7,) as the physics has it."""
    down, right, rotation, scale, blur = theta[:5].tolist()
    return MaskDeviation((down, right), rotation, scale, max(0.0, blur) ** 0.5)


class Scene:
    """Snapshots of an unknown video, or of a known one where ``video`` is given.

    Parameters
    ----------
    snapshots : (N, H, W), in intensities.
    masks : (T, H, W), nominal.
    side : of a patch.
    video : (T, H, W), what all the snapshots show; None where nobody knows.

    Attributes
    ----------
    levels : (P, N), mean of each patch.
    used : (P, N), 1 for patches without a clipped pixel, 0 for the others.
    groups : (P,), number of the group of neighbours that a patch belongs to.
    """

    def __init__(
        self, snapshots: Tensor, masks: Tensor, side: int, video: Tensor | None = None
    ) -> None:
        snapshots, self._masks = snapshots.double(), masks.double()
        self.patches = Patches(side, (masks.shape[-2], masks.shape[-1]), len(snapshots))
        self._y = self.patches.cut(snapshots).permute(1, 2, 0)  # (P, n, N)
        self._video = None if video is None else self.patches.cut(video.double())
        self.levels = self._y.mean(1)
        self._floor = (_FLOOR * float(snapshots.mean())) ** 2 + 1e-12
        clips = clip_level(snapshots, self._masks)
        self.used = torch.ones_like(self.levels) if clips is None else self._below(clips)
        cells = (self.patches.centres() // (_GROUP * side)).long()
        self.groups = torch.unique(cells, dim=0, return_inverse=True)[1]

    def _below(self, level: float) -> Tensor:
        """(P, N): 1 where no pixel clips."""
        return (self._y < level).all(1).double()

    def tiles(self, theta: Tensor) -> Tensor:
        """The masks at θ, cut. Shape: (7,) → (T, P, side²)."""
        blur = theta[_BLUR].sqrt() if theta[_BLUR] > 0 else None
        return self.patches.cut(warp_masks(self._masks, theta[:2], theta[2], theta[3], blur))

    def fit(self, theta: Tensor) -> Fit:
        """The best coefficients at θ and what they leave."""
        tiles, y = self.tiles(theta), self._y - theta[_OFFSET]
        basis = self.patches.with_slopes(tiles)
        if self._video is not None:  # nothing is left to be found
            basis = basis[..., :0]
            y = y - theta[_GAIN] * self._predict(tiles, None)
        projection = Projection(basis)
        c = projection.coefficients(y)
        residuals = y - basis @ c
        variances = residuals.square().sum(1) / projection.freedom + self._floor
        objective = float((self.used * variances.log()).sum()) * projection.freedom / 2
        return Fit(projection, c, residuals, variances, objective)

    def _predict(self, tiles: Tensor, c: Tensor | None) -> Tensor:
        """Snapshots without gain and offset, linear in the masks. Shape: (P, side², N)."""
        if self._video is not None:
            return (tiles * self._video).sum(0)[..., None].expand_as(self._y)
        assert c is not None
        return self.patches.with_slopes(tiles) @ c

    def derivatives(self, theta: Tensor, free: Sequence[int], fit: Fit) -> Tensor:
        """Of the prediction by θ's free entries, less what other coefficients would undo.

        Shape: (P, side², N, len(free)).
        """
        columns = []
        for k in free:
            if k == _OFFSET:
                column = torch.ones_like(self._y)
            elif k == _GAIN:
                column = self._predict(self.tiles(theta), fit.coefficients)
            else:
                column = theta[_GAIN] * self._predict(self._moved(theta, k), fit.coefficients)
            columns.append(fit.projection.residual(column))
        return torch.stack(columns, -1)

    def _moved(self, theta: Tensor, k: int) -> Tensor:
        """Derivative of the cut masks by entry k."""
        ahead, behind = theta.clone(), theta.clone()
        ahead[k] += _STEPS[k]
        behind[k] -= _STEPS[k] if k != _BLUR or theta[k] >= _STEPS[k] else 0.0
        return (self.tiles(ahead) - self.tiles(behind)) / (ahead[k] - behind[k])


@dataclass(frozen=True)
class Fit:
    """The patch model at some θ.

    Attributes
    ----------
    coefficients : (P, K, N).
    residuals : (P, side², N).
    variances : (P, N), noise level² of each patch, texture and motion included.
    objective : negative log-likelihood but for a constant.
    """

    projection: Projection
    coefficients: Tensor
    residuals: Tensor
    variances: Tensor
    objective: float


@dataclass(frozen=True)
class Estimate:
    """θ (7,), the covariance (7, 7) of its free entries (0 elsewhere) and the fit there."""

    theta: Tensor
    covariance: Tensor
    fit: Fit


def gauss_newton(
    scene: Scene, start: Tensor, free: Sequence[int], iterations: int = 15
) -> Estimate:
    """Minimise over θ's free entries from ``start`` (7,), by Levenberg–Marquardt steps."""
    theta, fit, damping = start.clone(), scene.fit(start), 1e-3
    keep = list(free)
    for _ in range(iterations):
        hessian, gradients = _normal_equations(scene, theta, keep, fit)
        better = None
        while better is None and damping < 1e6:
            damped = hessian + damping * torch.diag(hessian.diagonal() + 1e-12)
            trial = theta.clone()
            trial[keep] += torch.linalg.solve(damped, gradients.sum(0))
            trial[_BLUR].clamp_(min=0)
            trial_fit = scene.fit(trial)
            if trial_fit.objective < fit.objective:
                better = trial_fit
            damping *= 10 if better is None else 0.1
        if better is None:
            break
        gained = fit.objective - better.objective
        theta, fit = trial, better
        if gained < _SETTLED:
            break
    hessian, gradients = _normal_equations(scene, theta, keep, fit)
    inverse = torch.linalg.inv(hessian + 1e-9 * torch.diag(hessian.diagonal() + 1e-12))
    covariance = torch.zeros(len(PARAMETERS), len(PARAMETERS), dtype=torch.float64)
    index = torch.tensor(keep)
    covariance[index[:, None], index] = inverse @ (gradients.mT @ gradients) @ inverse
    return Estimate(theta, covariance, fit)


def _normal_equations(
    scene: Scene, theta: Tensor, free: Sequence[int], fit: Fit
) -> tuple[Tensor, Tensor]:
    """Hessian (k, k) and the descent of each group of patches (groups, k)."""
    jacobian = scene.derivatives(theta, free, fit)
    weights = scene.used / fit.variances
    hessian = torch.einsum("pnmk,pnml,pm->kl", jacobian, jacobian, weights)
    per_patch = torch.einsum("pnmk,pnm,pm->pk", jacobian, fit.residuals, weights)
    groups = scene.groups
    gradients = per_patch.new_zeros(int(groups.max()) + 1, len(free))
    return hessian, gradients.index_add_(0, groups, per_patch)
