"""Reduced precision: the networks' alone, and the video nearly the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.group_wiener import GroupWiener
from deqsci.denoisers.wnnm import WNNM
from deqsci.fixed_point import Anderson, JacobianFree
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.non_local_map import NonLocalMap
from deqsci.reconstruction.precision import in_precision
from deqsci.reconstruction.space_time_map import AcceleratedSpaceTimeMap


@pytest.mark.parametrize("kind", [AcceleratedSpaceTimeMap, NonLocalMap])
def test_bfloat16_is_that_of_networks(
    kind: type[EquilibriumMap], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one context: rounding may change which patches are grouped."""
    torch.manual_seed(0)
    map = kind()
    for name, weight in map.network.named_parameters():
        if name.endswith("head.weight"):
            torch.nn.init.normal_(weight, std=0.01)
    physics = SnapshotPhysics(bernoulli_masks(3, 24, 20))
    snapshot = physics.A(torch.rand(1, 3, 24, 20))
    with torch.no_grad():
        context = map.context(snapshot, physics)
    monkeypatch.setattr(map, "context", lambda *_: context)
    seen: list[torch.dtype] = []
    for module in map.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    videos: dict[str, Tensor] = {}
    for dtype in ("float32", "bfloat16"):
        seen.clear()
        model = DeepEquilibrium(map, Anderson(tol=1e-3, max_iter=4), JacobianFree())
        videos[dtype] = in_precision(model, dtype).reconstruct(snapshot, physics).video
        assert set(seen) == {getattr(torch, dtype)}
        assert videos[dtype].dtype == torch.float32
        torch.testing.assert_close(physics.A(videos[dtype]), snapshot)
    torch.testing.assert_close(videos["bfloat16"], videos["float32"], rtol=0, atol=0.02)
    assert not torch.equal(videos["bfloat16"], videos["float32"])


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
