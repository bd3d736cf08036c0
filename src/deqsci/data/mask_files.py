"""Random pieces of mask files, drawn on the device that trains.

The files are read here and not by :mod:`deqsci.io`, so that training runs without PyAV and h5py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import torch
from numpy.typing import NDArray
from torch import Tensor

from deqsci.errors import InputFileError, MaskError, ShapeError


class MaskFiles:
    """Mask sets end to end in one tensor, from which a batch of pieces is one gather.

    Parameters
    ----------
    masks : (T, H, W) float32 each, sizes may differ.
    device : where they are kept and the pieces are drawn.
    """

    def __init__(self, masks: Sequence[Tensor], device: torch.device | str = "cpu") -> None:
        self._flat = torch.cat([m.flatten() for m in masks]).to(device)
        shapes = torch.tensor([m.shape for m in masks])
        self._shapes = shapes.to(device)
        self._offsets = (shapes.prod(1).cumsum(0) - shapes.prod(1)).to(device)

    @classmethod
    @lru_cache(maxsize=4)
    def load(cls, files: tuple[Path, ...], device: str) -> MaskFiles:
        """Read the files, or give back what an earlier call read; errors as in `read_masks`."""
        return cls([read_masks(file) for file in files], device)

    def sample(
        self, batch: int, frames: int, height: int, width: int, generator: torch.Generator
    ) -> Tensor:
        """Pieces of masks that go on cyclically in space and time: any size is there, at any place.

        Each comes from one file, as likely as any other, in one of the 8 symmetries of the square
        and forwards or backwards in time.

        Shape: (B, T, H, W) float32.
        """
        device = self._flat.device
        # Far more values than any range has, so that the remainders are as good as uniform.
        draws = torch.randint(1 << 48, (8, batch), generator=generator, device=device)
        file = draws[0] % len(self._offsets)
        corner = draws[1:4] % self._shapes[file].T
        sign = 1 - 2 * (draws[4:7] % 2)
        transposed = (draws[7] % 2 == 1)[:, None, None]

        t, i, j = (torch.arange(n, device=device) for n in (frames, height, width))
        down = torch.where(transposed, j, i[:, None])  # (B, H, W): steps along the file's rows
        across = torch.where(transposed, i[:, None], j)

        def place(axis: int, steps: Tensor) -> Tensor:
            shape = (batch, *[1] * (steps.ndim - 1))
            extent = self._shapes[file, axis].view(shape)
            return (corner[axis].view(shape) + sign[axis].view(shape) * steps) % extent

        columns = self._shapes[file, 2][:, None, None]
        in_frame = place(1, down) * columns + place(2, across)
        frame_start = place(0, t.expand(batch, -1)) * self._shapes[file, 1:].prod(1)[:, None]
        start = self._offsets[file][:, None] + frame_start
        return self._flat.take(start[:, :, None, None] + in_frame[:, None])


def read_masks(path: Path) -> Tensor:
    """Masks of one file: .npy, .npz with ``masks`` (T×H×W), .mat v5 with ``mask`` (H×W×T).

    Returns
    -------
    (T, H, W) float32, transmission in [0, 1].

    Raises
    ------
    InputFileError : missing, damaged, of another kind or without masks.
    ShapeError : an array that is no stack of masks.
    MaskError : values outside [0, 1], or 0 everywhere.
    """
    array = _read_array(path)
    if array.ndim not in (2, 3) or array.size == 0:
        raise ShapeError(f"the masks of {path} have shape {array.shape}; wanted (T, H, W)")
    if array.dtype.kind not in "buif":
        raise MaskError(f"the masks of {path} are of type {array.dtype}; wanted real numbers")
    masks = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    low, high = masks.min().item(), masks.max().item()
    if not (0 <= low and 0 < high <= 1):  # also false for NaN
        raise MaskError(
            f"the masks of {path} span {low:g} to {high:g}; wanted transmission in [0, 1], divide "
            f"them by their value when fully open"
        )
    return masks.expand(1, *masks.shape) if masks.ndim == 2 else masks


def _read_array(path: Path) -> NDArray[Any]:
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if suffix == ".npz":
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return arrays["masks"]
        if suffix == ".mat":
            mask = scipy.io.loadmat(path, variable_names=["mask"])["mask"]
            return np.moveaxis(mask, -1, 0) if mask.ndim == 3 else mask
    except FileNotFoundError:
        raise InputFileError(f"{path} does not exist; wanted a mask file") from None
    except KeyError as error:
        raise InputFileError(f"{path} holds no array called {error}; wanted masks") from error
    except Exception as error:  # the parsers raise anything on damaged bytes
        raise InputFileError(
            f"{path} cannot be read ({type(error).__name__}: {error}); save the masks again as .npz"
        ) from error
    raise InputFileError(f"{path} is no mask file; wanted .npy, .npz or .mat")
