"""The Bayer mosaic: what a sensor sees of colours, and its four phases."""

from __future__ import annotations

import pytest
import torch

from deqsci.errors import ConfigError, ShapeError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import (
    PATTERNS,
    Pattern,
    cell,
    colour_masks,
    interleave_phases,
    mosaic,
    sites,
    split_phases,
)

SIZES = [(6, 8), (7, 8), (6, 9), (5, 5), (2, 2)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_letters_of_a_pattern_are_its_upper_left_pixels(pattern: Pattern) -> None:
    red, green, blue = torch.eye(3).expand(4, 4, 3, 3).unbind(-2)
    for letter, video in zip("RGB", (red, green, blue)):
        seen = mosaic(video, pattern)
        expected = torch.tensor([float(other == letter) for other in pattern]).view(2, 2)
        torch.testing.assert_close(seen, expected.repeat(2, 2))


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", SIZES)
def test_every_pixel_sees_one_colour_and_green_is_seen_most(
    pattern: Pattern, size: tuple[int, int]
) -> None:
    seen = sites(pattern, *size)
    assert seen.shape == (3, *size)
    assert bool((seen.sum(0) == 1).all())
    if size[0] % 2 == 0 and size[1] % 2 == 0:
        assert seen.flatten(1).sum(1).tolist() == [size[0] * size[1] // n for n in (4, 2, 4)]


@pytest.mark.parametrize("size", SIZES)
def test_split_and_interleave_are_inverse(size: tuple[int, int]) -> None:
    stack = torch.randn(2, 3, *size)
    phases = split_phases(stack)
    torch.testing.assert_close(interleave_phases(phases), stack, rtol=0, atol=0)
    again = split_phases(interleave_phases(phases))
    for one, other in zip(again, phases):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_phase_sees_one_colour(pattern: Pattern) -> None:
    video = torch.rand(4, 6, 8, 3)
    for channel, phase, (row, column) in zip(
        cell(pattern),
        split_phases(mosaic(video, pattern)),
        [(0, 0), (0, 1), (1, 0), (1, 1)],
    ):
        torch.testing.assert_close(phase, video[:, row::2, column::2, channel])


def test_the_snapshot_of_a_phase_is_the_phase_of_the_snapshot() -> None:
    masks, video = torch.rand(4, 7, 8), torch.rand(2, 4, 7, 8)
    whole = split_phases(SnapshotPhysics(masks).A(video))
    for snapshot, phi, x in zip(whole, split_phases(masks), split_phases(video)):
        torch.testing.assert_close(SnapshotPhysics(phi).A(x), snapshot)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_colour_masks_make_the_colour_camera_of_gray_operators(pattern: Pattern) -> None:
    masks, video = torch.rand(4, 6, 8), torch.rand(2, 4, 6, 8, 3)
    expected = SnapshotPhysics(masks).A(mosaic(video, pattern))
    frames = video.movedim(-1, 2).flatten(1, 2)
    torch.testing.assert_close(SnapshotPhysics(colour_masks(masks, pattern)).A(frames), expected)


def test_what_is_no_mosaic_is_told() -> None:
    with pytest.raises(ConfigError, match=r"'RGB'.*RGGB, BGGR, GRBG, GBRG"):
        cell("RGB")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match=r"\(4, 6, 8\).*\(\.\.\., H, W, 3\)"):
        mosaic(torch.rand(4, 6, 8), "RGGB")
    with pytest.raises(ShapeError, match="four of one sensor"):
        interleave_phases([torch.rand(3, 4), torch.rand(3, 4), torch.rand(3, 4), torch.rand(2, 4)])
