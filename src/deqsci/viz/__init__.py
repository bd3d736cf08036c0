"""Pictures of a reconstruction."""

from deqsci.viz.figure import reconstruction_figure
from deqsci.viz.preview import preview_frames

__all__ = ["preview_frames", "reconstruction_figure"]
