"""Snapshots of any size: solved tile by tile, the tiles blended into one video."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Callback
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.parts import Part, share, together
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.result import Reconstruction

ALIGNMENT = 8
"""Tiles begin at multiples of it, so that every network sees its own grid of pixels."""

HALO = 32
"""Pixels that a tile sees beyond the line where it gives way to its neighbour."""

BLEND = 16
"""Pixels on either side of that line over which it does; what lies further out is dropped."""

SMALLEST = 128
"""The shortest side that tiles may be given: half of it is halo then."""

WHOLE = 1 << 24
"""Values of a video up to which it is solved in one piece."""

TILE = 1 << 23
"""Values of a tile, unless its side is given: a solver then remembers some 0.7 GB."""


class Tiled(Reconstructor):
    """A method that solves tile after tile: memory is that of one tile and of the video.

    A pixel of the snapshot tells of its own T pixels only, and a network looks at a
    neighbourhood, so what lies beyond ``HALO`` pixels hardly matters. Each tile is a snapshot of
    its own, with a solver and a convergence of its own: a still corner is done before a moving
    one. The weights of the tiles add up to 1 at every pixel.

    The whole solve is tiled, not the evaluation of the map inside one solve: that would be exact,
    but a solver remembers some twenty videos, of the whole size then. A snapshot that fits into
    one tile is solved as without tiles.

    Parameters
    ----------
    model : any method.
    tile : longest side of a tile in pixels, halo included.

    Raises
    ------
    ConfigError : a tile of less than ``SMALLEST`` pixels.
    """

    def __init__(self, model: Reconstructor, tile: int) -> None:
        if tile < SMALLEST:
            raise ConfigError(f"tiles of {tile} pixels; wanted at least {SMALLEST}")
        self.model, self.tile = model, tile

    @property
    def max_evaluations(self) -> int:
        """Evaluations of the map on a tile at most."""
        return self.model.max_evaluations

    @torch.no_grad()
    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction:
        """The video and how its tiles were reached. Shape: (B, H, W) → (B, T, H, W).

        ``residuals`` are those of all tiles together, a stopped tile counted with its best;
        ``evaluations`` are the mean over the tiles, weighted by their pixels.
        """
        physics.validate(snapshot)
        grid = self._grid(*physics.shape)
        if len(grid) == 1:
            return self.model.reconstruct(snapshot, physics, callback)
        video = snapshot.new_zeros(len(snapshot), physics.frames, *physics.shape)
        tiles = []
        for index, (rows, columns) in enumerate(grid):
            window = (..., rows.seen, columns.seen)
            result = self.model.reconstruct(
                snapshot[window],
                physics.crop(rows.seen, columns.seen),
                share(callback, index, len(grid), self.max_evaluations),
            )
            weight = rows.weight(snapshot).unsqueeze(1) * columns.weight(snapshot)
            video[window].addcmul_(result.video, weight)
            tiles.append(Part.of(result))
        return together(video, tiles, "tiles")

    def count(self, height: int, width: int) -> int:
        """Tiles of a snapshot."""
        return len(self._grid(height, width))

    def _grid(self, height: int, width: int) -> list[tuple[Span, Span]]:
        columns = spans(width, self.tile)
        return [(rows, column) for rows in spans(height, self.tile) for column in columns]


@dataclass(frozen=True)
class Span:
    """Rows or columns of a tile: from ``first`` to ``last`` it is this tile's turn."""

    first: int
    last: int
    length: int
    """Of the whole side."""

    @property
    def seen(self) -> slice:
        """What is solved."""
        return slice(max(0, self.first - HALO), min(self.length, self.last + HALO))

    def weight(self, like: Tensor) -> Tensor:
        """The share of this tile in each pixel seen: 0 … 1 … 0, no ramp at the sensor's edge."""
        place = torch.arange(self.length, dtype=like.dtype, device=like.device)[self.seen] + 0.5
        weight = torch.ones_like(place)
        if self.first > 0:
            weight *= ((place - self.first) / (2 * BLEND) + 0.5).clamp(0, 1)
        if self.last < self.length:
            weight *= ((self.last - place) / (2 * BLEND) + 0.5).clamp(0, 1)
        return weight


def spans(length: int, tile: int) -> list[Span]:
    """As few parts of a side as leave no tile longer than ``tile``, of nearly equal lengths."""
    if length <= tile:
        return [Span(0, length, length)]
    room = (tile - 2 * HALO) // ALIGNMENT * ALIGNMENT
    inner = -(-(length - 2 * HALO) // ALIGNMENT)
    count = -(-inner * ALIGNMENT // room)
    cuts = [HALO + i * inner // count * ALIGNMENT for i in range(1, count)]
    return [Span(first, last, length) for first, last in zip([0, *cuts], [*cuts, length])]


def whole_or_tiled(
    model: Reconstructor, frames: int, height: int, width: int, tile: int | None = None
) -> Reconstructor:
    """``model``, made `Tiled` where the snapshot is longer than ``tile``.

    Without ``tile``, a snapshot of more than ``WHOLE`` values comes in tiles of ``TILE`` values.
    """
    if tile is None:
        if frames * height * width <= WHOLE:
            return model
        tile = max(SMALLEST, math.isqrt(TILE // frames))
    tiled = Tiled(model, tile)
    return tiled if tiled.count(height, width) > 1 else model
