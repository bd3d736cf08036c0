"""Named arrays out of .npz, .mat and .h5 files, with the frames first whatever the file does.

The kind of a file is told by its first bytes, not by its name:

====================  ==========================  ===========================================
first bytes           kind                        axes of a stack in the file
====================  ==========================  ===========================================
``PK``                .npz (NumPy)                T×H×W
``MATLAB 5.0``        .mat v5 (SciPy)             H×W×T
``MATLAB 7.3``        .mat v7.3 (HDF5 inside)     H×W×T in MATLAB, so T×W×H for HDF5 readers
``\\x89HDF``           .h5, or .mat by its suffix  T×H×W in .h5, T×W×H in .mat
``\\x93NUMPY``         .npy (NumPy)                T×H×W
TIFF's, PNG's         images, or a folder of them  page by page
====================  ==========================  ===========================================

The last two hold one array without a name, which is what was asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray

from deqsci.errors import DeqsciError, InputFileError
from deqsci.io.images import IMAGE_HEADS, read_stack
from deqsci.io.on_disk import LARGE, hdf5_dataset, npz_member

Array = NDArray[Any]

SUFFIXES = (".npz", ".mat", ".h5", ".hdf5", ".npy")
"""Suffixes of the files that are taken up when a folder is listed."""

_WANTED = "wanted a .npz, .mat (v5 or v7.3), .h5 or .npy file, a TIFF or PNG, or a folder of these"


@dataclass(frozen=True)
class Container:
    """What a file holds."""

    path: Path
    arrays: Mapping[str, Array]
    """The numeric arrays that were asked for, (H, W) or (T, H, W), numbers as they are; large ones
    stay on disk (:mod:`deqsci.io.on_disk`)."""
    names: tuple[str, ...]
    """Everything in the file by name, asked for or not; empty where it has no names."""
    matlab: bool
    """Whether the file came from MATLAB, where a trailing axis of length 1 cannot be kept."""


def read_container(
    path: Path, names: Collection[str], images: Sequence[Path] | None = None
) -> Container:
    """Read the arrays called ``names`` that the file has.

    Of a folder ``images`` are read, all that it has without them.

    Raises
    ------
    InputFileError : missing, empty, damaged, too large for the memory, of another kind, or a wanted
        entry is not a plain array of real numbers.
    """
    try:
        if path.is_dir():
            return _nameless(path, names, read_stack(path, images))
        head = _head(path)
        if head[:2] == b"PK":
            return _read_npz(path, names)
        if b"MATLAB 7.3" in head[:128]:
            return _read_hdf5(path, names, matlab=True)
        if head[:8] == b"\x89HDF\r\n\x1a\n":
            return _read_hdf5(path, names, matlab=path.suffix.lower() == ".mat")
        if head.startswith(b"MATLAB 5.0"):
            return _read_mat5(path, names)
        if head[:6] == b"\x93NUMPY":
            return _nameless(path, names, _npy(path))
        if head[:4] in IMAGE_HEADS:
            return _nameless(path, names, read_stack(path))
    except DeqsciError:
        raise
    except MemoryError as error:
        raise InputFileError(
            f"{path} holds more than fits into memory; cut it into several files, or save it again "
            f"if it is not that large"
        ) from error
    except Exception as error:  # the parsers raise anything on damaged bytes, zlib.error included
        raise InputFileError(
            f"{path} is damaged or cut short ({type(error).__name__} while reading it); "
            f"copy or save it again"
        ) from error
    if path.suffix.lower() == ".mat":
        raise InputFileError(
            f"{path} is not a MATLAB file (it begins with {head[:8]!r}); {_WANTED}"
        )
    raise InputFileError(
        f"{path} is of no known kind (it begins with {head[:8]!r}); {_WANTED}, "
        f"or make one from a video with `deqsci simulate`"
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(128)
    except FileNotFoundError:
        raise InputFileError(f"{path} does not exist; {_WANTED}") from None
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror}); {_WANTED}") from error
    if not head:
        raise InputFileError(f"{path} is empty (0 bytes); {_WANTED}")
    return head


def _nameless(path: Path, names: Collection[str], array: Array) -> Container:
    """What is asked for first, without its name."""
    arrays = {name: _real(path, name, array) for name in list(names)[:1]}
    return Container(path, arrays, (), matlab=False)


def _npy(path: Path) -> Array:
    large = path.stat().st_size >= LARGE
    result: Array = np.load(path, mmap_mode="c" if large else None, allow_pickle=False)
    return result


def _read_npz(path: Path, names: Collection[str]) -> Container:
    # Opened here because NumPy leaves a damaged archive open.
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        found = tuple(file.files)
        arrays = {}
        for name in names:
            if name not in found:
                continue
            try:
                array = npz_member(path, name)
                array = file[name] if array is None else array
            except ValueError as error:
                if "pickle" not in str(error):
                    raise
                raise InputFileError(
                    f"{path}: {name!r} holds pickled Python objects, which are never loaded; "
                    f"save it as a plain array of numbers"
                ) from error
            arrays[name] = _real(path, name, array)
    return Container(path, arrays, found, matlab=False)


def _read_mat5(path: Path, names: Collection[str]) -> Container:
    found = tuple(name for name, _, _ in scipy.io.whosmat(path, appendmat=False))
    wanted = [name for name in names if name in found]
    values = scipy.io.loadmat(path, variable_names=wanted, appendmat=False)
    arrays = {name: _frames_first(_real(path, name, values[name])) for name in wanted}
    return Container(path, arrays, found, matlab=True)


def _read_hdf5(path: Path, names: Collection[str], *, matlab: bool) -> Container:
    with h5py.File(path, "r") as file:
        found = tuple(name for name in file if not name.startswith("#"))  # "#refs#" is MATLAB's
        arrays = {}
        for name in names:
            if name not in found:
                continue
            entry = file[name]
            if not isinstance(entry, h5py.Dataset):
                raise InputFileError(f"{path}: {name!r} is a group or struct; wanted an array")
            array = hdf5_dataset(path, entry)
            if entry.attrs.get("MATLAB_empty", 0):
                # MATLAB writes the sizes of an empty array in place of its contents.
                array = np.zeros(tuple(int(size) for size in array.ravel()))
            elif matlab:
                array = array.transpose()
            arrays[name] = _real(path, name, array)
    if matlab:
        arrays = {name: _frames_first(array) for name, array in arrays.items()}
    return Container(path, arrays, found, matlab=matlab)


def _frames_first(array: Array) -> Array:
    """MATLAB's H×W×T to T×H×W; one image stays H×W."""
    return np.moveaxis(array, -1, 0) if array.ndim == 3 else array


def _real(path: Path, name: str, array: Any) -> Array:
    is_array = isinstance(array, np.ndarray)
    if not is_array or array.dtype.kind not in "buif":
        kind = array.dtype if is_array else type(array).__name__
        raise InputFileError(f"{path}: {name!r} is of type {kind}; wanted an array of real numbers")
    result: Array = array
    return result
