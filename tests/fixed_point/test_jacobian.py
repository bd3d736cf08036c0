"""Spectral radius and norm against dense linear algebra."""

from __future__ import annotations

import pytest
import torch

from deqsci.fixed_point import spectral_norm, spectral_radius
from tests.fixed_point.problems import rotation


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_radius_and_norm_of_non_normal_matrices(generator) -> None:
    matrices = torch.randn(2, 8, 8, generator=generator, dtype=torch.float64)
    matrices[0] += 4 * torch.eye(8)  # a real leading eigenvalue; the other's may be a pair
    z = torch.zeros(2, 8, dtype=torch.float64)

    def f(z: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bij,bj->bi", matrices, z) + 1

    radius = torch.linalg.eigvals(matrices).abs().max(1).values
    assert spectral_radius(f, z, 600, generator) == pytest.approx(radius.tolist(), rel=2e-2)
    norm = torch.linalg.matrix_norm(matrices, 2)
    assert spectral_norm(f, z, 400, generator) == pytest.approx(norm.tolist(), rel=1e-6)


def test_radius_of_a_complex_pair(generator) -> None:
    matrix = rotation(0.83, 1.1)
    z = torch.zeros(1, 2, dtype=torch.float64)
    radius = spectral_radius(lambda z: z @ matrix.T, z, 50, generator)
    assert radius.item() == pytest.approx(0.83, rel=1e-9)


def test_jacobian_is_taken_at_the_point(generator) -> None:
    z = torch.tensor([[0.3], [2.0]], dtype=torch.float64)
    assert spectral_radius(torch.sin, z, 5, generator) == pytest.approx(
        z.cos().abs().flatten().tolist()
    )
    assert spectral_norm(torch.sin, z, 5, generator) == pytest.approx(
        z.cos().abs().flatten().tolist()
    )


def test_norm_bounds_radius_for_shear(generator) -> None:
    """Radius 0.5, norm far above 1: they are not the same thing."""
    shear = torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64)
    z = torch.zeros(1, 2, dtype=torch.float64)
    norm = spectral_norm(lambda z: z @ shear.T, z, 50, generator).item()
    assert norm == pytest.approx(torch.linalg.matrix_norm(shear, 2).item(), rel=1e-9)
    radius = spectral_radius(lambda z: z @ shear.T, z, 2000, generator).item()
    assert radius == pytest.approx(0.5, rel=1e-2)
