"""Methods by name, their weights and their options."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from deqsci.errors import ConfigError, MethodError, WeightsError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.zoo import (
    DEFAULT_METHOD,
    METHODS,
    build,
    find,
    new_map,
    shipped_weights,
)

SHIPPED = [name for name in METHODS if shipped_weights(name)]
READY = [name for name, m in METHODS.items() if not m.networks or shipped_weights(name)]
FIXED = [name for name in READY if METHODS[name].frames is not None]


@pytest.mark.parametrize("name", [name for name in READY if name not in FIXED])
@pytest.mark.parametrize(("frames", "height", "width"), [(1, 8, 8), (4, 17, 10), (9, 16, 24)])
def test_methods_take_any_length_and_size(name: str, frames: int, height: int, width: int) -> None:
    physics = SnapshotPhysics(bernoulli_masks(frames, height, width))
    snapshot = physics.A(torch.rand(2, frames, height, width))
    limit = 3 if METHODS[name].has_limit else None
    model = build(name, max_iter=limit)
    assert model.max_evaluations == (limit or 40)
    result = model.reconstruct(snapshot, physics)
    assert result.video.shape == (2, frames, height, width)
    assert result.video.isfinite().all()
    assert result.residuals.shape == (2, int(result.evaluations.max()))
    assert result.evaluations.max() <= model.max_evaluations  # some converge before
    with torch.no_grad():
        torch.testing.assert_close(model(snapshot, physics), result.video)


@pytest.mark.parametrize("name", FIXED)
def test_one_pass_is_all_of_a_feed_forward_method(name: str) -> None:
    physics = SnapshotPhysics(bernoulli_masks(8, 17, 10))
    result = build(name).reconstruct(physics.A(torch.rand(2, 8, 17, 10)), physics)
    assert result.video.shape == (2, 8, 17, 10)
    assert result.evaluations.tolist() == [1, 1]
    assert result.status == ("answered in one pass",) * 2
    assert result.residuals.isnan().all()


def test_a_solve_stops_at_the_methods_own_tolerance_unless_told() -> None:
    for name in SHIPPED:
        if METHODS[name].kind == "equilibrium":
            assert build(name).solver.tol == METHODS[name].tolerance
            assert build(name, tol=0.1).solver.tol == 0.1


def test_default_method_needs_no_file() -> None:
    assert shipped_weights(DEFAULT_METHOD) is not None


@pytest.mark.parametrize("name", SHIPPED)
def test_card_belongs_to_the_weights(name: str) -> None:
    weights = shipped_weights(name)
    assert weights is not None
    text = weights.with_suffix(".json").read_text()
    card = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert card["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert card["method"] == name
    parameters = sum(p.numel() for p in new_map(name).parameters())
    assert card["parameters"] == parameters


@pytest.mark.parametrize(
    ("wrong", "near"), [("gap_tv", "gap-tv"), ("de-gap-cn", "de-gap-cnn"), ("ffdnet", "pnp-ffdnet")]
)
def test_unknown_method_names_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(MethodError, match=f"did you mean {near}"):
        build(wrong)


def test_options_that_a_method_does_not_have() -> None:
    with pytest.raises(ConfigError, match="tolerance"):
        build("gap-tv", tol=1e-3)
    with pytest.raises(WeightsError, match="no weights"):
        build("gap-tv", weights=Path("x.pth"))
    with pytest.raises(WeightsError, match="--weights"):
        build("de-gap-st-base")
    with pytest.raises(MethodError, match="nothing to train"):
        new_map("gap-tv")
    assert find("gap-tv").networks == ()
    assert find("gap-tv").has_limit
    for name in ("pnp-ffdnet", "gap-net", "u-net"):
        assert not find(name).has_limit
        with pytest.raises(ConfigError, match="leave max_iter out"):
            build(name, max_iter=3)


def test_published_checkpoints_of_both_networks(shared: Path) -> None:
    folder = shared / "weights" / "deqsci"
    for name in ("de-gap-cnn", "de-gap-rsn-cnn"):
        model = build(name, weights=folder / f"{name[7:].replace('-', '_')}.ckpt")
        assert sum(p.numel() for p in model.parameters()) == 74_880
    with pytest.raises(WeightsError, match="code"):
        build("de-gap-cnn", weights=folder / "rnn1_model_best.pth")
    with pytest.raises(WeightsError, match="does not hold"):
        build("de-gap-cnn", weights=shared / "weights" / "ffdnet" / "net_gray.pth")


def test_float64_runs() -> None:
    physics = SnapshotPhysics(bernoulli_masks(8, 8, 8)).to(dtype=torch.float64)
    snapshot = physics.A(torch.rand(1, 8, 8, 8).double())
    for name in READY:
        limit = 2 if METHODS[name].has_limit else None
        model = build(name, max_iter=limit, dtype=torch.float64)
        assert model(snapshot, physics).dtype is torch.float64
