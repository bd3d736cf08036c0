"""One small scene, written in every kind of file that is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io


@dataclass(frozen=True)
class Scene:
    """Two snapshots of three masked 8-bit frames; H and W differ, so that no swap goes unseen."""

    truth: np.ndarray  # (6, 4, 5) uint8
    masks: np.ndarray  # (3, 4, 5) uint8, 0 or 1

    @property
    def counts(self) -> np.ndarray:
        """(2, 4, 5) uint16, sums on the 0…255·T scale."""
        return (self.truth.reshape(2, 3, 4, 5) * self.masks.astype(np.uint16)).sum(1)


def make_scene() -> Scene:
    rng = np.random.default_rng(7)
    truth = rng.integers(60, 256, (6, 4, 5), dtype=np.uint8)
    masks = rng.integers(0, 2, (3, 4, 5), dtype=np.uint8)
    masks[:, 0, 0] = 1  # somewhere all are open
    return Scene(truth, masks)


def matlab_axes(array: np.ndarray) -> np.ndarray:
    """(T, H, W) to MATLAB's (H, W, T)."""
    return np.moveaxis(array, 0, -1) if array.ndim == 3 else array


def write_mat5(path: Path, **arrays: Any) -> Path:
    scipy.io.savemat(path, {name: matlab_axes(array) for name, array in arrays.items()})
    return path


def write_mat73(path: Path, **arrays: Any) -> Path:
    """As MATLAB's ``save -v7.3``: a text header of 512 bytes, then HDF5 with axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            dataset = matlab_axes(array).transpose()
            if array.size == 0:
                sizes = np.array(matlab_axes(array).shape, dtype=np.uint64)
                file.create_dataset(name, data=sizes).attrs["MATLAB_empty"] = np.uint8(1)
            else:
                file.create_dataset(name, data=dataset)
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 ."
    with path.open("r+b") as raw:
        raw.write(header.ljust(116) + bytes(8) + b"\x00\x02IM")
    return path


def write_npz(path: Path, **arrays: Any) -> Path:
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def write_h5(path: Path, **arrays: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    return path


WRITERS: dict[str, tuple[str, Callable[..., Path]]] = {
    "mat-v5": ("scene.mat", write_mat5),
    "mat-v7.3": ("scene.mat", write_mat73),
    "npz": ("scene.npz", write_npz),
    "h5": ("scene.h5", write_h5),
}
