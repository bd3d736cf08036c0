"""From the numbers in a file to the units used inside: intensity 0…1, transmission 0…1.

*Full scale* is the count that one frame of full intensity alone leaves on a pixel through a fully
open mask, *black level* the count of a pixel without light. A snapshot in counts, less the one and
divided by the other, is the sum of frame intensities, 0…T.

======================================================  =========================================
what the file holds                                     full scale taken
======================================================  =========================================
anything, and ``full_scale`` is given                   ``full_scale``
snapshot and truth                                      1 or 255, whichever explains the snapshot;
                                                        real numbers that neither does, as below
snapshot of real numbers within 0…ΣΦ                    1, it is in intensities already
any other snapshot                                      a guess (:mod:`deqsci.io.counts`), which
                                                        is told; error where none fits
======================================================  =========================================

The black level is 0 unless it is given, or the snapshot holds whole counts without a truth: then
it is guessed too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from deqsci.errors import MaskError, ValueRangeError
from deqsci.io.containers import Array
from deqsci.io.counts import EIGHT_BIT, Scale, guess_black_level, guess_full_scale
from deqsci.io.on_disk import converted, parts

Float = NDArray[np.float32]

SIXTEEN_BIT = 65535.0
OVERSHOOT = 1.5
"""How far, in full scales, a video of real numbers may leave 0…1 before its scale is in doubt."""

UNDERSHOOT = 0.25
"""The same below 0 of a truth, which a resize takes it by less; further down it is no intensity."""

DISAGREEMENT = 0.05
"""‖y − Φx‖/‖Φx‖ above which a file's snapshots are said not to come from its truth."""

WRONG_SCALE = 0.75
"""The same, above which even other masks would not explain it: the scale is wrong."""


def check_scale(full_scale: float | None, black_level: float | None) -> None:
    """Raise ValueRangeError unless both are finite where they are given, the first above 0."""
    if full_scale is not None and not (math.isfinite(full_scale) and full_scale > 0):
        raise ValueRangeError(f"full scale is {full_scale:g}; wanted a positive count such as 255")
    if black_level is not None and not math.isfinite(black_level):
        raise ValueRangeError(f"black level is {black_level:g}; wanted a finite count such as 0")


def finite(array: Array, where: str) -> Array:
    """``array`` itself; ValueRangeError where it holds NaN or infinity."""
    bad = sum(part.size - np.count_nonzero(np.isfinite(part)) for part in parts(array))
    if bad:
        raise ValueRangeError(
            f"{where} holds {bad} NaN or infinite of {array.size} values; wanted finite numbers"
        )
    return array


def transmission(masks: Array, where: str) -> tuple[Float, tuple[str, ...]]:
    """Masks in [0, 1] and a notice where 8- or 16-bit masks were rescaled.

    8-bit masks are whole numbers that reach at least half of 255, 16-bit ones reach 65535;
    anything else outside [0, 1] could mean several things and is an error.

    Shape: (T, H, W) → (T, H, W).
    """
    low, high = float(masks.min()), float(masks.max())
    if high == 0 and low == 0:
        raise MaskError(f"{where} is 0 everywhere, no light passes; wanted a mask that opens")
    if low >= 0 and high <= 1:
        return masks.astype(np.float32, copy=False), ()
    ranges = ((EIGHT_BIT / 2, EIGHT_BIT), (SIXTEEN_BIT, SIXTEEN_BIT))
    full = next((top for least, top in ranges if least <= high <= top), None)
    if full is not None and low >= 0 and bool(np.all(masks % 1 == 0)):
        notice = f"{where} spans {low:g} to {high:g} and was divided by {full:g}"
        return masks.astype(np.float32) / np.float32(full), (notice,)
    raise MaskError(
        f"{where} spans {low:g} to {high:g}; wanted transmission in 0…1 (or 8-bit 0…255), "
        f"divide it by its value when fully open"
    )


def intensity(truth: Array, full_scale: float | None, where: str) -> Float:
    """Truth frames in intensities: real numbers up to 1 + ``OVERSHOOT`` stay, as a resize may have
    taken them above 1, and down to −``UNDERSHOOT``; 8-bit counts are divided by 255.

    Where ``full_scale`` is given, counts of any type but uint8 are divided by it instead.

    Shape: (F, H, W) → (F, H, W).
    """
    low, high = float(truth.min()), float(truth.max())
    scale: float | None = EIGHT_BIT if high <= EIGHT_BIT else None
    if truth.dtype.kind == "f" and high <= 1 + OVERSHOOT:
        scale = 1.0
    elif full_scale is not None and truth.dtype != np.uint8:
        scale = full_scale if high <= full_scale else None
    undershoot = UNDERSHOOT if truth.dtype.kind == "f" else 0.0
    if scale is None or low < -undershoot * scale:
        raise ValueRangeError(
            f"{where} spans {low:g} to {high:g}; wanted intensities 0…1 or counts "
            f"0…{full_scale or EIGHT_BIT:g}, give the count of full intensity with --full-scale"
        )
    return _scaled(truth, Scale(scale))


def frame_sums(
    snapshots: Array,
    masks: Float,
    truth: Float | None,
    where: str,
    *,
    full_scale: float | None = None,
    black_level: float | None = None,
) -> tuple[Float, Scale, tuple[str, ...]]:
    """Snapshots as sums of frame intensities, by the table of this module, with notices.

    Shape: snapshots (N, H, W), masks (T, H, W), truth (N·T, H, W) → (N, H, W).

    Raises
    ------
    ValueRangeError : no full scale fits the numbers, or what is given does not.
    """
    scale = _choose(snapshots, masks, truth, full_scale, black_level, where)
    high, opening = scale.intensity(float(snapshots.max())), float(masks.sum(0).max())
    whole = snapshots.dtype.kind != "f"
    notices = []
    misfit = 0.0 if truth is None else _misfit(snapshots, scale, masks, truth)
    if misfit > WRONG_SCALE and full_scale is None and whole:
        raise ValueRangeError(
            f"{_found(snapshots, where)} and differs from the sum of masks times truth by "
            f"{100 * misfit:.3g} %, as intensities and as 8-bit counts; give the count of one "
            f"frame at full intensity with --full-scale, or the masks it was taken with"
        )
    if scale.guessed:
        notices.append(
            f"{_found(snapshots, where)}: taken as counts with black level {scale.black_level:g} "
            f"and full scale {scale.full_scale:.4g} (of one frame through an open mask), "
            f"{_guesses(full_scale, black_level)}"
        )
    elif truth is not None and full_scale is None and scale.full_scale != 1 and not whole:
        notices.append(f"{where} was divided by {scale.full_scale:g}, which its truth agrees with")
    if misfit > DISAGREEMENT:
        notices.append(
            f"{where} differs from the sum of masks times truth by {100 * misfit:.3g} % "
            f"(noise, or other masks than it was taken with, or another scale: --full-scale and "
            f"--black-level say it, {scale.full_scale:g} and {scale.black_level:g} were taken)"
        )
    elif truth is None and not scale.guessed and high < 0.25 * opening:
        notices.append(
            f"{where} reaches {high:.3g} where {_most(masks)}: a dark scene, or another scale "
            f"(then give --full-scale)"
        )
    return _scaled(snapshots, scale), scale, tuple(notices)


def _choose(
    snapshots: Array,
    masks: Float,
    truth: Float | None,
    full_scale: float | None,
    black_level: float | None,
    where: str,
) -> Scale:
    low, high = float(snapshots.min()), float(snapshots.max())
    opening = float(masks.sum(0).max())
    real = snapshots.dtype.kind == "f"
    if black_level is not None and black_level >= (mean := float(snapshots.mean())):
        raise ValueRangeError(
            f"black level is {black_level:g}; wanted less than {mean:g}, the mean of {where}"
        )

    def fits(scale: Scale) -> bool:
        # Half as much again leaves room for noise; a wrong scale is wrong by far more.
        return -0.5 * opening <= scale.intensity(low) and scale.intensity(high) <= 1.5 * opening

    known = [Scale(full, black_level or 0.0) for full in (1.0, EIGHT_BIT)]
    if truth is not None and full_scale is None and any(map(fits, known)):
        one, eight_bit = (_misfit(snapshots, scale, masks, truth) for scale in known)
        if one <= eight_bit:
            return known[0]
        # Divided by 255, too bright or noisy intensities are nearly 0, and nearer to their truth.
        if eight_bit <= WRONG_SCALE or not real:
            return known[1]
    if real and full_scale is None and fits(known[0]):
        return known[0]
    black = black_level
    if black is None:
        black = guess_black_level(snapshots, masks) if truth is None else 0.0
    if full_scale is not None:
        scale = Scale(full_scale, black, guessed=black_level is None and black != 0)
        if fits(scale):
            return scale
        raise ValueRangeError(
            f"{_found(snapshots, where)}, or {scale.intensity(high):g} at full scale "
            f"{full_scale:g}, but {_most(masks)}; give the count of one frame at full intensity "
            f"with --full-scale"
        )
    guess = guess_full_scale(snapshots, masks, black)
    if guess is None or not fits(scale := Scale(guess, black, guessed=True)):
        raise ValueRangeError(
            f"{_found(snapshots, where)}, but {_most(masks)}; if these are counts, give the count "
            f"of one frame at full intensity with --full-scale (255 for an 8-bit video that was "
            f"summed)"
        )
    return scale


def _guesses(full_scale: float | None, black_level: float | None) -> str:
    """What is guessed of what was not given."""
    if full_scale is not None:
        return "the former guessed; --black-level says otherwise"
    options = (
        "--full-scale says" if black_level is not None else "--black-level and --full-scale say"
    )
    return f"by which the video's brightness is guessed; {options} otherwise"


def _found(snapshots: Array, where: str) -> str:
    low, high = float(snapshots.min()), float(snapshots.max())
    return f"{where} ({snapshots.dtype}) spans {low:g} to {high:g}"


def _most(masks: Float) -> str:
    opening = float(masks.sum(0).max())
    return f"the masks let at most {opening:g} frames of intensity 1 through"


def _scaled(array: Array, scale: Scale) -> Float:
    """Counts as intensities; the array itself where that changes nothing."""
    full, black = np.float32(scale.full_scale), np.float32(scale.black_level)
    if full == 1 and black == 0 and array.dtype == np.float32:
        return array
    return converted(array, lambda part: (part.astype(np.float32) - black) / full)


def _misfit(snapshots: Array, scale: Scale, masks: Float, truth: Float) -> float:
    """‖y − Φx‖/‖Φx‖ of the scaled snapshots; infinite where the truth is black and they are not.

    Shape: (N, H, W), scale, (T, H, W), (N·T, H, W) → scalar.
    """
    size = error = 0.0
    for index, snapshot in enumerate(snapshots):
        frames = truth[index * len(masks) : (index + 1) * len(masks)]
        expected = np.einsum("thw,thw->hw", frames, masks)
        scaled = (snapshot - scale.black_level) / scale.full_scale
        size += float(np.linalg.norm(expected)) ** 2
        error += float(np.linalg.norm(scaled - expected)) ** 2
    if size > 0:
        return math.sqrt(error / size)
    return math.inf if error > 0 else 0.0
