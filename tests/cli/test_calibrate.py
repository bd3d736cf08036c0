"""``calibrate`` and ``reconstruct --calibrate``: masks that fit, or a sentence that helps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

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
