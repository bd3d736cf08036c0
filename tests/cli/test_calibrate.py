"""``calibrate`` and ``reconstruct --calibrate``: masks that fit, or a sentence that helps."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from deqsci.io import load_snapshots, save_snapshots
from deqsci.physics.camera import MaskDeviation
from deqsci.physics.noise import Noise
from tests.cli.support import Run
from tests.reconstruction.calibration.support import take

TRUE = MaskDeviation((0.6, -0.4), 0.2)


@pytest.fixture
def deviant(tmp_path: Path) -> Path:
    """A snapshot file whose masks lie off by half a pixel, with truth."""
    taken = take(TRUE, Noise(gaussian=0.005, offset=0.02))
    path = tmp_path / "deviant.npz"
    video = taken.video.flatten(0, 1).numpy()
    save_snapshots(path, taken.snapshots.numpy(), taken.masks.numpy(), video)
    return path


def transposed(path: Path, target: Path) -> Path:
    scene = load_snapshots(path)
    save_snapshots(target, scene.snapshots, scene.masks.transpose(0, 2, 1))
    return target


def test_the_file_written_fits(run: Run, deviant: Path, tmp_path: Path) -> None:
    out = tmp_path / "calibrated.npz"
    done = run("calibrate", deviant, "-o", out)
    assert done.code == 0, done.err
    assert "shift down" in done.out
    assert "a brighter video would explain the same" in done.out
    before, after = load_snapshots(deviant), load_snapshots(out)
    assert after.notices == ()
    video = after.truth.reshape(1, *after.masks.shape)
    misfit = [
        np.abs(scene.snapshots - np.einsum("nthw,thw->nhw", video, scene.masks)).mean()
        for scene in (before, after)
    ]
    assert misfit[1] < 0.1 * misfit[0]


def test_json_says_how_sure_it_is(run: Run, deviant: Path, tmp_path: Path) -> None:
    done = run("calibrate", deviant, "-o", tmp_path / "out.npz", "--json")
    found = json.loads(done.out)["calibration"]
    assert found["verdict"] == "calibrated"
    assert found["deviation"]["shift"] == pytest.approx(TRUE.shift, abs=0.02)
    assert 0 < found["errors"]["down"] < 0.02
    assert 0 < found["displacement_error"] < 0.1
    assert found["noise"]["read"] > 0


def test_a_white_capture_tells_the_gain(run: Run, deviant: Path, tmp_path: Path) -> None:
    scene = load_snapshots(deviant)
    masks = TRUE(take().masks).numpy()
    white = 1.1 * 0.5 * masks.sum(0) + 0.02
    save_snapshots(tmp_path / "white.npz", white[None], scene.masks)
    done = run(
        *["calibrate", deviant, "-o", tmp_path / "out.npz", "--json"],
        *["--capture", tmp_path / "white.npz", "--capture-level", "0.5"],
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["calibration"]["gain"] == pytest.approx(1.1, abs=0.001)


@dataclass(frozen=True)
class Counted:
    """Files of a camera that writes counts of 12 bits, 800 of them at intensity 1."""

    scene: Path
    white: Path
    """A white surface of intensity 0.2, whose counts would do with 10 bits."""
    masks: Path

    @staticmethod
    def take(folder: Path) -> Counted:
        taken = take(TRUE)
        white = 0.2 * TRUE(taken.masks).sum(0, keepdim=True)
        files = {"scene": taken.snapshots, "white": white}
        for name, seen in files.items():
            np.save(folder / f"{name}_cr_6.npy", np.rint(800 * seen.clamp(0).numpy()).astype("u2"))
        # One mask more than the camera moved to.
        np.save(folder / "masks.npy", torch.cat([taken.masks, taken.masks[:1]]).numpy())
        return Counted(*(folder / f"{name}.npy" for name in ("scene_cr_6", "white_cr_6", "masks")))


def test_a_capture_is_on_the_scale_of_the_scene(run: Run, tmp_path: Path) -> None:
    files = Counted.take(tmp_path)
    masks = ["--masks", files.masks]
    done = run(
        *["calibrate", files.scene, "-o", tmp_path / "out.npz", "--json", *masks],
        *["--capture", files.white, "--capture-level", "0.2"],
    )
    assert done.code == 0, done.err
    scene = load_snapshots(files.scene, masks=files.masks)
    assert scene.scale.full_scale == pytest.approx(4095 / 3, rel=0.01)
    gain = json.loads(done.out)["calibration"]["gain"]
    assert gain == pytest.approx(800 / scene.scale.full_scale, rel=0.002)


def test_a_capture_has_the_masks_of_the_scene(run: Run, tmp_path: Path) -> None:
    files = Counted.take(tmp_path)
    white = files.white.rename(tmp_path / "white.npy")  # whose name says nothing of T
    done = run(
        *["calibrate", files.scene, "-o", tmp_path / "out.npz", "--json", "--masks", files.masks],
        *["--capture", white, "--capture-level", "0.2", "--full-scale", 800, "--black-level", 0],
    )
    assert done.code == 0, done.err
    assert done.err.count("the first 6 are used, as the name scene_cr_6.npy says 6") == 1
    assert "--frames" not in done.err
    assert json.loads(done.out)["calibration"]["gain"] == pytest.approx(1, abs=0.002)


def test_notices_of_a_capture_are_told(run: Run, deviant: Path, tmp_path: Path) -> None:
    scene = load_snapshots(deviant)
    dark = 0.05 * TRUE(take().masks).numpy().sum(0)[None]
    save_snapshots(tmp_path / "dark.npz", dark, scene.masks)
    options = ["--capture", tmp_path / "dark.npz", "--capture-level", "0.05"]
    done = run("calibrate", deviant, "-o", tmp_path / "out.npz", *options)
    assert done.code == 0, done.err
    assert "dark.npz: 'snapshot' reaches 0.3" in done.err
    assert "a dark scene, or another scale" in done.err


@pytest.mark.parametrize("coloured", ["scene.npz", "white.npz"])
def test_a_colour_camera_is_refused(run: Run, tmp_path: Path, coloured: str) -> None:
    taken = take(TRUE)
    for name, seen in (("scene.npz", taken.snapshots), ("white.npz", taken.masks.sum(0)[None])):
        bayer = "RGGB" if name == coloured else None
        save_snapshots(tmp_path / name, seen.numpy(), taken.masks.numpy(), bayer=bayer)
    out = tmp_path / "out.npz"
    capture = ["--capture", tmp_path / "white.npz"]
    done = run("calibrate", tmp_path / "scene.npz", "-o", out, *capture)
    assert done.code == 2
    assert f"{tmp_path / coloured} is of a colour camera (RGGB)" in done.err
    assert not out.exists()


def test_a_level_without_a_uniform_surface_is_refused(
    run: Run, deviant: Path, tmp_path: Path
) -> None:
    level = ["-o", tmp_path / "out.npz", "--capture-level", "0.5"]
    done = run("calibrate", deviant, *level)
    assert done.code == 2
    assert "--capture-level 0.5 has nothing to do without a capture" in done.err
    done = run("calibrate", deviant, *level, "--capture", deviant)
    assert done.code == 2
    assert f"{deviant} holds its truth" in done.err
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("also", ["input", "--masks", "--capture"])
def test_no_input_is_overwritten(run: Run, deviant: Path, tmp_path: Path, also: str) -> None:
    other = Path(shutil.copy(deviant, tmp_path / "other.npz"))
    read = deviant if also == "input" else other
    options = [] if also == "input" else [also, other]
    before = read.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path)
    done = run("calibrate", deviant, "-o", tmp_path / "link" / read.name, *options)
    assert done.code == 2
    assert f"{read.name} is one of the files to read" in done.err
    assert read.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.mat", "does not end in .npz"),
        ("folder.npz", "is a folder"),
        ("file/out.npz", "file is a file; wanted a folder"),
        ("file.npz", "is no snapshot file"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_work(
    run: Run, deviant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.setattr("deqsci.cli.calibrate.from_snapshots", lambda _: pytest.fail("worked"))
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "file.npz").touch()
    done = run("calibrate", deviant, "-o", tmp_path / name)
    assert done.code == 2
    assert words in done.err


def test_threads_are_set(run: Run, deviant: Path, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    assert run("calibrate", deviant, "-o", tmp_path / "out.npz", "--threads", "1").code == 0
    assert torch.get_num_threads() == 1


def test_masks_that_do_not_fit_write_nothing(run: Run, deviant: Path, tmp_path: Path) -> None:
    wrong = transposed(deviant, tmp_path / "wrong.npz")
    out = tmp_path / "new" / "out.npz"
    done = run("calibrate", wrong, "-o", out)
    assert done.code == 2
    assert "rows and columns exchanged" in done.err
    assert "wrong.npz" in done.err
    assert not out.parent.exists()


def test_reconstruction_with_calibration(run: Run, deviant: Path, tmp_path: Path) -> None:
    def quality(*options: str) -> dict[str, object]:
        done = run("reconstruct", deviant, "-o", tmp_path / "out", "--method", "gap-tv", *options)
        assert done.code == 0, done.err
        return json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))

    plain, calibrated = quality(), quality("--calibrate")
    assert calibrated["psnr"] > plain["psnr"] + 5
    assert plain["calibration"] is None
    assert calibrated["calibration"]["verdict"] == "calibrated"


@pytest.mark.parametrize("options", [[], ["--calibrate"]])
def test_reconstruction_speaks_of_masks_that_do_not_fit(
    run: Run, deviant: Path, tmp_path: Path, options: list[str]
) -> None:
    wrong = transposed(deviant, tmp_path / "wrong.npz")
    method = ["--method", "gap-tv", "--max-iter", "2"]
    done = run("reconstruct", wrong, "-o", tmp_path / "out", *method, *options)
    assert done.code == 0
    assert "rows and columns exchanged" in done.err
    summary = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert bool(summary["calibration"]) == bool(options)
