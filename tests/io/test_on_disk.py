"""Large arrays stay on disk and read as if they had been loaded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from deqsci.errors import InputFileError, OutputError
from deqsci.io import load_snapshots, on_disk
from deqsci.io.containers import read_container
from deqsci.io.on_disk import converted, npz_writer
from tests.io.files import WRITERS, make_scene

VALUES = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_disk, "LARGE", 1)
    monkeypatch.setattr(on_disk, "_PART", 200)  # a part is one frame


def hdf5(**options: object) -> Callable[..., None]:
    def write(path: Path, snapshot: np.ndarray) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("snapshot", data=snapshot, **options)

    return write


LAYOUTS: dict[str, Callable[..., None]] = {
    "a.npz": np.savez,
    "compressed.npz": np.savez_compressed,
    "contiguous.h5": hdf5(),
    "chunked.h5": hdf5(chunks=True, compression="gzip"),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize(
    "values",
    [VALUES, VALUES[0], (255 * VALUES).astype(">u2"), np.asfortranarray(VALUES)],
    ids=["float32", "image", "big-endian", "Fortran order"],
)
def test_it_reads_what_was_written(name: str, values: np.ndarray, tmp_path: Path) -> None:
    LAYOUTS[name](tmp_path / name, snapshot=values)
    array = read_container(tmp_path / name, ["snapshot"]).arrays["snapshot"]
    assert isinstance(array.base, np.memmap) or isinstance(array, np.memmap)
    np.testing.assert_array_equal(array, values)
    before = (tmp_path / name).read_bytes()
    array[:] = 0  # whoever writes into it writes into memory
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("kind", WRITERS)
def test_a_scene_is_the_same_on_disk_and_in_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, write = WRITERS[kind]
    scene = make_scene()
    path = write(tmp_path / name, meas=scene.counts, mask=scene.masks, orig=scene.truth)
    mapped = load_snapshots(path)
    monkeypatch.setattr(on_disk, "LARGE", 1 << 28)
    read = load_snapshots(path)
    assert mapped.notices == read.notices
    for part in ("snapshots", "masks", "truth"):
        np.testing.assert_array_equal(getattr(mapped, part), getattr(read, part))


def test_pickled_objects_are_still_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", snapshot=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputFileError, match="pickled"):
        read_container(tmp_path / "a.npz", ["snapshot"])


def test_a_file_cut_short_is_told(tmp_path: Path) -> None:
    hdf5()(tmp_path / "a.h5", VALUES)
    whole = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(whole[:-200])
    with pytest.raises(InputFileError, match="damaged or cut short"):
        read_container(tmp_path / "a.h5", ["snapshot"])


def test_conversion_part_by_part_is_conversion() -> None:
    counts = (255 * VALUES).astype(np.uint8)
    result = converted(counts, lambda part: part.astype(np.float32) / 255)
    assert isinstance(result, np.memmap)
    np.testing.assert_array_equal(result, counts.astype(np.float32) / 255)


def test_no_room_for_the_scratch_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_disk.tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(OutputError, match="TMPDIR"):
        converted(VALUES, lambda part: part)


def test_an_archive_written_in_parts_is_an_ordinary_one(tmp_path: Path) -> None:
    path = tmp_path / "video.npz"
    with npz_writer(path, "video", VALUES.shape) as write:
        write(VALUES[:2])
        write(VALUES[2:].astype(np.float64))
    with np.load(path) as file:
        np.testing.assert_array_equal(file["video"], VALUES)
    assert zipfile.ZipFile(path).testzip() is None


def test_an_archive_that_is_not_whole_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="missing"),
        npz_writer(tmp_path / "video.npz", "video", VALUES.shape) as write,
    ):
        write(VALUES[:2])
    assert list(tmp_path.iterdir()) == []
