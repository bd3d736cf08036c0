"""An unrolled network is its map, so many times, from the mean frame."""

from __future__ import annotations

import pytest
import torch

from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.recurrent_map import RecurrentMap
from deqsci.reconstruction.unrolled import UnrolledMap


@pytest.mark.parametrize("passes", [1, 3])
def test_it_is_its_map_so_many_times(passes: int) -> None:
    torch.manual_seed(0)
    map, physics = RecurrentMap(), SnapshotPhysics(bernoulli_masks(3, 8, 8))
    torch.nn.init.normal_(map.network.head.weight, std=0.01)
    snapshot = physics.A(torch.rand(2, 3, 8, 8))
    _, wanted = map.at(snapshot, physics)
    for _ in range(passes):
        wanted = map(wanted, snapshot, physics)
    model = UnrolledMap(map, passes)
    torch.testing.assert_close(model(snapshot, physics), wanted)
    result = model.reconstruct(snapshot, physics)
    torch.testing.assert_close(result.video, wanted)
    assert result.residuals.shape == (2, passes)
    assert not result.converged.any()


def test_no_pass_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        UnrolledMap(RecurrentMap(), 0)
