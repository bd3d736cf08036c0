"""The map of RNN: what a frame sees, and that it is autonomous."""

from __future__ import annotations

import pytest
import torch

from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks, gray_masks
from deqsci.reconstruction.recurrent_map import RecurrentMap

Masks = torch.Tensor


@pytest.mark.parametrize("masks", [bernoulli_masks(4, 9, 12), gray_masks(4, 9, 12)])
def test_a_frame_sees_the_snapshot_with_the_others_taken_out(masks: Masks) -> None:
    physics, z = SnapshotPhysics(masks), torch.rand(2, 4, 9, 12)
    snapshot = physics.A(torch.rand(2, 4, 9, 12))
    map = RecurrentMap()
    context = map.context(snapshot, physics)
    alone = map.planes(z, context, snapshot, physics)[:, :, -1]
    for t in range(4):
        others = z.clone()
        others[:, t] = 0
        torch.testing.assert_close(alone[:, t], snapshot - physics.A(others))


def test_the_map_remembers_nothing() -> None:
    map, physics = RecurrentMap(), SnapshotPhysics(bernoulli_masks(3, 8, 8))
    torch.nn.init.normal_(map.network.head.weight)
    z = torch.rand(1, 3, 8, 8)
    snapshot = physics.A(torch.rand(1, 3, 8, 8))
    first = map(z, snapshot, physics)
    map(torch.rand_like(z), snapshot, physics)
    assert torch.equal(map(z, snapshot, physics), first)


def test_masks_of_each_sample_are_its_own() -> None:
    map = RecurrentMap()
    torch.nn.init.normal_(map.network.head.weight)
    masks = torch.stack([bernoulli_masks(3, 8, 8) for _ in range(2)])
    z = torch.rand(2, 3, 8, 8)
    snapshot = SnapshotPhysics(masks).A(torch.rand_like(z))
    together = map(z, snapshot, SnapshotPhysics(masks))
    for k in range(2):
        alone = map(z[k : k + 1], snapshot[k : k + 1], SnapshotPhysics(masks[k]))
        torch.testing.assert_close(together[k : k + 1], alone, rtol=1e-4, atol=1e-4)
