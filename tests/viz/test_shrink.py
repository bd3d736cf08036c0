"""A picture made small keeps the brightness of every part."""

from __future__ import annotations

import numpy as np
import pytest

from deqsci.viz.preview import LONGEST, MOST_FRAMES, preview_frames
from deqsci.viz.shrink import shrink


def test_a_pixel_is_the_mean_of_its_square() -> None:
    frames = np.arange(2 * 6 * 9, dtype=np.float32).reshape(2, 6, 9)
    small = shrink(frames, 3)
    assert small.shape == (2, 2, 3)
    assert small[1, 1, 2] == frames[1, 3:, 6:].mean()


def test_what_is_small_enough_stays() -> None:
    frames = np.ones((1, 4, 5), np.float32)
    assert shrink(frames, 5) is frames


@pytest.mark.parametrize("shape", [(1, 7, 5), (1, 1, 50), (1, 10, 11)])
def test_odd_sizes(shape: tuple[int, int, int]) -> None:
    small = shrink(np.ones(shape, np.float32), 4)
    assert max(small.shape[1:]) <= 4
    np.testing.assert_array_equal(small, 1)


def test_the_preview_of_a_long_video_of_a_large_sensor_is_short_and_small() -> None:
    snapshots = np.ones((MOST_FRAMES, 4, 3 * LONGEST), np.float32)
    video = np.ones((2 * MOST_FRAMES, 4, 3 * LONGEST), np.float32)
    preview = preview_frames(snapshots, video)
    assert len(preview) == MOST_FRAMES
    assert preview.shape[2] == 2 * LONGEST + 4
