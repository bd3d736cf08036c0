"""What training minimises, on cases whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.training.losses import negative_psnr, perturbation_growth


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
    growth = perturbation_growth(f, z, torch.Generator().manual_seed(1), iterations=60)
    assert growth.tolist() == pytest.approx([0.9, 1.4], rel=1e-3)


def test_growth_has_a_gradient_and_survives_black() -> None:
    gain = torch.tensor(0.8, requires_grad=True)
    z = torch.zeros(1, 2, 4, 4)
    growth = perturbation_growth(lambda z: gain * z, z, torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(growth.sum(), gain)
    assert growth.item() == pytest.approx(0.8, rel=1e-4)
    assert gradient.item() == pytest.approx(1.0, rel=1e-4)
