"""Solves that begin in bfloat16: the fixed point of full precision, at fewer of its evaluations."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.fixed_point import Anderson, MixedPrecision, Status

TOL = 1e-6
SLOW = 0.7


class Affine:
    """z ↦ W z + b, contracting by as much as is asked of each sample; bf16 rounds its product."""

    def __init__(self, *factors: float, size: int = 40) -> None:
        torch.manual_seed(0)
        self.weight, _ = torch.linalg.qr(torch.randn(size, size))
        self.factors = torch.tensor(factors).unsqueeze(1)
        self.bias = torch.randn(len(factors), size)
        self.rounded: list[bool] = []

    def __call__(self, z: Tensor) -> Tensor:
        product = F.linear(z, self.weight)
        self.rounded.append(product.dtype == torch.bfloat16)
        return self.factors * product.to(z.dtype) + self.bias

    @property
    def start(self) -> Tensor:
        return torch.zeros_like(self.bias)

    @property
    def solution(self) -> Tensor:
        eye = torch.eye(len(self.weight))
        return torch.stack(
            [
                torch.linalg.solve(eye - factor * self.weight, bias)
                for factor, bias in zip(self.factors, self.bias)
            ]
        )


def test_the_fixed_point_is_that_of_full_precision() -> None:
    f = Affine(SLOW)
    solution = MixedPrecision(tol=TOL).solve(f, f.start)
    assert solution.converged.all()
    torch.testing.assert_close(solution.value, f.solution, rtol=0, atol=2e-5)
    with torch.autocast("cpu", torch.bfloat16):
        alone = Anderson(tol=TOL).solve(f, f.start)
    assert (alone.value - f.solution).abs().max() > 1e-3


def test_rounded_evaluations_come_first_and_save_others() -> None:
    f, whole = Affine(SLOW), Affine(SLOW)
    MixedPrecision(tol=TOL).solve(f, f.start)
    Anderson(tol=TOL).solve(whole, whole.start)
    assert f.rounded == sorted(f.rounded, reverse=True)
    assert 0 < f.rounded.count(False) < len(whole.rounded)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_the_limit_is_kept_and_the_last_evaluation_full(limit: int) -> None:
    """Whatever runs around the solve."""
    f = Affine(0.99)
    with torch.autocast("cpu", torch.bfloat16):
        solution = MixedPrecision(tol=1e-9, max_iter=limit).solve(f, f.start)
    assert len(f.rounded) == int(solution.evaluations) == limit
    assert not f.rounded[-1]
    assert solution.status == (Status.MAX_ITER,)


def test_samples_are_counted_and_traced_on_their_own() -> None:
    f = Affine(0.2, SLOW, 0.5)
    seen: list[int] = []
    mixed = MixedPrecision(tol=1e-5, memory=1)
    solution = mixed.solve(f, f.start, lambda iteration, _: seen.append(iteration))
    assert seen == list(range(1, len(f.rounded) + 1))
    assert len(set(solution.evaluations.tolist())) == 3
    for trace, count in zip(solution.residuals, solution.evaluations.tolist()):
        assert trace[:count].isfinite().all()
        assert trace[count:].isnan().all()
    assert solution.residuals.shape[1] == int(solution.evaluations.max())
    steps = (f(solution.value) - solution.value).norm(dim=1) / solution.value.norm(dim=1)
    assert (steps <= solution.residual).all()  # each pass contracts


def test_where_rounding_forbids_the_first_tolerance_full_precision_begins_all_the_same() -> None:
    f = Affine(SLOW)
    solution = MixedPrecision(tol=TOL, rounded_tol=1e-9, rounded_iter=5).solve(f, f.start)
    assert f.rounded.count(True) == 5
    assert solution.converged.all()
    torch.testing.assert_close(solution.value, f.solution, rtol=0, atol=2e-5)


def test_what_rounding_makes_of_a_residual_is_not_believed() -> None:
    """In bfloat16 the map stands still, in float32 it does not."""

    def f(z: Tensor) -> Tensor:
        return z.clone() if torch.is_autocast_enabled("cpu") else 0.9 * z + 1

    solution = MixedPrecision(tol=TOL, max_iter=3, memory=1).solve(f, torch.ones(1, 3))
    assert not solution.converged.any()
    rounded, *full = solution.residuals[0].tolist()
    assert rounded == full[0]
    assert float(solution.residual) == full[-1]


def test_a_map_that_leaves_the_finite_numbers_in_full_precision_has_diverged() -> None:
    def f(z: Tensor) -> Tensor:
        return 0.5 * z + 1 if torch.is_autocast_enabled("cpu") else z / 0

    solution = MixedPrecision().solve(f, torch.ones(1, 3))
    assert solution.status == (Status.DIVERGED,)
    assert solution.value.isfinite().all()
    assert not solution.residual.isfinite()
