"""What a newcomer does, page by page: commands and Python run in order, on a very small video."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch

from deqsci.cli.app import main
from deqsci.denoisers.rsn_cnn import RSNCNN
from deqsci.io import save_snapshots, write_mp4
from tests.docs.pages import DOCS, REPOSITORY, blocks, commands

FRAMES, HEIGHT, WIDTH = 8, 48, 64
SMALLER = {
    r"--crop 256 256": f"--crop {HEIGHT} {WIDTH}",
    r"steps: \d+": "steps: 1",
    r"batch: \d+": "batch: 2",
    r"size: \d+": "size: 16",
}
"""What makes the pages' commands end in seconds."""


def moving(frames: int) -> np.ndarray:
    """(F, H, W): soft spots that wander over a ramp."""
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    spots = [np.exp(-((row - 24) ** 2 + (column - 10 - 2 * t) ** 2) / 60) for t in range(frames)]
    return np.stack([0.2 + 0.3 * column / WIDTH + 0.4 * spot for spot in spots]).astype(np.float32)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_processes: None) -> Path:
    """A folder with what the pages take for granted: a video, a capture, clips to train on."""
    video = moving(2 * FRAMES)
    write_mp4(tmp_path / "holiday.mp4", video, 8)
    masks = np.random.default_rng(0).integers(0, 2, (FRAMES, HEIGHT, WIDTH))
    coded = np.rint(255 * (masks * video[:FRAMES]).sum(0))
    scipy.io.savemat(tmp_path / "meas.mat", {"meas": coded.astype(np.uint16)})
    scipy.io.savemat(tmp_path / "masks.mat", {"mask": np.moveaxis(masks, 0, -1).astype(np.uint8)})
    for folder in ("clips", "validation"):
        (tmp_path / folder).mkdir()
        write_mp4(tmp_path / folder / "clip.mp4", video, 8)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def walk(page: Path, names: dict[str, Any]) -> None:
    """Run the blocks of a page in order; a block of YAML is the file that its first line names."""
    for block in blocks(page):
        text = block.text
        for found, smaller in SMALLER.items():
            text = re.sub(found, smaller, text)
        if block.kind == "python":
            exec(compile(text, page.name, "exec"), names)
        elif block.kind == "yaml":
            Path(text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
        elif block.kind == "sh":
            for line in commands(text):
                for command in line.split(" && "):
                    obey(command.split())


def obey(words: list[str]) -> None:
    """One command of the shell."""
    if words[0] == "deqsci":
        assert main(words[1:]) == 0, " ".join(words)
    elif words[0] == "mkdir":
        Path(words[1]).mkdir()
    elif words[0] == "cp":
        shutil.copy(words[1], words[2])
    else:
        assert words[0] in ("pip", "python3", "source"), " ".join(words)  # it is installed


def snapshot_file(folder: Path, count: int) -> None:
    """``snap.npz``, as the first tutorial makes it."""
    video = moving(count * FRAMES)
    masks = np.random.default_rng(0).integers(0, 2, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    coded = (video.reshape(count, *masks.shape) * masks).sum(1)
    save_snapshots(folder / "snap.npz", coded, masks, video)


def test_own_video_and_how_to(desk: Path) -> None:
    names: dict[str, Any] = {}
    walk(DOCS / "tutorial" / "own-video.md", names)
    assert names["recovered"].shape == names["video"].shape
    for made in ("out/holiday/report.html", "out/table/table.md", "holiday.png"):
        assert (desk / made).is_file(), made
    walk(DOCS / "howto.md", names)
    assert len(names["video"]) == FRAMES


def test_own_camera(desk: Path) -> None:
    walk(DOCS / "tutorial" / "own-camera.md", {})
    assert (desk / "out/camera/run.json").is_file()
    assert (desk / "capture.npz").is_file()


def test_own_denoiser(desk: Path) -> None:
    snapshot_file(desk, 1)
    names: dict[str, Any] = {}
    walk(DOCS / "tutorial" / "own-denoiser.md", names)
    assert "an equilibrium" in str(names["report"])
    assert (desk / "smooth.png").is_file()


def test_own_training(desk: Path) -> None:
    snapshot_file(desk, 1)
    walk(DOCS / "tutorial" / "own-training.md", {})
    assert (desk / "out/mine/run.json").is_file()


def test_the_python_of_the_readme(desk: Path) -> None:
    snapshot_file(desk, 2)
    torch.manual_seed(0)
    denoiser = RSNCNN(rounds=1, channels=4)
    names: dict[str, Any] = {"my_denoiser": denoiser}
    for block in blocks(REPOSITORY / "README.md"):
        if block.kind == "python":
            exec(compile(block.text, "README.md", "exec"), names)
    assert (desk / "holiday.gif").is_file()
    assert all(parameter.grad is not None for parameter in denoiser.parameters())
