"""Arrays that stay on disk: mapped where they lie, or converted part by part into a scratch file.

To whoever uses them they are ordinary arrays; what is read of them takes memory only as long as
the system has some to spare. Arrays under ``LARGE`` are read as ever.
"""

from __future__ import annotations

import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from deqsci.errors import OutputError
from deqsci.io.atomic import atomic_path, reason

Array = NDArray[Any]

LARGE = 1 << 26
"""Bytes from which an array stays on disk."""

_PART = 1 << 24
"""Bytes that are converted or copied at a time."""

_LOCAL_HEADER = struct.Struct("<26xHH")
"""Of a zip member: lengths of its name and of its extra field follow 26 other bytes."""


def parts(array: Array) -> Iterator[Array]:
    """Successive slices along the first axis, of some megabytes each."""
    step = max(1, _PART * len(array) // max(1, array.nbytes))
    return (array[start : start + step] for start in range(0, len(array), step))


def converted(array: Array, convert: Callable[[Array], NDArray[np.float32]]) -> NDArray[np.float32]:
    """``convert`` applied to an array, or to its parts if it is large: then the result is on disk.

    Raises
    ------
    OutputError : the scratch file cannot be written.
    """
    if 4 * array.size < LARGE:
        return convert(array)
    return _scratch((convert(part) for part in parts(array)), np.float32, array.shape)


def npz_member(path: Path, name: str) -> Array | None:
    """A large array of a .npz; None where it is small or not plain, to be read as ever.

    It is mapped in place, or unpacked into a scratch file where it is compressed.
    """
    with zipfile.ZipFile(path) as archive:
        info = archive.NameToInfo.get(f"{name}.npy")
        if info is None or info.file_size < LARGE:
            return None
        with archive.open(info) as stream:
            if np.lib.format.read_magic(stream) != (1, 0):
                return None
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
            if dtype.hasobject:
                return None
            order = "F" if fortran else "C"
            if info.compress_type != zipfile.ZIP_STORED:
                return _scratch(iter(lambda: stream.read(_PART), b""), dtype, shape, order)
            start = stream.tell()
    with path.open("rb") as file:
        file.seek(info.header_offset)
        start += _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size)))
    return _mapped(path, dtype, shape, info.header_offset + start, order)


def hdf5_dataset(path: Path, entry: h5py.Dataset) -> Array:
    """A dataset: read, or if it is large mapped in place, or unpacked where it is chunked."""
    if entry.nbytes < LARGE or entry.dtype.hasobject:
        return np.asarray(entry[()])
    offset = entry.id.get_offset()
    if offset is not None and not entry.external:
        return _mapped(path, entry.dtype, entry.shape, offset)
    rows = (entry.chunks or (1,))[0]
    slabs = (entry[start : start + rows] for start in range(0, len(entry), rows))
    return _scratch(slabs, entry.dtype, entry.shape)


@contextmanager
def npz_writer(path: Path, name: str, shape: tuple[int, ...]) -> Iterator[Callable[[Array], None]]:
    """Write one float32 array as .npz part by part; whole or not at all.

    Lends what takes the parts, in the order of the first axis, which together have ``shape``.
    """
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)), "fortran_order": False}
    missing = prod(shape)
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", allowZip64=True) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as stream,
    ):
        np.lib.format.write_array_header_1_0(stream, header | {"shape": shape})

        def write(part: Array) -> None:
            nonlocal missing
            missing -= part.size
            stream.write(np.ascontiguousarray(part, np.float32).data)

        yield write
        if missing:
            raise RuntimeError(f"{path}: {missing} values missing of an array of {shape}")


def _scratch(
    contents: Iterable[Array | bytes], dtype: DTypeLike, shape: tuple[int, ...], order: str = "C"
) -> Array:
    """An array in a file without a name, gone with the array; TMPDIR says in which folder."""
    try:
        with tempfile.TemporaryFile() as file:
            for content in contents:
                plain = (
                    content if isinstance(content, bytes) else np.ascontiguousarray(content).data
                )
                file.write(plain)
            file.flush()
            return _mapped(file, dtype, shape, 0, order)
    except OSError as error:
        raise OutputError(
            f"the scratch file in {tempfile.gettempdir()} for {_gigabytes(dtype, shape):.1f} GB "
            f"cannot be written ({reason(error)}); TMPDIR names another folder"
        ) from error


def _mapped(
    file: Any, dtype: DTypeLike, shape: tuple[int, ...], offset: int, order: Any = "C"
) -> Array:
    # Copy on write: torch warns of arrays that cannot be written.
    return np.memmap(file, dtype, "c", offset, shape, order)


def _gigabytes(dtype: DTypeLike, shape: tuple[int, ...]) -> float:
    return np.dtype(dtype).itemsize * prod(shape) / 1e9
