"""Gradients through a fixed point: implicit = finite difference = long unrolling, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point import Anderson, Implicit, JacobianFree, Phantom, Picard, Unrolled
from tests.fixed_point.problems import Layer

FORWARD = Anderson(tol=1e-13, max_iter=500)
EXACT = Implicit(Anderson(tol=1e-13, max_iter=500, memory=8))


def loss_of(layer: Layer, x: Tensor, adjoint) -> Tensor:
    z0 = torch.zeros_like(x)
    z = adjoint.fixed_point(lambda z: layer(z, x), z0, FORWARD).value
    return (z**3).sum() + z.sin().prod(1).sum()


def gradients(layer: Layer, x: Tensor, adjoint) -> list[Tensor]:
    return list(torch.autograd.grad(loss_of(layer, x, adjoint), [layer.weight, layer.bias, x]))


@pytest.fixture
def problem() -> tuple[Layer, Tensor]:
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(7)).double().requires_grad_()
    return Layer(norm=0.9), x


def test_implicit_equals_finite_differences(problem) -> None:
    layer, x = problem
    exact = gradients(layer, x, EXACT)
    step = 1e-6
    for parameter, gradient in zip([layer.weight, layer.bias, x], exact, strict=True):
        numeric = torch.empty_like(gradient)
        flat, out = parameter.data.view(-1), numeric.view(-1)
        for i in range(flat.numel()):
            kept = flat[i].item()
            flat[i] = kept + step
            up = loss_of(layer, x, EXACT).item()
            flat[i] = kept - step
            down = loss_of(layer, x, EXACT).item()
            flat[i] = kept
            out[i] = (up - down) / (2 * step)
        torch.testing.assert_close(gradient, numeric, rtol=1e-6, atol=1e-6)


def test_implicit_equals_long_unrolling(problem) -> None:
    layer, x = problem
    for exact, unrolled in zip(
        gradients(layer, x, EXACT), gradients(layer, x, Unrolled(400)), strict=True
    ):
        torch.testing.assert_close(exact, unrolled, rtol=1e-9, atol=1e-9)


def test_implicit_of_an_expanding_map() -> None:
    """ρ > 1: the Neumann series diverges, the adjoint system is still solved."""
    generator = torch.Generator().manual_seed(3)
    layer = Layer(norm=2.5)
    x = 0.1 * torch.randn(3, 6, generator=generator).double().requires_grad_()
    layer.bias.data.mul_(0.1)
    exact = gradients(layer, x, EXACT)
    z = FORWARD.solve(lambda z: layer(z, x), torch.zeros_like(x)).value.detach().requires_grad_()
    for i in range(3):  # dense linear algebra as the oracle
        jacobian = torch.autograd.functional.jacobian(lambda v, i=i: layer(v, x[i]), z[i]).detach()
        assert torch.linalg.eigvals(jacobian).abs().max() > 1
        (cotangent,) = torch.autograd.grad(((z[i] ** 3).sum() + z[i].sin().prod()), z)
        v = torch.linalg.solve(torch.eye(6).double() - jacobian.T, cotangent[i])
        (wanted,) = torch.autograd.grad(layer(z[i].detach(), x[i]), x, v)
        torch.testing.assert_close(exact[2][i], wanted[i], rtol=1e-7, atol=1e-7)


def test_phantom_tends_to_the_exact_gradient(problem) -> None:
    layer, x = problem
    exact = torch.cat([g.flatten() for g in gradients(layer, x, EXACT)])
    errors = []
    for steps in (1, 5, 20, 80, 320):
        phantom = torch.cat([g.flatten() for g in gradients(layer, x, Phantom(steps, 0.8))])
        errors.append(float((phantom - exact).norm() / exact.norm()))
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.1
    assert errors[-1] < 1e-6


def test_jacobian_free_takes_j_as_zero(problem) -> None:
    layer, x = problem
    z = FORWARD.solve(lambda z: layer(z, x), torch.zeros_like(x)).value.detach()
    out = layer(z, x)
    wanted = torch.autograd.grad((out**3).sum() + out.sin().prod(1).sum(), layer.bias)[0]
    torch.testing.assert_close(gradients(layer, x, JacobianFree())[1], wanted)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_implicit_is_scale_free_in_float32(problem, scale: float) -> None:
    layer, x = problem
    layer, x = layer.float(), x.detach().float()
    adjoint = Implicit(Anderson(tol=1e-6, max_iter=200))
    solution = adjoint.fixed_point(lambda z: layer(z, x), torch.zeros_like(x), Anderson(1e-6))
    (gradient,) = torch.autograd.grad(solution.value.sum() * scale, layer.bias)
    reference = Unrolled(200).fixed_point(lambda z: layer(z, x), torch.zeros_like(x), Anderson())
    (wanted,) = torch.autograd.grad(reference.value.sum(), layer.bias)
    torch.testing.assert_close(gradient / scale, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_implicit_is_scale_free_and_reports(problem, scale: float) -> None:
    """A tiny or a huge loss gets the same relative accuracy, and the residual is told."""
    layer, x = problem
    adjoint = Implicit(Anderson(tol=1e-10, max_iter=200))
    solution = adjoint.fixed_point(lambda z: layer(z, x), torch.zeros_like(x), FORWARD)
    assert solution.backward == []
    (gradient,) = torch.autograd.grad((solution.value**3).sum() * scale, layer.weight)
    (report,) = solution.backward
    assert report.converged.all()
    assert (report.residual <= 1e-10).all()
    reference = Unrolled(400).fixed_point(lambda z: layer(z, x), torch.zeros_like(x), FORWARD)
    (wanted,) = torch.autograd.grad((reference.value**3).sum(), layer.weight)
    torch.testing.assert_close(gradient / scale, wanted, rtol=1e-8, atol=1e-9)


def test_implicit_memory_does_not_grow_with_depth(problem) -> None:
    """One recorded evaluation, however many the solve took."""
    layer, x = problem
    recorded = 0

    def f(z: Tensor) -> Tensor:
        nonlocal recorded
        recorded += torch.is_grad_enabled()
        return layer(z, x)

    for iterations in (3, 300):
        recorded = 0
        EXACT.fixed_point(f, torch.zeros_like(x), Picard(tol=0.0, max_iter=iterations))
        assert recorded == 1


def test_zero_gradient_stays_zero(problem) -> None:
    layer, x = problem
    solution = EXACT.fixed_point(lambda z: layer(z, x), torch.zeros_like(x), FORWARD)
    (gradient,) = torch.autograd.grad((solution.value * 0).sum(), layer.weight)
    assert not gradient.any()


@pytest.mark.parametrize("adjoint", [EXACT, Phantom(3), JacobianFree(), Unrolled(5)], ids=repr)
def test_without_gradient_nothing_is_recorded(problem, adjoint) -> None:
    layer, x = problem
    with torch.no_grad():
        solution = adjoint.fixed_point(lambda z: layer(z, x), torch.zeros_like(x), FORWARD)
    assert not solution.value.requires_grad


@pytest.mark.parametrize("adjoint", [EXACT, Phantom(3), JacobianFree(), Unrolled(5)], ids=repr)
def test_every_weight_receives_gradient(problem, adjoint) -> None:
    layer, x = problem
    for gradient in gradients(layer, x, adjoint):
        assert gradient.isfinite().all()
        assert (gradient != 0).any()


def test_against_torchdeq(problem) -> None:
    """A second oracle for the exact implicit gradient."""
    torchdeq = pytest.importorskip("torchdeq", reason="torchdeq is not installed")
    layer, x = problem
    deq = torchdeq.get_deq(
        f_solver="fixed_point_iter",
        b_solver="fixed_point_iter",
        f_max_iter=500,
        b_max_iter=500,
        f_tol=1e-13,
        b_tol=1e-13,
        ift=True,
    )
    deq.train()
    z = deq(lambda z: layer(z, x), torch.zeros_like(x))[0][-1]
    loss = (z**3).sum() + z.sin().prod(1).sum()
    theirs = torch.autograd.grad(loss, [layer.weight, layer.bias, x])
    for ours, other in zip(gradients(layer, x, EXACT), theirs, strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("make", [lambda: Phantom(0), lambda: Phantom(1, 0.0), lambda: Unrolled(0)])
def test_settings_out_of_range(make) -> None:
    with pytest.raises(ConfigError):
        make()
