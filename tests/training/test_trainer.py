"""A run is reproducible, survives being killed, and learns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from deqsci.training import validation
from deqsci.training.config import load_config
from deqsci.training.trainer import Trainer, learning_rate


@pytest.fixture(autouse=True)
def small_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "SIZE", 24)
    monkeypatch.setattr(validation, "CLIPS", 2)


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Two stages on synthetic clips: drifting smooth textures, losslessly stored as stills."""
    rng = np.random.default_rng(0)
    for name in ("train", "validation"):
        folder = tmp_path / name
        folder.mkdir()
        for k in range(4):
            coarse = rng.random((16, 16))
            image = np.kron(coarse, np.ones((8, 8)))
            iio.imwrite(folder / f"{k}.png", (image * 255).astype(np.uint8))
    stage = {"batch": 2, "size": 16, "rate": 1e-3, "frames": 1}
    settings = {
        "model": "de-gap-cnn",
        "train": [str(tmp_path / "train")],
        "validation": [str(tmp_path / "validation")],
        "threads": 1,
        "validate_every": 3,
        "checkpoint_every": 2,
        "stages": [
            {"kind": "denoise", "steps": 4, **stage},
            {
                "kind": "equilibrium",
                "steps": 5,
                **stage,
                "adjoint": {"name": "implicit"},
                "solver": {"name": "anderson", "tol": 1e-2, "max_iter": 8},
                "stability": 1.0,
            },
        ],
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "last.safetensors")


def test_resumed_run_follows_the_same_trajectory(config_file: Path, tmp_path: Path) -> None:
    config = load_config(config_file)
    whole = Trainer(config, tmp_path / "whole")
    whole.fit()
    for stop_at in (2, 7):  # in either stage, at and between checkpoints
        folder = tmp_path / f"broken{stop_at}"
        broken, done = Trainer(config, folder), 0
        update = broken._update

        def interrupted(stage, crop, update=update, stop_at=stop_at):
            nonlocal done
            if done == stop_at:
                raise KeyboardInterrupt
            done += 1
            return update(stage, crop)

        broken._update = interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            broken.fit()
        second = Trainer(config, folder)
        assert second.resume() == (stop_at >= 2)
        second.fit()
        for name, tensor in weights(tmp_path / "whole").items():
            assert torch.equal(tensor, weights(folder)[name]), name


def test_killed_process_leaves_a_checkpoint_that_loads(config_file: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load(config_file.read_text())
    settings["stages"][0]["steps"] = 100000
    settings["checkpoint_every"] = 1  # as many chances as possible to be hit while writing
    config_file.write_text(yaml.safe_dump(settings))
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "deqsci.training", str(config_file), str(folder)],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (folder / "state.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    trainer = Trainer(load_config(config_file), folder)
    assert trainer.resume()
    assert trainer.step >= 1


def test_log_and_weights(config_file: Path, tmp_path: Path) -> None:
    records: list[dict[str, object]] = []
    Trainer(load_config(config_file), tmp_path / "run", records.append).fit()
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == records
    assert [(r["stage"], r["step"]) for r in records] == [(0, 3), (0, 4), (1, 3), (1, 5)]
    assert "growth" in records[-1]["train"]  # type: ignore[operator]
    assert (tmp_path / "run" / "best.safetensors").exists()


def test_denoiser_learns(config_file: Path, tmp_path: Path) -> None:
    config = load_config(config_file)
    stage = replace(config.stages[0], steps=150, batch=8)
    config = replace(config, stages=(stage,), validate_every=10)
    Trainer(config, tmp_path / "run").fit()
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    scores = [json.loads(line)["validation"]["psnr"] for line in lines]
    assert scores[-1] > scores[0] + 1


def test_learning_rate_is_a_half_cosine(config_file: Path) -> None:
    stage = replace(load_config(config_file).stages[0], steps=10, rate=1.0, final_rate=0.2)
    assert learning_rate(stage, 0) == pytest.approx(1.0)
    assert learning_rate(stage, 5) == pytest.approx(0.6)
    assert learning_rate(stage, 10) == pytest.approx(0.2)
