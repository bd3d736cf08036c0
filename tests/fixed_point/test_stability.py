"""What is said of a point agrees with the eigenvalues of the map there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.stability import stability
from tests.fixed_point.problems import affine_contraction, rotation


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_a_contraction_draws_plain_iteration_in(generator) -> None:
    f, answer, matrix = affine_contraction(6, 0.8)
    around = stability(f, answer + 1e-3, 60, 300, generator)
    largest = torch.linalg.eigvals(matrix).abs().max().item()
    assert around.radius == pytest.approx([largest] * 3, rel=0.02)
    assert around.stays.all()
    moved = (answer + 1e-3 - answer).norm(dim=1) / (answer + 1e-3).norm(dim=1)
    torch.testing.assert_close(around.drift, moved, rtol=1e-2, atol=0)


@pytest.mark.parametrize("rho", [1.05, 3.0])
def test_plain_iteration_leaves_an_unstable_point(rho: float, generator) -> None:
    matrix = rotation(rho, 1.1)
    answer = torch.linalg.solve(torch.eye(2, dtype=torch.float64) - matrix, torch.ones(2).double())

    def f(z: Tensor) -> Tensor:
        return z @ matrix.T + 1

    around = stability(f, answer[None] + 1e-6, 800, 50, generator)
    assert not around.stays.any()
    assert around.radius.item() == pytest.approx(rho, rel=1e-6)


def test_another_fixed_point_is_another_place(generator) -> None:
    # 1 repels, 1 ± √½ attract: plain iteration settles, elsewhere.
    def f(z: Tensor) -> Tensor:
        return z + (z - 1) * (0.5 - (z - 1).square())

    around = stability(f, torch.tensor([[1 + 1e-5]], dtype=torch.float64), 200, 20, generator)
    assert around.residuals[0, -1] < 1e-9
    assert not around.stays.any()


def test_samples_are_judged_apart(generator) -> None:
    slopes = torch.tensor([[0.5], [40.0]], dtype=torch.float64)
    around = stability(lambda z: slopes * z + 1e-9, torch.ones(2, 1).double(), 300, 10, generator)
    assert around.stays.tolist() == [True, False]
    assert around.radius.tolist() == pytest.approx([0.5, 40.0])
    assert around.residuals[1, -1] == torch.inf


def test_one_evaluation_at_least() -> None:
    with pytest.raises(ConfigError, match="plain is 0"):
        stability(torch.cos, torch.ones(1, 1), plain=0)
