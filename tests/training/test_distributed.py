"""Two processes on one machine train one model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from deqsci.errors import ConfigError
from deqsci.training.distributed import pick_device

AVERAGE = """
import torch
from deqsci.training.distributed import any_process, average_gradients, gather, processes
with processes(torch.device("cpu")) as (rank, count):
    parameters = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(3, 1))]
    for k, parameter in enumerate(parameters):
        parameter.grad = torch.full_like(parameter, float(rank + 10 * k))
    average_gradients(parameters)
    assert count == 2
    assert [p.grad.unique().tolist() for p in parameters] == [[0.5], [10.5]]
    assert gather(rank) == ([0, 1] if rank == 0 else [])
    assert any_process(rank == 1, torch.device("cpu"))
    assert not any_process(False, torch.device("cpu"))
"""


def torchrun(*words: str) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*command, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_gradients_are_averaged(tmp_path: Path) -> None:
    script = tmp_path / "average.py"
    script.write_text(AVERAGE)
    torchrun(str(script))


def test_two_processes_train_and_resume_on_one_trajectory(
    config_file: Path, tmp_path: Path
) -> None:
    words = ["-m", "deqsci.training", str(config_file)]
    torchrun(*words, str(tmp_path / "whole"))
    first_stage = yaml.safe_load(config_file.read_text())["stages"][:1]
    torchrun(*words, str(tmp_path / "parts"), "--stages", json.dumps(first_stage))
    torchrun(*words, str(tmp_path / "parts"))
    assert (tmp_path / "whole" / "log.jsonl").read_text().count("\n") == 4
    states = [
        torch.load(tmp_path / folder / "state.pt", weights_only=True)
        for folder in ("whole", "parts")
    ]
    for name, weight in states[0]["weights"].items():
        assert torch.equal(weight, states[1]["weights"][name])
    generators = [process["generator"] for process in states[0]["processes"]]
    assert not torch.equal(*generators)  # each process has samples of its own


def test_devices() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match="wanted auto, cpu or cuda"):
        pick_device("gpu0")
    if not torch.cuda.is_available():
        assert pick_device("auto") == torch.device("cpu")
        with pytest.raises(ConfigError, match="no GPU"):
            pick_device("cuda")
