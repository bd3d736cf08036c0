"""A scene holds what its file holds, as tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from deqsci.io import load_snapshots, save_snapshots
from deqsci.io.colour import mosaicked
from deqsci.io.scene import Scene, load_scene


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2, (3, 4, 5)).astype(np.float32)
    truth = rng.random((6, 4, 5), np.float32)
    snapshots = (truth.reshape(2, 3, 4, 5) * masks).sum(1)
    save_snapshots(tmp_path / "scene.npz", snapshots, masks, truth)
    return tmp_path / "scene.npz"


def test_the_camera_takes_the_truth_to_the_snapshots(path: Path) -> None:
    scene = load_scene(str(path))
    assert scene.truth is not None
    torch.testing.assert_close(scene.physics.A(scene.truth), scene.snapshot)
    assert repr(scene) == "Scene('scene.npz': 2 × 3 frames of 4×5, with truth)"
    file = load_snapshots(path)
    assert file.truth is not None
    assert np.array_equal(scene.truth.flatten(0, 1).numpy(), file.truth)


def test_a_scene_is_a_sequence_of_scenes(path: Path) -> None:
    scene = load_scene(path)
    assert len(scene) == 2
    alone = list(scene)
    assert [len(part) for part in alone] == [1, 1]
    assert torch.equal(torch.cat([part.snapshot for part in alone]), scene.snapshot)
    assert torch.equal(scene[-1].snapshot, scene[1:].snapshot)
    assert torch.equal(scene[np.int64(1)].snapshot, scene[1:].snapshot)
    with pytest.raises(IndexError):
        scene[2]


def test_a_file_without_truth_and_masks_from_another(path: Path, tmp_path: Path) -> None:
    other = 1 - load_snapshots(path).masks
    np.savez(tmp_path / "meas.npz", snapshot=np.ones((4, 5), np.float32))
    np.savez(tmp_path / "masks.npz", masks=other)
    scene = load_scene(tmp_path / "meas.npz", masks=str(tmp_path / "masks.npz"), full_scale=1)
    assert isinstance(scene, Scene)
    assert scene.truth is None
    assert scene[0].truth is None
    assert np.array_equal(scene.physics.masks.numpy(), other)


def test_a_colour_camera(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2, (3, 4, 6)).astype(np.float32)
    truth = rng.random((6, 4, 6, 3), np.float32)
    mosaic = mosaicked(truth, "RGGB").reshape(2, 3, 4, 6)
    save_snapshots(str(tmp_path / "colour.npz"), (mosaic * masks).sum(1), masks, truth, "RGGB")
    scene = load_scene(tmp_path / "colour.npz")
    assert scene.bayer == "RGGB"
    assert scene.truth is not None
    assert scene.truth.shape == (2, 3, 4, 6, 3)


def test_the_level_at_which_the_sensor_clips(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).integers(0, 200, (2, 6, 8), np.uint8)
    counts[1, 2, 3] = 255
    np.savez(tmp_path / "meas.npz", snapshot=counts, masks=np.ones((1, 6, 8), np.float32))
    scene = load_scene(tmp_path / "meas.npz", full_scale=255)
    assert scene.saturation is not None
    clips = scene[1].snapshot >= scene.saturation
    assert clips.nonzero().tolist() == [[0, 2, 3]]
