"""Videos of other programs, wherever their frames are and whatever their scale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from deqsci.errors import InputFileError, ShapeError, ValueRangeError
from deqsci.io import write_gif, write_mp4
from deqsci.io.foreign import read_reconstruction
from tests.io.files import write_h5, write_mat5, write_mat73, write_npz

FRAMES, SIZE = 3, (16, 24)
ROW, COLUMN = np.mgrid[: SIZE[0], : SIZE[1]]
VIDEO = np.stack([(10 * COLUMN + 3 * ROW + 8 * t) / 320 for t in range(FRAMES)]).astype(np.float32)
COUNTS = np.rint(255 * VIDEO).astype(np.uint8)


def as_python_saves_it(path: Path, **arrays: np.ndarray) -> Path:
    """A .mat with the frames first, as they are in NumPy."""
    scipy.io.savemat(path, arrays)
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "npz": lambda p: write_npz(p / "a.npz", video=VIDEO),
    "npz counts": lambda p: write_npz(p / "a.npz", video=COUNTS),
    "npz H×W×T": lambda p: write_npz(p / "a.npz", recon=np.moveaxis(VIDEO, 0, -1)),
    "npz N×T×H×W": lambda p: write_npz(p / "a.npz", pred=VIDEO[:, None]),
    "mat real counts": lambda p: write_mat5(p / "a.mat", vgaptv=VIDEO * 255.0),
    "mat the only stack": lambda p: write_mat5(p / "a.mat", v_any=VIDEO, psnr=np.ones((1, 3))),
    "mat beside its input": lambda p: write_mat5(p / "a.mat", v=VIDEO, orig=COUNTS, mask=COUNTS),
    "mat of Python": lambda p: as_python_saves_it(p / "a.mat", pic=VIDEO),
    "mat v7.3": lambda p: write_mat73(p / "a.mat", x=VIDEO),
    "h5": lambda p: write_h5(p / "a.h5", out=VIDEO),
}


@pytest.mark.parametrize("kind", FILES)
def test_arrays_of_every_kind(kind: str, tmp_path: Path) -> None:
    video = read_reconstruction(FILES[kind](tmp_path), SIZE)
    assert video.dtype == np.float32
    np.testing.assert_allclose(video, VIDEO, atol=0.6 / 255)


def test_videos(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", VIDEO, 8)
    np.testing.assert_allclose(read_reconstruction(tmp_path / "a.gif", SIZE), VIDEO, atol=1 / 255)
    write_mp4(tmp_path / "a.mp4", VIDEO, 8)
    np.testing.assert_allclose(read_reconstruction(tmp_path / "a.mp4", SIZE), VIDEO, atol=0.05)


def test_one_image_is_one_frame(tmp_path: Path) -> None:
    video = read_reconstruction(write_npz(tmp_path / "a.npz", video=VIDEO[0]), SIZE)
    np.testing.assert_array_equal(video, VIDEO[:1])


def test_overshoot_is_clipped(tmp_path: Path) -> None:
    for scale in (1, 255):
        path = write_npz(tmp_path / "a.npz", video=scale * (2 * VIDEO - 0.5))
        video = read_reconstruction(path, SIZE)
        np.testing.assert_allclose(video, np.clip(2 * VIDEO - 0.5, 0, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "error", "words"),
    [
        ({"video": VIDEO[:, :8]}, ShapeError, "3×8×24; wanted frames of 16×24"),
        ({"video": VIDEO + np.nan}, ValueRangeError, "NaN"),
        ({"video": VIDEO * 1e4}, ValueRangeError, "0…255"),
        ({"video": COUNTS.astype(np.uint16) * 257}, ValueRangeError, "0…255"),
        ({"psnr": np.ones(3)}, InputFileError, "no video"),
        ({"mask": VIDEO}, InputFileError, "no video"),
        ({"a": VIDEO, "b": VIDEO}, InputFileError, "several stacks"),
    ],
)
def test_what_is_no_video_is_told(
    arrays: dict[str, np.ndarray], error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        read_reconstruction(write_npz(tmp_path / "a.npz", **arrays), SIZE)


@pytest.mark.parametrize("name", ["a.mat", "a.npz", "a.gif", "a.mp4"])
def test_damaged_files(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(InputFileError, match=name):
        read_reconstruction(tmp_path / name, SIZE)
