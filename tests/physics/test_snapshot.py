"""The snapshot operator: its adjoint, its pseudo-inverse and its projection, for every camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from deqsci.errors import MaskError, ShapeError, ValueRangeError
from deqsci.physics import SnapshotPhysics

BATCH = 3


@dataclass(frozen=True)
class Camera:
    """One configuration of the operator."""

    frames: int
    size: tuple[int, int]
    gray: bool = False
    per_sample: bool = False
    blind_pixels: bool = False

    def build(self) -> SnapshotPhysics:
        generator = torch.Generator().manual_seed(self.frames)
        shape = (*([BATCH] if self.per_sample else []), self.frames, *self.size)
        masks = torch.rand(shape, generator=generator, dtype=torch.float64)
        if not self.gray:
            masks = (masks < 0.5).double()
        if self.blind_pixels:
            masks[..., :2, 1] = 0
        else:
            masks[..., 0, :, :].clamp_(min=0.1 if self.gray else 1)
        return SnapshotPhysics(masks)

    def __str__(self) -> str:
        kind = "gray" if self.gray else "binary"
        sharing = "one-each" if self.per_sample else "shared"
        sight = "-blind" if self.blind_pixels else ""
        return f"T{self.frames}-{self.size[0]}x{self.size[1]}-{kind}-{sharing}{sight}"


CAMERAS = [
    Camera(frames, size, gray, per_sample, blind)
    for frames, size in [(1, (4, 6)), (4, (5, 7)), (8, (9, 3)), (8, (8, 8))]
    for gray in (False, True)
    for per_sample in (False, True)
    for blind in (False, True)
]


@pytest.fixture(params=CAMERAS, ids=str)
def physics(request: pytest.FixtureRequest) -> SnapshotPhysics:
    camera: Camera = request.param
    return camera.build()


def video_for(physics: SnapshotPhysics, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (BATCH, physics.frames, *physics.shape)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def snapshot_for(physics: SnapshotPhysics, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((BATCH, *physics.shape), generator=generator, dtype=torch.float64)


def test_dot_product(physics: SnapshotPhysics) -> None:
    """⟨Ax, y⟩ = ⟨x, Aᵀy⟩."""
    x, y = video_for(physics), snapshot_for(physics)
    forward = torch.sum(physics.A(x) * y)
    backward = torch.sum(x * physics.A_adjoint(y))
    print(f"<Ax, y> = {forward:.16e}, <x, A'y> = {backward:.16e}")
    torch.testing.assert_close(forward, backward, rtol=1e-12, atol=1e-12)


def test_gram_is_the_diagonal_of_a_a_adjoint(physics: SnapshotPhysics) -> None:
    y = snapshot_for(physics)
    torch.testing.assert_close(physics.A(physics.A_adjoint(y)), physics.gram * y)


def test_a_dagger_is_the_moore_penrose_inverse(physics: SnapshotPhysics) -> None:
    x, y = video_for(physics), snapshot_for(physics)
    a, dagger = physics.A, physics.A_dagger
    torch.testing.assert_close(a(dagger(a(x))), a(x))
    torch.testing.assert_close(dagger(a(dagger(y))), dagger(y))
    # Both products are symmetric.
    x2, y2 = video_for(physics, 2), snapshot_for(physics, 3)
    torch.testing.assert_close(torch.sum(a(dagger(y)) * y2), torch.sum(y * a(dagger(y2))))
    torch.testing.assert_close(torch.sum(dagger(a(x)) * x2), torch.sum(x * dagger(a(x2))))


def test_project_explains_the_snapshot_where_it_was_seen(physics: SnapshotPhysics) -> None:
    z, y = video_for(physics), snapshot_for(physics)
    seen = (physics.gram > 0).expand_as(y)
    projected = physics.project(z, y)
    torch.testing.assert_close(physics.A(projected)[seen], y[seen])
    blind = ~seen.unsqueeze(1).expand_as(z)
    assert torch.equal(projected[blind], z[blind])


def test_project_is_idempotent_and_moves_least(physics: SnapshotPhysics) -> None:
    z, y = video_for(physics), snapshot_for(physics)
    projected = physics.project(z, y)
    torch.testing.assert_close(physics.project(projected, y), projected)
    # The step is orthogonal to every direction that keeps the snapshot.
    direction = physics.project(video_for(physics, 2), y) - projected
    step = torch.sum((projected - z) * direction)
    torch.testing.assert_close(step, torch.zeros_like(step), rtol=0, atol=1e-10)


def test_project_is_nonexpansive(physics: SnapshotPhysics) -> None:
    y = snapshot_for(physics)
    for seed in range(5):
        z1, z2 = video_for(physics, seed), video_for(physics, seed + 100)
        after = (physics.project(z1, y) - physics.project(z2, y)).norm()
        assert after <= (z1 - z2).norm() * (1 + 1e-12)


def test_nothing_is_nan(physics: SnapshotPhysics) -> None:
    z, y = video_for(physics), snapshot_for(physics)
    for video in (physics.A_dagger(y), physics.project(z, y), physics.initial(y)):
        assert bool(video.isfinite().all())
        assert video.shape == z.shape


def test_initial_repeats_the_mean_frame() -> None:
    masks = torch.tensor([[[1.0, 0.5, 0.0]], [[1.0, 0.0, 0.0]]])  # T = 2, 1×3 pixels
    initial = SnapshotPhysics(masks).initial(torch.tensor([[[1.0, 0.3, 0.7]]]))
    expected = torch.tensor([0.5, 0.6, 0.0]).expand(1, 2, 1, 3)
    torch.testing.assert_close(initial, expected)


def test_a_sums_the_open_frames() -> None:
    masks = torch.tensor([[[1.0, 0.0]], [[1.0, 0.25]]])
    video = torch.tensor([[[[0.1, 0.2]], [[0.3, 0.4]]]])
    torch.testing.assert_close(SnapshotPhysics(masks).A(video), torch.tensor([[[0.4, 0.1]]]))


def test_integer_masks_become_floats() -> None:
    physics = SnapshotPhysics(torch.ones(2, 3, 3, dtype=torch.uint8))
    assert physics.masks.dtype == torch.float32
    assert physics.to(dtype=torch.float64).gram.dtype == torch.float64


@pytest.mark.parametrize(
    ("masks", "error", "words"),
    [
        (torch.ones(4, 4), ShapeError, r"shape \(4, 4\)"),
        (torch.ones(0, 4, 4), MaskError, "empty"),
        (torch.full((2, 4, 4), 255.0), MaskError, "255"),
        (-torch.ones(2, 4, 4), MaskError, "-1"),
        (torch.full((2, 4, 4), torch.nan), MaskError, "nan"),
    ],
)
def test_bad_masks_are_refused(masks: Tensor, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        SnapshotPhysics(masks)


def test_tensors_that_do_not_fit_are_refused() -> None:
    shared = SnapshotPhysics(torch.ones(2, 4, 5))
    with pytest.raises(ShapeError, match=r"video.*\(1, 3, 4, 5\)"):
        shared.A(torch.ones(1, 3, 4, 5))
    with pytest.raises(ShapeError, match="snapshot"):
        shared.A_adjoint(torch.ones(4, 5))
    one_each = SnapshotPhysics(torch.ones(3, 2, 4, 5))
    with pytest.raises(ShapeError, match="snapshot"):
        one_each.A_dagger(torch.ones(2, 4, 5))
    with pytest.raises(ValueRangeError, match="NaN"):
        shared.validate(torch.full((1, 4, 5), torch.nan))


@pytest.mark.parametrize("shape", [(1, 5, 4), (1, 4, 5), (3, 4, 5)])
def test_project_refuses_a_snapshot_of_another_video(shape: tuple[int, ...]) -> None:
    physics = SnapshotPhysics(torch.ones(2, 4, 5))
    with pytest.raises(ShapeError, match="snapshot"):
        physics.project(torch.ones(2, 2, 4, 5), torch.ones(shape))


BLIND = torch.zeros(9, 7, dtype=torch.float64)
BLIND[2, 3] = BLIND[8, 0] = torch.inf


def test_a_pixel_of_infinite_noise_says_nothing_to_anyone() -> None:
    """Whatever it reads, no data step moves it, and the others explain the snapshot as before."""
    masks = torch.rand(4, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole, physics = SnapshotPhysics(masks), SnapshotPhysics(masks, noise=BLIND)
    z, y = video_for(whole), snapshot_for(whole)
    blind = BLIND.isinf()
    assert torch.equal(physics.gram[blind], torch.zeros(2, dtype=torch.float64))
    for step, usual in (
        (physics.project(z, y), whole.project(z, y)),
        (physics.proximal(z, y, 0.1), whole.proximal(z, y, 0.1)),
        (physics.A_dagger(y) + z, whole.A_dagger(y) + z),
        (physics.A_adjoint(y) + z, whole.A_adjoint(y) + z),
    ):
        assert torch.equal(step[..., blind], z[..., blind])
        torch.testing.assert_close(step[..., ~blind], usual[..., ~blind])


def test_infinite_noise_is_the_limit_of_large_noise() -> None:
    masks = torch.rand(4, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z, y = video_for(SnapshotPhysics(masks)), snapshot_for(SnapshotPhysics(masks))
    large = SnapshotPhysics(masks, noise=BLIND.clamp_max(1e9)).proximal(z, y, 0.1)
    torch.testing.assert_close(SnapshotPhysics(masks, noise=BLIND).proximal(z, y, 0.1), large)


def test_noise_may_be_infinite_for_one_snapshot_of_several() -> None:
    masks = torch.ones(2, 9, 7, dtype=torch.float64)
    physics = SnapshotPhysics(masks, noise=torch.stack([BLIND, torch.zeros_like(BLIND)]))
    assert physics.masks.shape == (2, 2, 9, 7)
    assert (physics.gram == 0).sum((1, 2)).tolist() == [2, 0]


def test_noise_of_each_snapshot_leaves_the_masks_as_given() -> None:
    masks = torch.rand(4, 5, 6)
    physics = SnapshotPhysics(masks, noise=torch.rand(3))
    for other in (physics, physics.to("cpu", torch.float64), physics.crop(slice(0, 3), slice(2))):
        assert other.masks.ndim == 3


def test_the_start_looks_where_the_data_step_does_not() -> None:
    """Also after a move or a crop, which keep the camera as it is."""
    masks = torch.rand(4, 9, 7, generator=torch.Generator().manual_seed(0))
    physics = SnapshotPhysics(masks, noise=BLIND)
    y = snapshot_for(physics).float()
    expected = SnapshotPhysics(masks).initial(y)
    assert torch.equal(physics.initial(y), expected)
    assert torch.equal(physics.to(dtype=torch.float32).initial(y), expected)
    part = physics.crop(slice(1, 5), slice(2, 7))
    assert torch.equal(part.initial(y[:, 1:5, 2:7]), expected[..., 1:5, 2:7])
    assert torch.equal(part.gram, physics.gram[1:5, 2:7])


def test_proximal_is_stationary(physics: SnapshotPhysics) -> None:
    """(x − z)/τ² = Φᵀ(y − Φx)/σ² at the minimiser."""
    z = torch.rand(BATCH, physics.frames, *physics.shape).double()
    y = torch.rand(BATCH, *physics.shape).double()
    sigma, tau = torch.rand(BATCH, *physics.shape).double() + 0.1, 0.3
    noisy = SnapshotPhysics(physics.masks, noise=sigma)
    x = noisy.proximal(z, y, tau)
    pull = noisy.A_adjoint((y - noisy.A(x)) / sigma.square())
    torch.testing.assert_close((x - z) / tau**2, pull)


def test_without_noise_proximal_projects(physics: SnapshotPhysics) -> None:
    z = torch.rand(BATCH, physics.frames, *physics.shape).double()
    y = torch.rand(BATCH, *physics.shape).double()
    torch.testing.assert_close(physics.proximal(z, y, 0.1), physics.project(z, y))


def test_a_pixel_of_infinite_noise_says_nothing(physics: SnapshotPhysics) -> None:
    z = torch.rand(BATCH, physics.frames, *physics.shape).double()
    y = torch.rand(BATCH, *physics.shape).double()
    sigma = torch.zeros(physics.shape).double()
    sigma[1, 2] = math.inf
    noisy = SnapshotPhysics(physics.masks, noise=sigma)
    x = noisy.proximal(z, y, 0.1)
    assert torch.equal(x[..., 1, 2], z[..., 1, 2])
    assert (noisy.doubt(0.1)[..., 1, 2] == 1).all()
    x[..., 1, 2] = physics.project(z, y)[..., 1, 2]
    torch.testing.assert_close(x, physics.project(z, y))


def test_doubt_is_the_noise_in_the_misfit() -> None:
    physics = SnapshotPhysics(torch.ones(4, 1, 1), noise=0.2)
    # gram 4, σ²/τ² = 4: half the misfit's variance is noise.
    assert physics.doubt(0.1).item() == pytest.approx(0.5**0.5)
    assert SnapshotPhysics(torch.ones(4, 1, 1)).doubt(0.1).item() == 0


@pytest.mark.parametrize("noise", [-0.1, math.nan, math.inf])
def test_noise_that_is_none(noise: float) -> None:
    with pytest.raises(ValueRangeError, match="noise"):
        SnapshotPhysics(torch.ones(2, 3, 3), noise=noise)
