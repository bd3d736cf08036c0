"""The variants of the ablation are what their names say."""

from __future__ import annotations

import pytest
import torch

from benchmarks.ablation import METHOD, VARIANTS, table
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.space_time_map import AcceleratedSpaceTimeMap
from deqsci.reconstruction.zoo import new_map


@pytest.mark.parametrize("name", VARIANTS)
def test_a_stage_differs_from_that_of_the_equilibrium_as_its_name_says(name: str) -> None:
    stage, model = VARIANTS[name].stage, VARIANTS["equilibrium"].stage
    changed = {field for field in vars(stage) if getattr(stage, field) != getattr(model, field)}
    wanted = {
        "no loss on states before the last": {"correction"},
        "always from the anchor": {"reuse"},
        "no penalty on what grows": {"stability"},
    }
    if (passes := VARIANTS[name].passes) is not None:
        assert name.startswith(f"{passes} passes")
        wanted[name] = {"adjoint", "correction", "depth", "reuse", "stability"}
    assert changed == wanted.get(name, set())


def problem() -> tuple[torch.Tensor, torch.Tensor, SnapshotPhysics]:
    physics = SnapshotPhysics(bernoulli_masks(3, 16, 16))
    z = torch.rand(1, 3, 16, 16)
    return z, physics.A(torch.rand_like(z)), physics


def untrained(name: str) -> EquilibriumMap:
    """The map of a variant, with a network that does something."""
    torch.manual_seed(0)
    with VARIANTS[name].circumstances():
        map = new_map(METHOD)
    torch.nn.init.normal_(map.network.head.weight, std=0.1)
    return map


def test_in_the_map_of_gap_the_data_step_comes_last() -> None:
    map, (z, snapshot, physics) = untrained("in the map of GAP"), problem()
    cleaned = map.clean(z, map.context(snapshot, physics), snapshot, physics)
    after = map.relax(z, physics.project(cleaned, snapshot))
    torch.testing.assert_close(map(z, snapshot, physics), after)
    assert torch.equal(map.video(z, snapshot, physics), z)


def test_without_the_misfit_only_that_is_missing() -> None:
    map, (z, snapshot, physics) = untrained("no misfit"), problem()
    assert isinstance(map, AcceleratedSpaceTimeMap)
    context = map.context(snapshot, physics)
    seen = map.planes(z, context, snapshot, physics)
    whole = AcceleratedSpaceTimeMap.planes(map, z, context, snapshot, physics)
    assert not seen[:, :, -1].any()
    assert whole[:, :, -1].any()
    assert torch.equal(seen[:, :, :-1], whole[:, :, :-1])


def test_frame_by_frame_no_frame_hears_of_another() -> None:
    map = untrained("frame by frame")
    planes = torch.rand(1, 3, 6, 16, 16)
    other = planes.clone()
    other[:, 0] = torch.rand_like(other[:, 0])
    apart = map.network(planes)[:, 1:], map.network(other)[:, 1:]
    assert not torch.equal(*apart)
    with VARIANTS["frame by frame"].circumstances():
        torch.testing.assert_close(map.network(planes)[:, 1:], map.network(other)[:, 1:])
    assert torch.equal(map.network(planes)[:, 1:], apart[0])


def test_the_table_has_means_and_says_where_there_is_none() -> None:
    cell = {"model": "a", "trained": 1.0, "solved": 2.0, "evaluations": 4, "converged": True}
    cells = [{**cell, "run_on": 3.0}, {**cell, "run_on": None, "solved": 3.0, "converged": False}]
    assert table({"cells": cells}).splitlines()[2] == "| a | 1.00 | 2.50 | 4 | 1/2 | – |"
