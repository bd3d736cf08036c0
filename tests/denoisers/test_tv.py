"""Total variation against its duality gap, scikit-image, and the properties of a prox."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from deqsci.denoisers.tv import TV, tv_prox
from deqsci.errors import ConfigError


def step_image(height: int = 23, width: int = 18, noise: float = 0.1) -> Tensor:
    """A bright square on a dark ground. (1, 1, H, W) float64."""
    generator = torch.Generator().manual_seed(0)
    image = torch.full((1, 1, height, width), 0.2, dtype=torch.float64)
    image[..., 5:15, 4:12] = 0.8
    return image + noise * torch.randn(image.shape, generator=generator, dtype=torch.float64)


def total_variation(u: Tensor) -> Tensor:
    rows, columns = torch.zeros_like(u), torch.zeros_like(u)
    rows[..., :-1, :] = u.diff(dim=-2)
    columns[..., :-1] = u.diff(dim=-1)
    return (rows.square() + columns.square()).sqrt().sum()


def objective(u: Tensor, x: Tensor, weight: float) -> float:
    return (0.5 * (u - x).square().sum() + weight * total_variation(u)).item()


@pytest.mark.parametrize("weight", [0.02, 0.1, 0.5])
def test_the_duality_gap_closes(weight: float) -> None:
    """u = x + λ div p, so ½‖x‖² − ½‖u‖² is the dual objective and its gap to the primal → 0."""
    x = step_image()
    gaps = []
    for iterations in (5, 50, 5000):
        u = tv_prox(x, weight, iterations)
        dual = 0.5 * (x.square().sum() - u.square().sum()).item()
        gaps.append(objective(u, x, weight) - dual)
    assert gaps[0] > gaps[1] > gaps[2] >= -1e-12
    assert gaps[2] < 1e-3 * objective(x, x, weight)


def test_scikit_image_finds_the_same_minimiser() -> None:
    x, weight = step_image(), 0.15
    theirs = denoise_tv_chambolle(x[0, 0].numpy(), weight=weight, eps=0, max_num_iter=3000)
    ours = tv_prox(x, weight, 3000)
    np.testing.assert_allclose(ours[0, 0], theirs, atol=2e-3)


def test_frames_are_denoised_on_their_own() -> None:
    frames = torch.cat([step_image(), 1 - step_image(), torch.rand(1, 1, 23, 18).double()])
    together = tv_prox(frames, 0.1, 20)
    alone = torch.cat([tv_prox(frame[None], 0.1, 20) for frame in frames])
    torch.testing.assert_close(together, alone)


def test_the_mean_of_a_frame_is_kept() -> None:
    x = step_image()
    torch.testing.assert_close(tv_prox(x, 0.3, 50).mean(), x.mean())


def test_it_is_firmly_nonexpansive_once_converged() -> None:
    """‖Da − Db‖² ≤ ⟨Da − Db, a − b⟩, up to what 2000 steps leave."""
    a, b = step_image(), step_image().flip(-1) + 0.1
    difference = tv_prox(a, 0.1, 2000) - tv_prox(b, 0.1, 2000)
    inner = torch.sum(difference * (a - b)).item()
    assert difference.square().sum().item() <= inner * (1 + 1e-3)


def test_weight_zero_changes_nothing() -> None:
    x = step_image().float()
    torch.testing.assert_close(tv_prox(x, 0.0, 5), x)


@pytest.mark.parametrize("shape", [(2, 1, 1, 7), (1, 1, 6, 1), (3, 5, 4)])
def test_any_shape_of_frames(shape: tuple[int, ...]) -> None:
    x = torch.rand(shape)
    before = x.clone()
    assert tv_prox(x, 0.1, 5).shape == shape
    assert torch.equal(x, before)


def test_the_denoiser_takes_one_sigma_or_one_each() -> None:
    denoiser, frames = TV(iterations=10), torch.cat([step_image(), step_image()])
    one_each = denoiser(frames, torch.tensor([0.05, 0.2], dtype=torch.float64))
    torch.testing.assert_close(one_each[:1], denoiser(frames[:1], 0.05))
    torch.testing.assert_close(one_each[1:], denoiser(frames[1:], 0.2))


def test_it_denoises() -> None:
    clean, noisy = step_image(64, 64, noise=0), step_image(64, 64, noise=0.1)
    error = (TV()(noisy, 0.1) - clean).square().mean()
    assert error < 0.2 * (noisy - clean).square().mean()


def test_no_gradient_is_pretended() -> None:
    x = step_image().requires_grad_()
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        TV()(x, 0.1)


def test_a_missing_sigma_and_bad_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="sigma"):
        TV()(step_image())
    with pytest.raises(ConfigError, match="0 iterations"):
        TV(iterations=0)
    with pytest.raises(ConfigError, match="scale"):
        TV(scale=0)
