"""Networks that answer in one pass: what they begin as, and what ties them to T."""

from __future__ import annotations

import pytest
import torch

from deqsci.errors import ShapeError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.feed_forward import FRAMES, STAGES, EndToEndMap, GapNetMap
from deqsci.reconstruction.maps import EquilibriumMap

MAPS = [EndToEndMap, GapNetMap]


@pytest.fixture
def physics() -> SnapshotPhysics:
    return SnapshotPhysics(bernoulli_masks(FRAMES, 9, 14).double())


def trained(map: EquilibriumMap) -> EquilibriumMap:
    """Its heads no longer zeros."""
    torch.manual_seed(0)
    for name, parameter in map.named_parameters():
        if "head" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return map.double()


def test_an_untrained_u_net_answers_with_the_mean_frame(physics: SnapshotPhysics) -> None:
    snapshot = physics.A(torch.rand(2, FRAMES, 9, 14).double())
    f, start = EndToEndMap().double().at(snapshot, physics)
    torch.testing.assert_close(f(torch.rand_like(start)), physics.initial(snapshot))


def test_the_u_net_needs_no_estimate(physics: SnapshotPhysics) -> None:
    snapshot = physics.A(torch.rand(1, FRAMES, 9, 14).double())
    f, start = trained(EndToEndMap()).at(snapshot, physics)
    torch.testing.assert_close(f(start), f(torch.rand_like(start)))


def test_stages_are_projections_and_networks_of_their_own(physics: SnapshotPhysics) -> None:
    snapshot = physics.A(torch.rand(2, FRAMES, 9, 14).double())
    map = trained(GapNetMap())
    f, wanted = map.at(snapshot, physics)
    found = f(wanted)
    assert len(map.network.stages) == STAGES
    for stage in map.network.stages:
        projected = physics.project(wanted, snapshot)
        wanted = projected - stage(projected)
    torch.testing.assert_close(found, wanted)
    first, second = (stage(projected) for stage in list(map.network.stages)[:2])
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("new", MAPS)
def test_samples_of_a_batch_are_strangers(new: type[EquilibriumMap]) -> None:
    masks = torch.stack([bernoulli_masks(FRAMES, 9, 14) for _ in range(2)]).double()
    physics = SnapshotPhysics(masks)
    snapshot = physics.A(torch.rand(2, FRAMES, 9, 14).double())
    map = trained(new())
    z = physics.initial(snapshot)
    together = map(z, snapshot, physics)
    for k in range(2):
        alone = map(z[k : k + 1], snapshot[k : k + 1], SnapshotPhysics(masks[k]))
        torch.testing.assert_close(together[k : k + 1], alone)


@pytest.mark.parametrize("new", MAPS)
def test_another_number_of_frames_is_refused(new: type[EquilibriumMap]) -> None:
    physics = SnapshotPhysics(bernoulli_masks(4, 8, 8))
    snapshot = physics.A(torch.rand(1, 4, 8, 8))
    map = new()
    f, start = map.at(snapshot, physics)
    with pytest.raises(ShapeError, match="4 frames"):
        f(start)
