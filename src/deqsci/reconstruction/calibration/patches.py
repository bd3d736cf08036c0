r"""What a small patch of a snapshot says, whatever the video is.

In a patch of a few pixels' side a frame hardly differs from one gray value, and what slope the
scene has there is much the same in all frames:

.. math:: y = \sum_t \tilde\Phi_t c_t + \sum_t \tilde\Phi_t\,(a\,u + b\,v) + o + n

with one value c_t for every frame, the slopes a, b and pixel coordinates u, v. That is T + 2
unknowns for some five times as many pixels: with the right masks the rest is noise, with wrong
ones it is not, and no reconstruction stands in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_RIDGE = 1e-6
"""Share of the Gram matrix's mean diagonal that keeps it regular where masks coincide or close."""

MAX_PATCHES = 16384
"""Patches times snapshots that are looked at; more would not make an estimate better that is
already a hundredth of a pixel."""


def patch_side(frames: int) -> int:
    """Side that leaves at least four pixels to every unknown."""
    return max(8, math.ceil(math.sqrt(4 * (frames + 2))))


@dataclass(frozen=True)
class Patches:
    """P square patches that tile the sensor, or a regular share of them where there are many.

    Attributes
    ----------
    side : of a patch, in pixels; what remains at the lower and right edge is left out.
    shape : (H, W) of the sensor.
    snapshots : N, how many are looked at.
    """

    side: int
    shape: tuple[int, int]
    snapshots: int = 1

    @property
    def _stride(self) -> int:
        rows, columns = (length // self.side for length in self.shape)
        return max(1, math.ceil(rows * columns * self.snapshots / MAX_PATCHES))

    def cut(self, images: Tensor) -> Tensor:
        """(..., H, W) → (..., P, side²)."""
        tiles = images.unfold(-2, self.side, self.side).unfold(-2, self.side, self.side)
        return tiles.reshape(*images.shape[:-2], -1, self.side**2)[..., :: self._stride, :]

    def centres(self) -> Tensor:
        """(P, 2) rows and columns of the patches' centres."""
        rows, columns = (torch.arange(n, dtype=torch.float64) for n in self.shape)
        grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
        return self.cut(grid).mean(-1).T

    def with_slopes(self, tiles: Tensor) -> Tensor:
        """The model's columns, of cut masks. Shape: (T, P, side²) → (P, side², T + 2)."""
        down, right = self._ramps(tiles)
        slopes = tiles.sum(0) * torch.stack([down, right])[:, None]
        return torch.cat([tiles, slopes]).permute(1, 2, 0)

    def curvatures(self, tiles: Tensor) -> Tensor:
        """Three more columns, for a scene that bends. Shape: (T, P, side²) → (P, side², 3)."""
        down, right = self._ramps(tiles)
        shapes = torch.stack([down * down, down * right, right * right])
        return (tiles.sum(0) * shapes[:, None]).permute(1, 2, 0)

    def _ramps(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Pixel coordinates in a patch, −½ … ½ down and right. Shape: (side²,), (side²,)."""
        ramp = (torch.arange(self.side, dtype=tiles.dtype) - (self.side - 1) / 2) / self.side
        return ramp.repeat_interleave(self.side), ramp.repeat(self.side)


class Projection:
    """Least squares on a basis (P, n, K) of every patch.

    Attributes
    ----------
    inverse_gram : (P, K, K).
    freedom : n − K, degrees of freedom of a residual.
    """

    def __init__(self, basis: Tensor) -> None:
        self._basis = basis
        self.freedom = basis.shape[1] - basis.shape[2]
        gram = basis.mT @ basis
        ridge = _RIDGE * (gram.diagonal(dim1=-2, dim2=-1).sum(-1) / max(1, gram.shape[-1]) + _RIDGE)
        self._factor = torch.linalg.cholesky(
            gram + ridge[:, None, None] * torch.eye(gram.shape[-1], dtype=gram.dtype)
        )

    @property
    def inverse_gram(self) -> Tensor:
        return torch.cholesky_inverse(self._factor)

    def coefficients(self, values: Tensor) -> Tensor:
        """(P, n, M) → (P, K, M)."""
        return torch.cholesky_solve(self._basis.mT @ values, self._factor)

    def residual(self, values: Tensor) -> Tensor:
        """What no coefficients explain. Shape: (P, n, M) → (P, n, M)."""
        return values - self._basis @ self.coefficients(values)
