"""Groups of patches that look alike, found across space and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import full_precision

# Reference patches, along either axis, that look in the same window: one product of matrices finds
# the distances of them all.
_CELL = 4
# Distances held at once.
_CHUNK = 1 << 22
# Groups filtered at once: of more, what a filter makes on the way does not stay in the cache.
_GROUPS = 1 << 8


@dataclass(frozen=True)
class PatchMatching:
    """Where patches are taken, and where their likes are looked for.

    Attributes
    ----------
    count : patches in a group, K; as many as the smallest window has where that has fewer.
    patch : side of a patch in pixels; a smaller video is one patch high or wide.
    stride : pixels from one reference patch to the next, at most ``patch``: every pixel is in one.
    radius : pixels that the window of neighbouring reference patches, which is of all frames,
        reaches beyond them. With these patches larger ones did worse on validation clips.
    pooling : patches are compared by their means over squares of so many pixels along each side, of
        as many as fit: less arithmetic, and less of the comparison is of noise.

    Raises
    ------
    ConfigError : fewer than 2 patches, a stride that leaves gaps, a pooling beyond the patch, or a
        size below its least.
    """

    count: int = 64
    patch: int = 6
    stride: int = 5
    radius: int = 4
    pooling: int = 1

    def __post_init__(self) -> None:
        if (
            self.count < 2
            or not 1 <= self.stride <= self.patch
            or self.radius < 0
            or not 1 <= self.pooling <= self.patch
        ):
            raise ConfigError(
                f"{self}; wanted at least 2 patches, a stride and a pooling of 1 to the patch's "
                "side and a radius of at least 0"
            )

    @torch.no_grad()
    def __call__(self, video: Tensor, shift: int = 0) -> PatchGroups:
        """For every reference patch those nearest to it in Euclidean distance. Shape: (T, H, W).

        ``shift`` moves the reference patches by so many pixels, modulo ``stride``, but for those at
        the edges, so that the seams between them need not always lie in the same place.
        """
        height, width = video.shape[-2:]
        windows = list(self._windows(height, width, shift % self.stride))
        count = min(self.count, *(window.count(len(video)) for window in windows))
        with full_precision(video):
            places = torch.cat([window.nearest(video, count) for window in windows])
        patch = (windows[0].rows.patch, windows[0].columns.patch)
        return PatchGroups(places, patch, tuple(video.shape))

    def _windows(self, height: int, width: int, shift: int) -> Iterator[Window]:
        for rows in self._sides(height, shift):
            for columns in self._sides(width, shift):
                yield Window(rows, columns, self.pooling)

    def _sides(self, length: int, shift: int) -> Iterator[Side]:
        patch = min(self.patch, length)
        places = sorted({0, *range(shift, length - patch, self.stride), length - patch})
        for first in range(0, len(places), _CELL):
            own = places[first : first + _CELL]
            start = max(0, own[0] - self.radius)
            stop = min(length, own[-1] + patch + self.radius)
            yield Side(slice(start, stop), patch, tuple(place - start for place in own))


@dataclass(frozen=True)
class Side:
    """Rows or columns of a window."""

    seen: slice
    patch: int
    references: tuple[int, ...]
    """First rows or columns of the reference patches, counted in the window."""

    @property
    def places(self) -> int:
        """First rows or columns that a patch can have."""
        return self.seen.stop - self.seen.start - self.patch + 1


@dataclass(frozen=True)
class Window:
    """A rectangle of every frame, whose N patches are counted by frame, row and column."""

    rows: Side
    columns: Side
    pooling: int

    def count(self, frames: int) -> int:
        """N."""
        return frames * self.rows.places * self.columns.places

    def of(self, video: Tensor) -> Tensor:
        """The window of a video, a view. Shape: (T, H, W) → (T, h, w)."""
        return video[:, self.rows.seen, self.columns.seen]

    def patches(self, video: Tensor) -> Tensor:
        """All patches, as P means over squares. Shape: (T, H, W) → (N, P)."""
        sides = [min(self.pooling, side.patch) for side in (self.rows, self.columns)]
        patches = self.of(video)
        if max(sides) > 1:
            patches = F.avg_pool2d(patches.unsqueeze(1), sides, stride=1).squeeze(1)
        for axis, (side, of) in enumerate(zip(sides, (self.rows, self.columns)), start=1):
            patches = patches.unfold(axis, of.patch - side + 1, 1)[..., ::side]
        return patches.flatten(3).flatten(0, 2)

    def references(self, frames: int) -> Tensor:
        """Which of the patches are reference patches, (R,)."""
        rows, columns = self.rows, self.columns
        every = torch.arange(frames * rows.places * columns.places)
        every = every.view(frames, rows.places, columns.places)
        return every[:, list(rows.references)][:, :, list(columns.references)].flatten()

    def nearest(self, video: Tensor, count: int) -> Tensor:
        """Places of the patches nearest to each reference patch, which is one of them: (R, K)."""
        patches, frames = self.patches(video), len(video)
        half_squares = patches.square().sum(1) / 2
        nearest = []
        references = self.references(frames).to(video.device)
        for part in references.split(max(1, _CHUNK // len(patches))):
            # Half the squared distance, less that of the reference, which changes no order.
            distances = torch.addmm(half_squares, patches[part], patches.T, alpha=-1)
            distances.scatter_(1, part[:, None], -torch.inf)
            nearest.append(_smallest(distances, frames, count))
        return self._places(torch.cat(nearest), *video.shape[1:])

    def _places(self, numbers: Tensor, height: int, width: int) -> Tensor:
        """Where the patches of those numbers begin in a whole video, int32."""
        rest, columns = numbers // self.columns.places, numbers % self.columns.places
        frames, rows = rest // self.rows.places, rest % self.rows.places
        rows, columns = rows + self.rows.seen.start, columns + self.columns.seen.start
        return ((frames * height + rows) * width + columns).int()


def _smallest(values: Tensor, rows: int, count: int) -> Tensor:
    """Where the ``count`` smallest of each sample's values lie, in no order, with the values seen
    as so many rows: (R, rows · n) → (R, count).

    They lie in the columns whose least is smallest, as many at most, and only these are looked at.
    """
    table = values.unflatten(1, (rows, -1))
    kept = min(count, table.shape[2])
    columns = table.amin(1).topk(kept, largest=False, sorted=False).indices
    candidates = table.gather(2, columns.unsqueeze(1).expand(-1, rows, -1)).flatten(1)
    chosen = candidates.topk(count, largest=False, sorted=False).indices
    return chosen // kept * table.shape[2] + columns.gather(1, chosen % kept)


@dataclass(frozen=True)
class PatchGroups:
    """Patches that look alike in one video, by which any video of its size can be filtered."""

    places: Tensor
    """The first pixel of each of the K patches of R groups in the flattened video, (R, K) int32."""
    patch: tuple[int, int]
    """Rows and columns of a patch."""
    shape: tuple[int, ...]
    """(T, H, W) of the video."""

    @cached_property
    def weight(self) -> Tensor:
        """How many patches of the groups lie on each pixel, (T, H, W) float32."""
        total = torch.zeros(self.shape, device=self.places.device)
        for places in self.places.split(_GROUPS):
            self._add(torch.ones((), device=total.device), places, total)
        return total

    @torch.no_grad()
    def filter(self, video: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        """Each group (K, P) of some (G, K, P) as ``denoise`` returns it, averaged where patches
        overlap. Shape: (T, H, W) → (T, H, W)."""
        total = video.new_zeros(self.shape)
        with full_precision(video):
            for places in self.places.split(_GROUPS):
                self._add(denoise(self._take(video, places)), places, total)
        return total / self.weight.to(video)

    def gather(self, video: Tensor) -> Tensor:
        """The patches of all groups. Shape: (T, H, W) → (R, K, P)."""
        return self._take(video, self.places)

    def spread(self, patches: Tensor) -> Tensor:
        """The sum of all patches at their places, the adjoint of ``gather``.

        Shape: (R, K, P) → (T, H, W).
        """
        total = patches.new_zeros(self.shape)
        self._add(patches, self.places, total)
        return total

    def _take(self, video: Tensor, places: Tensor) -> Tensor:
        taken = video.flatten().index_select(0, self._pixels(places))
        return taken.view(*places.shape, -1)

    def _add(self, patches: Tensor, places: Tensor, total: Tensor) -> None:
        """Add the patches (R, K, P), or one number, to the video, in place."""
        pixels = self._pixels(places)
        total.view(-1).index_add_(0, pixels, patches.expand(*places.shape, self._size).flatten())

    @property
    def _size(self) -> int:
        return self.patch[0] * self.patch[1]

    def _pixels(self, places: Tensor) -> Tensor:
        """All pixels of the patches at those places, one after the other. Shape: (G, K) → (n,)."""
        rows, columns = (torch.arange(side, device=places.device) for side in self.patch)
        within = (rows[:, None] * self.shape[2] + columns).int()
        return (places.unsqueeze(-1) + within.flatten()).flatten()
