"""From the numbers in a file to the units used inside: intensity 0…1, transmission 0…1.

*Full scale* is the count that one frame of full intensity alone leaves on a pixel through a fully
open mask. A snapshot in counts divided by it is the sum of frame intensities, 0…T. A simulated
``.mat`` of the field (8-bit ``orig``, ``meas`` = Σ mask·orig) has full scale 255. A camera file
does not say it: where the capture was scaled so that 255 stands for all the frames that a
half-open mask lets through at full intensity, it is 255 / (T/2).

======================================================  =========================================
what the file holds                                     full scale taken
======================================================  =========================================
anything, and ``full_scale`` is given                   ``full_scale``
snapshot and truth                                      1 or 255, whichever explains the snapshot
snapshot of real numbers within 0…ΣΦ, no truth          1, it is in intensities already
any other snapshot                                      none: error that asks for ``full_scale``
======================================================  =========================================
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from deqsci.errors import MaskError, ValueRangeError
from deqsci.io.containers import Array
from deqsci.io.on_disk import converted, parts

Float = NDArray[np.float32]

EIGHT_BIT = 255.0
DISAGREEMENT = 0.05
"""‖y − Φx‖/‖Φx‖ above which a file's snapshots are said not to come from its truth."""

WRONG_SCALE = 0.75
"""The same for counts, above which even other masks would not explain it: the scale is wrong."""


def check_full_scale(full_scale: float | None) -> None:
    """Raise ValueRangeError unless ``full_scale`` is None or a positive finite number."""
    if full_scale is not None and not (math.isfinite(full_scale) and full_scale > 0):
        raise ValueRangeError(f"full scale is {full_scale:g}; wanted a positive count such as 255")


def finite(array: Array, where: str) -> Array:
    """``array`` itself; ValueRangeError where it holds NaN or infinity."""
    bad = sum(part.size - np.count_nonzero(np.isfinite(part)) for part in parts(array))
    if bad:
        raise ValueRangeError(
            f"{where} holds {bad} NaN or infinite of {array.size} values; wanted finite numbers"
        )
    return array


def transmission(masks: Array, where: str) -> tuple[Float, str | None]:
    """Masks in [0, 1] and a notice where 8-bit masks were rescaled.

    8-bit masks are whole numbers that reach at least half of 255; anything else outside [0, 1]
    could mean several things and is an error.

    Shape: (T, H, W) → (T, H, W).
    """
    low, high = float(masks.min()), float(masks.max())
    if high == 0 and low == 0:
        raise MaskError(f"{where} is 0 everywhere, no light passes; wanted a mask that opens")
    if low >= 0 and high <= 1:
        return masks.astype(np.float32, copy=False), None
    if low >= 0 and EIGHT_BIT / 2 <= high <= EIGHT_BIT and bool(np.all(masks % 1 == 0)):
        notice = f"{where} spans {low:g} to {high:g} and was divided by 255"
        return masks.astype(np.float32) / np.float32(EIGHT_BIT), notice
    raise MaskError(
        f"{where} spans {low:g} to {high:g}; wanted transmission in 0…1 (or 8-bit 0…255), "
        f"divide it by its value when fully open"
    )


def intensity(truth: Array, full_scale: float | None, where: str) -> Float:
    """Truth frames in intensities: real numbers up to 1 stay, 8-bit counts are divided by 255.

    Where ``full_scale`` is given, counts of any type but uint8 are divided by it instead.

    Shape: (F, H, W) → (F, H, W).
    """
    low, high = float(truth.min()), float(truth.max())
    scale: float | None = EIGHT_BIT if high <= EIGHT_BIT else None
    if truth.dtype.kind == "f" and high <= 1:
        scale = 1.0
    elif full_scale is not None and truth.dtype != np.uint8:
        scale = full_scale if high <= full_scale else None
    if low < 0 or scale is None:
        raise ValueRangeError(
            f"{where} spans {low:g} to {high:g}; wanted intensities 0…1 or counts "
            f"0…{full_scale or EIGHT_BIT:g}, give the count of full intensity with --full-scale"
        )
    return _scaled(truth, scale)


def frame_sums(
    snapshots: Array, masks: Float, truth: Float | None, full_scale: float | None, where: str
) -> tuple[Float, tuple[str, ...]]:
    """Snapshots as sums of frame intensities, by the table of this module, with notices.

    Shape: snapshots (N, H, W), masks (T, H, W), truth (N·T, H, W) → (N, H, W).

    Raises
    ------
    ValueRangeError : no full scale fits the numbers, or the given one does not.
    """
    low, high = float(snapshots.min()), float(snapshots.max())
    opening = float(masks.sum(0).max())
    found = f"{where} ({snapshots.dtype}) spans {low:g} to {high:g}"
    most = f"the masks let at most {opening:g} frames of intensity 1 through"

    def fits(scale: float) -> bool:
        # Half as much again leaves room for noise; a wrong scale is wrong by far more.
        return -0.5 * opening <= low / scale and high / scale <= 1.5 * opening

    if full_scale is not None:
        if not fits(full_scale):
            raise ValueRangeError(
                f"{found}, or {high / full_scale:g} at full scale {full_scale:g}, but {most}; "
                f"give the count of one frame at full intensity with --full-scale"
            )
        scale = full_scale
    elif truth is not None and (fits(1.0) or fits(EIGHT_BIT)):
        scale = min((1.0, EIGHT_BIT), key=lambda s: _misfit(snapshots, s, masks, truth))
    elif snapshots.dtype.kind == "f" and fits(1.0):
        scale = 1.0
    elif snapshots.dtype.kind == "f":
        raise ValueRangeError(
            f"{found}, but {most}; if these are counts, give the count of one frame at full "
            f"intensity with --full-scale (255 for an 8-bit video that was summed)"
        )
    else:
        raise ValueRangeError(
            f"{found}: counts, and the file does not say which count is full; give the count of "
            f"one frame at full intensity through an open mask with --full-scale (255 for a "
            f"simulated 8-bit scene, {2 * EIGHT_BIT / len(masks):.4g} for a capture whose 255 is "
            f"half of the {len(masks)} frames)"
        )

    sums = _scaled(snapshots, scale)
    notices = []
    misfit = 0.0 if truth is None else _misfit(snapshots, scale, masks, truth)
    if misfit > WRONG_SCALE and full_scale is None and snapshots.dtype.kind != "f":
        raise ValueRangeError(
            f"{found} and differs from the sum of masks times truth by {100 * misfit:.3g} %, as "
            f"intensities and as 8-bit counts; give the count of one frame at full intensity with "
            f"--full-scale, or the masks it was taken with"
        )
    if misfit > DISAGREEMENT:
        notices.append(
            f"{where} differs from the sum of masks times truth by {100 * misfit:.3g} % "
            f"(noise, or other masks or another scale than it was taken with)"
        )
    elif truth is None and high / scale < 0.25 * opening:
        notices.append(
            f"{where} reaches {high / scale:.3g} where {most}: a dark scene, or another "
            f"scale (then give --full-scale)"
        )
    return sums, tuple(notices)


def _scaled(array: Array, scale: float) -> Float:
    """Counts divided by their full scale; the array itself where that changes nothing."""
    if scale == 1 and array.dtype == np.float32:
        return array
    return converted(array, lambda part: part.astype(np.float32) / np.float32(scale))


def _misfit(snapshots: Array, scale: float, masks: Float, truth: Float) -> float:
    """‖y − Φx‖/‖Φx‖ of the scaled snapshots; infinite where the truth is black and they are not.

    Shape: (N, H, W), scalar, (T, H, W), (N·T, H, W) → scalar.
    """
    size = error = 0.0
    for index, snapshot in enumerate(snapshots):
        frames = truth[index * len(masks) : (index + 1) * len(masks)]
        expected = np.einsum("thw,thw->hw", frames, masks)
        size += float(np.linalg.norm(expected)) ** 2
        error += float(np.linalg.norm(snapshot / scale - expected)) ** 2
    if size > 0:
        return math.sqrt(error / size)
    return math.inf if error > 0 else 0.0
