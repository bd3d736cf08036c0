"""RSN-CNN: the bound holds, for every image size, and the denoiser contracts."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from deqsci.denoisers.rsn_cnn import RSNCNN, Shrinkage, _analyse, _synthesise, filter_bank_norm
from deqsci.fixed_point import Picard, spectral_norm
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.maps import GapMap


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (24, 20)])
@pytest.mark.parametrize("kernel", [1, 3, 8])
def test_filter_bank_norm_bounds_the_operator_at_every_size(size, kernel) -> None:
    filters = torch.randn(6, 1, kernel, kernel).double()
    bound = filter_bank_norm(filters).item()
    z = torch.zeros(1, 1, *size).double()
    norm = spectral_norm(lambda u: F.conv2d(u, filters, padding=kernel - 1), z, 200).item()
    assert norm <= bound * (1 + 1e-12)


def test_filter_bank_norm_is_tight() -> None:
    """On a large image the norm comes within 2 % of the bound."""
    filters = torch.randn(4, 1, 3, 3).double()
    z = torch.zeros(1, 1, 64, 64).double()
    norm = spectral_norm(lambda u: F.conv2d(u, filters, padding=2), z, 400).item()
    assert norm >= 0.98 * filter_bank_norm(filters).item()


@pytest.mark.parametrize("angle", [0.0, 0.011, 0.5, 2.9])
def test_filter_bank_norm_between_the_samples(angle: float) -> None:
    """A peak of the symbol that no sampled frequency hits is still bounded."""
    k = torch.arange(8).double()
    carrier = torch.cos(angle * k)
    filters = (carrier[:, None] * carrier[None, :]).view(1, 1, 8, 8)
    fine = torch.fft.rfft2(filters[0, 0], s=(4096, 4096)).abs().max()
    assert fine <= filter_bank_norm(filters) <= 1.01 * fine


def test_analysis_is_a_convolution_and_synthesis_its_adjoint() -> None:
    filters = torch.randn(5, 1, 8, 8).double()
    u, v = torch.randn(2, 1, 11, 6).double(), torch.randn(2, 5, 18, 13).double()
    torch.testing.assert_close(_analyse(u, filters), F.conv2d(u, filters, padding=7))
    left = (_analyse(u, filters) * v).sum()
    right = (u * _synthesise(v, filters)).sum()
    torch.testing.assert_close(left, right)


def test_block_is_firmly_nonexpansive() -> None:
    """‖Bu − Bv‖² ≤ ⟨u − v, Bu − Bv⟩ for near and for far pairs."""
    block = Shrinkage(16, 5).double()
    for distance in (1e-3, 0.1, 10.0):
        u = torch.rand(20, 1, 12, 10).double()
        v = u + distance * torch.randn_like(u)
        change = block(u) - block(v)
        assert (change.square().sum((1, 2, 3)) <= ((u - v) * change).sum((1, 2, 3)) + 1e-12).all()


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_denoiser_contracts_whatever_the_weights(scale: float) -> None:
    net = RSNCNN().double()
    for block in net.blocks:
        block.filters.data.mul_(scale)
        block.log_threshold.data.normal_()
    u, v = torch.rand(2, 8, 1, 15, 12).double()
    lipschitz = (net(u) - net(v)).flatten(1).norm(dim=1) / (u - v).flatten(1).norm(dim=1)
    assert (lipschitz <= RSNCNN.LIPSCHITZ * (1 + 1e-12)).all()


def test_flat_regions_pass() -> None:
    """Away from the border an untrained block leaves a constant alone: its filters sum to 0."""
    out = Shrinkage(16, 5)(torch.full((1, 1, 24, 24), 0.7))
    torch.testing.assert_close(out[..., 6:-6, 6:-6], torch.full((1, 1, 12, 12), 0.7))


@pytest.mark.parametrize("train", [True, False])
def test_weights_receive_gradient_in_every_mode(train: bool) -> None:
    net = RSNCNN(blocks=1, channels=8, kernel=5).train(train).double()
    x = torch.rand(1, 1, 9, 9).double()
    torch.autograd.gradcheck(
        lambda f: torch.func.functional_call(
            net,
            {"blocks.0.filters": f, "blocks.0.log_threshold": net.blocks[0].log_threshold},
            (x,),
        ),
        net.blocks[0].filters.detach().requires_grad_(),
    )
    net(x).square().sum().backward()
    for parameter in net.parameters():
        assert parameter.grad is not None
        assert parameter.grad.any()


def test_training_and_evaluation_agree() -> None:
    net, x = RSNCNN(), torch.rand(1, 1, 9, 9)
    torch.testing.assert_close(net.train()(x), net.eval()(x))


def test_picard_converges_to_one_point_from_anywhere() -> None:
    physics = SnapshotPhysics(bernoulli_masks(4, 16, 16).double())
    f_map = GapMap(RSNCNN().double())
    snapshot = physics.A(torch.rand(1, 4, 16, 16).double())
    ends = []
    for z0 in (torch.zeros(1, 4, 16, 16), 5 * torch.randn(1, 4, 16, 16)):
        solution = Picard(tol=1e-9, max_iter=20000).solve(
            lambda z: f_map(z, snapshot, physics), z0.double()
        )
        assert solution.converged.all()
        ends.append(solution.value)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-5, atol=1e-5)
