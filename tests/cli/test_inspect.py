"""``deqsci inspect``: any snapshot file can be looked at, with or without its masks."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from tests.cli.support import Run, write_scene


def test_a_capture_without_masks_can_be_looked_at(run: Run, tmp_path: Path) -> None:
    counts = np.random.default_rng(0).integers(5, 4096, (3, 32, 40)).astype(np.uint16)
    iio.imwrite(tmp_path / "shots.tif", counts, plugin="tifffile", photometric="minisblack")
    done = run("inspect", tmp_path / "shots.tif", "-o", tmp_path / "shots.png")
    assert done.code == 0, done.err
    assert f"3 × 32×40 pixels, uint16, {counts.min()} to {counts.max()}" in done.out
    assert "12 bits" in done.out
    assert "--masks FILE" in done.err
    assert "deqsci inspect" not in done.err
    assert iio.imread(tmp_path / "shots.png").shape[1] > 1000


def test_a_picture_of_another_kind_is_refused_first(run: Run, tmp_path: Path) -> None:
    done = run("inspect", tmp_path / "missing.npy", "-o", tmp_path / "pic.xyz")
    assert done.code == 2
    assert "pic.xyz is no picture" in done.err
    assert ".png, .pdf, .svg" in done.err


def test_a_mask_file_beside_is_named(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "meas.npy", np.zeros((8, 8), np.uint8))
    np.save(tmp_path / "real_mask.npy", np.ones((4, 8, 8), np.uint8))
    done = run("inspect", tmp_path / "meas.npy")
    assert f"--masks {tmp_path / 'real_mask.npy'}" in done.err


def test_masks_that_are_none_are_an_error(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", snapshot=np.ones((8, 8)), masks=np.full((4, 8, 8), -0.5))
    done = run("inspect", tmp_path / "a.npz")
    assert done.code == 2
    assert "'masks'" in done.err


def test_what_would_be_taken_for_granted_is_said(run: Run, tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.npz")
    done = run("inspect", scene, "--json")
    facts = json.loads(done.out)
    assert (facts["snapshots"], facts["height"], facts["width"], facts["frames"]) == (1, 32, 48, 4)
    assert facts["scale"] == {"full_scale": 1.0, "black_level": 0.0, "guessed": False}
    assert facts["misfit"] is None
    assert {"noise", "left_out"} <= set(facts)


def test_snapshots_that_the_reading_turns_are_shown_so(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2, (4, 32, 24)).astype(np.float32)
    counts = np.rint(60 * np.stack([0.5, 0.6, 0.7])[:, None, None] * masks.sum(0))
    np.save(tmp_path / "last.npy", np.moveaxis(counts.astype(np.uint8), 0, -1))
    np.save(tmp_path / "first.npy", counts.astype(np.uint8))
    np.save(tmp_path / "masks.npy", masks)
    facts, pictures = [], []
    for name in ("last", "first"):
        picture = tmp_path / name / "a.png"
        options = ["--masks", tmp_path / "masks.npy", "-o", picture]
        done = run("inspect", tmp_path / f"{name}.npy", *options, "--json")
        assert done.code == 0, done.err
        facts.append(json.loads(done.out) | {"input": None})
        pictures.append(iio.imread(picture).shape)
    assert facts[0] == facts[1]
    assert (facts[0]["snapshots"], facts[0]["height"], facts[0]["width"]) == (3, 32, 24)
    assert pictures[0] == pictures[1]


def test_masks_of_another_size_leave_the_numbers_to_be_seen(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", snapshot=np.ones((2, 8, 8), np.uint8), masks=np.ones((4, 6, 6)))
    done = run("inspect", tmp_path / "a.npz")
    assert done.code == 2
    assert "2 × 8×8 pixels, uint8" in done.out
    assert "wanted equal sizes" in done.err


def test_threads_are_set(run: Run, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    assert run("inspect", write_scene(tmp_path / "scene.npz"), "--threads", "1").code == 0
    assert torch.get_num_threads() == 1


def test_masks_that_do_not_fit_are_told(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2, (4, 96, 96)).astype(np.float32)
    np.savez(tmp_path / "a.npz", snapshot=0.4 * masks.sum(0), masks=masks.swapaxes(1, 2))
    done = run("inspect", tmp_path / "a.npz")
    assert "transposed" in done.out


@pytest.mark.parametrize("name", ["hand_cr_10", "duomino_cr_10", "waterBalloon_cr_50"])
def test_real_captures_are_shown(run: Run, name: str, tmp_path: Path, shared: Path) -> None:
    done = run("inspect", shared / f"data/real/meas_{name}.mat", "-o", tmp_path / "a.png")
    assert done.code == 0
    assert "512×512 pixels, uint8" in done.out
    assert (tmp_path / "a.png").stat().st_size > 10_000
