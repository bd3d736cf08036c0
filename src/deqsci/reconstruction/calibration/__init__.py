"""Estimating a camera's deviation from its masks file; see ``docs/calibration.md``."""

from deqsci.reconstruction.calibration.calibrate import calibrate
from deqsci.reconstruction.calibration.frame_order import taken_order
from deqsci.reconstruction.calibration.mask_check import check_masks
from deqsci.reconstruction.calibration.noise_level import NoiseLevel
from deqsci.reconstruction.calibration.result import Calibration, Verdict

__all__ = ["Calibration", "NoiseLevel", "Verdict", "calibrate", "check_masks", "taken_order"]
