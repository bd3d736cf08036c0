"""Demosaicking: what each method gives back exactly, for all patterns and sizes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.errors import ShapeError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import PATTERNS, Pattern, mosaic, sites
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.demosaic import DEMOSAICKINGS, bilinear, demosaic, joint, malvar

METHODS = [bilinear, malvar]


def ramp(height: int = 12, width: int = 14) -> Tensor:
    """A linear image with a colour of its own, which linear interpolation meets inside."""
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    slope = 0.01 * row + 0.02 * column
    return torch.stack([0.2 + slope, 0.1 + slope, 0.3 + slope], -1)


def moving(frames: int, size: int) -> Tensor:
    """(1, T, H, W, 3): coloured stripes that move."""
    place = torch.linspace(0, 6.28, size)
    waves = [
        torch.stack(
            [torch.sin(2 * place[:, None] + phase + 0.3 * t) * torch.cos(place) for phase in (0, 1)]
        )
        for t in range(frames)
    ]
    return torch.stack(
        [torch.stack([0.5 + 0.3 * a, 0.5 + 0.2 * a + 0.1 * b, 0.5 + 0.3 * b], -1) for a, b in waves]
    )[None]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("method", METHODS)
def test_a_linear_image_comes_back(pattern: Pattern, method) -> None:
    image = ramp()
    result = method(mosaic(image, pattern), pattern)
    torch.testing.assert_close(result[2:-2, 2:-2], image[2:-2, 2:-2])


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", [(12, 14), (11, 14), (12, 13), (3, 3)])
@pytest.mark.parametrize("method", METHODS)
def test_what_was_seen_stays(pattern: Pattern, size: tuple[int, int], method) -> None:
    seen = torch.rand(2, *size)
    colours = method(seen, pattern)
    assert colours.shape == (2, *size, 3)
    torch.testing.assert_close(mosaic(colours, pattern), seen)


def test_malvar_follows_an_edge_that_all_colours_share() -> None:
    image = 0.2 + 0.6 * (torch.arange(16) >= 8).float().expand(16, 16).unsqueeze(-1).repeat(1, 1, 3)
    seen = mosaic(image, "RGGB")
    errors = [(method(seen, "RGGB") - image).square().mean() for method in METHODS]
    assert errors[1] < 0.5 * errors[0]


def test_the_four_patterns_are_one_mosaic_moved() -> None:
    video = torch.rand(9, 9, 3)
    moves: dict[Pattern, tuple[int, int]] = {"GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}
    whole = malvar(mosaic(video, "RGGB"), "RGGB")
    for pattern, (row, column) in moves.items():
        part = video[row:, column:]
        assert torch.equal(sites(pattern, 4, 4), sites("RGGB", 6, 6)[:, row:, column:][:, :4, :4])
        result = malvar(mosaic(part, pattern), pattern)
        torch.testing.assert_close(result[2:-2, 2:-2], whole[row:, column:][2:-2, 2:-2])


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", [48, 47])
def test_joint_explains_the_snapshot_and_is_nearer_than_malvar(pattern: Pattern, size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    video = moving(4, size)
    physics = SnapshotPhysics(bernoulli_masks(4, size, size, generator=generator))
    snapshot = physics.A(mosaic(video, pattern))
    noise = 0.1 * torch.randn(video.shape[:-1], generator=generator)
    mosaicked = physics.project(mosaic(video, pattern) + noise, snapshot)  # as a method leaves it

    result = joint(mosaicked, pattern, snapshot, physics)
    torch.testing.assert_close(physics.A(mosaic(result, pattern)), snapshot, atol=1e-5, rtol=0)
    before = (malvar(mosaicked, pattern) - video).square().mean()
    assert (result - video).square().mean() < 0.7 * before


def test_joint_heeds_no_pixel_of_infinite_noise() -> None:
    physics = SnapshotPhysics(torch.rand(2, 8, 8))
    snapshot = physics.A(torch.full((1, 2, 8, 8), 0.5))
    dead = torch.zeros(8, 8)
    dead[3, 4] = torch.inf
    snapshot[0, 3, 4] = 40.0
    camera = SnapshotPhysics(physics.masks, noise=dead)
    result = joint(torch.full((1, 2, 8, 8), 0.5), "RGGB", snapshot, camera)
    torch.testing.assert_close(result, torch.full_like(result, 0.5), atol=1e-4, rtol=0)


def test_samples_do_not_touch_each_other() -> None:
    physics, seen = SnapshotPhysics(torch.rand(2, 8, 8)), torch.rand(3, 2, 8, 8)
    snapshot = physics.A(torch.rand(3, 2, 8, 8))
    together = joint(seen, "GBRG", snapshot, physics)
    for index in range(3):
        alone = joint(seen[index : index + 1], "GBRG", snapshot[index : index + 1], physics)
        torch.testing.assert_close(alone[0], together[index])


@pytest.mark.parametrize("method", DEMOSAICKINGS)
def test_by_name_and_too_small(method) -> None:
    physics = SnapshotPhysics(torch.rand(2, 5, 4))
    colours = demosaic(torch.rand(1, 2, 5, 4), "RGGB", method, torch.rand(1, 5, 4), physics)
    assert colours.shape == (1, 2, 5, 4, 3)
    small = SnapshotPhysics(torch.rand(2, 2, 8))
    with pytest.raises(ShapeError, match=r"2×8.*3×3"):
        demosaic(torch.rand(1, 2, 2, 8), "RGGB", method, torch.rand(1, 2, 8), small)
