"""Random crops of clips, drawn on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from deqsci.errors import InputFileError, ShapeError


class ClipSet:
    """All clips end to end in one uint8 tensor, from which a batch of crops is one gather.

    Parameters
    ----------
    clips : (F, H, W) uint8 each, sizes may differ.
    device : where the clips are kept and the crops are drawn.

    Attributes
    ----------
    flat : (n,) uint8, every clip in row-major order.
    offsets, lengths, heights, widths : (clips,) int64, where a clip begins in ``flat``, F, H, W.

    Raises
    ------
    ShapeError : a clip of another shape or type.
    """

    def __init__(self, clips: Sequence[Tensor], device: torch.device | str = "cpu") -> None:
        for clip in clips:
            if clip.ndim != 3 or clip.dtype != torch.uint8:
                raise ShapeError(
                    f"a clip has shape {tuple(clip.shape)} and type {clip.dtype}; wanted "
                    f"(F, H, W) torch.uint8"
                )
        sizes = [clip.numel() for clip in clips]
        self.flat = torch.empty(sum(sizes), dtype=torch.uint8, device=device)
        for piece, clip in zip(self.flat.split(sizes), clips):
            piece.copy_(clip.flatten())
        shapes = torch.tensor([clip.shape for clip in clips], dtype=torch.int64).view(-1, 3)
        self.lengths, self.heights, self.widths = shapes.to(device).unbind(1)
        self.offsets = (shapes.prod(1).cumsum(0) - shapes.prod(1)).to(device)
        self._eligible_clips: dict[tuple[int, int], tuple[Tensor, int]] = {}

    @property
    def device(self) -> torch.device:
        """Where the clips are, and the generator has to be."""
        return self.flat.device

    @property
    def nbytes(self) -> int:
        """Bytes of video held on the device."""
        return self.flat.nbytes

    def __len__(self) -> int:
        return len(self.lengths)

    def sample(
        self,
        batch: int,
        frames: int,
        size: int,
        generator: torch.Generator,
        max_stride: int = 1,
    ) -> Tensor:
        """Random crops, each in one of the 8 symmetries of the square and forwards or backwards.

        Every clip is drawn as often, however long: a still adds as much as a clip whose frames
        resemble one another. Clips shorter or smaller than a crop are left out. Then the stride
        in time is uniform over those up to ``max_stride`` that fit the clip, and the place over
        what is left.
        The host never waits for the device here, save once for a new ``frames`` and ``size``.

        Parameters
        ----------
        batch, frames, size : B, T and the height and width of a crop.
        generator : of the device of this set.
        max_stride : largest step in time from one frame of a crop to the next.

        Returns
        -------
        (B, T, size, size) float32 in [0, 1].

        Raises
        ------
        InputFileError : no clip is long and large enough.
        """
        ends, total = self._eligible(frames, size)
        # Far more values than any range has, so that the remainders are as good as uniform.
        draws = torch.randint(1 << 48, (9, batch), generator=generator, device=self.device)
        pick, stride, start, top, left, transpose, *flips = draws.unbind()

        clip = torch.searchsorted(ends, pick % total, right=True)
        length, height, width = self.lengths[clip], self.heights[clip], self.widths[clip]
        steps = max(frames - 1, 1)
        stride = 1 + stride % ((length - 1) // steps).clamp(1, max_stride)
        first = start % (length - (frames - 1) * stride)
        top, left = top % (height - size + 1), left % (width - size + 1)

        # A crop is a corner and one step in memory along each of its axes. Flipping an axis moves
        # the corner to its other end, transposing exchanges the steps along rows and columns.
        corner = self.offsets[clip] + (first * height + top) * width + left
        strides = [stride * height * width, width, torch.ones_like(width)]
        for axis, (extent, flip) in enumerate(zip((frames, size, size), flips)):
            flipped = flip % 2
            corner = corner + flipped * (extent - 1) * strides[axis]
            strides[axis] = strides[axis] * (1 - 2 * flipped)
        in_time, down, across = strides
        transposed = transpose % 2 == 1
        down, across = torch.where(transposed, across, down), torch.where(transposed, down, across)

        t, i = (torch.arange(n, device=self.device) for n in (frames, size))
        in_frame = down[:, None, None] * i[:, None] + across[:, None, None] * i
        frame_start = corner[:, None] + in_time[:, None] * t
        index = frame_start[:, :, None, None] + in_frame[:, None]
        return self.flat.take(index).float().div_(255)

    def _eligible(self, frames: int, size: int) -> tuple[Tensor, int]:
        """Running count of the clips that a crop fits in, and their number."""
        key = (frames, size)
        if key not in self._eligible_clips:
            fits = (self.lengths >= frames) & (self.heights >= size) & (self.widths >= size)
            ends = fits.cumsum(0)
            total = int(ends[-1]) if len(self) else 0
            if total == 0:
                raise InputFileError(
                    f"none of {len(self)} clips has {frames} frames of at least {size}×{size} "
                    f"pixels; give longer or larger clips, or ask for smaller crops"
                )
            self._eligible_clips[key] = ends, total
        return self._eligible_clips[key]
