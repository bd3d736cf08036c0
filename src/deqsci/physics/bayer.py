"""Colour cameras: the Bayer mosaic, under which each pixel of the sensor sees one colour.

A snapshot of a colour video is y = Σₜ Φₜ ⊙ B(xₜ), where B keeps of each pixel the colour that the
mosaic lets through. Each of its four *phases* (every second row and column) sees one colour only
and is a gray snapshot of half the height and width, with the masks of its own pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from deqsci.errors import ConfigError, ShapeError

Pattern = Literal["RGGB", "BGGR", "GRBG", "GBRG"]
"""Colours of the upper left 2×2 pixels, row by row."""

PATTERNS: tuple[Pattern, ...] = get_args(Pattern)

COLOURS = "RGB"
"""The channels of a colour video, in this order, along its last axis."""


def cell(pattern: Pattern) -> tuple[int, int, int, int]:
    """Channel (0 red, 1 green, 2 blue) of the upper left 2×2 pixels, row by row.

    Raises
    ------
    ConfigError : no such pattern.
    """
    if pattern not in PATTERNS:
        raise ConfigError(f"no Bayer pattern {pattern!r}; wanted one of {', '.join(PATTERNS)}")
    red, green, blue = range(3)
    channels = {"R": red, "G": green, "B": blue}
    first, second, third, fourth = (channels[letter] for letter in pattern)
    return first, second, third, fourth


def sites(pattern: Pattern, height: int, width: int) -> Tensor:
    """Where the sensor sees red, green and blue. Shape: (3, H, W) bool, one True a pixel."""
    row, column = torch.arange(height) % 2, torch.arange(width) % 2
    channels = torch.tensor(cell(pattern))[2 * row[:, None] + column]
    return channels == torch.arange(3).view(3, 1, 1)


def mosaic(video: Tensor, pattern: Pattern) -> Tensor:
    """What the sensor sees of a colour video, B(x). Shape: (..., H, W, 3) → (..., H, W).

    Raises
    ------
    ShapeError : the last axis is not 3.
    """
    if video.ndim < 3 or video.shape[-1] != len(COLOURS):
        raise ShapeError(f"video has shape {tuple(video.shape)}; wanted (..., H, W, 3)")
    seen = sites(pattern, *video.shape[-3:-1]).to(video.device)
    return (video * seen.movedim(0, -1)).sum(-1)


PHASES: tuple[tuple[slice, slice], ...] = tuple(
    (slice(row, None, 2), slice(column, None, 2)) for row in (0, 1) for column in (0, 1)
)
"""Rows and columns of the four phases, in the order of a pattern's letters."""


def split_phases(stack: Tensor) -> tuple[Tensor, ...]:
    """The four phases, of H/2 × W/2 pixels; one more on odd sides. Shape: (..., H, W) → four."""
    return tuple(stack[..., rows, columns] for rows, columns in PHASES)


def interleave_phases(phases: Sequence[Tensor]) -> Tensor:
    """The inverse of :func:`split_phases`.

    Raises
    ------
    ShapeError : not four phases of one sensor.
    """
    height = phases[0].shape[-2] + phases[-1].shape[-2]
    width = phases[0].shape[-1] + phases[-1].shape[-1]
    stack = phases[0].new_empty(*phases[0].shape[:-2], height, width)
    places = split_phases(stack)
    if [place.shape for place in places] != [phase.shape for phase in phases]:
        found = ", ".join(str(tuple(phase.shape)) for phase in phases)
        raise ShapeError(f"phases of shapes {found}; wanted the four of one sensor")
    for place, phase in zip(places, phases):
        place.copy_(phase)
    return stack


def colour_masks(masks: Tensor, pattern: Pattern) -> Tensor:
    """Masks under which a colour video is one of 3T gray frames, Φₜ where the sensor sees a colour.

    With them every operator of a gray camera is that of the colour camera: frame 3t + c of a video
    is channel c of frame t.

    Shape: (..., T, H, W) → (..., 3T, H, W).
    """
    seen = sites(pattern, *masks.shape[-2:]).to(masks.device)
    return (masks.unsqueeze(-3) * seen).flatten(-4, -3)
