"""Every solver on problems whose answer is known."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point import Anderson, Broyden, MixedPrecision, Picard, Status
from tests.fixed_point.problems import COSINE, affine_contraction

SOLVERS = [
    Picard(),
    Picard(damping=0.7),
    Anderson(),
    Anderson(beta=0.8),
    Broyden(),
    MixedPrecision(),
]


def with_limits(solver, tol: float, max_iter: int):
    return type(solver)(**{**vars(solver), "tol": tol, "max_iter": max_iter})


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cosine(solver, dtype) -> None:
    tol = 1e-6 if dtype is torch.float32 else 1e-12
    z0 = torch.tensor([[0.0], [3.0], [-20.0]], dtype=dtype)
    solution = with_limits(solver, tol, 200).solve(torch.cos, z0)
    assert solution.converged.all(), solution.status
    assert solution.value.dtype is dtype
    torch.testing.assert_close(
        solution.value, torch.full_like(z0, COSINE), rtol=10 * tol, atol=10 * tol
    )


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_affine_contraction(solver) -> None:
    f, answer, _ = affine_contraction(12, rho=0.9)
    solution = with_limits(solver, 1e-11, 2000).solve(f, torch.zeros_like(answer))
    assert solution.converged.all()
    torch.testing.assert_close(solution.value, answer, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("solver", [Anderson(memory=12), Broyden(memory=40)], ids=repr)
def test_acceleration_is_on_and_pays(solver) -> None:
    """On a stiff affine map Picard needs hundreds of evaluations where these need tens."""
    f, answer, _ = affine_contraction(10, rho=0.99)
    z0 = torch.zeros_like(answer)
    plain = Picard(tol=1e-8, max_iter=5000).solve(f, z0).evaluations.max()
    fast = with_limits(solver, 1e-8, 5000).solve(f, z0).evaluations.max()
    assert plain > 500
    assert fast < plain / 10


def test_anderson_with_full_memory_is_a_krylov_method() -> None:
    """For an affine map in n dimensions n + 1 residuals are dependent: solved in n + 2 calls."""
    f, answer, _ = affine_contraction(6, rho=0.9)
    solution = Anderson(tol=1e-9, max_iter=40, memory=8, ridge=0.0).solve(
        f, torch.zeros_like(answer)
    )
    assert solution.evaluations.max() <= 6 + 3


@pytest.mark.parametrize("solver", [Anderson(memory=8), Broyden()], ids=repr)
def test_reaches_a_repelling_fixed_point(solver) -> None:
    """ρ = 1.5: Picard overflows, the accelerated solvers find the fixed point."""
    f, answer, _ = affine_contraction(5, rho=1.5)
    z0 = torch.zeros_like(answer)
    solution = with_limits(solver, 1e-9, 200).solve(f, z0)
    assert solution.converged.all(), solution.residual
    torch.testing.assert_close(solution.value, answer, rtol=1e-6, atol=1e-6)
    steep, wanted, _ = affine_contraction(5, rho=15.0)
    solution = with_limits(solver, 1e-9, 200).solve(steep, z0)
    assert solution.converged.all(), solution.status
    torch.testing.assert_close(solution.value, wanted, rtol=1e-6, atol=1e-6)
    diverged = Picard(tol=1e-9, max_iter=5000).solve(f, z0)
    assert set(diverged.status) == {Status.DIVERGED}


@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_never_a_nan_out(solver) -> None:
    """A map without a fixed point that becomes NaN on the way: best iterate, honest status."""
    broken = 0

    def f(z: Tensor) -> Tensor:
        nonlocal broken
        fz = torch.where(z > 2.5, torch.nan, z + 1)
        broken += int(fz.isnan().any())
        return fz

    solution = with_limits(solver, 1e-9, 100).solve(f, torch.zeros(2, 4).double())
    assert broken > 0
    assert set(solution.status) == {Status.DIVERGED}
    assert solution.value.isfinite().all()
    assert solution.residual.isfinite().all()
    assert solution.evaluations.max() < 20


@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_nan_from_the_first_evaluation(solver) -> None:
    z0 = torch.ones(2, 4)
    solution = solver.solve(lambda z: z * torch.nan, z0)
    assert solution.status == (Status.DIVERGED, Status.DIVERGED)
    assert torch.equal(solution.value, z0)
    assert solution.evaluations.tolist() == [1, 1]


@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_one_bad_sample_leaves_the_others_alone(solver) -> None:
    def f(z: Tensor) -> Tensor:
        out = 0.5 * z + 1
        out[1] = torch.nan
        return out

    solution = with_limits(solver, 1e-9, 100).solve(f, torch.zeros(3, 4, dtype=torch.float64))
    assert solution.status == (Status.CONVERGED, Status.DIVERGED, Status.CONVERGED)
    torch.testing.assert_close(solution.value[[0, 2]], torch.full((2, 4), 2.0).double())


@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_samples_stop_alone_and_stay(solver) -> None:
    """A sample that starts at its answer takes one evaluation, whatever its neighbours need."""
    f, answer, _ = affine_contraction(8, rho=0.95, batch=2)
    z0 = torch.stack([answer[0], torch.zeros(8, dtype=torch.float64)])
    solution = with_limits(solver, 1e-8, 1000).solve(f, z0)
    assert solution.evaluations[0] == 1
    assert solution.evaluations[1] > 5
    assert solution.residuals[0, 1:].isnan().all()
    torch.testing.assert_close(solution.value, answer, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_a_batch_is_its_samples(solver) -> None:
    f, answer, matrix = affine_contraction(8, rho=0.9, batch=3)
    offset = answer - answer @ matrix.T
    together = with_limits(solver, 1e-6, 200).solve(f, torch.zeros_like(answer))
    for i in range(3):
        alone = with_limits(solver, 1e-6, 200).solve(
            lambda z, i=i: z @ matrix.T + offset[i : i + 1], torch.zeros_like(answer[:1])
        )
        assert alone.evaluations[0] == together.evaluations[i]
        torch.testing.assert_close(alone.value[0], together.value[i], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_anderson_is_scale_free(scale: float) -> None:
    """Evaluations do not depend on the unit of z: the ridge is relative."""
    f, answer, _ = affine_contraction(10, rho=0.97)
    z0 = torch.ones_like(answer)
    reference = Anderson(tol=1e-8, max_iter=500).solve(f, z0).evaluations
    scaled = Anderson(tol=1e-8, max_iter=500).solve(lambda z: f(z / scale) * scale, z0 * scale)
    assert (scaled.evaluations - reference).abs().max() <= 2


def test_best_iterate_is_returned_when_the_limit_comes_first() -> None:
    seen = []

    def f(z: Tensor) -> Tensor:  # a rotation by 1 rad, grown: Anderson's residuals go up and down
        fz = z.roll(1, -1) * 1.05 + 0.1 * torch.sin(5 * z)
        seen.append(fz.clone())
        return fz

    z0 = torch.tensor([[1.0, -2.0, 0.5, 3.0]], dtype=torch.float64)
    solution = Anderson(tol=0.0, max_iter=8).solve(f, z0)
    best = int(solution.residuals[0].argmin())
    assert torch.equal(solution.value, seen[best])
    assert solution.status == (Status.MAX_ITER,)
    assert len(seen) == int(solution.evaluations[0]) == 8


@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_autocast_does_not_round_the_solver(solver) -> None:
    """f may run in bfloat16; the sums of the solver do not, or no solve would get below 1e-3."""
    gain = torch.linspace(-0.9, 0.9, 50)
    with torch.autocast("cpu", torch.bfloat16):
        solution = with_limits(solver, 1e-6, 500).solve(lambda z: gain * z + 1, torch.zeros(2, 50))
    assert solution.converged.all()
    torch.testing.assert_close(solution.value[0], 1 / (1 - gain), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_zero_is_a_fixed_point_like_any_other(solver) -> None:
    solution = solver.solve(lambda z: (z - 1).relu() / 2, torch.ones(1, 100))
    assert solution.converged.all()
    assert not solution.value.any()


@pytest.mark.parametrize("solver", [Anderson(), Broyden()], ids=repr)
def test_a_solve_that_cannot_go_on_says_so(solver) -> None:
    """f jumps: no point has a small residual. The limit is not used up for nothing."""
    solution = with_limits(solver, 1e-9, 1000).solve(
        lambda z: torch.where(z > 0, -1.0, 1.0) + 0.1 * z, torch.full((1, 3), 0.3).double()
    )
    assert solution.status == (Status.STALLED,)
    assert solution.evaluations[0] < 200


def test_residuals_are_those_of_the_definition() -> None:
    solution = Picard(tol=0.0, max_iter=4).solve(torch.cos, torch.tensor([[1.0]]).double())
    z, wanted = torch.tensor(1.0).double(), []
    for _ in range(4):
        wanted.append(((z.cos() - z) / z.cos()).abs())
        z = z.cos()
    torch.testing.assert_close(solution.residuals[0], torch.stack(wanted))


def test_callback_sees_every_evaluation() -> None:
    calls = []
    Anderson(tol=1e-9).solve(
        torch.cos, torch.ones(2, 1).double(), lambda k, r: calls.append((k, tuple(r.shape)))
    )
    assert [k for k, _ in calls] == list(range(1, len(calls) + 1))
    assert {shape for _, shape in calls} == {(2,)}


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 4, 5)])
@pytest.mark.parametrize("solver", [Picard(), Anderson(), Broyden()], ids=repr)
def test_any_shape_and_the_start_is_not_changed(solver, shape) -> None:
    z0 = torch.rand(shape).double()
    kept = z0.clone()
    solution = with_limits(solver, 1e-9, 100).solve(lambda z: 0.5 * z + 1, z0)
    assert solution.value.shape == z0.shape
    assert torch.equal(z0, kept)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Picard(tol=-1.0),
        lambda: Picard(max_iter=0),
        lambda: Picard(damping=0.0),
        lambda: Anderson(memory=0),
        lambda: Anderson(ridge=-1.0),
        lambda: Anderson(beta=1.5),
        lambda: Broyden(memory=0),
        lambda: Anderson(tol=float("nan")),
    ],
)
def test_settings_out_of_range(make) -> None:
    with pytest.raises(ConfigError):
        make()


def test_against_torchdeq() -> None:
    """An independent library finds the same fixed point, in no fewer calls of f."""
    torchdeq = pytest.importorskip("torchdeq", reason="torchdeq is not installed")
    f, answer, _ = affine_contraction(20, rho=0.97)
    calls = {"ours": 0, "theirs": 0}

    def counted(name: str):
        def g(z: Tensor) -> Tensor:
            calls[name] += 1
            return f(z)

        return g

    ours = Anderson(tol=1e-8, max_iter=300).solve(counted("ours"), torch.zeros_like(answer))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torchdeq.solver.get_solver("anderson")(
            counted("theirs"),
            torch.zeros_like(answer),
            max_iter=300,
            tol=1e-8,
            stop_mode="rel",
            m=5,
            lam=1e-8,
        )[0]
    torch.testing.assert_close(ours.value, theirs, rtol=1e-5, atol=1e-5)
    assert calls["ours"] <= calls["theirs"]
