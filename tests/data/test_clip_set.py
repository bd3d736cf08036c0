"""Crops are pieces of the clips, and every one that there is comes as often as it should."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from deqsci.data.clip_set import ClipSet
from deqsci.errors import InputFileError, ShapeError
from tests.data.support import HostReadsNothing, equally_often, seeded


def numbered(frames: int, height: int, width: int) -> Tensor:
    """A clip in which no two pixels are alike."""
    assert frames * height * width <= 256
    return torch.arange(frames * height * width).byte().view(frames, height, width)


def levels(crops: Tensor) -> Tensor:
    return (255 * crops).round().long()


def crops_by_slicing(clip: Tensor, frames: int, size: int, stride: int) -> set[bytes]:
    """Every crop of a clip that there can be, made one by one."""
    found = set()
    span = (frames - 1) * stride + 1
    places = itertools.product(
        *(range(n - w + 1) for n, w in zip(clip.shape, (span, size, size))),
    )
    for t, i, j in places:
        crop = clip[t : t + span : stride, i : i + size, j : j + size]
        for turns, *flips in itertools.product(range(4), (False, True), (False, True)):
            seen = torch.rot90(crop, turns, (1, 2))
            for dim, flip in zip((0, 2), flips):
                seen = seen.flip(dim) if flip else seen
            found.add(seen.contiguous().numpy().tobytes())
    return found


def test_crops_are_pieces_of_one_clip_up_to_symmetry_and_stride() -> None:
    shapes = [(5, 4, 6), (3, 7, 3), (8, 3, 3)]
    clips = [torch.randint(256, s, generator=seeded(i)).byte() for i, s in enumerate(shapes)]
    allowed = set().union(
        *(crops_by_slicing(clip, 3, 3, stride) for clip in clips for stride in (1, 2))
    )
    crops = ClipSet(clips).sample(500, 3, 3, seeded(), max_stride=2)
    assert crops.shape == (500, 3, 3, 3)
    assert all(crop.byte().numpy().tobytes() in allowed for crop in levels(crops))


def test_every_symmetry_and_every_place_comes_equally_often() -> None:
    crops = levels(ClipSet([numbered(4, 8, 8)]).sample(6400, 2, 2, seeded()))
    where = torch.stack([crops // 64, crops // 8 % 8, crops % 8], -1)  # (B, 2, 2, 2, txy)
    in_time = where[:, 1, 0, 0] - where[:, 0, 0, 0]
    down = where[:, 0, 1, 0] - where[:, 0, 0, 0]
    across = where[:, 0, 0, 1] - where[:, 0, 0, 0]
    assert bool((in_time.abs() == torch.tensor([1, 0, 0])).all())
    assert bool((down.abs() + across.abs() == torch.tensor([0, 1, 1])).all())

    turned = down[:, 2].abs()
    backwards = in_time[:, 0] < 0
    flips = [(d.sum(1) < 0).long() for d in (down, across)]
    cells = turned + 2 * backwards.long() + 4 * flips[0] + 8 * flips[1]
    assert equally_often(cells, 16)

    t, row, column = where.flatten(1, 3).amin(1).T
    assert equally_often((t * 7 + row) * 7 + column, 3 * 7 * 7)


def test_every_clip_that_a_crop_fits_is_drawn_as_often() -> None:
    shapes = [(2, 8, 8), (8, 8, 8), (1, 20, 20), (9, 8, 3), (9, 3, 8)]
    clips = [torch.full(shape, level).byte() for level, shape in enumerate(shapes)]
    drawn = levels(ClipSet(clips).sample(4000, 2, 4, seeded()))[:, 0, 0, 0]
    assert set(drawn.tolist()) == {0, 1}
    assert drawn.float().mean().item() == pytest.approx(0.5, abs=0.02)


def test_strides_are_uniform_over_those_that_fit() -> None:
    clip = torch.arange(8).byte().view(8, 1, 1).expand(8, 3, 3)
    crops = levels(ClipSet([clip]).sample(3000, 3, 3, seeded(), max_stride=9))[..., 0, 0]
    steps = crops.diff(dim=1).abs()
    assert bool((steps[:, 0] == steps[:, 1]).all())
    assert equally_often(steps[:, 0] - 1, 3)  # 3 frames at a stride of 4 span 9


def test_single_frames_serve_denoisers() -> None:
    still, video = torch.full((1, 5, 5), 7).byte(), torch.full((3, 5, 5), 8).byte()
    crops = ClipSet([still, video]).sample(200, 1, 5, seeded(), max_stride=2)
    assert crops.shape == (200, 1, 5, 5)
    assert set(levels(crops).unique().tolist()) == {7, 8}


def test_values_are_divided_by_255() -> None:
    crops = ClipSet([numbered(1, 16, 16)]).sample(2, 1, 16, seeded())
    assert crops.dtype == torch.float32
    assert crops.is_contiguous()
    assert torch.equal(crops[0].flatten().sort().values, torch.arange(256) / 255)


def test_the_generator_alone_decides() -> None:
    clips = ClipSet([torch.randint(256, (9, 20, 20), generator=seeded()).byte()])
    generator = seeded(5)
    first, second = (clips.sample(4, 3, 8, generator, 2) for _ in range(2))
    assert torch.equal(first, clips.sample(4, 3, 8, seeded(5), 2))
    assert not torch.equal(first, second)


def test_the_host_does_not_wait_for_the_device() -> None:
    clips = ClipSet([numbered(4, 8, 8), numbered(2, 9, 9)])
    clips.sample(1, 2, 3, seeded())
    with HostReadsNothing():
        clips.sample(5, 2, 3, seeded(), max_stride=2)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_everything_is_on_the_device(device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    clips = ClipSet([numbered(4, 8, 8), numbered(2, 9, 9)], device)
    assert (len(clips), clips.nbytes) == (2, 4 * 64 + 2 * 81)
    assert clips.device.type == device
    tables = (clips.flat, clips.offsets, clips.lengths, clips.heights, clips.widths)
    assert {table.device.type for table in tables} == {device}
    assert clips.offsets.tolist() == [0, 256]
    crops = clips.sample(2, 2, 3, torch.Generator(device).manual_seed(0))
    assert crops.device.type == device


@pytest.mark.parametrize(("frames", "size"), [(9, 8), (8, 21), (1, 31)])
def test_no_clip_that_fits(frames: int, size: int) -> None:
    clips = ClipSet([torch.zeros(8, 20, 30, dtype=torch.uint8)])
    with pytest.raises(InputFileError, match=f"{frames} frames of at least {size}×{size}"):
        clips.sample(1, frames, size, seeded())


def test_what_is_no_clip() -> None:
    with pytest.raises(InputFileError, match="none of 0 clips"):
        ClipSet([]).sample(1, 1, 1, seeded())
    for clip in (torch.zeros(2, 3, 3), torch.zeros(3, 3, dtype=torch.uint8)):
        with pytest.raises(ShapeError, match=r"wanted \(F, H, W\) torch.uint8"):
            ClipSet([clip])
