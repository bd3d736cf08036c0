"""``deqsci reconstruct`` on what is large: tiles, asked for or by themselves, and files on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deqsci.io import on_disk, save_snapshots
from deqsci.metrics import psnr
from deqsci.reconstruction import tiling
from tests.cli.support import Run

METHOD = ["--method", "gap-tv", "--max-iter", "20"]
FRAMES, HEIGHT, WIDTH = 2, 140, 200


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A scene of two snapshots that are longer than the smallest tile."""
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    video = np.stack(
        [
            np.where(np.hypot(row - 70, column - 90 - 3 * t) < 30, 0.9, 0.2 + 0.3 * row / HEIGHT)
            for t in range(2 * FRAMES)
        ]
    ).astype(np.float32)
    masks = np.random.default_rng(0).integers(0, 2, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    coded = np.einsum("nthw,thw->nhw", video.reshape(2, *masks.shape), masks)
    save_snapshots(tmp_path / "wide.npz", coded.astype(np.float32), masks, video)
    return tmp_path / "wide.npz"


def reconstructed(run: Run, scene: Path, out: Path, *options: object) -> tuple[np.ndarray, dict]:
    done = run("reconstruct", scene, "-o", out, *METHOD, *options)
    assert done.code == 0, done.err
    with np.load(out / "video.npz") as file:
        return file["video"], json.loads((out / "run.json").read_text(encoding="utf-8"))


def test_tiles_change_nothing_that_can_be_seen(run: Run, wide: Path, tmp_path: Path) -> None:
    whole, _ = reconstructed(run, wide, tmp_path / "whole")
    tiled, summary = reconstructed(run, wide, tmp_path / "tiled", "--tile", 128)
    assert not np.array_equal(whole, tiled)
    assert psnr(tiled, whole) > 60
    assert summary["tile"] == 128
    assert "in all 6 tiles" in summary["snapshots"][1]["status"]


def test_a_large_snapshot_is_tiled_with_a_notice(
    run: Run, wide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiling, "WHOLE", FRAMES * HEIGHT * WIDTH - 1)
    monkeypatch.setattr(tiling, "TILE", FRAMES * 150**2)
    done = run("reconstruct", wide, "-o", tmp_path / "out", *METHOD, "--json")
    assert done.code == 0
    assert "140×200×2 are solved in 2 tiles of at most 150 pixels' side" in done.err
    assert json.loads(done.out)["runs"][0]["tile"] == 150


def test_arrays_on_disk_give_the_same_video(
    run: Run, wide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, before = reconstructed(run, wide, tmp_path / "read")
    monkeypatch.setattr(on_disk, "LARGE", 1)
    mapped, after = reconstructed(run, wide, tmp_path / "mapped")
    np.testing.assert_array_equal(read, mapped)
    assert [r["psnr"] for r in before["snapshots"]] == [r["psnr"] for r in after["snapshots"]]


def test_a_tile_that_is_too_small_is_refused(run: Run, wide: Path, tmp_path: Path) -> None:
    done = run("reconstruct", wide, "-o", tmp_path / "out", *METHOD, "--tile", 64)
    assert done.code == 2
    assert "128" in done.err
    assert not (tmp_path / "out").exists()
