"""Masks of a coded aperture, for simulation."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.errors import ConfigError, MaskError


def bernoulli_masks(
    frames: int,
    height: int,
    width: int,
    *,
    density: float = 0.5,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Independent binary masks, each pixel open with probability ``density``.

    Returns (T, H, W) float32 in {0, 1}. Raises MaskError for an empty size, ConfigError for a
    density outside (0, 1].
    """
    _check(frames, height, width, density)
    return (_uniform((frames, height, width), generator) < density).float()


def shifting_masks(
    frames: int,
    height: int,
    width: int,
    *,
    density: float = 0.5,
    step: tuple[int, int] = (1, 0),
    generator: torch.Generator | None = None,
) -> Tensor:
    """One binary pattern that moves by ``step`` = (rows, columns) pixels from frame to frame.

    A translated mask in front of the sensor does this (CACTI, Llull et al. 2013). The pattern is
    larger than the sensor, so that fresh pixels enter at the edge and none return.

    Returns (T, H, W) float32 in {0, 1} with ``masks[t + 1, r + step[0], c + step[1]] ==
    masks[t, r, c]``. Raises as `bernoulli_masks` does.
    """
    _check(frames, height, width, density)
    travel = [(frames - 1) * s for s in step]
    size = (height + abs(travel[0]), width + abs(travel[1]))
    pattern = (_uniform(size, generator) < density).float()
    # The window on the pattern slides against the motion of the pattern.
    top, left = (max(0, distance) for distance in travel)
    corners = [(top - t * step[0], left - t * step[1]) for t in range(frames)]
    return torch.stack([pattern[r : r + height, c : c + width] for r, c in corners])


def gray_masks(
    frames: int,
    height: int,
    width: int,
    *,
    low: float = 0.0,
    high: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Independent gray masks, transmission uniform between ``low`` and ``high``.

    Returns (T, H, W) float32. Raises MaskError for an empty size, ConfigError unless
    0 ≤ low < high ≤ 1.
    """
    _check(frames, height, width)
    if not 0 <= low < high <= 1:
        raise ConfigError(
            f"gray masks from low {low:g} to high {high:g}; wanted 0 ≤ low < high ≤ 1"
        )
    return low + (high - low) * _uniform((frames, height, width), generator)


def _check(frames: int, height: int, width: int, density: float = 1.0) -> None:
    if min(frames, height, width) < 1:
        raise MaskError(
            f"masks of {frames} frames of {height}×{width} pixels; wanted at least 1 of each"
        )
    if not 0 < density <= 1:
        raise ConfigError(f"mask density is {density:g}; wanted a share of open pixels in (0, 1]")


def _uniform(size: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Uniform on [0, 1), on the generator's device."""
    device = None if generator is None else generator.device
    return torch.rand(size, generator=generator, device=device)
