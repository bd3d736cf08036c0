"""Runs the command line in this process: importing torch anew for every case takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from deqsci.cli.app import main
from deqsci.io import write_mp4
from tests.cli.support import Outcome, Run, moving_video, write_scene


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """``run("reconstruct", path, "-o", out)`` → Outcome."""
    threads = torch.get_num_threads()

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield call
    torch.set_num_threads(threads)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A file with one snapshot of four frames, masks and truth."""
    return write_scene(tmp_path / "scene.npz")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A short video file: 10 frames."""
    path = tmp_path / "clip.mp4"
    write_mp4(path, moving_video(10), fps=10)
    return path
