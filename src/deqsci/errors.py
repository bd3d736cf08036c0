"""What can be wrong with an input or a command: one sentence says what was found and wanted."""

from __future__ import annotations


class DeqsciError(Exception):
    """Base of every error that the caller can mend; the command line turns it into exit code 2."""


class ShapeError(DeqsciError, ValueError):
    """Tensors whose shapes do not belong together."""


class MaskError(DeqsciError, ValueError):
    """Masks that are missing, empty or outside [0, 1]."""


class NoMasksError(MaskError):
    """A file without masks, which may be given apart."""


class ValueRangeError(DeqsciError, ValueError):
    """Numbers that are not finite or not on the scale they should be on."""


class WeightsError(DeqsciError):
    """A weight file that is missing, damaged, of another network, or that holds code."""


class InputFileError(DeqsciError):
    """An input file that is missing or cannot be understood."""


class OutputError(DeqsciError):
    """An output path that cannot be written, or that holds something that is not ours."""


class ConfigError(DeqsciError, ValueError):
    """A setting that is unknown or out of range."""


class MethodError(DeqsciError, ValueError):
    """A reconstruction method that does not exist."""


class CalibrationError(DeqsciError):
    """Snapshots that do not tell how the camera departs from its masks."""


class TrainingError(DeqsciError):
    """A training run that cannot go on."""
