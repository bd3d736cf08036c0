"""DeepEquilibrium: map, solver and adjoint together, on an imaging problem."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.cnn import CNN
from deqsci.denoisers.rsn_cnn import RSNCNN
from deqsci.errors import ShapeError, ValueRangeError
from deqsci.fixed_point import Anderson, Broyden, Implicit, JacobianFree, Phantom, Picard, Unrolled
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import GapMap


@pytest.fixture
def problem() -> tuple[SnapshotPhysics, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    video = torch.rand(2, 3, 8, 8, generator=generator).double()
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8, generator=generator).double())
    return physics, video, physics.A(video)


def small_denoiser(kind: str) -> torch.nn.Module:
    torch.manual_seed(1)
    if kind == "rsn-cnn":
        net = RSNCNN(rounds=1, channels=4).double()
        for block in net.blocks:
            block.log_threshold.data.fill_(-1)
        return net
    net = CNN(channels=8, depth=2).double()
    first, last = (layer.weight.data.mul_(0.1) for layer in net.layers)
    # Two channels carry u⁺ and u⁻, so that N(u) ≈ 0.4 u and f contracts.
    first[0, 0, 1, 1], first[1, 0, 1, 1] = 1.0, -1.0
    last[0, 0, 1, 1], last[0, 1, 1, 1] = 0.4, -0.4
    return net


@pytest.mark.parametrize("solver", [Picard(1e-8, 5000), Anderson(1e-8, 500), Broyden(1e-8, 500)])
def test_every_solver_finds_the_same_video(problem, solver) -> None:
    physics, _, snapshot = problem
    model = DeepEquilibrium(GapMap(small_denoiser("rsn-cnn")), solver, JacobianFree())
    result = model.reconstruct(snapshot, physics)
    assert result.converged.all()
    again = model.map(result.video, snapshot, physics)
    torch.testing.assert_close(again, result.video, rtol=1e-6, atol=1e-6)
    reference = DeepEquilibrium(model.map, Picard(1e-10, 9000), JacobianFree())(snapshot, physics)
    torch.testing.assert_close(result.video, reference, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["cnn", "rsn-cnn"])
def test_exact_gradient_is_that_of_finite_differences_and_unrolling(problem, kind) -> None:
    physics, video, snapshot = problem
    solver = Anderson(tol=1e-13, max_iter=2000)
    denoiser = small_denoiser(kind)
    model = DeepEquilibrium(GapMap(denoiser), solver, Implicit(solver))
    parameters = list(denoiser.parameters())

    def loss() -> Tensor:
        return (model(snapshot, physics) - video).square().sum()

    exact = torch.autograd.grad(loss(), parameters)
    model.adjoint = Unrolled(200)
    unrolled = torch.autograd.grad(loss(), parameters)
    for a, b in zip(exact, unrolled, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
    model.adjoint = Implicit(solver)
    generator = torch.Generator().manual_seed(2)
    directions = [torch.randn(p.shape, generator=generator).double() for p in parameters]
    step, values = 1e-7, []  # small: ReLU has kinks
    for sign in (1, -1):
        for parameter, direction in zip(parameters, directions, strict=True):
            parameter.data.add_(direction, alpha=sign * step)
        values.append(loss().item())
        for parameter, direction in zip(parameters, directions, strict=True):
            parameter.data.sub_(direction, alpha=sign * step)
    numeric = (values[0] - values[1]) / (2 * step)
    analytic = sum((g * d).sum().item() for g, d in zip(exact, directions, strict=True))
    assert analytic == pytest.approx(numeric, rel=1e-6)


@pytest.mark.parametrize("adjoint", [Implicit(), Phantom(3), JacobianFree(), Unrolled(3)], ids=repr)
def test_every_gradient_rule_trains(problem, adjoint) -> None:
    physics, video, snapshot = problem
    model = DeepEquilibrium(GapMap(small_denoiser("cnn")), Anderson(1e-6, 200), adjoint)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(15):
        loss = (model(snapshot, physics) - video).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_snapshot_is_explained_by_the_projection_of_the_video(problem) -> None:
    physics, _, snapshot = problem
    model = DeepEquilibrium(GapMap(small_denoiser("rsn-cnn")), Anderson(1e-8, 500), JacobianFree())
    projected = physics.project(model(snapshot, physics), snapshot)
    torch.testing.assert_close(physics.A(projected), snapshot)


def test_reconstruct_reports_and_records_nothing(problem) -> None:
    physics, _, snapshot = problem
    model = DeepEquilibrium(GapMap(small_denoiser("cnn")), Anderson(1e-4, 60), Implicit())
    seen = []
    result = model.reconstruct(snapshot, physics, lambda k, r: seen.append(k))
    assert not result.video.requires_grad
    assert len(result.status) == 2
    assert max(seen) == int(result.evaluations.max()) == result.residuals.shape[1]
    assert model.max_evaluations == 60


def test_wrong_snapshots_are_refused(problem) -> None:
    physics, _, snapshot = problem
    model = DeepEquilibrium(GapMap(small_denoiser("cnn")), Picard(), JacobianFree())
    with pytest.raises(ShapeError, match="snapshot"):
        model(snapshot[:, :-1], physics)
    snapshot[0, 0, 0] = torch.nan
    with pytest.raises(ValueRangeError, match="NaN"):
        model(snapshot, physics)
