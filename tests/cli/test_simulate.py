"""``deqsci simulate``: what is written is what the options say, and wrong options write nothing."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from deqsci.io import SnapshotFile, load_snapshots, read_video, save_snapshots
from tests.cli.support import FRAMES, HEIGHT, WIDTH, Run, write_scene


def test_the_file_holds_the_video_coded(run: Run, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "snap.npz"
    done = run("simulate", clip, "-o", out, "--frames", "5", "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert (facts["snapshots"], facts["frames"]) == (2, 5)
    scene = load_snapshots(out)
    assert scene.notices == ()
    np.testing.assert_array_equal(scene.truth, read_video(clip))
    expected = np.einsum("nthw,thw->nhw", scene.truth.reshape(2, 5, HEIGHT, WIDTH), scene.masks)
    np.testing.assert_allclose(scene.snapshots, expected, rtol=1e-6)


def test_part_of_the_video(run: Run, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "snap.npz"
    options = ["--frames", "3", "--start", "2", "--max-snapshots", "2", "--crop", "20", "30"]
    assert run("simulate", clip, "-o", out, *options).code == 0
    expected = read_video(clip)[2:8, 6:26, 9:39]
    np.testing.assert_array_equal(load_snapshots(out).truth, expected)


def test_a_folder_of_images(run: Run, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 16), dtype=np.uint8)
    (tmp_path / "images").mkdir()
    for index, image in enumerate(images):
        iio.imwrite(tmp_path / "images" / f"frame{index}.png", image)
    out = tmp_path / "snap.npz"
    done = run("simulate", tmp_path / "images", "-o", out)
    assert done.code == 0
    assert "1 snapshot of 8 frames, 16×16" in done.out
    np.testing.assert_allclose(load_snapshots(out).truth, images[:8] / 255, rtol=1e-6)


def test_frames_are_shrunk_and_cropped_one_by_one(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video, seen = read_video(clip), []

    def read(path: Path, *, each, **options: object) -> np.ndarray:
        def noted(frame: np.ndarray) -> np.ndarray:
            seen.append((frame.shape, each(frame).shape))
            return each(frame)

        return read_video(path, each=noted, **options)

    monkeypatch.setattr("deqsci.cli.exposure.read_video", read)
    options = ["--frames", "4", "--shrink", "3", "--crop", "7", "12"]
    assert run("simulate", clip, "-o", tmp_path / "snap.npz", *options).code == 0
    assert seen == 10 * [((HEIGHT, WIDTH), (7, 12))]
    small = video[:8, :30, :48].reshape(8, 10, 3, 16, 3).mean((2, 4))
    np.testing.assert_array_equal(load_snapshots(tmp_path / "snap.npz").truth, small[:, 1:8, 2:14])


@pytest.mark.parametrize("kind", ["bernoulli", "shifting", "gray"])
def test_mask_kinds_and_seed(run: Run, clip: Path, tmp_path: Path, kind: str) -> None:
    def masks(seed: int, name: str) -> np.ndarray:
        options = ["--mask-kind", kind, "--frames", "4", "--seed", seed]
        assert run("simulate", clip, "-o", tmp_path / name, *options).code == 0
        return load_snapshots(tmp_path / name).masks

    first = masks(1, "a.npz")
    assert first.shape == (4, HEIGHT, WIDTH)
    assert set(np.unique(first)) == {0, 1} or kind == "gray"
    np.testing.assert_array_equal(first, masks(1, "b.npz"))
    assert not np.array_equal(first, masks(2, "c.npz"))


def test_masks_of_a_file_set_frames_and_size(run: Run, clip: Path, tmp_path: Path) -> None:
    masks = np.ones((3, 20, 24), dtype=np.float32)
    save_snapshots(tmp_path / "masks.npz", np.ones((1, 20, 24), dtype=np.float32), masks)
    out = tmp_path / "snap.npz"
    assert run("simulate", clip, "-o", out, "--masks", tmp_path / "masks.npz").code == 0
    scene = load_snapshots(out)
    np.testing.assert_array_equal(scene.masks, masks)
    assert scene.snapshots.shape == (3, 20, 24)


def test_the_first_masks_of_a_file_are_used(run: Run, clip: Path, tmp_path: Path) -> None:
    masks, out = write_scene(tmp_path / "masks.npz"), tmp_path / "snap.npz"
    done = run("simulate", clip, "-o", out, "--masks", masks, "--frames", FRAMES - 1)
    assert done.code == 0, done.err
    assert "the first 3 are used, as --frames asks for 3 frames a snapshot" in done.err
    np.testing.assert_array_equal(load_snapshots(out).masks, load_snapshots(masks).masks[:3])


def test_masks_are_turned_as_reconstruct_turns_them(run: Run, clip: Path, tmp_path: Path) -> None:
    masks = np.random.default_rng(0).integers(0, 2, (20, 24, 3))
    np.save(tmp_path / "masks.npy", masks)
    out = tmp_path / "snap.npz"
    done = run("simulate", clip, "-o", out, "--masks", tmp_path / "masks.npy")
    assert done.code == 0, done.err
    assert "shape 20×24×3; its last axis is taken for the masks" in done.err
    np.testing.assert_array_equal(load_snapshots(out).masks, np.moveaxis(masks, -1, 0))
    again = load_snapshots(out, masks=tmp_path / "masks.npy")
    np.testing.assert_array_equal(again.masks, load_snapshots(out).masks)


def test_threads_are_set(run: Run, clip: Path, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    assert run("simulate", clip, "-o", tmp_path / "snap.npz", "--threads", "1").code == 0
    assert torch.get_num_threads() == 1


def test_noise(run: Run, clip: Path, tmp_path: Path) -> None:
    def snapshot(*options: object) -> np.ndarray:
        out = tmp_path / "snap.npz"
        assert run("simulate", clip, "-o", out, *options).code == 0
        return load_snapshots(out).snapshots

    clean = snapshot()
    read_noise = snapshot("--noise-gaussian", "0.05") - clean
    assert read_noise.std() == pytest.approx(0.05, rel=0.1)
    shot_noise = snapshot("--noise-photons", "1000") - clean
    assert shot_noise.std() == pytest.approx(np.sqrt(clean.mean() / 1000), rel=0.1)
    assert snapshot("--noise-saturation", "2").max() == pytest.approx(2)
    assert len(np.unique(snapshot("--noise-bits", "3"))) <= 8


def test_a_camera_that_departs_from_its_file(run: Run, clip: Path, tmp_path: Path) -> None:
    def scene(*options: object) -> SnapshotFile:
        out = tmp_path / "snap.npz"
        assert run("simulate", clip, "-o", out, "--frames", "5", *options).code == 0
        return load_snapshots(out)

    ideal, shifted = scene(), scene("--mask-shift", "0", "1")
    np.testing.assert_array_equal(shifted.masks, ideal.masks)  # the file does not know
    masks, video = ideal.masks[:, :, :-1], ideal.truth.reshape(2, 5, HEIGHT, WIDTH)[..., 1:]
    expected = np.einsum("nthw,thw->nhw", video, masks)
    np.testing.assert_allclose(shifted.snapshots[:, :, 1:], expected, atol=1e-4)

    for options in (["--mask-rotation", 2], ["--mask-scale", 1.05], ["--mask-blur", 1]):
        assert np.abs(scene(*options).snapshots - ideal.snapshots).mean() > 0.05
    bright = scene("--gain", "1.1", "--offset", "-0.2").snapshots
    np.testing.assert_allclose(bright, 1.1 * ideal.snapshots - 0.2, atol=1e-5)
    assert (scene("--dead-pixels", "0.1").snapshots == 0).all(0).mean() > 0.08
    lit = ideal.snapshots > 0.1
    ratio = scene("--pixel-gain", "0.1").snapshots[lit] / ideal.snapshots[lit]
    assert ratio.std() == pytest.approx(0.1, rel=0.1)
    dark = scene("--noise-gaussian", "0.5", "--noise-bits", "8", "--black-level", "2")
    assert dark.snapshots.min() < 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--frames", "11"], ["10 frames", "11"]),
        (["--start", "8"], ["frame 8", "--start"]),
        (["--start", "90"], ["frame 90"]),
        (["--crop", "64", "64"], ["32×48", "64×64"]),
        (["--masks", "absent.npz"], ["absent.npz"]),
    ],
)
def test_what_the_video_cannot_give(
    run: Run, clip: Path, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    done = run("simulate", clip, "-o", tmp_path / "out" / "snap.npz", *options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--masks", "masks.npz", "--mask-kind", "bernoulli"], ["--mask-kind", "--masks"]),
        (["--black-level", "0.1"], ["--black-level", "--noise-bits"]),
    ],
)
def test_options_without_effect_are_refused(
    run: Run, clip: Path, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    done = run("simulate", clip, "-o", tmp_path / "snap.npz", *options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert not (tmp_path / "snap.npz").exists()


def test_masks_that_contradict_the_options(run: Run, clip: Path, tmp_path: Path) -> None:
    masks = write_scene(tmp_path / "masks.npz")
    out = tmp_path / "snap.npz"
    for options in (["--frames", FRAMES + 1], ["--crop", 8, 8]):
        done = run("simulate", clip, "-o", out, "--masks", masks, *options)
        assert done.code == 2
        assert "masks.npz" in done.err
        assert not out.exists()


def test_what_is_not_a_video(run: Run, scene: Path, tmp_path: Path) -> None:
    for video in (scene, tmp_path / "absent.mp4", tmp_path):
        done = run("simulate", video, "-o", tmp_path / "out.npz")
        assert done.code == 2
        assert str(video) in done.err
        assert not (tmp_path / "out.npz").exists()


def test_the_masks_file_is_not_overwritten(run: Run, clip: Path, tmp_path: Path) -> None:
    masks = write_scene(tmp_path / "masks.npz")
    before = masks.read_bytes()
    done = run("simulate", clip, "-o", masks, "--masks", tmp_path / "." / "masks.npz")
    assert done.code == 2
    assert "masks.npz is one of the files to read" in done.err
    assert masks.read_bytes() == before


def test_another_suffix_is_refused_before_the_video_is_read(run: Run, tmp_path: Path) -> None:
    done = run("simulate", tmp_path / "absent.mp4", "-o", tmp_path / "out.mat")
    assert done.code == 2
    assert "does not end in .npz" in done.err


def test_a_foreign_file_is_not_overwritten(run: Run, clip: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.npz"
    precious.write_bytes(b"my thesis")
    assert run("simulate", clip, "-o", precious).code == 2
    assert precious.read_bytes() == b"my thesis"
    ours = write_scene(tmp_path / "ours.npz")
    assert run("simulate", clip, "-o", ours).code == 0
