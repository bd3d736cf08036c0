"""Fixed-point problems whose answer is known."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

COSINE = 0.7390851332151607  # cos x = x


def affine_contraction(size: int, rho: float, batch: int = 3, seed: int = 0) -> tuple:
    """f(z) = zMᵀ + b with spectral radius ``rho``, non-normal, and its fixed points (B, n)."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.randn(size, size, generator=generator, dtype=torch.float64)
    values = torch.linspace(-rho, rho, size, dtype=torch.float64)
    matrix = basis @ torch.diag(values) @ torch.linalg.inv(basis)
    offset = torch.randn(batch, size, generator=generator, dtype=torch.float64)
    answer = torch.linalg.solve(torch.eye(size, dtype=torch.float64) - matrix, offset.T).T
    return (lambda z: z @ matrix.T + offset), answer, matrix


def rotation(rho: float, angle: float) -> Tensor:
    """ρ times a rotation: a complex pair of eigenvalues of modulus ρ."""
    c, s = math.cos(angle), math.sin(angle)
    return rho * torch.tensor([[c, -s], [s, c]], dtype=torch.float64)


class Layer(nn.Module):
    """f(z) = tanh(zWᵀ + x + b), ‖W‖ = ``norm``: a small equilibrium layer in float64."""

    def __init__(self, size: int = 6, norm: float = 0.8, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randn(size, size, generator=generator, dtype=torch.float64)
        self.weight = nn.Parameter(weight * norm / torch.linalg.matrix_norm(weight, 2))
        self.bias = nn.Parameter(torch.randn(size, generator=generator, dtype=torch.float64))

    def forward(self, z: Tensor, x: Tensor) -> Tensor:
        return torch.tanh(z @ self.weight.T + x + self.bias)
