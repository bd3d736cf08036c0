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
import pytest
import torch
from safetensors.torch import load_file

from deqsci.errors import ConfigError, InputFileError, TrainingError
from deqsci.reconstruction.zoo import build
from deqsci.training.config import load_config
from deqsci.training.trainer import LOST_STEPS, Progress, Record, Trainer, learning_rate


def weights(folder: Path, name: str = "last.safetensors") -> dict[str, torch.Tensor]:
    return load_file(folder / name)


def log(folder: Path) -> list[Record]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("stop_at", [0, 2, 3, 7])  # before, at and between checkpoints, next stage
def test_resumed_run_follows_the_same_trajectory(
    config_file: Path, tmp_path: Path, stop_at: int
) -> None:
    config = load_config(config_file)
    whole = Trainer(config, tmp_path / "whole")
    whole.fit()
    broken, done = Trainer(config, tmp_path / "broken"), 0

    def interrupt(progress: Progress) -> None:
        nonlocal done
        if done == stop_at:
            raise KeyboardInterrupt
        done += 1

    broken.on_step = interrupt
    with pytest.raises(KeyboardInterrupt):
        broken.fit()
    second = Trainer(config, tmp_path / "broken")
    assert second.resume() == (stop_at >= 2)
    second.fit()
    for name in ("last.safetensors", "best.safetensors"):
        assert same(weights(tmp_path / "whole", name), weights(tmp_path / "broken", name))
    logs = [
        [(r["stage"], r["step"], r["validation"]) for r in log(tmp_path / run)]
        for run in ("whole", "broken")
    ]
    assert logs[0] == logs[1]


def test_killed_process_resumes_to_the_same_weights(config_file: Path, tmp_path: Path) -> None:
    """A real kill, at a moment nobody chose, while checkpoints are written at every step."""
    changes = {"stages.0.steps": "60", "checkpoint_every": "1", "stages.1.steps": "2"}
    words = [word for name, value in changes.items() for word in (f"--{name}", value)]
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "deqsci.training", str(config_file), str(folder), *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (folder / "state.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    killed = Trainer(load_config(config_file, changes), folder)
    assert killed.resume()
    assert (killed.stage, killed.step) < (1, 2)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    whole = Trainer(load_config(config_file, changes), tmp_path / "whole")
    whole.fit()
    assert same(weights(folder), weights(tmp_path / "whole"))


def test_files_of_a_run(config_file: Path, tmp_path: Path) -> None:
    records: list[Record] = []
    trainer = Trainer(load_config(config_file), tmp_path / "run")
    trainer.on_validation = records.append
    trainer.fit()
    assert log(tmp_path / "run") == records
    assert [(r["stage"], r["step"]) for r in records] == [(0, 3), (0, 4), (1, 3), (1, 5)]
    assert {"growth", "jacobian", "evaluations"} <= records[-1]["train"].keys()
    picture = iio.imread(tmp_path / "run" / "samples" / "stage1-000005.png")
    assert picture.shape == (2 * 26, 4 * 26)  # clips × (snapshot, estimate, truth, error)
    for name in ("last", "best"):
        build("de-gap-cnn", weights=tmp_path / "run" / f"{name}.safetensors")


def test_written_weights_are_the_moving_average(config_file: Path, tmp_path: Path) -> None:
    config = load_config(config_file, {"stages.1.steps": "1", "average": "0.75"})
    trainer, average = Trainer(config, tmp_path / "run"), None

    def follow(progress: Progress) -> None:
        nonlocal average
        now = {k: v.detach().clone() for k, v in trainer.network.state_dict().items()}
        average = now if average is None else {k: 0.75 * average[k] + 0.25 * now[k] for k in now}

    trainer.on_step = follow
    trainer.fit()
    assert average is not None
    for name, tensor in weights(tmp_path / "run").items():
        torch.testing.assert_close(tensor, average[name])


def test_denoiser_learns(config_file: Path, tmp_path: Path) -> None:
    config = load_config(config_file, {"validation.every": "10"})
    config = replace(config, stages=(replace(config.stages[0], steps=150, batch=8),))
    Trainer(config, tmp_path / "run").fit()
    scores = [r["validation"]["psnr"] for r in log(tmp_path / "run")]
    assert scores[-1] > scores[0] + 1


@pytest.mark.parametrize("depth", [None, "[2, 4]"])
def test_unrolled_stage_is_judged_by_its_unrolling(
    config_file: Path, tmp_path: Path, depth: str | None
) -> None:
    changes = {"stages.1.adjoint": "{name: unrolled, steps: 3}", "stages.1.reuse": "1"}
    changes["stages.1.stability"] = "null"
    if depth is not None:
        changes["stages.1.depth"] = depth
    Trainer(load_config(config_file, changes), tmp_path / "run").fit()
    last = log(tmp_path / "run")[-1]
    assert "evaluations" not in last["validation"]
    assert 2 <= last["train"]["evaluations"] <= 4


def test_run_stops_when_its_time_is_up_and_goes_on(config_file: Path, tmp_path: Path) -> None:
    config = load_config(config_file)
    first = Trainer(replace(config, minutes=1e-9), tmp_path / "run")
    first.fit()
    assert (first.stage, first.step) == (0, 1)
    again = Trainer(replace(config, minutes=1e-9), tmp_path / "run")
    assert again.resume()
    again.fit()  # no further step
    assert (again.stage, again.step) == (0, 1)
    assert [r["step"] for r in log(tmp_path / "run")] == [1]  # judged once, where it stopped
    second = Trainer(config, tmp_path / "run")
    assert second.resume()
    second.fit()
    whole = Trainer(config, tmp_path / "whole")
    whole.fit()
    assert same(weights(tmp_path / "run"), weights(tmp_path / "whole"))


def test_training_begins_with_given_weights(config_file: Path, tmp_path: Path) -> None:
    config = load_config(config_file)
    Trainer(config, tmp_path / "first").fit()
    path = tmp_path / "first" / "last.safetensors"
    second = Trainer(replace(config, init=path, seed=5), tmp_path / "second")
    assert same(weights(tmp_path / "first"), dict(second.network.state_dict()))


def test_run_without_gradients_ends(config_file: Path, tmp_path: Path) -> None:
    config = load_config(config_file, {"stages.0.steps": "1000"})
    trainer = Trainer(config, tmp_path / "run")
    with torch.no_grad():
        for parameter in trainer.network.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(TrainingError, match="no finite gradient"):
        trainer.fit()
    assert trainer.step == LOST_STEPS - 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "de-gap-rsn-cnn"}, "model"),
        ({"seed": "1"}, "seed"),
        ({"stages.0.batch": "3"}, "stages.0.batch"),
        ({"stages": "[]"}, None),
    ],
)
def test_resuming_with_other_settings_is_refused(
    config_file: Path, tmp_path: Path, changes: dict[str, str], named: str | None
) -> None:
    short = load_config(config_file, {"stages.0.steps": "2", "stages.1.steps": "1"})
    Trainer(short, tmp_path / "run").fit()
    with pytest.raises(ConfigError, match=named or "no stages"):
        Trainer(load_config(config_file, changes), tmp_path / "run").resume()
    with pytest.raises(ConfigError, match="1 processes; this run has 2"):
        Trainer(short, tmp_path / "run", processes=2).resume()
    longer = load_config(config_file, {"stages.1.steps": "3", "threads": "1"})
    assert Trainer(longer, tmp_path / "run").resume()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "leave denoise stages out"),
        ({"stages": "[{kind: equilibrium, STAGE, frames: 8}]"}, "evaluated once"),
        (
            {"stages": "[{kind: equilibrium, STAGE, UNROLLED, frames: 8, depth: [1, 1]}]"},
            "no depth",
        ),
        ({"stages": "[{kind: equilibrium, STAGE, UNROLLED, frames: 4}]"}, "made for T = 8; T is 4"),
    ],
)
def test_feed_forward_networks_are_trained_as_they_are_used(
    config_file: Path, tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    stage = "steps: 1, batch: 1, size: 16, rate: 1e-3"
    unrolled = "adjoint: {name: unrolled, steps: 1}"
    told = {k: v.replace("STAGE", stage).replace("UNROLLED", unrolled) for k, v in changes.items()}
    with pytest.raises(ConfigError, match=words):
        Trainer(load_config(config_file, {"model": "gap-net", **told}), tmp_path / "run")


def test_killed_before_the_first_checkpoint_logs_nothing_twice(
    config_file: Path, tmp_path: Path
) -> None:
    config = load_config(config_file, {"checkpoint_every": "100"})
    broken = Trainer(config, tmp_path / "run")

    def interrupt(record: Record) -> None:
        raise KeyboardInterrupt

    broken.on_validation = interrupt
    with pytest.raises(KeyboardInterrupt):
        broken.fit()
    assert len(log(tmp_path / "run")) == 1
    second = Trainer(config, tmp_path / "run")
    assert not second.resume()
    second.fit()
    assert [(r["stage"], r["step"]) for r in log(tmp_path / "run")] == [
        (0, 3),
        (0, 4),
        (1, 3),
        (1, 5),
    ]


def test_scores_that_are_not_finite_are_none(config_file: Path, tmp_path: Path) -> None:
    trainer = Trainer(load_config(config_file), tmp_path / "run")
    trainer.averaged.update_parameters(trainer.model.map)
    with torch.no_grad():
        for parameter in trainer.averaged.parameters():
            parameter.fill_(1e30)
    (tmp_path / "run" / "samples").mkdir(parents=True)
    trainer._validate(trainer.config.stages[1], {"psnr": 1.0})
    assert log(tmp_path / "run")[0]["validation"]["score"] is None
    assert not (tmp_path / "run" / "best.safetensors").exists()


@pytest.mark.parametrize("adjoint", ["{name: implicit}", "{name: phantom, steps: 2}"])
def test_reduced_precision_trains(config_file: Path, tmp_path: Path, adjoint: str) -> None:
    changes = {"stages.1.precision": "bfloat16", "stages.1.adjoint": adjoint}
    trainer = Trainer(load_config(config_file, changes), tmp_path / "run")
    trainer.fit()
    gradients = [p.grad for p in trainer.network.parameters()]
    assert all(g is not None and g.dtype == torch.float32 and g.any() for g in gradients)


def test_validation_without_a_fitting_clip(config_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no validation clip"):
        Trainer(load_config(config_file, {"validation.size": "500"}), tmp_path / "run")


def test_learning_rate_is_a_half_cosine(config_file: Path) -> None:
    stage = replace(load_config(config_file).stages[0], steps=10, rate=1.0, final_rate=0.2)
    assert learning_rate(stage, 0) == pytest.approx(1.0)
    assert learning_rate(stage, 5) == pytest.approx(0.6)
    assert learning_rate(stage, 10) == pytest.approx(0.2)
