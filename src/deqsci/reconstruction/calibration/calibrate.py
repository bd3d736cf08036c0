"""How a camera departs from its masks file, from its snapshots."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.errors import ShapeError
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.calibration.clip_level import clip_level
from deqsci.reconstruction.calibration.frame_order import order_in
from deqsci.reconstruction.calibration.mask_check import MATCH, SMALLEST, check_masks, has_pattern
from deqsci.reconstruction.calibration.noise_level import noise_level
from deqsci.reconstruction.calibration.patches import patch_side
from deqsci.reconstruction.calibration.refine import (
    NOMINAL,
    PARAMETERS,
    Estimate,
    Scene,
    deviation,
    gauss_newton,
)
from deqsci.reconstruction.calibration.registration import register
from deqsci.reconstruction.calibration.result import CERTAIN, Calibration, Verdict

OFFSET_CERTAIN = 0.01
"""Standard error in intensities up to which an offset is taken off."""

_MASKS = tuple(PARAMETERS.index(name) for name in ("down", "right", "rotation", "scale"))
_BLUR = PARAMETERS.index("blur")
_OFFSET = PARAMETERS.index("offset")
_GAIN = PARAMETERS.index("gain")

_BLUR_START = 0.1
_BLUR_PAYS = 25.0
"""Log-likelihood that a blur must gain to be believed."""
_LEAST_BLUR = 0.09
"""Variance in pixels² that it must have: moving texture looks like less than that."""


def calibrate(snapshots: Tensor, masks: Tensor, video: Tensor | None = None) -> Calibration:
    """Estimate the deviation from all snapshots of a file together.

    Parameters
    ----------
    snapshots : (N, H, W), in intensities.
    masks : (T, H, W), nominal.
    video : (T, H, W), what all snapshots show, where a known scene was captured; then the gain is
        estimated too.

    Raises
    ------
    ShapeError, ValueRangeError : snapshots, masks and video that do not belong together.
    """
    SnapshotPhysics(masks).validate(snapshots)
    if video is not None and video.shape != masks.shape:
        raise ShapeError(
            f"the known scene has shape {tuple(video.shape)}; wanted {tuple(masks.shape)}"
        )
    snapshots, masks = snapshots.detach().cpu().double(), masks.detach().cpu().double()
    side = patch_side(len(masks))
    if min(snapshots.shape[-2:]) < max(SMALLEST, 2 * side):
        return Calibration(Verdict.TOO_SMALL)
    if not has_pattern(masks):
        return Calibration(Verdict.NO_PATTERN)
    if (refusal := check_masks(snapshots, masks)) is not None:
        return refusal
    found = register(snapshots, masks)

    scene = Scene(snapshots, masks, side, video)
    theta = torch.tensor(NOMINAL, dtype=torch.float64)
    theta[0], theta[1] = found.shift
    theta[2], theta[3] = found.rotation, found.scale
    free = [*_MASKS, _OFFSET, *([] if video is None else [_GAIN])]
    estimate = gauss_newton(scene, _best_start(scene, theta), free)
    blurred = _blurred(scene, estimate, [k for k in free if k != _OFFSET])
    if blurred is not None:
        estimate = gauss_newton(scene, blurred.theta, free)
    other = gauss_newton(Scene(snapshots, masks, side - 2, video), estimate.theta, free, 5)
    difference = other.theta - estimate.theta
    covariance = estimate.covariance + torch.outer(difference, difference)
    displacement = _corner_error(covariance, masks.shape[-2:])
    errors = {PARAMETERS[k]: float(covariance[k, k].sqrt()) for k in free}
    if blurred is not None:
        errors["blur"] = float(blurred.covariance[_BLUR, _BLUR].sqrt())
    offset = float(estimate.theta[_OFFSET])
    if errors["offset"] > OFFSET_CERTAIN and video is None:
        offset = 0.0
        del errors["offset"]
    seen = deviation(estimate.theta)(masks)
    after = register(snapshots, seen)
    lost = max(map(abs, after.shift)) > 0.5 or after.score < MATCH
    if lost or not displacement < CERTAIN:
        return Calibration(
            Verdict.UNCERTAIN, errors=errors, displacement_error=displacement, score=found.score
        )
    return Calibration(
        Verdict.CALIBRATED,
        deviation(estimate.theta),
        gain=float(estimate.theta[_GAIN]),
        offset=offset,
        errors=errors,
        displacement_error=displacement,
        score=found.score,
        noise=noise_level(snapshots - offset, seen, clip_level(snapshots - offset, seen)),
        order=None if video is not None else order_in(estimate.fit, masks),
    )


def _best_start(scene: Scene, theta: Tensor) -> Tensor:
    """θ, or one of its neighbours half a pixel around, or none: where the fit is best.

    Independent mask pixels have nothing in common a pixel apart, so that Gauss–Newton must begin
    within that.
    """
    starts = [torch.tensor(NOMINAL, dtype=torch.float64)]
    for down in (-0.5, 0.0, 0.5):
        for right in (-0.5, 0.0, 0.5):
            start = theta.clone()
            start[:2] += torch.tensor([down, right], dtype=torch.float64)
            starts.append(start)
    return min(starts, key=lambda start: scene.fit(start).objective)


def _blurred(scene: Scene, estimate: Estimate, free: list[int]) -> Estimate | None:
    """The estimate with a blur, where one pays.

    Without an offset: on moving texture both together would fit more than they should.
    """
    start = estimate.theta.clone()
    start[_BLUR], start[_OFFSET] = _BLUR_START, 0.0
    blurred = gauss_newton(scene, start, [*free, _BLUR])
    pays = blurred.fit.objective < estimate.fit.objective - _BLUR_PAYS
    return blurred if pays and blurred.theta[_BLUR] > _LEAST_BLUR else None


def _corner_error(covariance: Tensor, shape: torch.Size) -> float:
    """Standard error in pixels of where a corner of the sensor sees the masks."""
    worst = 0.0
    for row in (-shape[0] / 2, shape[0] / 2):
        for column in (-shape[1] / 2, shape[1] / 2):
            turn = torch.pi / 180
            moves = torch.tensor(
                [[1.0, 0.0, -column * turn, row], [0.0, 1.0, row * turn, column]],
                dtype=covariance.dtype,
            )
            worst = max(worst, float((moves @ covariance[:4, :4] @ moves.mT).trace()))
    return worst**0.5
