"""Training material out of folders: videos, image sequences and stills as gray uint8 clips.

Nothing of :mod:`deqsci.io` is used, so that training also runs where PyAV and h5py are not
installed; OpenCV then decodes the videos.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from deqsci.errors import InputFileError

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")

Source = TypeVar("Source")


def load_clips(folders: Sequence[Path]) -> list[Tensor]:
    """Every video and every image sequence below ``folders``, in natural name order.

    A folder that directly holds two or more images is a sequence; unrelated stills are for
    `load_stills`, a lone image is left out. DAVIS works as it comes, without its annotations.

    Parameters
    ----------
    folders : searched with all that is below them, but for hidden files.

    Returns
    -------
    One (F, H, W) uint8 luma tensor for each clip; sizes differ. No folders, no clips.

    Raises
    ------
    InputFileError : not a folder, no clip in any, a damaged file, a sequence of several sizes.
    """
    groups: dict[Path, list[Path]] = {}
    for path in _files(folders, VIDEO_SUFFIXES + IMAGE_SUFFIXES):
        groups.setdefault(path if _is_video(path) else path.parent, []).append(path)
    clips = [group for group in groups.values() if len(group) > 1 or _is_video(group[0])]
    if folders and not clips:
        raise InputFileError(
            f"no videos or image sequences below {', '.join(map(str, folders))}; wanted "
            f"{', '.join(VIDEO_SUFFIXES)} files or folders of two or more images"
        )
    return _in_parallel(_read_clip, clips)


def load_stills(folders: Sequence[Path]) -> list[Tensor]:
    """Every image below ``folders`` as a clip of one frame, (1, H, W) uint8 luma.

    Parameters, order and errors are those of `load_clips`.
    """
    images = _files(folders, IMAGE_SUFFIXES)
    if folders and not images:
        raise InputFileError(
            f"no images below {', '.join(map(str, folders))}; wanted "
            f"{', '.join(IMAGE_SUFFIXES)} files"
        )
    return _in_parallel(_read_image, images)


def _files(folders: Sequence[Path], suffixes: tuple[str, ...]) -> list[Path]:
    """Files with these suffixes below the folders, each once, in natural order."""
    found = set()
    for folder in folders:
        if not folder.is_dir():
            raise InputFileError(f"{folder} is not a folder; wanted one with videos or images")
        for path in folder.rglob("*"):
            if path.suffix.lower() in suffixes and _is_material(folder, path) and path.is_file():
                found.add(path)
    return sorted(found, key=_natural)


def _is_material(folder: Path, path: Path) -> bool:
    """Neither hidden nor, as in DAVIS, one of the segmentation masks beside the frames."""
    above = folder
    for part in path.relative_to(folder).parts:
        if part.startswith("."):
            return False
        if part.startswith("Annotations") and (above / "JPEGImages").is_dir():
            return False
        above /= part
    return True


def _natural(path: Path) -> list[list[tuple[int, str]]]:
    """Sort key that puts ``frame2`` before ``frame10``."""
    return [
        [(int(run), "") if run.isdecimal() else (0, run) for run in re.split(r"(\d+)", part)]
        for part in path.parts
    ]


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _in_parallel(read: Callable[[Source], Tensor], sources: Sequence[Source]) -> list[Tensor]:
    with ThreadPoolExecutor() as pool:  # decoders release the GIL
        return list(pool.map(read, sources))


def _read_clip(files: Sequence[Path]) -> Tensor:
    """A video file, or the images of a sequence."""
    if _is_video(files[0]):
        with _decoding(files[0]):
            return torch.from_numpy(np.stack(list(_video_frames(files[0]))))
    frames = [_read_image(file) for file in files]
    for file, frame in zip(files, frames):
        if frame.shape != frames[0].shape:
            raise InputFileError(
                f"{file} has {_size(frame)} pixels and {files[0].name} {_size(frames[0])}; wanted "
                f"one size in an image sequence, or unrelated stills listed as stills"
            )
    return torch.cat(frames)


def _size(frame: Tensor) -> str:
    return f"{frame.shape[1]}×{frame.shape[2]}"


def _video_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    try:
        import av
    except ImportError:
        yield from _video_frames_of_opencv(path)
        return
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="gray", threads=1), np.uint8)


def _video_frames_of_opencv(path: Path) -> Iterator[NDArray[np.uint8]]:
    try:
        import cv2
    except ImportError as error:
        raise InputFileError(
            f"{path} is a video and nothing that reads one is installed; install av or "
            f"opencv-python-headless"
        ) from error
    capture = cv2.VideoCapture(str(path))
    while (read := capture.read())[0]:
        yield np.asarray(cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY), np.uint8)


def _read_image(path: Path) -> Tensor:
    """Shape: (1, H, W) uint8."""
    with _decoding(path), Image.open(path) as image:
        if image.mode.startswith("I;16"):
            gray = (np.array(image).astype(np.uint32) + 128) // 257  # 65535 to 255
        elif image.mode in ("I", "F"):
            raise InputFileError(
                f"{path} has pixels of 32 bits, whose full scale is not known; wanted 8 or 16 bits"
            )
        else:
            gray = np.array(image.convert("L"))
    return torch.from_numpy(gray.astype(np.uint8))[None]


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    try:
        yield
    except InputFileError:
        raise
    except Exception as error:  # every decoder raises its own on damaged bytes
        raise InputFileError(
            f"{path} cannot be decoded ({type(error).__name__}: {error}); save it again or take "
            f"it out of the folder"
        ) from error
