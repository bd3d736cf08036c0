"""A shipped weight has a card that tells where it comes from."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import deqsci
from deqsci.training import ship
from deqsci.training.config import load_config
from deqsci.training.trainer import Trainer


def test_card_tells_every_run_as_it_was(
    config_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    Trainer(load_config(config_file, {"stages.0.batch": "3"}), first).fit()
    init = {"init": str(first / "last.safetensors"), "seed": "4"}
    Trainer(load_config(config_file, init), second).fit()
    scores, notes = tmp_path / "scores.json", tmp_path / "notes.txt"
    scores.write_text(json.dumps([{"method": "de-gap-cnn", "psnr": 1.0}, {"method": "other"}]))
    notes.write_text("One.\nTwo.\n")
    package = tmp_path / "package"
    (package / "weights").mkdir(parents=True)
    monkeypatch.setattr(deqsci, "__file__", str(package / "__init__.py"))
    texts = ["--scores", scores, "--notes", notes, "--data", "clips", "--hardware", "a computer"]
    monkeypatch.setattr(sys, "argv", ["ship", *map(str, [first, second, *texts])])
    ship.main()
    card = json.loads((package / "weights" / "de-gap-cnn.json").read_text())
    weights = (package / "weights" / "de-gap-cnn.safetensors").read_bytes()
    assert weights == (second / "last.safetensors").read_bytes()
    assert card["sha256"] == hashlib.sha256(weights).hexdigest()
    assert card["notes"] == ["One.", "Two."]
    assert card["scores"] == [{"method": "de-gap-cnn", "psnr": 1.0}]
    assert [run["config"]["stages"][0]["batch"] for run in card["runs"]] == [3, 2]
    assert [run["config"]["seed"] for run in card["runs"]] == [0, 4]
    assert [stage["steps"] for stage in card["stages_run"][1]] == [4, 5]
    assert len(card["logs"]) == 2
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--half"])
    ship.main()
    halves = load_file(package / "weights" / "de-gap-cnn.safetensors")
    for name, tensor in load_file(second / "last.safetensors").items():
        assert torch.equal(halves[name], tensor.half())
