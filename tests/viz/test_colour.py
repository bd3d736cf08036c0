"""Pictures of a colour video: what is coloured, what the error is, and the page in a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from deqsci.io import RunFolder, save_snapshots
from deqsci.io.colour import mosaicked
from deqsci.io.finished_run import FinishedRun
from deqsci.metrics import channels, psnr_per_frame, quality
from deqsci.viz import preview_frames, reconstruction_figure
from deqsci.viz.figure import absolute_error
from deqsci.viz.report import write_report
from deqsci.viz.shrink import shrink
from tests.runs import FRAMES, HEIGHT, WIDTH, make_scene, write_run
from tests.viz.browser import Browser, find_chromium

RED, GREEN = (0.9, 0.1, 0.2), (0.2, 0.8, 0.1)


def coloured(count: int = 2) -> np.ndarray:
    """(N·T, H, W, 3): red to the left, green to the right."""
    truth = np.empty((count * FRAMES, HEIGHT, WIDTH, 3), np.float32)
    truth[:, :, : WIDTH // 2], truth[:, :, WIDTH // 2 :] = RED, GREEN
    return truth


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    """A colour run whose video is too blue by 0.3 in frame 2 of each snapshot."""
    folder = write_run(tmp_path / "out")
    truth = coloured()
    video = truth.copy()
    video[1::FRAMES, ..., 2] += 0.3
    masks = make_scene().masks
    seen = mosaicked(truth, "RGGB").reshape(2, *masks.shape)
    snapshots = np.einsum("nthw,thw->nhw", seen, masks)
    save_snapshots(folder / "snapshot.npz", snapshots, masks, truth, "RGGB")
    np.savez(folder / "video.npz", video=video)
    return FinishedRun.load(folder)


def test_quality_is_the_mean_over_the_channels() -> None:
    truth = coloured(1)
    video = truth + np.float32([0.1, 0.01, 0.001])
    psnr, ssim = quality(video, truth)
    assert psnr == pytest.approx((20 + 40 + 60) / 3, abs=0.01)
    parts = [quality(video[..., c], truth[..., c]) for c in range(3)]
    assert ssim == pytest.approx(np.mean([part[1] for part in parts]))
    assert psnr_per_frame(channels(video), channels(truth)).shape == (3 * FRAMES,)


def test_the_error_is_the_mean_over_the_channels() -> None:
    frame = np.zeros((2, 2, 3), np.float32)
    np.testing.assert_allclose(absolute_error(frame + np.float32([0.3, -0.6, 0]), frame), 0.3)


def test_preview_and_figure_are_in_colour(tmp_path: Path) -> None:
    truth, masks = coloured(1), make_scene(1).masks
    snapshot = np.einsum("thw,thw->hw", mosaicked(truth, "RGGB"), masks)
    frames = preview_frames(snapshot[None], truth, truth)
    assert frames.shape[0] == FRAMES
    assert frames.shape[3] == 3
    assert np.ptp(frames[:, 18:, :WIDTH], axis=3).max() == 0  # the snapshot is gray
    np.testing.assert_allclose(frames[0, -1, -1] / 255, GREEN, atol=1 / 255)

    reconstruction_figure(tmp_path / "a.png", snapshot, truth, truth, masks=masks)
    page = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    red = np.abs(page / 255 - np.float32(RED)).max(2) < 0.01
    assert red.mean() > 0.02


def test_a_large_sensor_is_shrunk_with_its_colours() -> None:
    small = shrink(coloured(1), WIDTH // 4)
    assert small.shape == (FRAMES, HEIGHT // 4, WIDTH // 4, 3)
    np.testing.assert_allclose(small[0, 0, 0], RED, rtol=1e-6)


def test_a_gray_video_does_not_belong_to_a_colour_run(run: FinishedRun) -> None:
    gray = replace(run.scene, truth=None, bayer=None)
    with RunFolder.create(run.path.parent / "other") as folder:
        folder.write_scene(gray)
        with folder.video_parts(run.video.shape) as write:
            write(run.video)
        folder.write_residuals(run.residuals)
        folder.write_summary(run.summary)
    with pytest.raises(Exception, match="files of one run only"):
        FinishedRun.load(run.path.parent / "other")


def test_the_page_of_a_colour_run(run: FinishedRun, tmp_path: Path) -> None:
    program = find_chromium()
    if program is None:
        pytest.skip("no chromium on the PATH; it is a package of that name in most systems")
    page = run.path / "report.html"
    write_report(run, page)
    assert "colour camera (RGGB)" in page.read_text(encoding="utf-8")
    with Browser(program, tmp_path / "profile") as browser:
        browser.open(page)
        browser.until("document.documentElement.dataset.shown === '0'")
        assert browser.problems == []

        def corner() -> list[int]:
            """The lower right pixel, once what was asked for is drawn."""
            return browser.run(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {"
                "const c = document.querySelector('#stage canvas');"
                "done([...c.getContext('2d').getImageData(c.width - 2, c.height - 2, 1, 1).data]"
                ".slice(0, 3))})))"
            )

        np.testing.assert_allclose(corner(), 255 * np.float32(GREEN), atol=1)
        browser.run(
            "(c => { c.value = 'error'; c.dispatchEvent(new Event('change')) })"
            "(document.getElementById('right'))"
        )
        assert corner() == list(colormaps["inferno"](0, bytes=True)[:3])
        browser.key("ArrowRight")
        # 0.3 in one of three channels, up to 8 bits; the scale ends at 0.1.
        np.testing.assert_allclose(corner(), colormaps["inferno"](0.99, bytes=True)[:3], atol=8)
