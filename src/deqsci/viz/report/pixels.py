"""Frames as text for a page: 8-bit grays or colours, PNG (lossless), base64."""

from __future__ import annotations

import io
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deqsci.viz.preview import gray8

THUMBNAIL = 112
"""Longer side in pixels: twice what a list shows, for screens of fine pitch."""


def png_frames(video: NDArray[Any]) -> list[str]:
    """Each frame of (F, H, W) or (F, H, W, 3) intensities; what is not finite is black."""
    images = gray8(np.nan_to_num(video, nan=0, posinf=0, neginf=0))
    with ThreadPoolExecutor() as pool:  # zlib lets other threads run
        return list(pool.map(lambda image: _png(Image.fromarray(image)), images))


def thumbnail(frame: NDArray[Any]) -> str:
    """A small picture of (H, W) or (H, W, 3) intensities."""
    image = Image.fromarray(gray8(np.nan_to_num(frame)))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return _png(image)


def colours(name: str = "inferno") -> str:
    """A colour map of 256 colours as text: RGB, 8 bits each, base64."""
    table = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
    return b64encode(np.ascontiguousarray(table).tobytes()).decode()


def _png(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return b64encode(buffer.getvalue()).decode()
