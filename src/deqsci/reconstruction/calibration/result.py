"""What a calibration says: the camera, how sure that is, and what could not be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from torch import Tensor

from deqsci.physics.camera import MaskDeviation
from deqsci.reconstruction.calibration.noise_level import NoiseLevel
from deqsci.reconstruction.calibration.registration import REACH

CERTAIN = 0.1
"""Standard error in pixels, at the sensor's worst corner, up to which an estimate is of use."""


class Verdict(Enum):
    """What came of a calibration, in the words that a person should read."""

    CALIBRATED = "calibrated"
    NO_PATTERN = (
        "the sum of the masks is the same everywhere and leaves no pattern on a snapshot, so that "
        "nothing tells where they lie"
    )
    NO_MATCH = (
        "the pattern of these masks is not in the snapshots: they are of another camera or of "
        "another region of its sensor, more than 3° turned, or the snapshots are too dark"
    )
    ORIENTATION = "the masks fit the snapshots only once they are"
    OUT_OF_REACH = (
        f"the masks lie {REACH} pixels off or more, where the search ends; cut masks and snapshots "
        f"to the same region"
    )
    UNCERTAIN = (
        f"the snapshots do not tell to {CERTAIN} pixels where the masks lie; give more of them, or "
        f"of a brighter scene with smoother parts"
    )
    TOO_SMALL = "the sensor has too few pixels to tell where the masks lie"


@dataclass(frozen=True)
class Calibration:
    """The camera y = gain · Σₜ Φ̃ₜ xₜ + offset, Φ̃ the masks seen through ``deviation``.

    Where the verdict is not that it is calibrated, the camera is the nominal one.

    Attributes
    ----------
    verdict : whether to believe it, and what to do where not.
    deviation : of the masks.
    gain : counts too many, as a ratio; 1 where the video is unknown, as a brighter video would
        explain the same snapshots.
    offset : intensity added to every pixel of a snapshot; 0 where the snapshots do not tell it.
    errors : standard error of every entry of `PARAMETERS` that was estimated (of the blur's
        variance, in pixels²), from the scatter among parts of the sensor and from what another
        size of patches gives.
    displacement_error : standard error of a mask pixel's place at the worst corner, in pixels.
    score : how clearly the masks' pattern stands in the snapshots, in standard deviations.
    noise : of the snapshots, where they were fitted.
    order : the frames' order where it is not that of the masks, else None.
    orientation : what undoes the orientation of wrongly stored masks, else None.
    """

    verdict: Verdict
    deviation: MaskDeviation = field(default_factory=MaskDeviation)
    gain: float = 1.0
    offset: float = 0.0
    errors: Mapping[str, float] | None = None
    displacement_error: float | None = None
    score: float | None = None
    noise: NoiseLevel | None = None
    order: tuple[int, ...] | None = None
    orientation: str | None = None

    @property
    def trusted(self) -> bool:
        """Whether the estimate is of use."""
        return self.verdict is Verdict.CALIBRATED

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return " ".join(part for part in (self.verdict.value, self.orientation) if part)

    def correct(self, snapshots: Tensor) -> Tensor:
        """Snapshots without gain and offset."""
        return (snapshots - self.offset) / self.gain
