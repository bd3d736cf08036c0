"""How the masks that a camera really has depart from the masks in its file."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.errors import ConfigError

_REACH = 3.0
"""Standard deviations at which the blur's kernel ends."""


@dataclass(frozen=True)
class MaskDeviation:
    """The nominal masks scaled, turned, moved and blurred, in this order, as the sensor sees them.

    Parameters
    ----------
    shift : pixels (down, right) by which the pattern has moved.
    rotation : degrees about the sensor's centre, counter-clockwise as displayed.
    scale : magnification about the sensor's centre; 1 is none.
    blur : standard deviation in pixels of the optics' Gaussian blur.

    Raises
    ------
    ConfigError : a parameter that is not finite, a scale ≤ 0, a blur < 0.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: float = 1.0
    blur: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (*self.shift, self.rotation, self.scale, self.blur)):
            raise ConfigError(f"{self} is not finite; wanted finite numbers")
        if not (self.scale > 0 and self.blur >= 0):
            raise ConfigError(
                f"masks of scale {self.scale:g} with blur {self.blur:g}; "
                f"wanted a scale > 0 and a blur ≥ 0"
            )

    def __call__(self, masks: Tensor) -> Tensor:
        """The masks as the sensor sees them; those given where nothing deviates.

        Shape: (..., T, H, W) → (..., T, H, W), still in [0, 1].
        """
        if self == MaskDeviation():
            return masks
        values = [masks.new_tensor(v) for v in (*self.shift, self.rotation, self.scale)]
        blur = masks.new_tensor(self.blur) if self.blur else None
        return warp_masks(masks, torch.stack(values[:2]), values[2], values[3], blur)


def warp_masks(
    masks: Tensor, shift: Tensor, rotation: Tensor, scale: Tensor, blur: Tensor | None = None
) -> Tensor:
    """What `MaskDeviation` does, differentiable in the masks and in every parameter.

    Between its pixels the pattern is interpolated linearly (so the derivative jumps where a
    sample crosses a pixel's centre); beyond its edge, where the file does not know it, the
    outermost pixels go on.

    Parameters
    ----------
    masks : (..., T, H, W).
    shift : (2,), pixels down and right.
    rotation, scale, blur : scalars: degrees, ratio, pixels > 0.
    """
    height, width = masks.shape[-2:]
    row, column = (
        torch.arange(n, dtype=masks.dtype, device=masks.device) - (n - 1) / 2
        for n in (height, width)
    )
    # Backwards: from where a sensor pixel is to where the pattern was.
    down, right = (row - shift[0])[:, None] / scale, (column - shift[1])[None] / scale
    angle = torch.deg2rad(rotation)
    source_row = down * angle.cos() + right * angle.sin()
    source_column = right * angle.cos() - down * angle.sin()
    # grid_sample counts columns first, from −1 at the first pixel's centre to 1 at the last one's.
    grid = torch.stack([source_column * _unit(width), source_row * _unit(height)], -1)
    stack = masks.reshape(1, -1, height, width)
    warped = F.grid_sample(
        stack, grid[None], mode="bilinear", padding_mode="border", align_corners=True
    )
    if blur is not None:
        warped = _blur(warped, blur)
    return warped.reshape(masks.shape).clamp(0, 1)  # rounding only


def _unit(length: int) -> float:
    return 2 / max(1, length - 1)


def _blur(stack: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur of (1, N, H, W), each tap the Gaussian's integral over one pixel."""
    radius = max(1, math.ceil(_REACH * sigma.item()))
    edges = torch.arange(-radius, radius + 2, dtype=stack.dtype, device=stack.device) - 0.5
    cumulative = torch.special.ndtr(edges / sigma)
    kernel = cumulative[1:] - cumulative[:-1]
    kernel = kernel / kernel.sum()
    images = F.pad(stack.transpose(0, 1), (radius,) * 4, mode="replicate")
    images = F.conv2d(F.conv2d(images, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return images.transpose(0, 1)
