"""Low-rank groups against the singular value decomposition and their own objective."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.patch_groups import PatchMatching
from deqsci.denoisers.wnnm import WNNM, low_rank
from deqsci.errors import ConfigError


def matrices(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def centred(groups: Tensor) -> Tensor:
    return groups - groups.mean(1, keepdim=True)


def moving_stripes(frames: int = 4, side: int = 32) -> Tensor:
    """Waves that run across the frames. (1, T, H, W)."""
    t, i, j = torch.meshgrid(
        torch.arange(frames), torch.arange(side), torch.arange(side), indexing="ij"
    )
    return (0.5 + 0.3 * torch.sin(0.6 * i + 0.9 * j - t) + 0.005 * (i - j))[None]


@pytest.mark.parametrize("shape", [(3, 20, 9), (2, 6, 9), (1, 2, 1)])
@pytest.mark.parametrize("threshold", [0.0, 0.4, 3.0, 1e6])
def test_singular_values_are_shrunk_in_closed_form(
    shape: tuple[int, int, int], threshold: float
) -> None:
    groups = matrices(*shape)
    u, s, v = torch.linalg.svd(centred(groups), full_matrices=False)
    excess = s.square() - 4 * threshold
    shrunk = torch.where(excess > 0, (s + excess.clamp_min(0).sqrt()) / 2, 0.0)
    expected = groups.mean(1, keepdim=True) + u * shrunk.unsqueeze(1) @ v
    torch.testing.assert_close(low_rank(groups, threshold), expected)


def test_it_minimises_its_objective() -> None:
    """The weights C/s(X) at the answer; where that is 0, any weight beyond s(Y) leaves it there."""
    groups, threshold = matrices(1, 12, 5), 2.0
    noisy = centred(groups)[0]
    best = centred(low_rank(groups, threshold))[0]
    values = torch.linalg.svdvals(best)
    assert 0 < int((values > 1e-6).sum()) < len(values)
    weights = torch.where(values > 1e-6, threshold / values, torch.linalg.svdvals(noisy))

    def objective(x: Tensor) -> Tensor:
        return (noisy - x).square().sum() / 2 + (weights * torch.linalg.svdvals(x)).sum()

    least = objective(best)
    for seed in range(300):
        step = matrices(12, 5, seed=seed)
        for length in (1e-4, 1e-2, 0.3):
            assert objective(best + length * step) >= least
    for other in (noisy, torch.zeros_like(noisy)):
        assert objective(other) > least


def test_a_threshold_of_zero_changes_nothing_and_a_large_one_leaves_the_mean_patch() -> None:
    groups = matrices(4, 10, 6)
    torch.testing.assert_close(low_rank(groups, 0.0), groups)
    mean = groups.mean(1, keepdim=True).expand_as(groups)
    torch.testing.assert_close(low_rank(groups, 1e3), mean)


def test_noise_of_known_level_is_gone_from_a_matrix_of_low_rank() -> None:
    truth = 3 * matrices(5, 64, 2) @ matrices(5, 2, 36, seed=1)
    noisy = truth + 0.5 * matrices(5, 64, 36, seed=2)
    found = low_rank(noisy, 4 * 2**0.5 * 64**0.5 * 0.5**2)
    assert torch.linalg.matrix_rank(centred(found), atol=1e-6).tolist() == [2] * 5
    # Of the noise what lies in the row and column spaces remains: 1 − (1 − 2/64)(1 − 2/36) < 9 %.
    assert (found - truth).square().mean() < 0.12 * 0.5**2


def test_noise_is_removed_and_the_video_kept() -> None:
    clean = moving_stripes()
    noisy = clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    denoised = WNNM()(noisy, 0.1)
    assert (denoised - clean).square().mean() < 0.1 * 0.1**2
    assert (WNNM()(clean, 0.02) - clean).square().mean() < 0.02**2 / 4


def test_samples_do_not_see_each_other_and_have_their_own_noise_level() -> None:
    videos = torch.cat([moving_stripes(2, 16), moving_stripes(2, 16).flip(-1)])
    videos += 0.1 * torch.randn(videos.shape, generator=torch.Generator().manual_seed(0))
    denoiser = WNNM(PatchMatching(count=16))
    together = denoiser(videos, torch.tensor([0.05, 0.2]))
    torch.testing.assert_close(together[:1], denoiser(videos[:1], 0.05))
    torch.testing.assert_close(together[1:], denoiser(videos[1:], 0.2))


def test_groups_once_matched_serve_again() -> None:
    video, denoiser = moving_stripes(2, 16), WNNM(PatchMatching(count=16))
    groups = denoiser.match(video)
    torch.testing.assert_close(denoiser(video, 0.1, groups), denoiser(video, 0.1))


def test_brightness_added_comes_out_again() -> None:
    video = moving_stripes(2, 16).double()
    torch.testing.assert_close(WNNM()(video + 0.3, 0.1), WNNM()(video, 0.1) + 0.3)


def test_a_missing_sigma_and_no_strength_are_refused() -> None:
    with pytest.raises(ConfigError, match="sigma"):
        WNNM()(moving_stripes())
    with pytest.raises(ConfigError, match="strength"):
        WNNM(strength=0)
