"""A warm start changes the way to the equilibrium, not the equilibrium."""

from __future__ import annotations

import torch

from deqsci.denoisers.cnn import CNN
from deqsci.fixed_point import Anderson, JacobianFree
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import GapMap
from deqsci.reconstruction.tiling import Tiled
from deqsci.reconstruction.total_variation import GapTV
from deqsci.reconstruction.warm_start import WarmStarted


def smoothing(tol: float) -> DeepEquilibrium:
    """The map of a denoiser that takes half of what differs from the 3×3 mean: a contraction."""
    net = CNN(channels=2, depth=2)
    with torch.no_grad():
        high = -torch.ones(3, 3) / 9
        high[1, 1] += 1
        for layer in net.layers:
            layer.weight.zero_()
        net.layers[0].weight[0, 0], net.layers[0].weight[1, 0] = high, -high
        net.layers[1].weight[0, 0, 1, 1], net.layers[1].weight[0, 1, 1, 1] = 0.5, -0.5
    return DeepEquilibrium(GapMap(net), Anderson(tol, 500), JacobianFree()).double()


def test_the_equilibrium_is_the_same_and_nearer() -> None:
    generator = torch.Generator().manual_seed(0)
    physics = SnapshotPhysics(bernoulli_masks(4, 40, 40, generator=generator).double())
    video = torch.full((1, 4, 40, 40), 0.2, dtype=torch.float64)
    for t in range(4):
        video[0, t, 10:25, 5 + 4 * t : 20 + 4 * t] = 0.8
    snapshot = physics.A(video)
    model = smoothing(1e-9)
    cold = model.reconstruct(snapshot, physics)
    warm = WarmStarted(model, GapTV()).reconstruct(snapshot, physics)
    torch.testing.assert_close(warm.video, cold.video, rtol=0, atol=1e-5)
    assert warm.converged.all()
    # Started at the answer itself it is there at once.
    again = model.reconstruct(snapshot, physics, start=cold.video)
    assert int(again.evaluations) <= 2
    assert warm.residuals[0, 0] < cold.residuals[0, 0]


def test_it_can_be_tiled() -> None:
    physics = SnapshotPhysics(torch.ones(2, 130, 40))
    tiled = Tiled(WarmStarted(smoothing(1e-3).float(), GapTV(2)), 128)
    assert tiled(torch.rand(1, 130, 40), physics).shape == (1, 2, 130, 40)
    assert tiled.max_evaluations == 500
