"""A picture of what a run can do so far."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import torch
from torch import Tensor

from deqsci.training.checkpoint import write

GAP = 2
"""Pixels between the tiles."""


def write_comparison(path: Path, rows: list[tuple[Tensor, Tensor, Tensor]]) -> None:
    """A PNG with one row a clip: input, estimate, truth, error ×4.

    Each is the middle frame, except an input of shape (1, H, W), a snapshot, scaled to its own
    range. Shapes: input (1 or T, H, W), estimate and truth (T, H, W).
    """
    lines = []
    for given, estimate, truth in rows:
        seen = given[len(given) // 2].float()
        if len(given) != len(truth):
            seen = (seen - seen.min()) / (seen.max() - seen.min()).clamp_min(1e-6)
        middle = len(truth) // 2
        error = 4 * (estimate[middle] - truth[middle]).abs()
        tiles = [_framed(t) for t in (seen, estimate[middle], truth[middle], error)]
        lines.append(torch.cat(tiles, 1))
    image = (torch.cat(lines, 0) * 255).round().to(torch.uint8).cpu().numpy()
    write(path, lambda partial: iio.imwrite(partial, image, extension=".png"))


def _framed(tile: Tensor) -> Tensor:
    return torch.nn.functional.pad(tile.clamp(0, 1), (0, GAP, 0, GAP), value=1.0)
