"""Snapshots and masks from different hands: whose axes are where, and how many masks count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deqsci.errors import ConfigError, MaskError, ShapeError
from deqsci.io.agreement import (
    frames_first,
    is_named_masks,
    lone_masks_first,
    masks_of_one_snapshot,
)

SNAPSHOTS, MASKS = np.arange(40).reshape(2, 4, 5), np.arange(60).reshape(3, 4, 5)


@pytest.mark.parametrize("moved", [(False, False), (False, True), (True, False), (True, True)])
def test_axes_are_moved_until_the_sizes_agree(moved: tuple[bool, bool]) -> None:
    stored = [np.moveaxis(a, 0, -1) if move else a for a, move in zip((SNAPSHOTS, MASKS), moved)]
    snapshots, masks, notices = frames_first(*stored, "s", "m")
    np.testing.assert_array_equal(snapshots, SNAPSHOTS)
    np.testing.assert_array_equal(masks, MASKS)
    assert len(notices) == sum(moved)
    if moved[1]:
        assert notices[-1] == "m has shape 4×5×3; its last axis is taken for the masks"


def test_sizes_that_agree_in_either_order_are_read_by_the_shortest_axis() -> None:
    """As many snapshots as masks, both frames-last: 4 of 5×3 for whoever reads them as stored."""
    snapshots, masks = np.arange(60).reshape(4, 5, 3), np.arange(60, 120).reshape(4, 5, 3)
    images, openings, notices = frames_first(snapshots, masks, "s", "m")
    np.testing.assert_array_equal(images, np.moveaxis(snapshots, -1, 0))
    np.testing.assert_array_equal(openings, np.moveaxis(masks, -1, 0))
    assert notices == (
        "s has shape 4×5×3; its last axis is taken for the snapshots",
        "m has shape 4×5×3; its last axis is taken for the masks",
        "s and m agree as stored, too; the shortest axis is taken for the frames",
    )
    images, openings, notices = frames_first(MASKS, MASKS, "s", "m")
    assert images is openings is MASKS
    assert notices == ()


def test_transposed_masks_are_named_so() -> None:
    with pytest.raises(ShapeError, match="masks look transposed"):
        frames_first(SNAPSHOTS, MASKS.swapaxes(1, 2), "s", "m")


def test_masks_of_another_size_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"4×5 pixels, the masks of m have 6×7; .* same region"):
        frames_first(SNAPSHOTS, np.ones((3, 6, 7)), "s", "m")


@pytest.mark.parametrize(
    ("shape", "turned"),
    [((8, 9, 10), False), ((9, 10, 8), True), ((9, 8, 8), False), ((10, 8, 9), False)],
)
def test_the_shortest_axis_of_lone_masks_is_time(shape: tuple[int, ...], turned: bool) -> None:
    stored = np.arange(np.prod(shape)).reshape(shape)
    masks, notices = lone_masks_first(stored, "m")
    np.testing.assert_array_equal(masks, np.moveaxis(stored, -1, 0) if turned else stored)
    said = ("m has shape 9×10×8; its last axis is taken for the masks",)
    assert notices == (said if turned else ())


@pytest.mark.parametrize(
    ("frames", "name", "count"),
    [
        (None, "meas_hand.mat", 3),
        (None, "meas_hand_cr_2.mat", 2),
        (None, "meas_hand_cr2.mat", 2),
        (None, "across_2.mat", 3),
        (1, "meas_hand_cr_2.mat", 1),
    ],
)
def test_so_many_masks_as_one_snapshot_has_frames(
    frames: int | None, name: str, count: int
) -> None:
    masks, notices = masks_of_one_snapshot(MASKS, frames, Path(name), "m")
    np.testing.assert_array_equal(masks, MASKS[:count])
    assert len(notices) == (count < 3)


def test_fewer_masks_than_frames_are_refused() -> None:
    with pytest.raises(MaskError, match=r"3 masks where the name a_cr_10\.mat says 10 frames"):
        masks_of_one_snapshot(MASKS, None, Path("a_cr_10.mat"), "m")
    with pytest.raises(MaskError, match="3 masks where --frames asks for 4 frames"):
        masks_of_one_snapshot(MASKS, 4, Path("a.mat"), "m")
    with pytest.raises(ConfigError, match="wanted at least 1"):
        masks_of_one_snapshot(MASKS, 0, Path("a.mat"), "m")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mask.mat", True), ("real_masks.npy", True), ("Mask2", True), ("masked.npz", False)],
)
def test_names_of_mask_files(name: str, expected: bool) -> None:
    assert is_named_masks(Path(name)) == expected
