"""What training minimises, on cases whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.training.config import Correction
from deqsci.training.losses import (
    correction_loss,
    jacobian_size,
    negative_psnr,
    perturbation_growth,
)


def test_negative_psnr() -> None:
    truth = torch.zeros(2, 3, 4, 4)
    estimate = truth + torch.tensor([0.1, 0.01]).view(2, 1, 1, 1)
    assert negative_psnr(estimate, truth).item() == pytest.approx(-30, abs=0.1)


def test_growth_of_a_linear_map_is_its_largest_gain() -> None:
    gains = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 0.5
    gains[0, 1, 2, 3], gains[1, 0, 0, 0] = 0.9, 1.4

    def f(z: Tensor) -> Tensor:
        return gains * z + 0.3

    z = torch.rand(2, 3, 4, 4)
    growth = perturbation_growth(f, z, torch.Generator().manual_seed(1), 60, 0.02)
    assert growth.tolist() == pytest.approx([0.9, 1.4], rel=1e-3)


def test_growth_is_the_spectral_radius_and_not_the_norm() -> None:
    matrix = 0.5 * torch.eye(32)
    matrix[0, 31] = 10.0  # norm 10, both eigenvalues of the block 0.5

    def f(z: Tensor) -> Tensor:
        return (z.flatten(1) @ matrix.T).view_as(z)

    z = torch.rand(1, 2, 4, 4)
    growth = perturbation_growth(f, z, torch.Generator().manual_seed(1), 400, 0.02)
    assert growth.item() == pytest.approx(0.5, rel=0.01)


def test_growth_has_a_gradient_and_survives_black() -> None:
    gain = torch.tensor(0.8, requires_grad=True)
    z = torch.zeros(1, 2, 4, 4)
    growth = perturbation_growth(lambda z: gain * z, z, torch.Generator().manual_seed(1), 8, 0.02)
    (gradient,) = torch.autograd.grad(growth.sum(), gain)
    assert growth.item() == pytest.approx(0.8, rel=1e-4)
    assert gradient.item() == pytest.approx(1.0, rel=1e-4)


def test_small_perturbations_see_what_grows_in_a_place_and_large_ones_do_not() -> None:
    z = torch.ones(1, 4, 16, 16)

    def f(x: Tensor) -> Tensor:
        """One pixel moves away by half as much again, but no further than 0.1; others come back."""
        away = x - z
        grown = 0.7 * away
        grown[0, 0, 0, 0] = 0.1 * torch.tanh(15 * away[0, 0, 0, 0])
        return z + grown

    small, large = (
        perturbation_growth(f, z, torch.Generator().manual_seed(1), 60, relative).item()
        for relative in (1e-4, 0.1)
    )
    assert small == pytest.approx(1.5, rel=0.01)
    assert large < 0.75


def test_jacobian_size_is_the_mean_squared_singular_value() -> None:
    matrix = torch.randn(12, 12, generator=torch.Generator().manual_seed(0)).double() / 3
    z = torch.randn(1, 3, 2, 2).double()
    generator = torch.Generator().manual_seed(1)

    def f(z: Tensor) -> Tensor:
        return (z.flatten(1) @ matrix.T).view_as(z)

    draws = torch.stack([jacobian_size(f, z, generator) for _ in range(3000)])
    assert draws.mean().item() == pytest.approx(matrix.square().sum().item() / 12, rel=0.03)


def test_jacobian_size_has_a_gradient() -> None:
    gain = torch.tensor(0.5, requires_grad=True)
    z = torch.randn(1, 4, 16, 16)
    size = jacobian_size(lambda z: gain * z, z, torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(size, gain)
    assert gradient.item() == pytest.approx(2 * size.item() / 0.5, rel=1e-4)


def test_correction_weighs_states_by_their_distance_from_the_end() -> None:
    """Of six recorded states two are taken, evenly spaced, and discounted once and twice."""
    video = torch.zeros(1, 2, 4, 4)
    states = [torch.full_like(video, 10.0**-k).requires_grad_() for k in range(6)]
    loss = correction_loss(
        lambda z: z, lambda z: z, states, video, Correction(states=2, discount=0.5)
    )
    expected = 0.5 * negative_psnr(states[3], video) + 0.25 * negative_psnr(states[1], video)
    assert loss.item() == pytest.approx(expected.item())


def test_correction_records_states_of_a_solver_by_one_evaluation() -> None:
    video, gain = torch.zeros(1, 2, 4, 4), torch.tensor(0.5, requires_grad=True)
    visited = [torch.ones_like(video)] * 2
    loss = correction_loss(
        lambda z: gain * z, lambda z: z, visited, video, Correction(states=1, discount=1.0)
    )
    (gradient,) = torch.autograd.grad(loss, gain)
    assert gradient.item() == pytest.approx(20 / (0.5 * 2.302585), rel=1e-4)  # d(20 log₁₀ g)/dg


def test_correction_of_recorded_states_takes_the_last_ones_before_the_end() -> None:
    video = torch.zeros(1, 2, 4, 4)
    states = [torch.full_like(video, 10.0**-k) for k in range(5)]
    recorded = [state.requires_grad_(k >= 2) for k, state in enumerate(states)]
    correction = Correction(states=5, discount=0.5, recorded=True)
    loss = correction_loss(lambda z: z, lambda z: z, recorded, video, correction)
    expected = 0.5 * negative_psnr(states[3], video) + 0.25 * negative_psnr(states[2], video)
    assert loss.item() == pytest.approx(expected.item())


def test_correction_passes_over_states_that_are_not_finite() -> None:
    video = torch.zeros(1, 2, 4, 4)
    visited = [torch.full_like(video, value) for value in (0.1, torch.inf, 0.1, torch.nan, 0.1)]
    loss = correction_loss(
        lambda z: z, lambda z: z, visited, video, Correction(states=2, discount=1.0)
    )
    assert loss.item() == pytest.approx(2 * -20, abs=0.1)


def test_correction_of_a_single_state_adds_nothing() -> None:
    video = torch.zeros(1, 2, 4, 4)
    assert correction_loss(lambda z: z, lambda z: z, [video], video, Correction()).item() == 0
