"""Stacks of images keep the sensor's numbers, however a camera's software stored them."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from deqsci.errors import InputFileError, MaskError
from deqsci.io import list_inputs, load_snapshots
from deqsci.io.images import read_stack
from deqsci.io.snapshots import load_counts
from tests.io.files import make_scene, write_npz

RNG = np.random.default_rng(1)
DTYPES = (np.uint8, np.uint16)


def stack(dtype: type, count: int = 5) -> np.ndarray:
    top = 4095 if dtype == np.uint16 else 255
    return RNG.integers(0, top + 1, (count, 6, 7)).astype(dtype)


@pytest.mark.parametrize("dtype", [*DTYPES, np.float32])
def test_a_tiff_of_many_pages(dtype: type, tmp_path: Path) -> None:
    images = stack(dtype)
    iio.imwrite(tmp_path / "a.tif", images, plugin="tifffile")
    read = read_stack(tmp_path / "a.tif")
    np.testing.assert_array_equal(read, images)
    assert read.dtype == images.dtype


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_pages_that_were_written_one_by_one_and_compressed(
    compression: str | None, tmp_path: Path
) -> None:
    images = stack(np.uint16)
    first, *others = [Image.fromarray(image) for image in images]
    first.save(tmp_path / "a.tiff", save_all=True, append_images=others, compression=compression)
    np.testing.assert_array_equal(read_stack(tmp_path / "a.tiff"), images)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_folder_of_images_in_the_order_of_their_numbers(
    dtype: type, suffix: str, tmp_path: Path
) -> None:
    images = stack(dtype, 11)
    for index, image in enumerate(images):
        iio.imwrite(tmp_path / f"shot{index}{suffix}", image)
    (tmp_path / "notes.txt").write_text("exposure 20 ms")
    np.testing.assert_array_equal(read_stack(tmp_path), images)
    assert list_inputs(tmp_path) == [tmp_path]


@pytest.mark.parametrize("name", ["mask.npy", "masks.tif", "pattern.npy", "pattern.tif"])
def test_masks_in_the_folder_of_images_are_no_snapshots(name: str, tmp_path: Path) -> None:
    scene = make_scene()
    for index, image in enumerate(scene.counts.astype(np.uint16)):
        iio.imwrite(tmp_path / f"shot{index}.png", image)
    masks = tmp_path / name
    if masks.suffix == ".npy":
        np.save(masks, scene.masks)
    else:
        pages = (255 * scene.masks).astype(np.uint16)
        iio.imwrite(masks, pages, plugin="tifffile", photometric="minisblack")
    assert list_inputs(tmp_path, masks) == [tmp_path]
    file = load_snapshots(tmp_path, masks=masks, full_scale=255, black_level=0)
    np.testing.assert_allclose(file.snapshots, scene.counts / 255, rtol=1e-6)
    np.testing.assert_array_equal(load_counts(tmp_path, masks), scene.counts)
    if name.startswith("mask"):
        assert list_inputs(tmp_path) == [tmp_path]
        # Not every command that reads snapshots has the option.
        with pytest.raises(MaskError, match=f"`deqsci reconstruct` as --masks {masks}, or store"):
            load_snapshots(tmp_path)


def test_a_folder_of_masks_has_all_its_images(tmp_path: Path) -> None:
    scene = make_scene()
    shots = write_npz(tmp_path / "a.npz", meas=scene.counts)
    folder = tmp_path / "patterns"
    folder.mkdir()
    for index, mask in enumerate((255 * scene.masks).astype(np.uint8)):
        iio.imwrite(folder / f"mask{index}.png", mask)
    file = load_snapshots(shots, masks=folder, full_scale=255, black_level=0)
    np.testing.assert_array_equal(file.masks, scene.masks)


def test_masks_of_one_bit(tmp_path: Path) -> None:
    masks = RNG.random((6, 7)) < 0.5
    Image.fromarray(masks).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_stack(tmp_path / "mask.png"), masks[None])


def test_gray_that_is_stored_as_colour_is_gray(tmp_path: Path) -> None:
    image = stack(np.uint8, 1)[0]
    iio.imwrite(tmp_path / "a.png", np.stack([image] * 3, -1))
    np.testing.assert_array_equal(read_stack(tmp_path / "a.png")[0], image)


@pytest.mark.parametrize("case", ["colour", "cut", "sizes", "empty"])
def test_what_is_no_stack_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    words = {
        "colour": "before demosaicking",
        "cut": "is damaged",
        "sizes": r"several kinds \(3×4 |u1, 6×7",
        "empty": "holds no images",
    }
    if case == "colour":
        iio.imwrite(tmp_path / "a.png", RNG.integers(0, 255, (4, 5, 3), dtype=np.uint8))
    if case == "cut":
        iio.imwrite(tmp_path / "a.tif", stack(np.uint16), plugin="tifffile")
        (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:200])
    if case == "sizes":
        iio.imwrite(tmp_path / "a.png", np.zeros((6, 7), np.uint8))
        iio.imwrite(tmp_path / "b.png", np.zeros((3, 4), np.uint8))
    with pytest.raises(InputFileError, match=words[case]) as caught:
        read_stack(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("kind", ["npy", "tif", "folder"])
def test_files_without_names_are_snapshots_or_masks_by_their_place(
    kind: str, tmp_path: Path
) -> None:
    scene = make_scene()
    expected = load_snapshots(
        write_npz(tmp_path / "a.npz", meas=scene.counts, mask=scene.masks),
        full_scale=255,
        black_level=0,
    )

    def write(name: str, array: np.ndarray) -> Path:
        path = tmp_path / (name if kind == "folder" else f"{name}.{kind}")
        if kind == "npy":
            np.save(path, array)
        elif kind == "tif":
            iio.imwrite(path, array, plugin="tifffile", photometric="minisblack")
        else:
            path.mkdir()
            for index, image in enumerate(array):
                iio.imwrite(path / f"{index}.png", image)
        return path

    file = load_snapshots(
        write("shots", scene.counts.astype(np.uint16)),
        masks=write("patterns", 255 * scene.masks),
        full_scale=255,
        black_level=0,
    )
    np.testing.assert_array_equal(file.snapshots, expected.snapshots)
    np.testing.assert_array_equal(file.masks, expected.masks)
