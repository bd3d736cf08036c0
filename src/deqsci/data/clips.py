"""Training material: gray video clips and stills held in memory as uint8."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from deqsci.errors import InputFileError

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv")
STILL_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def load_clips(folders: Sequence[Path]) -> list[Tensor]:
    """Every video and still below ``folders``, in name order, as (F, H, W) uint8 luma.

    PyAV decodes, or OpenCV where PyAV is not installed. A still is a clip of one frame.
    """
    clips = []
    for folder in folders:
        if not folder.is_dir():
            raise InputFileError(f"{folder} is not a folder; wanted one with videos or stills")
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            if path.suffix.lower() in VIDEO_SUFFIXES:
                clips.append(_decode_video(path))
            elif path.suffix.lower() in STILL_SUFFIXES:
                clips.append(_decode_still(path))
    if not clips:
        raise InputFileError(f"no videos or stills below {', '.join(map(str, folders))}")
    return clips


def _decode_video(path: Path) -> Tensor:
    try:
        import av
    except ImportError:
        return _decode_with_opencv(path)
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        frames = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    if not frames:
        raise InputFileError(f"{path} holds no video frames")
    return torch.from_numpy(np.stack(frames))


def _decode_with_opencv(path: Path) -> Tensor:
    import cv2

    capture, frames = cv2.VideoCapture(str(path)), []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
    if not frames:
        raise InputFileError(f"{path} holds no video frames that OpenCV can read")
    return torch.from_numpy(np.stack(frames))


def _decode_still(path: Path) -> Tensor:
    import imageio.v3 as iio

    image = np.asarray(iio.imread(path, mode="L"))
    return torch.from_numpy(image)[None]


class Crops:
    """Random space–time crops with flips, rotation by 90° and time reversal.

    A clip is drawn with a probability proportional to its frames, so that every frame counts the
    same. Clips shorter or smaller than a crop are left out.
    """

    def __init__(self, clips: Sequence[Tensor], frames: int, size: int) -> None:
        self.frames, self.size = frames, size
        self.clips = [c for c in clips if c.shape[0] >= frames and min(c.shape[1:]) >= size]
        if not self.clips:
            raise InputFileError(f"no clip has {frames} frames of at least {size}×{size} pixels")
        self._weights = torch.tensor([float(c.shape[0]) for c in self.clips])

    def sample(self, batch: int, generator: torch.Generator) -> Tensor:
        """Shape: (B, T, size, size) float32 in [0, 1]."""
        chosen = torch.multinomial(self._weights, batch, replacement=True, generator=generator)
        return torch.stack([self._crop(self.clips[i], generator) for i in chosen.tolist()])

    def _crop(self, clip: Tensor, generator: torch.Generator) -> Tensor:
        def draw(n: int) -> int:
            return int(torch.randint(n, (), generator=generator))

        t, i, j = (
            draw(length - window + 1)
            for length, window in zip(clip.shape, (self.frames, self.size, self.size), strict=True)
        )
        crop = clip[t : t + self.frames, i : i + self.size, j : j + self.size]
        crop = torch.rot90(crop, draw(4), (1, 2))
        for dims in ((0,), (2,)):
            if draw(2):
                crop = crop.flip(dims)
        return crop.float() / 255
