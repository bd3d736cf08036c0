"""``deqsci train``: trains, goes on, refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from deqsci.cli.app import main


@pytest.fixture
def file(tmp_path: Path, clip: Path) -> Path:
    folder = str(clip.parent)
    settings = {
        "model": "de-gap-cnn",
        "data": {"clips": [folder], "validation": [folder]},
        "device": "cpu",
        "threads": 1,
        "validation": {"every": 2, "clips": 1, "size": 16},
        "stages": [
            {"kind": "denoise", "steps": 2, "batch": 2, "size": 16, "frames": 2, "rate": 0.001}
        ],
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_trains_and_goes_on(file: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "run"
    assert main(["train", str(file), "-o", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["last"]["step"] == 2
    assert (out / "last.safetensors").exists()
    assert main(["train", str(file), "-o", str(out)]) == 2
    assert "--resume auto" in capsys.readouterr().err
    more = ["--stages.0.steps", "4", "--checkpoint-every=1"]
    assert main(["train", str(file), "-o", str(out), "--resume", "auto", *more]) == 0
    assert "weights:" in capsys.readouterr().out


@pytest.mark.parametrize("resume", ["auto", "never"])
@pytest.mark.parametrize("name", ["run.json", "log.jsonl"])
def test_a_folder_of_something_else_is_left_alone(
    file: Path, tmp_path: Path, name: str, resume: str, capsys
) -> None:
    (tmp_path / "holiday").mkdir()
    theirs = tmp_path / "holiday" / name
    theirs.write_text('{"format": "deqsci run 1"}\n')
    assert main(["train", str(file), "-o", str(tmp_path / "holiday"), "--resume", resume]) == 2
    assert f"holds {name}, not a training run" in capsys.readouterr().err
    assert [theirs] == list(theirs.parent.iterdir())
    assert theirs.read_text() == '{"format": "deqsci run 1"}\n'
    assert main(["train", str(file), "-o", str(theirs)]) == 2
    assert "is a file; wanted an output folder" in capsys.readouterr().err


def test_what_stopped_before_its_first_checkpoint_begins_again(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert main(["train", str(file), "-o", str(out), "-q"]) == 0
    (out / "state.pt").unlink()
    (out / "state.pt.partial").touch()
    assert main(["train", str(file), "-o", str(out), "-q"]) == 0
    assert len((out / "log.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--stages.0.bacth", "4"], "did you mean batch"),
        (["--model", "de-gap-cn"], "de-gap-cnn"),
        (["--model", "gap-tv"], "nothing to train"),
        (["--data.clips", "[nowhere]"], "nowhere"),
        (["--init", "nowhere.safetensors"], "nowhere.safetensors"),
        (["stages"], "wanted --section.key value"),
    ],
)
def test_bad_commands_say_one_sentence(file: Path, tmp_path: Path, words, said, capsys) -> None:
    assert main(["train", str(file), "-o", str(tmp_path / "run"), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()
