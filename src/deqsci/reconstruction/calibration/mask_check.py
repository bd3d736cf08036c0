"""Whether masks belong to snapshots at all: of this camera, and the right way round."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from deqsci.reconstruction.calibration.registration import pattern, register
from deqsci.reconstruction.calibration.result import Calibration, Verdict

MATCH = 8.0
"""Score of the registration from which the masks' pattern is in the snapshot."""

SMALLEST = 32
"""Pixels that a sensor must have in each direction."""

_CONTRAST = 0.02
"""Of the sum of the masks, below which it leaves no pattern."""

ORIENTATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "transposed (rows and columns exchanged)": lambda m: m.transpose(-2, -1),
    "mirrored left to right": lambda m: m.flip(-1),
    "mirrored top to bottom": lambda m: m.flip(-2),
    "turned by 180°": lambda m: m.flip(-2, -1),
    "turned by 90° counter-clockwise": lambda m: m.rot90(1, (-2, -1)),
    "turned by 90° clockwise": lambda m: m.rot90(-1, (-2, -1)),
    "transposed along the other diagonal": lambda m: m.flip(-2, -1).transpose(-2, -1),
}
"""Ways in which masks are stored wrongly, and what undoes them."""


def has_pattern(masks: Tensor) -> bool:
    """Whether the sum of masks (T, H, W) differs from pixel to pixel."""
    return float(pattern(masks.sum(0)[None]).std()) >= _CONTRAST


def check_masks(snapshots: Tensor, masks: Tensor) -> Calibration | None:
    """A verdict where the snapshots speak against the masks; None where they do not, or cannot.

    It takes some hundredths of a second.

    Shape: snapshots (N, H, W), masks (T, H, W).
    """
    if min(snapshots.shape[-2:]) < SMALLEST or not has_pattern(masks):
        return None
    found = register(snapshots, masks)
    if found.score >= MATCH:
        return Calibration(Verdict.OUT_OF_REACH, score=found.score) if found.at_edge else None
    for name, turn in ORIENTATIONS.items():
        turned = turn(masks)
        if turned.shape == masks.shape:
            score = register(snapshots, turned).score
            if score >= MATCH:
                return Calibration(Verdict.ORIENTATION, score=score, orientation=name)
    return Calibration(Verdict.NO_MATCH, score=found.score)
