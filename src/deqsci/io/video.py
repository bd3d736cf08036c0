"""Videos in and out: intensities inside, any codec or folder of images outside.

Gray videos are (F, H, W), colour ones (F, H, W, 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import imageio.v3 as iio
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from deqsci.errors import InputFileError, ShapeError, ValueRangeError
from deqsci.io.atomic import atomic_path
from deqsci.io.images import image_files

Float = NDArray[np.float32]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm")
BT601 = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Luma of (R, G, B)."""


def read_video(
    path: Path | str,
    *,
    max_frames: int | None = None,
    start: int = 0,
    colour: bool = False,
    each: Callable[[Float], Float] | None = None,
) -> Float:
    """The luma or the colours of a video file or of a folder of images, 0 black … 1 white.

    Colour becomes BT.601 luma, limited range (16…235) is stretched to 0…1, more than 8 bits are
    kept, and a turned phone video is turned upright. Images of a folder come in the order of the
    numbers in their names.

    Parameters
    ----------
    path : a file that FFmpeg reads, or a folder of images of one size.
    max_frames : read at most so many frames.
    start : the first frame to read, from 0.
    colour : keep red, green and blue, as they are in the file; a gray video has all three alike.
    each : what becomes of a frame (H, W) or (H, W, 3) before the next is decoded, such as a crop:
        only what it returns, of one shape for all frames, is kept in memory.

    Returns
    -------
    (F, H, W) float32, F ≥ 1; with ``colour`` (F, H, W, 3).

    Raises
    ------
    InputFileError : nothing there, not a video, damaged, or no frame left after ``start``.
    """
    if start < 0 or (max_frames is not None and max_frames < 1):
        raise ValueRangeError(
            f"start is {start}, max_frames {max_frames}; wanted start ≥ 0 and max_frames ≥ 1"
        )
    path = Path(path)
    if not path.exists():
        raise InputFileError(f"{path} does not exist; wanted a video file or a folder of images")
    end = None if max_frames is None else start + max_frames
    read = _images if path.is_dir() else _decoded
    sizes: set[tuple[int, ...]] = set()
    stored = bytearray()  # a list of arrays would be copied once more
    for frame in read(path, start, end, colour):
        sizes.add(frame.shape[:2])
        if len(sizes) > 1:
            found = ", ".join("×".join(map(str, size)) for size in sorted(sizes))
            raise InputFileError(f"{path} has frames of sizes {found}; wanted one size")
        kept = np.ascontiguousarray(frame if each is None else each(frame), np.float32)
        stored += kept.data
    if not stored:
        raise InputFileError(f"{path} has no frame {start}; give a smaller first frame")
    return np.frombuffer(stored, np.float32).reshape(-1, *kept.shape)


def write_mp4(path: Path, video: Float, fps: float) -> None:
    """Write a gray or colour video as H.264 that every player shows; whole or not at all.

    Values are clipped to [0, 1] and stored as limited-range 4:2:0. That needs even sides: an odd
    last row or column is repeated once.
    """
    _check_frames(video)
    height, width = (side + side % 2 for side in video.shape[1:3])
    chroma = np.full((height // 2, width), 128, dtype=np.uint8)
    rate = Fraction(_positive(fps)).limit_denominator(1001)
    with atomic_path(path) as temporary, av.open(str(temporary), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "fast"})
        stream.height, stream.width = height, width
        stream.pix_fmt = "yuv420p"
        if video.ndim == 4:
            stream.codec_context.colorspace = Colorspace.ITU601  # which players would have to guess
        for image in video:
            odd = (0, height - image.shape[0]), (0, width - image.shape[1])
            if image.ndim == 3:
                colours = np.pad(_eight_bit(image), (*odd, (0, 0)), mode="edge")
                frame = av.VideoFrame.from_ndarray(colours, format="rgb24").reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU601, threads=1
                )
            else:
                luma = np.rint(16 + 219 * _clipped(image)).astype(np.uint8)
                planes = np.concatenate([np.pad(luma, odd, mode="edge"), chroma])
                frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def write_gif(path: Path, video: Float | NDArray[np.uint8], fps: float) -> None:
    """Write intensities or 8-bit values, gray or colour, as an endless GIF; whole or not at all.

    A GIF counts time in hundredths of a second, so the rate is met as near as that allows, and has
    256 colours a frame.
    """
    _check_frames(video)
    if video.dtype != np.uint8:
        video = _eight_bit(video)
    duration = 10 * max(2, round(100 / _positive(fps)))  # browsers slow down anything under 20 ms
    with atomic_path(path) as temporary:
        iio.imwrite(temporary, video, extension=".gif", plugin="pillow", duration=duration, loop=0)


def _positive(fps: float) -> float:
    if not 0 < fps < float("inf"):
        raise ValueRangeError(f"the frame rate is {fps:g}; wanted frames per second above 0")
    return fps


def _check_frames(video: NDArray[Any]) -> None:
    gray = video.ndim == 3
    if not (gray or (video.ndim == 4 and video.shape[3] == 3)) or video.size == 0:
        raise ShapeError(
            f"video has shape {video.shape}; wanted (F, H, W) or (F, H, W, 3) with at least one "
            f"frame"
        )


def _clipped(video: NDArray[Any]) -> Float:
    result: Float = np.clip(np.nan_to_num(video), 0, 1).astype(np.float32)
    return result


def _eight_bit(video: NDArray[Any]) -> NDArray[np.uint8]:
    result: NDArray[np.uint8] = np.rint(255 * _clipped(video)).astype(np.uint8)
    return result


def _decoded(path: Path, start: int, end: int | None, colour: bool) -> Iterator[Float]:
    try:
        with av.open(str(path)) as file:
            if not file.streams.video:
                raise InputFileError(f"{path} has no video stream; wanted a video")
            for frame in islice(file.decode(video=0), start, end):
                yield _converted(frame, "rgb48le" if colour else "gray16le")
    except (av.FFmpegError, OSError) as error:
        raise InputFileError(
            f"{path} cannot be decoded ({type(error).__name__}); wanted a video file that FFmpeg "
            f"reads or a folder of images"
        ) from error


def _converted(frame: Any, to: str) -> Float:
    # FFmpeg's 16-bit formats are full range whatever the source is, and are never dithered.
    # In one thread: several leave a line of RGB sources unconverted now and then (FFmpeg 8).
    values = frame.reformat(format=to, threads=1).to_ndarray()
    upright = np.rot90(values, round(frame.rotation / 90))
    result: Float = upright.astype(np.float32) / np.float32(65535)
    return result


def _images(path: Path, start: int, end: int | None, colour: bool) -> Iterator[Float]:
    files = image_files(path, IMAGE_SUFFIXES)
    if not files:
        raise InputFileError(f"{path} holds no images ({', '.join(IMAGE_SUFFIXES)})")
    for file in files[start:end]:
        try:
            image = np.asarray(iio.imread(file))
        except Exception as error:  # each image plugin raises its own
            raise InputFileError(f"{file} cannot be read as an image; save it again") from error
        if image.dtype.kind == "u":
            image = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
        elif image.dtype.kind != "b" and not (image.min() >= 0 and image.max() <= 1):
            raise ValueRangeError(
                f"{file} ({image.dtype}) spans {image.min():g} to {image.max():g}; wanted 0…1, or "
                f"unsigned whole numbers of full range"
            )
        if image.ndim == 3 and image.shape[2] in (3, 4):
            image = image[..., :3] if colour else image[..., :3] @ BT601
        elif image.ndim == 3 and image.shape[2] <= 2:
            image = image[..., 0]  # gray with or without transparency
        if colour and image.ndim == 2:
            image = np.repeat(image[..., None], 3, axis=2)
        if image.ndim != 2 + colour:
            raise InputFileError(f"{file} has shape {image.shape}; wanted one gray or RGB image")
        yield image.astype(np.float32)
