"""Where each panel of the preview lies and what it holds."""

from __future__ import annotations

import numpy as np
import pytest

from deqsci.errors import ShapeError
from deqsci.viz import preview_frames

RNG = np.random.default_rng(0)
VIDEO = RNG.random((6, 20, 30), dtype=np.float32)
TRUTH = RNG.random((6, 20, 30), dtype=np.float32)
SNAPSHOTS = 3 * RNG.random((2, 20, 30), dtype=np.float32)


def gray(values: np.ndarray) -> np.ndarray:
    return np.rint(255 * values).astype(np.uint8)


def test_snapshot_reconstruction_and_truth_stand_side_by_side() -> None:
    frames = preview_frames(SNAPSHOTS, VIDEO, TRUTH)
    assert frames.dtype == np.uint8
    assert frames.shape == (6, 20 + 18, 3 * 30 + 2 * 4)
    pictures = frames[:, 18:]
    np.testing.assert_array_equal(
        pictures[:, :, :30], np.repeat(gray(SNAPSHOTS / SNAPSHOTS.max()), 3, axis=0)
    )
    np.testing.assert_array_equal(pictures[:, :, 34:64], gray(VIDEO))
    np.testing.assert_array_equal(pictures[:, :, 68:], gray(TRUTH))


def test_without_truth_there_are_two_panels() -> None:
    assert preview_frames(SNAPSHOTS, VIDEO).shape == (6, 38, 64)


def test_a_panel_may_be_narrower_than_the_gap() -> None:
    assert preview_frames(SNAPSHOTS[..., :1], VIDEO[..., :1]).shape == (6, 38, 2 * 1 + 4)


def test_every_panel_has_a_name_and_frames_count_within_their_snapshot() -> None:
    bars = preview_frames(np.zeros((2, 9, 200)), np.zeros((6, 9, 200)), np.zeros((6, 9, 200)))
    bars = bars[:, :18]
    for left in (0, 204, 408):
        assert bars[:, :, left : left + 200].min() < 100
    np.testing.assert_array_equal(bars[:3], bars[3:])
    assert (bars[0] != bars[1]).any()


def test_sizes_that_differ_are_refused() -> None:
    for snapshots, video, truth in (
        (SNAPSHOTS, VIDEO[:5], None),
        (SNAPSHOTS, VIDEO[:0], None),
        (SNAPSHOTS[:0], VIDEO, None),
        (SNAPSHOTS[:, :9], VIDEO, None),
        (SNAPSHOTS, VIDEO, TRUTH[:3]),
    ):
        with pytest.raises(ShapeError, match="wanted"):
            preview_frames(snapshots, video, truth)
