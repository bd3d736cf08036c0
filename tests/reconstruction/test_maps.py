"""The DE-GAP map."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from deqsci.denoisers.cnn import CNN
from deqsci.denoisers.rsn_cnn import RSNCNN
from deqsci.denoisers.video import denoise_video
from deqsci.errors import ConfigError, ShapeError
from deqsci.fixed_point import Picard
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.maps import GapMap


class Keep(nn.Module):
    def forward(self, x: Tensor, sigma: float | None = None) -> Tensor:
        return x


def problem(batch: int = 2) -> tuple[SnapshotPhysics, Tensor, Tensor]:
    physics = SnapshotPhysics(bernoulli_masks(4, 10, 12))
    video = torch.rand(batch, 4, 10, 12)
    return physics, video, physics.A(video)


def test_without_a_denoiser_it_is_the_projection() -> None:
    physics, video, snapshot = problem()
    z = torch.rand_like(video)
    torch.testing.assert_close(GapMap(Keep())(z, snapshot, physics), physics.project(z, snapshot))


def test_relaxation_keeps_the_fixed_points_and_moves_the_eigenvalues() -> None:
    class Overshoot(nn.Module):
        """D(u) = c − 1.4 (u − c): fixed point c, eigenvalue −1.4 where nothing is seen."""

        def forward(self, x: Tensor, sigma: float | None = None) -> Tensor:
            return 0.5 - 1.4 * (x - 0.5)

    physics = SnapshotPhysics(bernoulli_masks(4, 10, 12).double())
    answer = torch.full((1, 4, 10, 12), 0.5).double()
    snapshot, z0 = physics.A(answer), torch.rand(1, 4, 10, 12).double()
    plain, relaxed = GapMap(Overshoot()), GapMap(Overshoot(), relaxation=0.6)
    torch.testing.assert_close(relaxed(answer, snapshot, physics), answer)
    ends = [
        Picard(tol=1e-10, max_iter=300).solve(lambda z, f=f: f(z, snapshot, physics), z0)
        for f in (plain, relaxed)
    ]
    assert not ends[0].converged.all()
    assert ends[1].converged.all()
    torch.testing.assert_close(ends[1].value, answer, rtol=1e-8, atol=1e-8)
    with pytest.raises(ConfigError):
        GapMap(Overshoot(), relaxation=0.0)


def test_is_autonomous() -> None:
    """The same z gives the same f(z), however often f was called before, in either mode."""
    physics, video, snapshot = problem()
    for train in (True, False):
        f = GapMap(CNN()).train(train)
        first = f(video, snapshot, physics)
        for _ in range(3):
            f(torch.rand_like(video), snapshot, physics)
        assert torch.equal(first, f(video, snapshot, physics))


def test_frames_are_denoised_each_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser, video = CNN(), torch.rand(2, 5, 10, 12)
    whole = denoise_video(denoiser, video, None)
    for b in range(2):
        for t in range(5):
            alone = denoiser(video[b, t][None, None])[0, 0]
            torch.testing.assert_close(whole[b, t], alone, rtol=1e-4, atol=1e-6)
    monkeypatch.setattr(
        "deqsci.denoisers.video._CHUNK_PIXELS", 3 * 120
    )  # 3 frames at once, the last chunk short
    with torch.no_grad():
        torch.testing.assert_close(denoise_video(denoiser, video, None), whole)


def test_what_contracts_still_does_when_relaxed_and_nothing_else_is_claimed() -> None:
    relaxed = GapMap(RSNCNN(), relaxation=0.5)
    assert relaxed.lipschitz == pytest.approx((1 + RSNCNN.LIPSCHITZ) / 2)
    assert GapMap(CNN()).lipschitz is None


def test_a_noise_level_per_sample_reaches_its_frames() -> None:
    class Scale(nn.Module):
        def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
            return x * sigma.view(-1, 1, 1, 1)

    video = torch.ones(2, 3, 4, 4)
    with torch.no_grad():
        out = denoise_video(Scale(), video, torch.tensor([1.0, 2.0]))
    assert out.flatten(1).mean(1).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("grad", [True, False])
def test_a_denoiser_that_changes_the_shape_is_refused(grad: bool) -> None:
    class Mean(nn.Module):
        def forward(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
            return x.mean((2, 3), keepdim=True)  # broadcasts

    with torch.set_grad_enabled(grad), pytest.raises(ShapeError, match=r"Mean made \(6, 1, 1, 1\)"):
        denoise_video(Mean(), torch.ones(2, 3, 4, 4), None)
