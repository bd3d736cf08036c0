"""Settings that cannot be meant are told, with the place."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from deqsci.errors import ConfigError
from deqsci.fixed_point import Anderson, Implicit, Unrolled
from deqsci.reconstruction.zoo import METHODS
from deqsci.training.config import load_config
from deqsci.training.settings import parse_changes

STAGE = {"kind": "equilibrium", "steps": 1, "batch": 1, "size": 16, "rate": 1e-3}
GOOD = {
    "model": "de-gap-cnn",
    "data": {"clips": ["a"], "validation": ["b"]},
    "stages": [STAGE],
}
CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def write(tmp_path: Path, settings: object) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configurations_load(path: Path) -> None:
    assert load_config(path).model in METHODS


def test_parts_are_built(tmp_path: Path) -> None:
    stage = {
        **STAGE,
        "adjoint": {"name": "implicit", "solver": {"name": "anderson", "tol": 1e-2}},
        "solver": {"name": "anderson", "memory": 3},
    }
    (built,) = load_config(write(tmp_path, {**GOOD, "stages": [stage]})).stages
    assert built.build_adjoint() == Implicit(Anderson(tol=1e-2))
    assert built.build_solver() == Anderson(memory=3)


def test_a_drawn_depth_is_exact(tmp_path: Path) -> None:
    (stage,) = load_config(write(tmp_path, {**GOOD, "stages": [{**STAGE, "depth": [3, 9]}]})).stages
    _, solver = stage.at_depth(7)
    assert solver == Anderson(tol=0.0, max_iter=7)
    changes = {"stages.0.adjoint": "{name: unrolled}"}
    (stage,) = load_config(write(tmp_path, GOOD), changes).stages
    assert stage.at_depth(7)[0] == Unrolled(7)


def test_depth_0_is_what_a_phantom_records_from_the_start(tmp_path: Path) -> None:
    phantom = {**STAGE, "depth": [0, 2], "adjoint": {"name": "phantom", "steps": 3}}
    (stage,) = load_config(write(tmp_path, {**GOOD, "stages": [phantom]})).stages
    z0, gain = torch.ones(1, 2), torch.tensor(0.5, requires_grad=True)
    for depth in (0, 1, 2):
        adjoint, solver = stage.at_depth(depth)
        value = adjoint.fixed_point(lambda z: gain * z + 2, z0, solver).value
        wanted = z0
        for passes in range(depth + 3):
            wanted = gain * (wanted.detach() if passes <= depth else wanted) + 2
        for z in (value, wanted):
            assert z[0, 0].item() == 4 - 3 * 0.5 ** (depth + 3)
        gradients = [torch.autograd.grad(z[0, 0], gain)[0] for z in (value, wanted)]
        torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sed": "3"}, "unknown setting sed; did you mean seed"),
        ({"seed": "one"}, "seed: wanted int, found str"),
        ({"stages": "[]"}, "no stages"),
        ({"stages.0.kind": "deblur"}, "deblur"),
        ({"stages.0.steps": "0"}, "steps is 0"),
        ({"stages.0.rate": ".nan"}, "rate is nan"),
        ({"stages.0.stability": "{weight: -1}"}, "weight is -1"),
        ({"stages.0.sigma": "[0.1, 0.2]"}, "no use for sigma"),
        ({"stages.0": "{kind: denoise, steps: 1, batch: 1, size: 8, rate: 1, reuse: 2}"}, "reuse"),
        ({"stages.0.adjoint": "{name: unrolled}", "stages.0.reuse": "2"}, "no use for reuse"),
        ({"stages.0.solver": "{name: [1]}"}, "mapping with a name"),
        ({"stages.0.adjoint": "{name: implicit, solver: x}"}, "mapping with a name"),
        ({"compile": "true", "stages.0.jacobian": "1"}, "no second derivative"),
        ({"clip_gradient": "0"}, "clip_gradient"),
        ({"minutes": ".inf"}, "minutes"),
        ({"stages.0.precision": "fp8"}, "fp8"),
        ({"stages.0.solver": "{name: newton}"}, "newton"),
        ({"stages.0.solver": "{name: picard, memory: 3}"}, "unknown setting memory"),
        ({"stages.0.adjoint": "{name: phantom, solver: {name: picard}}"}, "leave solver out"),
        ({"stages.0.depth": "[5, 3]"}, "depth"),
        ({"stages.0.depth": "[0, 3]", "stages.0.adjoint": "{name: unrolled}"}, "wanted 1 ≤"),
        ({"stages.0.depth": "[-1, 3]", "stages.0.adjoint": "{name: phantom}"}, "wanted 0 ≤"),
        (
            {
                "stages.0.correction": "{states: 2, recorded: true}",
                "stages.0.adjoint": "{name: phantom, steps: 2}",
            },
            "records 2 states",
        ),
        ({"optimizer": "sgd"}, "adamw, muon"),
        ({"stages.0.depth": "[5]"}, "wanted 2 values, found 1"),
        ({"stages.0.correction": "{discount: 2}"}, r"stages\.0: correction: .*discount 2"),
        ({"stages.1.steps": "3"}, "none of the entries"),
        ({"model.name": "x"}, "nothing lies below"),
        ({"masks.kinds": "[bernouli]"}, "bernoulli"),
        ({"data.clips": "a"}, "list"),
        ({"noise": "[0.2, 0.1]"}, "noise"),
        ({"clean": "1.5"}, "clean"),
        ({"stages.0.start_blend": "2"}, "start_blend"),
        ({"stages.0.frames": "4", "stages.0.max_frames": "3"}, "max_frames is 3"),
        ({"stages.0.stability": "{weight: 1, samples: 0}"}, "samples is 0"),
        ({"stages.0.stability": "{weight: 1, relative: 0}"}, "relative is 0"),
        ({"average": "1"}, "average"),
        ({"seed": "[1"}, "not a YAML value"),
    ],
)
def test_bad_settings(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(write(tmp_path, GOOD), changes)


def test_missing_settings_and_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing setting model"):
        load_config(write(tmp_path, {k: v for k, v in GOOD.items() if k != "model"}))
    with pytest.raises(ConfigError, match="mapping"):
        load_config(write(tmp_path, []))
    path = tmp_path / "c.yaml"
    path.write_text("a: [1")
    with pytest.raises(ConfigError, match="YAML"):
        load_config(path)
    with pytest.raises(ConfigError, match=r"missing\.yaml"):
        load_config(tmp_path / "missing.yaml")


def test_numbers_as_people_write_them(tmp_path: Path) -> None:
    (stage,) = load_config(write(tmp_path, GOOD), {"stages.0.rate": "1e-3"}).stages
    assert stage.rate == 1e-3


def test_changes_on_the_command_line(tmp_path: Path) -> None:
    words = ["--stages.0.batch", "8", "--stages.0.depth=[2, 5]", "--checkpoint-every", "7"]
    config = load_config(write(tmp_path, GOOD), parse_changes(words))
    assert (config.stages[0].batch, config.stages[0].depth) == (8, (2, 5))
    assert config.checkpoint_every == 7
    with pytest.raises(ConfigError, match="no value"):
        parse_changes(["--seed"])
    with pytest.raises(ConfigError, match="no setting"):
        parse_changes(["seed", "3"])
