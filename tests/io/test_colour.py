"""Colour in files: the pattern is remembered, the truth is in colour, videos keep their colours."""

from __future__ import annotations

from pathlib import Path

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import scipy.io
import torch

from deqsci.errors import InputFileError, ShapeError
from deqsci.io import load_snapshots, read_video, save_snapshots, write_gif, write_mp4
from deqsci.io.colour import mosaicked
from deqsci.io.scene import load_scene
from deqsci.physics.bayer import PATTERNS, Pattern, mosaic

FRAMES, HEIGHT, WIDTH = 3, 6, 8


def camera(pattern: Pattern = "GRBG") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Snapshots (2, H, W), masks and colour truth."""
    rng = np.random.default_rng(0)
    truth = rng.random((2 * FRAMES, HEIGHT, WIDTH, 3), dtype=np.float32)
    masks = rng.integers(0, 2, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    seen = mosaicked(truth, pattern).reshape(2, *masks.shape)
    return np.einsum("nthw,thw->nhw", seen, masks), masks, truth


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_file_remembers_the_pattern(pattern: Pattern, tmp_path: Path) -> None:
    snapshots, masks, truth = camera(pattern)
    path = tmp_path / "a.npz"
    for _ in range(2):  # and may be replaced
        save_snapshots(path, snapshots, masks, truth, pattern)
    scene = load_snapshots(path)
    assert scene.bayer == pattern
    assert scene.notices == ()
    np.testing.assert_array_equal(scene.truth, truth)
    np.testing.assert_array_equal(scene.snapshots, snapshots)
    again = load_scene(path)
    assert again.bayer == pattern
    assert again.truth.shape == (2, FRAMES, HEIGHT, WIDTH, 3)


def test_mosaicked_is_the_mosaic_of_every_frame() -> None:
    _, _, truth = camera()
    for pattern in PATTERNS:
        expected = mosaic(torch.from_numpy(truth), pattern).numpy()
        np.testing.assert_array_equal(mosaicked(truth, pattern), expected)


@pytest.mark.parametrize("kind", ["v5", "v7.3", "h5"])
def test_colour_files_of_the_field(kind: str, tmp_path: Path) -> None:
    snapshots, masks, truth = camera()
    counts = np.rint(255 * truth).astype(np.uint8)
    seen = mosaicked(counts.astype(np.float32), "GRBG")
    meas = np.einsum("nthw,thw->nhw", seen.reshape(2, *masks.shape), masks)
    names = {"meas_bayer": meas, "mask_bayer": masks, "orig_bayer": seen, "orig": counts}
    path = tmp_path / ("a.h5" if kind == "h5" else "a.mat")
    if kind == "v5":
        scipy.io.savemat(path, {n: np.moveaxis(a, 0, -1) for n, a in names.items()})
    else:
        with h5py.File(path, "w", userblock_size=512 if kind == "v7.3" else 0) as file:
            for name, array in names.items():
                matlab = np.moveaxis(array, 0, -1).transpose()  # as MATLAB's HDF5 has it
                file[name] = matlab if kind == "v7.3" else array
        if kind == "v7.3":
            with path.open("r+b") as raw:
                raw.write(b"MATLAB 7.3 MAT-file")
    scene = load_snapshots(path, bayer="GRBG")
    np.testing.assert_allclose(scene.truth, truth, atol=0.5 / 255)
    np.testing.assert_allclose(scene.snapshots, snapshots, atol=0.01)


def test_a_mosaicked_truth_tells_the_scale_only(tmp_path: Path) -> None:
    snapshots, masks, truth = camera()
    seen = np.rint(255 * mosaicked(truth, "GRBG"))
    meas = np.einsum("nthw,thw->nhw", seen.reshape(2, *masks.shape), masks)
    np.savez(tmp_path / "a.npz", snapshot=meas, masks=masks, truth=seen.astype(np.uint8))
    scene = load_snapshots(tmp_path / "a.npz", bayer="GRBG")
    assert scene.truth is None
    assert "no colours" in scene.notices[0]
    np.testing.assert_allclose(scene.snapshots, snapshots, atol=0.01)


def test_what_is_no_colour_camera_is_told(tmp_path: Path) -> None:
    snapshots, masks, truth = camera()
    path = tmp_path / "a.npz"
    plain = {"snapshot": snapshots, "masks": masks}
    np.savez(path, **plain, truth=truth)
    with pytest.raises(ShapeError, match=r"colour.*--bayer RGGB"):
        load_snapshots(path)
    np.savez(path, **plain, truth=truth[..., :2])
    with pytest.raises(ShapeError, match="N·T, H, W, 3"):
        load_snapshots(path, bayer="RGGB")
    for cut in (np.s_[..., :1, :], np.s_[..., :1]):
        np.savez(path, snapshot=snapshots[cut], masks=masks[cut])
        with pytest.raises(ShapeError, match="at least 2×2"):
            load_snapshots(path, bayer="RGGB")
    np.savez(path, **plain, bayer=np.array([[0, 0], [1, 2]]))
    with pytest.raises(InputFileError, match=r"\[\[0, 0\], \[1, 2\]\].*RGGB"):
        load_snapshots(path)


def test_colours_of_a_video(tmp_path: Path) -> None:
    video = np.zeros((3, 33, 47, 3), np.float32)
    video[..., 0] = 0.8
    video[:, :, 20:, 1] = 0.6
    video[:, 17:, :, 2] = 0.3
    video[1] *= 0.5
    write_mp4(tmp_path / "a.mp4", video, fps=8)
    back = read_video(tmp_path / "a.mp4", colour=True)
    assert back.shape == (3, 34, 48, 3)
    smooth = (slice(None), slice(2, 14), slice(24, 44))  # 4:2:0 blurs colours at edges
    np.testing.assert_allclose(back[smooth], video[smooth], atol=0.02)
    luma = video @ np.array([0.299, 0.587, 0.114], np.float32)
    np.testing.assert_allclose(read_video(tmp_path / "a.mp4")[smooth], luma[smooth], atol=0.02)

    write_gif(tmp_path / "a.gif", video, fps=8)
    np.testing.assert_allclose(iio.imread(tmp_path / "a.gif") / 255, video, atol=0.02)


def test_colours_of_images(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 9, 3), dtype=np.uint8)
    iio.imwrite(tmp_path / "a1.png", images[0])
    alpha = np.full((8, 9, 1), 7, np.uint8)
    iio.imwrite(tmp_path / "a2.png", np.concatenate([images[1], alpha], 2))
    iio.imwrite(tmp_path / "a3.png", images[0, ..., 0])
    video = read_video(tmp_path, colour=True)
    np.testing.assert_allclose(video[:2], images / 255, rtol=1e-6)
    np.testing.assert_allclose(video[2], images[0, ..., :1].repeat(3, 2) / 255, rtol=1e-6)


def test_what_is_no_video_is_not_written(tmp_path: Path) -> None:
    for write in (write_mp4, write_gif):
        with pytest.raises(ShapeError, match=r"\(F, H, W, 3\)"):
            write(tmp_path / "a.mp4", np.zeros((2, 8, 8, 4), np.float32), 8)
