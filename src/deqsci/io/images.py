"""Stacks of images as a camera leaves them: a TIFF of one or many pages, a PNG, a folder of those.

Numbers stay as they are in the file, 1, 8 or 16 bits or real ones: what they mean is for
:mod:`deqsci.io.scale` to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from deqsci.errors import InputFileError
from deqsci.io.agreement import without_masks

IMAGE_SUFFIXES = (".tif", ".tiff", ".png")
IMAGE_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x89PNG")
"""First bytes of TIFF (also above 4 GB) and PNG files."""


def read_stack(path: Path, files: Sequence[Path] | None = None) -> NDArray[Any]:
    """All pages of an image file, or all images of a folder in the order of their numbers.

    ``files`` are those that count of a folder, all without it.

    Returns (N, H, W).

    Raises
    ------
    InputFileError : no image, a damaged one, one with colours, or sizes that differ.
    """
    if files is None:
        files = image_files(path) if path.is_dir() else [path]
    if not files:
        raise InputFileError(f"{path} holds no images ({', '.join(IMAGE_SUFFIXES)})")
    pages = [page for file in files for page in _pages(file)]
    kinds = {(page.shape, page.dtype.str) for page in pages}
    if len(kinds) > 1:
        found = ", ".join(sorted({f"{'×'.join(map(str, shape))} {kind}" for shape, kind in kinds}))
        raise InputFileError(f"{path} holds images of several kinds ({found}); wanted one")
    return np.stack(pages)


def image_files(folder: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> list[Path]:
    """The images of a folder but for hidden ones, frame2 before frame10."""
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in suffixes and not file.name.startswith(".")
    ]
    return sorted(files, key=lambda file: natural_key(file.name))


def snapshot_images(folder: Path, masks: Path | None = None) -> list[Path]:
    """Those that are no masks beside others; see :func:`without_masks`."""
    files = image_files(folder)
    return without_masks(files, masks) or files


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that puts ``frame2`` before ``frame10``."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _pages(file: Path) -> list[NDArray[Any]]:
    try:
        series = _decoded(file)
    except MemoryError:
        raise
    except Exception as error:  # each image plugin raises its own
        raise InputFileError(
            f"{file} is damaged or of a kind that is not read ({type(error).__name__}); save it "
            f"as 8- or 16-bit gray TIFF or PNG"
        ) from error
    pages = [page for images in series for page in _gray(images, file)]
    if not pages or pages[0].dtype.kind not in "buif":
        raise InputFileError(f"{file} holds no gray image; wanted 8- or 16-bit TIFF or PNG")
    return pages


def _decoded(file: Path) -> list[NDArray[Any]]:
    """Arrays of one page, or of several pages alike."""
    if file.suffix.lower() == ".png":
        return [iio.imread(file, plugin="pillow")]
    try:
        with iio.imopen(file, "r", plugin="tifffile") as tiff:
            return list(tiff.iter())
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        return list(iio.imiter(file, plugin="pillow"))  # knows more compressions


def _gray(images: NDArray[Any], file: Path) -> NDArray[Any]:
    """(..., H, W), or gray that is stored as colour, as (N, H, W)."""
    if images.ndim >= 3 and images.shape[-1] in (2, 3, 4):
        colours = images[..., : images.shape[-1] - (images.shape[-1] % 2 == 0)]  # without alpha
        if np.any(colours != colours[..., :1]):
            raise InputFileError(
                f"{file} has colours; wanted the gray numbers of the sensor, as they were before "
                f"demosaicking"
            )
        images = colours[..., 0]
    return images.reshape(-1, *images.shape[-2:])
