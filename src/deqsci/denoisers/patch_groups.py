"""Groups of patches that look alike, found across space and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError

# Reference patches, along either axis, that look in the same window: one product of matrices finds
# the distances of them all.
_CELL = 4
# Distances held at once.
_CHUNK = 1 << 22


@dataclass(frozen=True)
class PatchMatching:
    """Where patches are taken, and where their likes are looked for.

    Attributes
    ----------
    count : patches in a group, K; all there are where the window has fewer.
    patch : side of a patch in pixels; a smaller video is one patch high or wide.
    stride : pixels from one reference patch to the next, at most ``patch``: every pixel is in one.
    radius : pixels that the window of neighbouring reference patches, which is of all frames,
        reaches beyond them. Larger ones did worse on validation clips, and take longer.

    Raises
    ------
    ConfigError : fewer than 2 patches, a stride that leaves gaps, or a size below its least.
    """

    count: int = 64
    patch: int = 6
    stride: int = 5
    radius: int = 4

    def __post_init__(self) -> None:
        if self.count < 2 or not 1 <= self.stride <= self.patch or self.radius < 0:
            raise ConfigError(
                f"{self}; wanted at least 2 patches, a stride of 1 to the patch's side and a "
                "radius of at least 0"
            )

    @torch.no_grad()
    def __call__(self, video: Tensor, shift: int = 0) -> PatchGroups:
        """For every reference patch those nearest to it in Euclidean distance. Shape: (T, H, W).

        ``shift`` moves the reference patches by so many pixels, modulo ``stride``, but for those at
        the edges, so that the seams between them need not always lie in the same place.
        """
        height, width = video.shape[-2:]
        windows = tuple(self._windows(height, width, shift % self.stride))
        return PatchGroups(windows, tuple(window.nearest(video, self.count) for window in windows))

    def _windows(self, height: int, width: int, shift: int) -> Iterator[Window]:
        for rows in self._sides(height, shift):
            for columns in self._sides(width, shift):
                yield Window(rows, columns)

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

    def of(self, video: Tensor) -> Tensor:
        """The window of a video, a view. Shape: (T, H, W) → (T, h, w)."""
        return video[:, self.rows.seen, self.columns.seen]

    def patches(self, video: Tensor) -> Tensor:
        """All patches of P pixels. Shape: (T, H, W) → (N, P)."""
        patches = self.of(video).unfold(1, self.rows.patch, 1).unfold(2, self.columns.patch, 1)
        return patches.flatten(3).flatten(0, 2)

    def add(self, patches: Tensor, video: Tensor) -> None:
        """Add the patches (N, P) to the video (T, H, W), in place: the adjoint of ``patches``."""
        window, rows, columns = self.of(video), self.rows, self.columns
        shape = (rows.patch, columns.patch, len(video), rows.places, columns.places)
        pixels = patches.T.contiguous().view(shape)
        for i in range(rows.patch):
            for j in range(columns.patch):
                window[:, i : i + rows.places, j : j + columns.places] += pixels[i, j]

    def references(self, frames: int) -> Tensor:
        """Which of the patches are reference patches, (R,)."""
        rows, columns = self.rows, self.columns
        every = torch.arange(frames * rows.places * columns.places)
        every = every.view(frames, rows.places, columns.places)
        return every[:, list(rows.references)][:, :, list(columns.references)].flatten()

    def nearest(self, video: Tensor, count: int) -> Tensor:
        """The patches nearest to each reference patch, which is one of them: (R, K) int32."""
        patches = self.patches(video)
        half_squares = patches.square().sum(1) / 2
        nearest = []
        references = self.references(len(video)).to(video.device)
        for part in references.split(max(1, _CHUNK // len(patches))):
            # Half the squared distance, less that of the reference, which changes no order.
            distances = torch.addmm(half_squares, patches[part], patches.T, alpha=-1)
            distances.scatter_(1, part[:, None], -torch.inf)
            chosen = distances.topk(min(count, len(patches)), largest=False, sorted=False)
            nearest.append(chosen.indices.int())
        return torch.cat(nearest)


@dataclass(frozen=True)
class PatchGroups:
    """Patches that look alike in one video, by which any video of its size can be filtered."""

    windows: tuple[Window, ...]
    members: tuple[Tensor, ...]
    """For each window the groups of its reference patches, (R, K) indices into its patches."""

    @torch.no_grad()
    def filter(self, video: Tensor, denoise: Callable[[Tensor], Tensor]) -> Tensor:
        """Each group (R, K, P) as ``denoise`` returns it, averaged where patches overlap.

        Shape: (T, H, W) → (T, H, W).
        """
        total, weight = torch.zeros_like(video), torch.zeros_like(video)
        for window, members in zip(self.windows, self.members):
            patches, flat = window.patches(video), members.flatten().long()
            groups = denoise(patches[flat].view(*members.shape, -1))
            sums, counts = torch.zeros_like(patches), torch.zeros_like(patches[:, :1])
            window.add(sums.index_add_(0, flat, groups.flatten(0, 1)), total)
            counts.index_add_(0, flat, counts.new_ones(len(flat), 1))
            window.add(counts.expand_as(sums), weight)
        return total / weight
