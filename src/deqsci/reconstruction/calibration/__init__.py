"""Estimating a camera's deviation from its masks file; see ``docs/calibration.md``."""

from deqsci.reconstruction.calibration.calibrate import (
    Calibration,
    Verdict,
    calibrate,
    check_masks,
)
from deqsci.reconstruction.calibration.noise_level import NoiseLevel

__all__ = ["Calibration", "NoiseLevel", "Verdict", "calibrate", "check_masks"]
