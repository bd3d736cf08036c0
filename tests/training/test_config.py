"""Settings that cannot be meant are told, with the place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from deqsci.errors import ConfigError
from deqsci.fixed_point import Anderson, Implicit
from deqsci.training.config import load_config

STAGE = {"kind": "equilibrium", "steps": 1, "batch": 1, "size": 16, "rate": 1e-3}
GOOD = {"model": "de-gap-cnn", "train": ["a"], "validation": ["b"], "stages": [STAGE]}


def write(tmp_path: Path, settings: object) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.mark.parametrize("name", ["de-gap-cnn", "de-gap-rsn-cnn"])
def test_shipped_configurations_load(name: str) -> None:
    config = load_config(Path(__file__).parents[2] / "configs" / f"{name}.yaml")
    assert config.model == name
    assert config.stages[-1].adjoint["name"] == "implicit"


def test_parts_are_built(tmp_path: Path) -> None:
    stage = {**STAGE, "adjoint": {"name": "implicit"}, "solver": {"name": "anderson", "memory": 3}}
    (stage,) = load_config(write(tmp_path, {**GOOD, "stages": [stage]})).stages
    assert isinstance(stage.build_adjoint(), Implicit)
    assert stage.build_solver() == Anderson(memory=3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "mapping"),
        ({**GOOD, "sed": 3}, "sed"),
        ({k: v for k, v in GOOD.items() if k != "model"}, "model"),
        ({**GOOD, "seed": "one"}, "seed"),
        ({**GOOD, "stages": []}, "no stages"),
        ({**GOOD, "stages": [{**STAGE, "kind": "deblur"}]}, "deblur"),
        ({**GOOD, "stages": [{**STAGE, "steps": 0}]}, "at least 1"),
        ({**GOOD, "stages": [{**STAGE, "precision": "fp8"}]}, "fp8"),
        ({**GOOD, "stages": [{**STAGE, "solver": {"name": "newton"}}]}, "newton"),
        ({**GOOD, "stages": [{**STAGE, "solver": {"name": "picard", "memory": 3}}]}, "memory"),
        ({**GOOD, "train": "a"}, "list"),
    ],
)
def test_bad_settings(tmp_path: Path, settings: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(write(tmp_path, settings))


def test_file_that_is_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("a: [1")
    with pytest.raises(ConfigError, match="YAML"):
        load_config(path)
    with pytest.raises(ConfigError, match="missing"):
        load_config(tmp_path / "missing.yaml")
