"""The report tells an equilibrium from what is none."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from deqsci.errors import ConfigError, ShapeError
from deqsci.fixed_point import Anderson, JacobianFree
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.convergence import Verdict, convergence_report
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import GapMap
from deqsci.reconstruction.tiling import Tiled
from deqsci.reconstruction.zoo import build


class Gain(nn.Module):
    """A denoiser that is a multiplication: D ∘ P has the eigenvalue ``gain`` on null Φ."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = gain

    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        return self.gain * x + 0.05


class Fading(Gain):
    """A denoiser that counts its calls, as the noise schedule of a plug-and-play method does."""

    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        self.gain *= 0.97
        return super().forward(x)


@pytest.fixture
def problem() -> tuple[Tensor, SnapshotPhysics]:
    generator = torch.Generator().manual_seed(0)
    video = torch.rand(2, 3, 8, 8, generator=generator).double()
    physics = SnapshotPhysics(bernoulli_masks(3, 8, 8, generator=generator).double())
    return physics.A(video), physics


def report_of(denoiser: nn.Module, problem, **options):
    model = DeepEquilibrium(GapMap(denoiser), Anderson(1e-6, 200), JacobianFree())
    return convergence_report(
        model, *problem, generator=torch.Generator().manual_seed(1), **options
    )


def test_a_contraction_is_an_equilibrium(problem) -> None:
    report = report_of(Gain(0.8), problem)
    assert report.verdicts == (Verdict.EQUILIBRIUM,) * 2
    assert report.stability.radius.tolist() == pytest.approx([0.8, 0.8], rel=1e-3)
    text = str(report)
    assert "snapshot 2 of 2: an equilibrium" in text
    assert "halve the slowest error in 4" in text  # 0.8⁴ = 0.41, 0.8³ = 0.51
    assert "proved  nothing" in text


def test_a_fixed_point_that_only_the_solver_holds(problem) -> None:
    report = report_of(Gain(-1.4), problem)
    assert report.solution.converged.all()
    assert report.verdicts == (Verdict.UNSTABLE,) * 2
    assert report.stability.radius.tolist() == pytest.approx([1.4, 1.4], rel=1e-3)


def test_plain_iteration_that_overflows_is_told(problem) -> None:
    report = report_of(Gain(-40.0), problem, plain=300)
    assert "300 more evaluations lead out of the finite numbers" in str(report)


def test_a_solve_that_was_cut_short(problem) -> None:
    model = DeepEquilibrium(GapMap(Gain(0.99)), Anderson(1e-12, 2), JacobianFree())
    assert convergence_report(model, *problem).verdicts == (Verdict.NOT_REACHED,) * 2


def test_tiles_have_no_fixed_point_of_one_map(problem) -> None:
    model = DeepEquilibrium(GapMap(Gain(0.8)), Anderson(1e-6, 2), JacobianFree())
    with pytest.raises(ConfigError, match="Tiled has no map"):
        convergence_report(Tiled(model, 128), *problem)


class Dropping(Gain):
    """A denoiser that is random while it is trained."""

    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        return nn.functional.dropout(super().forward(x), 0.1, self.training)


@pytest.mark.parametrize("denoiser", [Fading(0.9), Dropping(0.8)], ids=["counts", "random"])
def test_what_is_no_map_is_told(denoiser: nn.Module, problem) -> None:
    assert report_of(denoiser, problem).verdicts == (Verdict.NO_MAP,) * 2


def test_a_proved_constant_is_said(problem) -> None:
    denoiser = Gain(0.8)
    denoiser.LIPSCHITZ = 0.8
    assert "f contracts with L = 0.8 " in str(report_of(denoiser, problem))


def test_wrong_snapshots_are_refused(problem) -> None:
    snapshot, physics = problem
    with pytest.raises(ShapeError, match="snapshot"):
        report_of(Gain(0.8), (snapshot[:, :-1], physics))


def test_the_video_is_what_the_state_stands_for(problem: tuple[Tensor, SnapshotPhysics]) -> None:
    snapshot, physics = problem
    model = build("de-gap-st", max_iter=3, dtype=torch.float64)
    report = convergence_report(model, snapshot, physics, plain=1, products=1)
    z = report.solution.value
    assert torch.equal(report.video, model.map.video(z, snapshot, physics))
    assert not torch.equal(report.video, z)
