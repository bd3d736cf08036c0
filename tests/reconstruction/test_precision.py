"""Reduced precision: the networks' alone, of a solve at its beginning alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.group_wiener import GroupWiener
from deqsci.denoisers.wnnm import WNNM
from deqsci.errors import ConfigError
from deqsci.fixed_point import Anderson, JacobianFree, Picard
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.non_local_map import NonLocalMap
from deqsci.reconstruction.precision import in_precision
from deqsci.reconstruction.space_time_map import AcceleratedSpaceTimeMap
from deqsci.reconstruction.unrolled import UnrolledMap

KINDS = [AcceleratedSpaceTimeMap, NonLocalMap]


@pytest.fixture
def physics() -> SnapshotPhysics:
    torch.manual_seed(0)
    return SnapshotPhysics(bernoulli_masks(3, 24, 20))


@pytest.fixture
def snapshot(physics: SnapshotPhysics) -> Tensor:
    return physics.A(torch.rand(1, 3, 24, 20))


def computing(kind: type[EquilibriumMap], seen: list[torch.dtype]) -> EquilibriumMap:
    """A map whose network says something, and adds to ``seen`` what its convolutions compute in."""
    torch.manual_seed(0)
    map = kind()
    for name, weight in map.network.named_parameters():
        if name.endswith("head.weight"):
            torch.nn.init.normal_(weight, std=0.01)
    for module in map.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    return map


@pytest.mark.parametrize("kind", KINDS)
def test_solves_begin_in_bfloat16_and_end_at_the_same_video(
    kind: type[EquilibriumMap], physics: SnapshotPhysics, snapshot: Tensor
) -> None:
    seen: list[torch.dtype] = []
    map = computing(kind, seen)
    videos: dict[str, Tensor] = {}
    for dtype in ("float32", "bfloat16"):
        seen.clear()
        model = DeepEquilibrium(map, Anderson(tol=1e-5), JacobianFree())
        solve = in_precision(model, dtype).reconstruct(snapshot, physics)
        assert solve.converged.all()
        assert (torch.bfloat16 in seen) == (dtype == "bfloat16")
        assert seen[-1] == torch.float32
        videos[dtype] = solve.video
    torch.testing.assert_close(videos["bfloat16"], videos["float32"], rtol=0, atol=5e-4)
    assert not torch.equal(videos["bfloat16"], videos["float32"])


def test_one_evaluation_is_in_float32(physics: SnapshotPhysics, snapshot: Tensor) -> None:
    seen: list[torch.dtype] = []
    map = computing(AcceleratedSpaceTimeMap, seen)
    model = DeepEquilibrium(map, Anderson(max_iter=1), JacobianFree())
    in_precision(model, "bfloat16").reconstruct(snapshot, physics)
    assert set(seen) == {torch.float32}


def test_anothers_solves_cannot_begin_in_bfloat16() -> None:
    model = DeepEquilibrium(AcceleratedSpaceTimeMap(), Picard(), JacobianFree())
    with pytest.raises(ConfigError, match="wanted Anderson's method"):
        in_precision(model, "bfloat16")


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_tolerance_networks_are_in_bfloat16_and_the_rest_is_not(
    kind: type[EquilibriumMap], physics: SnapshotPhysics, snapshot: Tensor
) -> None:
    seen: list[torch.dtype] = []
    model = in_precision(UnrolledMap(computing(kind, seen), 2), "bfloat16")
    video = model.reconstruct(snapshot, physics).video
    assert set(seen) == {torch.bfloat16}
    assert video.dtype == torch.float32
    torch.testing.assert_close(physics.A(video), snapshot)


def test_filters_of_patches_keep_float32() -> None:
    torch.manual_seed(0)
    video = torch.rand(1, 3, 24, 20)
    wiener, wnnm = GroupWiener(), WNNM()
    with torch.no_grad():
        groups = wiener.match(video)
        wanted = wiener(video, groups), wnnm(video, 0.1)
        with torch.autocast("cpu", torch.bfloat16):
            (found,) = wiener.match(video)
            assert torch.equal(found.places, groups[0].places)
            assert torch.equal(wiener(video, groups), wanted[0])
            assert torch.equal(wnnm(video, 0.1), wanted[1])
