"""RSN-CNN: the bound holds, for every image size, and the denoiser contracts."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.denoisers.rsn_cnn import (
    RSNCNN,
    Shrinkage,
    _analysis_kernel,
    _fold,
    _synthesis_kernel,
    _unfold,
    filter_bank_norm,
)
from deqsci.fixed_point import Picard, spectral_norm
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.maps import GapMap


def analyse(u: Tensor, filters: Tensor) -> Tensor:
    """Wu: (B, T, H, W) → (B, T, C, H + k − 1, W + k − 1)."""
    seen = _unfold(u, *filters.shape[1:3])
    return F.conv2d(seen, _analysis_kernel(filters)).unflatten(0, u.shape[:2])


def synthesise(found: Tensor, filters: Tensor) -> Tensor:
    """Wᵀ of what ``analyse`` found."""
    rows = F.conv2d(found.flatten(0, 1), _synthesis_kernel(filters))
    edge = filters.shape[-1] - 1
    shape = torch.Size([*found.shape[:2], found.shape[3] - edge, found.shape[4] - edge])
    return _fold(rows, shape, *filters.shape[1:3])


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 5, 9), (6, 20, 16)])
@pytest.mark.parametrize(("span", "kernel"), [(1, 1), (1, 8), (3, 4)])
def test_filter_bank_norm_bounds_the_operator_at_every_size(size, span, kernel) -> None:
    filters = torch.randn(6, 1, span, kernel, kernel).double()
    bound = filter_bank_norm(filters[:, 0]).item()
    z = torch.zeros(1, 1, *size).double()
    padding = (span - 1, kernel - 1, kernel - 1)
    norm = spectral_norm(lambda u: F.conv3d(u, filters, padding=padding), z, 60).item()
    assert norm <= bound * (1 + 1e-12)


def test_filter_bank_norm_is_tight() -> None:
    """On a large video the norm comes within 5 % of the bound."""
    filters = torch.randn(4, 1, 3, 3, 3).double()
    z = torch.zeros(1, 1, 16, 20, 20).double()
    norm = spectral_norm(lambda u: F.conv3d(u, filters, padding=2), z, 100).item()
    assert norm >= 0.95 * filter_bank_norm(filters[:, 0]).item()


@pytest.mark.parametrize("angle", [0.0, 0.011, 0.5, 2.9])
def test_filter_bank_norm_between_the_samples(angle: float) -> None:
    """A peak of the symbol that no sampled frequency hits is still bounded."""
    carrier = torch.cos(angle * torch.arange(7).double())
    filters = (carrier[:3, None, None] * carrier[:, None] * carrier).view(1, 3, 7, 7)
    # The symbol of a product is the product of the symbols.
    fine = torch.stack([torch.fft.rfft(c, n=1 << 16).abs().max() for c in (carrier[:3], carrier)])
    fine = fine[0] * fine[1] ** 2
    assert fine <= filter_bank_norm(filters) <= 1.01 * fine


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize(("span", "kernel"), [(1, 8), (3, 4)])
def test_analysis_is_a_convolution_and_synthesis_its_adjoint(frames, span, kernel) -> None:
    filters, edge = torch.randn(5, span, kernel, kernel).double(), kernel - 1
    u = torch.randn(2, frames, 11, 6).double()
    v = torch.randn(2, frames, 5, 11 + edge, 6 + edge).double()
    mirrored = torch.cat((u[:, :1], u, u[:, -1:]), 1) if span == 3 else u
    expected = F.conv3d(mirrored.unsqueeze(1), filters.unsqueeze(1), padding=(0, edge, edge))
    torch.testing.assert_close(analyse(u, filters), expected.transpose(1, 2))
    left, right = (analyse(u, filters) * v).sum(), (u * synthesise(v, filters)).sum()
    torch.testing.assert_close(left, right)


@pytest.mark.parametrize("frames", [1, 2, 3, 8])
def test_analysis_of_a_mirrored_video_is_bounded(frames: int) -> None:
    """Filters with their reversals, divided by √2 and their norm, gain nothing on any video."""
    filters = torch.randn(4, 3, 5, 5).double()
    unit = filters / (math.sqrt(2) * filter_bank_norm(filters))
    both = torch.cat((unit, unit.flip(1)))
    z = torch.zeros(1, frames, 12, 10).double()
    assert spectral_norm(lambda u: analyse(u, both), z, 100).item() <= 1 + 1e-12


def test_time_reversal_commutes() -> None:
    net, video = RSNCNN(channels=4).double(), torch.rand(1, 5, 12, 9).double()
    torch.testing.assert_close(net(video.flip(1)), net(video).flip(1))


@pytest.mark.parametrize(("span", "kernel"), [(1, 5), (3, 3)])
def test_block_is_firmly_nonexpansive(span, kernel) -> None:
    """‖Bu − Bv‖² ≤ ⟨u − v, Bu − Bv⟩ for near and for far pairs."""
    block = Shrinkage(16, span, kernel).double()
    for distance in (1e-3, 0.1, 10.0):
        u = torch.rand(20, 3, 12, 10).double()
        v = u + distance * torch.randn_like(u)
        change = block(u) - block(v)
        assert (change.square().sum((1, 2, 3)) <= ((u - v) * change).sum((1, 2, 3)) + 1e-12).all()


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_denoiser_contracts_whatever_the_weights(scale: float) -> None:
    net = RSNCNN().double()
    for block in net.blocks:
        block.filters.data.mul_(scale)
        block.log_threshold.data.normal_()
    u, v = torch.rand(2, 8, 4, 15, 12).double()
    lipschitz = (net(u) - net(v)).flatten(1).norm(dim=1) / (u - v).flatten(1).norm(dim=1)
    assert (lipschitz <= RSNCNN.LIPSCHITZ * (1 + 1e-12)).all()


def test_flat_regions_pass() -> None:
    """Away from the border an untrained block leaves a constant alone: its filters sum to 0."""
    out = Shrinkage(16, 3, 5)(torch.full((1, 3, 24, 24), 0.7))
    torch.testing.assert_close(out[..., 6:-6, 6:-6], torch.full((1, 3, 12, 12), 0.7))


@pytest.mark.parametrize("train", [True, False])
def test_weights_receive_gradient_in_every_mode(train: bool) -> None:
    net = RSNCNN(rounds=1, channels=2).train(train).double()
    x = torch.rand(1, 2, 5, 5).double()
    torch.autograd.gradcheck(
        lambda f: torch.func.functional_call(net, {"blocks.1.filters": f}, (x,)),
        net.blocks[1].filters.detach().requires_grad_(),
    )
    net(x).square().sum().backward()
    for parameter in net.parameters():
        assert parameter.grad is not None
        assert parameter.grad.any()


def test_training_and_evaluation_agree() -> None:
    net, x = RSNCNN(), torch.rand(1, 2, 9, 9)
    torch.testing.assert_close(net.train()(x), net.eval()(x))


def test_gradient_mode_changes_nothing_but_the_order_of_work() -> None:
    net, x = RSNCNN(), torch.rand(2, 3, 17, 12)
    with torch.no_grad():
        alone = net(x)
    torch.testing.assert_close(net(x), alone)


def test_picard_converges_to_one_point_from_anywhere() -> None:
    physics = SnapshotPhysics(bernoulli_masks(4, 16, 16).double())
    f_map = GapMap(RSNCNN(rounds=1, channels=8).double())
    snapshot = physics.A(torch.rand(1, 4, 16, 16).double())
    ends = []
    for z0 in (torch.zeros(1, 4, 16, 16), 5 * torch.randn(1, 4, 16, 16)):
        solution = Picard(tol=1e-9, max_iter=20000).solve(
            lambda z: f_map(z, snapshot, physics), z0.double()
        )
        assert solution.converged.all()
        ends.append(solution.value)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-5, atol=1e-5)
