"""Pieces of mask files really are in the file, and what is no mask file is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
from torch import Tensor

from deqsci.data.mask_files import MaskFiles, read_masks
from deqsci.data.masks import MaskSampler
from deqsci.errors import DeqsciError, InputFileError, MaskError, ShapeError
from tests.data.support import equally_often, seeded


def numbered(frames: int, height: int, width: int) -> Tensor:
    """Masks in which no two pixels are alike."""
    count = frames * height * width
    return (torch.arange(count) / count).view(frames, height, width)


def every_orientation(piece: Tensor) -> list[Tensor]:
    turned = [torch.rot90(piece, turns, (1, 2)) for turns in range(4)]
    turned += [t.flip(2) for t in turned]
    return turned + [t.flip(0) for t in turned]


def orientation(piece: Tensor, masks: Tensor) -> int:
    """Which orientation of the masks, going on cyclically in space and time, holds the piece."""
    for number, turned in enumerate(every_orientation(masks)):
        start = (turned == piece[0, 0, 0]).nonzero()[0]
        place = [(s + torch.arange(n)) % m for s, n, m in zip(start, piece.shape, turned.shape)]
        if torch.equal(turned[place[0]][:, place[1]][:, :, place[2]], piece):
            return number
    raise AssertionError("the piece is nowhere in the masks")


@pytest.mark.parametrize("size", [(2, 3, 2), (3, 5, 7), (5, 9, 8)])
def test_pieces_occur_in_the_file_whatever_their_size(size: tuple[int, int, int]) -> None:
    masks = numbered(3, 5, 7)
    pieces = MaskFiles([masks]).sample(400, *size, seeded())
    assert pieces.shape == (400, *size)
    found = torch.tensor([orientation(piece, masks) for piece in pieces])
    assert equally_often(found, 16)


def test_every_place_of_a_file_is_a_corner_equally_often() -> None:
    masks = numbered(3, 5, 7)
    corners = MaskFiles([masks]).sample(2000, 1, 1, 1, seeded()).flatten() * masks.numel()
    assert equally_often(corners.round().long(), masks.numel())


def test_files_are_equally_likely_and_keep_apart() -> None:
    files = [numbered(2, 4, 3) / 4, 0.5 + numbered(5, 3, 3) / 4]
    pieces = MaskFiles(files).sample(300, 2, 6, 2, seeded())
    second = (pieces >= 0.5).flatten(1)
    assert bool((second.all(1) | ~second.any(1)).all())
    assert second[:, 0].float().mean().item() == pytest.approx(0.5, abs=0.1)
    for piece, which in zip(pieces, second[:, 0]):
        orientation(piece, files[int(which)])


def test_every_kind_of_file_gives_the_same_masks(tmp_path: Path) -> None:
    masks = np.random.default_rng(0).random((3, 4, 5), np.float32)
    np.save(tmp_path / "m.npy", masks)
    np.savez(tmp_path / "m.npz", masks=masks)
    scipy.io.savemat(tmp_path / "m.mat", {"mask": masks.transpose(1, 2, 0)})
    for name in ("m.npy", "m.npz", "m.mat"):
        assert torch.equal(read_masks(tmp_path / name), torch.from_numpy(masks)), name


def test_one_mask_is_a_stack_of_one(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.eye(3, dtype=bool))
    assert torch.equal(read_masks(tmp_path / "m.npy"), torch.eye(3)[None])


def test_a_sampler_draws_from_its_files(tmp_path: Path) -> None:
    masks = numbered(2, 4, 6)
    np.save(tmp_path / "m.npy", masks.numpy())
    for piece in MaskSampler(("file",), files=(tmp_path / "m.npy",)).sample(8, 3, 4, 4, seeded()):
        orientation(piece, masks)


@pytest.mark.parametrize(
    ("array", "error", "sentence"),
    [
        (np.full((2, 3, 3), 255, np.uint8), MaskError, "span 255 to 255"),
        (np.zeros((2, 3, 3)), MaskError, "span 0 to 0"),
        (np.full((2, 3, 3), np.nan), MaskError, "span nan"),
        (np.ones((2, 3, 3), complex), MaskError, "complex128"),
        (np.ones(3), ShapeError, r"\(3,\)"),
        (np.ones((0, 3, 3)), ShapeError, r"\(0, 3, 3\)"),
    ],
)
def test_arrays_that_are_no_masks(
    tmp_path: Path, array: np.ndarray, error: type[DeqsciError], sentence: str
) -> None:
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(error, match=sentence):
        read_masks(tmp_path / "m.npy")


def test_files_that_are_no_mask_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.ones((1, 2, 2)))
    scipy.io.savemat(tmp_path / "other.mat", {"x": np.ones((2, 2))})
    (tmp_path / "damaged.mat").write_bytes(b"MATLAB 5.0 and then nothing")
    (tmp_path / "masks.txt").write_text("1")
    sentences = {
        "missing.npy": "does not exist",
        "other.npz": "no array called 'masks",
        "other.mat": "no array called 'mask'",
        "damaged.mat": "cannot be read",
        "masks.txt": "no mask file",
    }
    for name, sentence in sentences.items():
        with pytest.raises(InputFileError, match=sentence):
            read_masks(tmp_path / name)
