"""The page is drawn for every number of frames and for whatever is known."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from deqsci.errors import ShapeError
from deqsci.viz import reconstruction_figure
from deqsci.viz.figure import MOST_FRAMES, frames_to_show

RNG = np.random.default_rng(0)


def scene(frames: int, height: int = 24, width: int = 32) -> tuple[np.ndarray, ...]:
    truth = RNG.random((frames, height, width), dtype=np.float32)
    masks = (RNG.random(truth.shape) < 0.5).astype(np.float32)
    return (masks * truth).sum(0), truth, masks


@pytest.mark.parametrize("frames", [1, 3, 8, 9, 50])
@pytest.mark.parametrize("known", [True, False])
def test_a_page_is_drawn(frames: int, known: bool, tmp_path: Path) -> None:
    snapshot, truth, masks = scene(frames)
    path = tmp_path / "figure.png"
    reconstruction_figure(
        path,
        snapshot,
        truth + 0.1,
        truth if known else None,
        masks=masks if known else None,
        residuals=np.array([1, 0.1, 0.02, np.nan]) if known else None,
        tolerance=1e-3,
        title="a $cene of $mall price",  # not mathematics
    )
    page = iio.imread(path)
    assert page.shape[1] == 2250
    assert page.std() > 10
    assert list(tmp_path.iterdir()) == [path]


def test_an_exact_reconstruction_and_a_solve_without_steps_are_drawn(tmp_path: Path) -> None:
    snapshot, truth, _ = scene(2)
    reconstruction_figure(
        tmp_path / "a.png", snapshot, truth, truth, residuals=np.array([np.nan, 0.0])
    )
    reconstruction_figure(tmp_path / "b.png", 0 * snapshot, 0 * truth, truth)


def test_frames_smaller_than_the_ssim_window_are_drawn(tmp_path: Path) -> None:
    snapshot, truth, _ = scene(2, 8, 8)
    reconstruction_figure(tmp_path / "a.png", snapshot, truth + 0.1, truth)


def test_sizes_that_differ_are_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    snapshot, truth, masks = scene(3)
    for wrong in (
        {"truth": truth[:2]},
        {"masks": masks[:, :5]},
        {"video": truth[:, :, :5]},
        {"video": truth[:0]},
    ):
        arguments = {"video": truth, **wrong}
        with pytest.raises(ShapeError, match=r"wanted \(H, W\) and \(T, H, W\)"):
            reconstruction_figure(tmp_path / "a.png", snapshot, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_all_frames_are_shown_until_they_are_too_many() -> None:
    for count in (1, 8, MOST_FRAMES):
        assert frames_to_show(count) == list(range(count))
    many = frames_to_show(50)
    assert (many[0], many[-1], len(many), len(set(many))) == (0, 49, MOST_FRAMES, MOST_FRAMES)
