"""The Wiener filter of like patches against eigenvectors, its adjoint pair and its derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.denoisers.group_wiener import GroupWiener, wiener
from deqsci.denoisers.patch_groups import PatchGroups, PatchMatching

SIZES = [(1, 7, 9), (3, 20, 17), (2, 4, 40), (5, 1, 1), (2, 33, 48)]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matched(*size: int) -> tuple[Tensor, PatchGroups]:
    video = noise(*size)
    return video, PatchMatching(count=6, patch=4, stride=3)(video)


@pytest.mark.parametrize("shape", [(3, 20, 9), (2, 6, 9), (1, 2, 1)])
@pytest.mark.parametrize("variance", [1e-3, 0.1, 10.0])
def test_singular_values_are_shrunk_by_the_smoothed_wiener_gain(
    shape: tuple[int, int, int], variance: float
) -> None:
    groups = noise(*shape)
    mean = groups.mean(1, keepdim=True)
    u, s, v = torch.linalg.svd(groups - mean, full_matrices=False)
    power = s.square() / shape[2]
    share = power / (power + variance)
    wanted = mean + u * (s * share.square() * (3 - 2 * share)).unsqueeze(1) @ v
    torch.testing.assert_close(wiener(groups, variance), wanted)


@pytest.mark.parametrize("size", SIZES)
def test_putting_patches_back_is_the_adjoint_of_taking_them(size: tuple[int, int, int]) -> None:
    video, groups = matched(*size)
    taken = groups.gather(video)
    patches = noise(*taken.shape, seed=1)
    put = groups.spread(patches)
    torch.testing.assert_close((taken * patches).sum(), (video * put).sum())


@pytest.mark.parametrize("size", SIZES)
def test_weights_count_the_patches_on_every_pixel(size: tuple[int, int, int]) -> None:
    video, groups = matched(*size)
    ones = torch.ones_like(groups.gather(video))
    torch.testing.assert_close(groups.spread(ones), groups.weight.double())
    assert groups.weight.min() >= 1


def test_its_derivatives_are_those_of_finite_differences() -> None:
    """The first and, for products with the Jacobian itself, the second."""
    video, _ = matched(2, 8, 9)
    denoiser = GroupWiener(PatchMatching(count=5, patch=4, stride=3), level=0.2).double()
    groups = denoiser.match(video[None])

    def filtered(video: Tensor) -> Tensor:
        return denoiser(video[None], groups)

    assert torch.autograd.gradcheck(filtered, (video.requires_grad_(),))
    assert torch.autograd.gradgradcheck(filtered, (video,))


def test_little_noise_leaves_a_video_and_much_noise_the_mean_patches() -> None:
    video, groups = matched(3, 20, 17)
    weak, strong = GroupWiener(level=1e-6), GroupWiener(level=1e3)
    torch.testing.assert_close(weak(video[None], [groups])[0], video, atol=1e-8, rtol=0)
    assert torch.equal(weak(video[None], [groups], level=1e3), strong(video[None], [groups]))
    means = groups.gather(video).mean(1, keepdim=True).expand(-1, 6, -1)
    averaged = groups.spread(means.contiguous()) / groups.weight
    torch.testing.assert_close(strong(video[None], [groups])[0], averaged, atol=1e-5, rtol=0)


def test_without_a_gradient_it_is_the_same() -> None:
    video, groups = matched(3, 20, 17)
    denoiser = GroupWiener(level=0.2).double()
    recorded = denoiser(video[None], [groups])
    with torch.no_grad():
        torch.testing.assert_close(denoiser(video[None], [groups]), recorded)


def test_a_video_of_other_strides_is_filtered_alike() -> None:
    video, groups = matched(3, 20, 17)
    turned = video.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    with torch.no_grad():
        wanted = GroupWiener().double()(video[None], [groups])
        torch.testing.assert_close(GroupWiener().double()(turned[None], [groups]), wanted)


def test_covariances_that_rounding_spoils_are_noticed() -> None:
    assert bool(wiener(1e6 * noise(2, 24, 10).float(), 1e-9).isnan().all())


def test_samples_have_groups_of_their_own_and_brightness_passes() -> None:
    videos = noise(2, 3, 20, 17)
    denoiser = GroupWiener().double()
    groups = denoiser.match(videos)
    together = denoiser(videos, groups)
    for k in range(2):
        torch.testing.assert_close(together[k : k + 1], denoiser(videos[k : k + 1], [groups[k]]))
    torch.testing.assert_close(denoiser(videos + 0.3, groups), together + 0.3)


def test_patches_of_another_side_overlap_by_as_much() -> None:
    video = torch.rand(1, 2, 30, 30)
    wiener = GroupWiener(PatchMatching(count=4, patch=6, stride=4))
    for side, across in ((6, 7), (8, 5), (10, 4), (3, 28)):
        (groups,) = wiener.match(video, side)
        assert groups.patch == (side, side)
        assert groups.places.shape == (2 * across**2, 4)  # steps of 4, 6, 8 and 1 from 0 to the end
