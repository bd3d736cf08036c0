"""What `reconstruct` makes of a camera's numbers, noise and bad pixels, and that it says so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from deqsci.cli.options import Reporting
from deqsci.cli.sensor import show_sensor
from deqsci.cli.terminal import Terminal
from deqsci.metrics import psnr
from deqsci.reconstruction.bad_pixels import BadPixels
from deqsci.reconstruction.sensor import Sensor
from deqsci.reconstruction.zoo import METHODS, new_map
from tests.cli.support import Run

METHOD = ["--method", "gap-tv"]
SIDE, FRAMES, BLACK, FULL = 96, 4, 64, 400
RNG = np.random.default_rng(0)
MASKS = RNG.integers(0, 2, (FRAMES, SIDE, SIDE)).astype(np.uint8)
ROW, COLUMN = np.mgrid[:SIDE, :SIDE] / SIDE
VIDEO = np.stack([0.5 + 0.4 * np.sin(6 * ROW + 5 * COLUMN + t / 3) for t in range(FRAMES)])
DEAD = np.random.default_rng(1).random((SIDE, SIDE)) < 0.01


def counts() -> np.ndarray:
    """A 12-bit capture with dead pixels."""
    light = (
        BLACK
        + FULL * (MASKS * VIDEO).sum(0)
        + np.random.default_rng(2).normal(0, 3, VIDEO[0].shape)
    )
    return (np.rint(light).clip(0, 4095) * ~DEAD).astype(np.uint16)


@pytest.fixture
def capture(tmp_path: Path) -> list[object]:
    """The arguments that name its snapshot and its masks."""
    iio.imwrite(tmp_path / "shot.png", counts())
    iio.imwrite(tmp_path / "masks.tif", 255 * MASKS, plugin="tifffile", photometric="minisblack")
    return [tmp_path / "shot.png", "--masks", tmp_path / "masks.tif"]


def summary_of(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def quality_of(folder: Path) -> float:
    return psnr(np.load(folder / "video.npz")["video"], VIDEO.astype(np.float32))


def test_a_camera_s_files_become_a_video(run: Run, capture: list, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("reconstruct", *capture, "-o", out, *METHOD, "--full-scale", FULL)
    assert done.code == 0, done.err
    assert "black level 6" in done.err
    assert "pixels left out of the data term" in done.out
    assert "noise: σ =" in done.out
    summary = summary_of(out)
    assert summary["scale"]["black_level"] == pytest.approx(BLACK, abs=4)
    seen = DEAD & (MASKS.sum(0) > 0)
    assert summary["left_out"]["dead"] == pytest.approx(seen.sum(), rel=0.1)
    assert 0.9 * 3 / FULL < summary["noise"]["sigma"] < 2 * 3 / FULL  # texture adds to it
    assert quality_of(out) > 30


def test_bad_pixels_may_be_kept_and_cost_quality(run: Run, capture: list, tmp_path: Path) -> None:
    known = [*METHOD, "--full-scale", FULL, "--black-level", BLACK, "--noise", "0.01"]
    for name, more in (("out", []), ("kept", ["--keep-bad-pixels"])):
        assert run("reconstruct", *capture, "-o", tmp_path / name, *known, *more).code == 0
    assert summary_of(tmp_path / "kept")["left_out"]["share"] == 0
    assert summary_of(tmp_path / "out")["noise"]["estimated"] is False
    assert quality_of(tmp_path / "out") > quality_of(tmp_path / "kept") + 3


def test_noise_that_a_method_does_not_heed_is_told(run: Run, scene: Path, tmp_path: Path) -> None:
    weights = new_map("de-gap-st").network.state_dict()
    save_file({k: v.contiguous() for k, v in weights.items()}, tmp_path / "a.safetensors")
    heeds = ["--method", "de-gap-st", "--weights", tmp_path / "a.safetensors"]
    for options, told in (
        ([*METHOD, "--noise", "0.1"], True),
        (METHOD, False),
        ([*heeds, "--noise", "0.1"], False),
        (["--method", "de-gap-nl", "--noise", "0.1"], False),
    ):
        done = run("reconstruct", scene, "-o", tmp_path / "out", *options, "--max-iter", 1)
        assert done.code == 0, done.err
        assert ("--noise serves to find dead and hot pixels" in done.err) == told


def test_the_help_names_the_methods_that_heed_the_noise(run: Run) -> None:
    text = " ".join(run("reconstruct", "--help").out.replace("│", " ").split())
    told = re.search(r"in the solve only (.+?) heed it", text)
    assert told is not None
    heeding = {
        name
        for name, method in METHODS.items()
        if method.networks and method.kind != "plug-and-play" and new_map(name).heeds_noise
    }
    assert set(re.split(r", | and ", told[1])) == heeding


def test_a_known_saturation_is_left_out(run: Run, capture: list, tmp_path: Path) -> None:
    level = int(np.quantile(counts(), 0.95))
    given = ["--full-scale", FULL, "--black-level", BLACK, "--saturation", level]
    assert run("reconstruct", *capture, "-o", tmp_path / "out", *METHOD, *given).code == 0
    assert summary_of(tmp_path / "out")["left_out"]["saturated"] == [int((counts() >= level).sum())]


@pytest.mark.parametrize(("share", "said"), [(1.0, "(100 %"), (0.0256, "(2.56 %"), (1e-6, "(less")])
def test_how_many_pixels_are_left_out(
    share: float, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sensor = Sensor(None, BadPixels(torch.zeros(2, 2), torch.zeros(2, 2)))
    left_out = {"dead": 1, "hot": 0, "saturated": [2], "share": share}
    show_sensor(Terminal(Reporting()), sensor, {"left_out": left_out})
    assert f"1 dead, 2 saturated {said}" in capsys.readouterr().out


def test_masks_in_another_order_are_told(run: Run, tmp_path: Path) -> None:
    order = [2, 0, 3, 1]
    moving = np.stack([np.roll(VIDEO[0], 5 * t, axis=1) for t in range(FRAMES)])
    y = (MASKS * moving).sum(0).astype(np.float32)
    np.savez(tmp_path / "a.npz", snapshot=y, masks=MASKS[order])
    done = run("reconstruct", tmp_path / "a.npz", "-o", tmp_path / "out", *METHOD)
    assert "frames follow each other better in the order 2 4 1 3" in done.err
    np.savez(tmp_path / "a.npz", snapshot=y, masks=MASKS)
    done = run("reconstruct", tmp_path / "a.npz", "-o", tmp_path / "out", *METHOD)
    assert "order" not in done.err


@pytest.mark.parametrize("option", [["--noise", "-1"], ["--noise", "nan"], ["--frames", "0"]])
def test_options_out_of_range_are_refused(
    run: Run, capture: list, tmp_path: Path, option: list[str]
) -> None:
    done = run("reconstruct", *capture, "-o", tmp_path / "out", *METHOD, *option)
    assert done.code == 2
    assert option[0] in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shift", [0, 1])
def test_masks_that_lie_off_are_told_by_much_noise(
    run: Run, capture: list, tmp_path: Path, shift: int
) -> None:
    moved = np.roll(255 * MASKS, shift, axis=2)
    iio.imwrite(tmp_path / "masks.tif", moved, plugin="tifffile", photometric="minisblack")
    scale = ("--full-scale", FULL, "--black-level", BLACK)
    done = run("inspect", *capture, *scale)
    assert done.code == 0
    assert ("so much noise is rare" in done.err) == bool(shift)
