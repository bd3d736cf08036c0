"""From a video file to coded snapshots: what ``simulate`` and ``demo`` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deqsci.errors import InputFileError, MaskError, ShapeError
from deqsci.io import load_masks, read_video
from deqsci.physics import SnapshotPhysics
from deqsci.physics.camera import MaskDeviation
from deqsci.physics.masks import bernoulli_masks, gray_masks, shifting_masks
from deqsci.physics.noise import Noise

Array = NDArray[np.float32]

_NO_DEVIATION = MaskDeviation()

_GENERATORS: dict[str, Any] = {
    "bernoulli": bernoulli_masks,
    "shifting": shifting_masks,
    "gray": gray_masks,
}


@dataclass(frozen=True)
class Clip:
    """A part of a video whose frames fill whole snapshots.

    Attributes
    ----------
    video : (N·T, H, W), intensity; in colour (N·T, H, W, 3).
    frames : T.
    """

    video: Array
    frames: int

    @staticmethod
    def read(
        path: Path,
        frames: int,
        crop: tuple[int, int] | None,
        start: int,
        max_snapshots: int | None,
        *,
        colour: bool = False,
        shrink: int = 1,
    ) -> Clip:
        """Read the part of the video that fills whole snapshots of ``frames`` frames.

        ``shrink`` averages squares of so many pixels before anything is cropped.

        Raises
        ------
        InputFileError : not a video, or fewer frames than one snapshot takes.
        ShapeError : ``crop`` is larger than the video, or a square is.
        """
        limit = None if max_snapshots is None else max_snapshots * frames
        video = read_video(
            path,
            max_frames=limit,
            start=start,
            colour=colour,
            each=lambda frame: _cut(frame[None], shrink, crop, path)[0],
        )
        snapshots = len(video) // frames
        if snapshots == 0:
            raise InputFileError(
                f"{path} has {len(video)} frames from frame {start} on; one snapshot takes "
                f"{frames}: give an earlier --start or a longer video"
            )
        return Clip(video[: snapshots * frames], frames)

    def within(self, size: tuple[int, int]) -> Clip:
        """The centre of at most ``size`` (height, width) pixels."""
        crop = min(size[0], self.video.shape[1]), min(size[1], self.video.shape[2])
        return Clip(np.ascontiguousarray(_centre(self.video, crop)), self.frames)


def _cut(video: Array, shrink: int, crop: tuple[int, int] | None, path: Path) -> Array:
    """What is left of a video that is shrunk and then cropped."""
    video = _averaged(video, shrink, path)
    if crop is None:
        return video
    height, width = video.shape[1:3]
    if crop[0] > height or crop[1] > width:
        raise ShapeError(
            f"{path} is {height}×{width} pixels; {crop[0]}×{crop[1]} were wanted: give a "
            f"smaller --crop (HEIGHT WIDTH), or masks of the video's size"
        )
    return _centre(video, crop)


def _averaged(video: Array, side: int, path: Path) -> Array:
    """Means over squares; rows and columns that fill none are left out."""
    if side == 1:
        return video
    height, width = (length // side for length in video.shape[1:3])
    if not height or not width:
        raise ShapeError(
            f"{path} is {video.shape[1]}×{video.shape[2]} pixels; give a smaller --shrink"
        )
    whole = video[:, : height * side, : width * side]
    squares = whole.reshape(len(video), height, side, width, side, *video.shape[3:])
    mean: Array = squares.mean((2, 4))
    return mean


def _centre(video: Array, crop: tuple[int, int]) -> Array:
    top, left = (video.shape[1] - crop[0]) // 2, (video.shape[2] - crop[1]) // 2
    return video[:, top : top + crop[0], left : left + crop[1]]


def given_masks(
    path: Path, frames: int | None, crop: tuple[int, int] | None
) -> tuple[Array, tuple[str, ...]]:
    """The masks (T, H, W) of a file, its first ``frames`` if given, and notices about them.

    Raises
    ------
    MaskError : the command line asks for more masks, or for another size.
    """
    masks, notices = load_masks(path, frames)
    if crop is not None and crop != masks.shape[1:]:
        raise MaskError(
            f"{path} holds masks of {masks.shape[1]}×{masks.shape[2]} pixels; --crop asks for "
            f"{crop[0]}×{crop[1]}: leave it out"
        )
    return masks, notices


def generate_masks(kind: str, frames: int, height: int, width: int, seed: int) -> Array:
    """Masks (T, H, W) of the given kind."""
    generator = torch.Generator().manual_seed(seed)
    masks: Array = _GENERATORS[kind](frames, height, width, generator=generator).numpy()
    return masks


def expose(
    video: Array,
    masks: Array,
    noise: Noise,
    seed: int,
    deviation: MaskDeviation = _NO_DEVIATION,
) -> Array:
    """Snapshots (N, H, W) of a video (N·T, H, W) by a camera that departs from its masks file."""
    physics = SnapshotPhysics(deviation(torch.from_numpy(masks)))
    snapshots = physics.A(torch.from_numpy(video.reshape(-1, *masks.shape)))
    generator = torch.Generator().manual_seed(seed + 1)  # the masks have used seed itself
    noisy: Array = noise(snapshots, float(physics.frames), generator).numpy()
    return noisy
