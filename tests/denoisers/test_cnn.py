"""The paper's small CNN."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from deqsci.denoisers.cnn import CNN


def test_is_the_network_of_the_paper() -> None:
    assert sum(p.numel() for p in CNN().parameters()) == 74_880


def test_is_the_residual_network_written_out() -> None:
    torch.manual_seed(0)
    net, x = CNN().double(), torch.rand(2, 1, 9, 13).double()
    h = x
    for k, layer in enumerate(net.layers):
        h = F.conv2d(h if k == 0 else h.clamp_min(0), layer.weight, padding=1)
    torch.testing.assert_close(net(x), x - h)


def test_is_homogeneous() -> None:
    """No bias: twice the light gives twice the answer."""
    net, x = CNN(), torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(net(3 * x), 3 * net(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (3, 17)])
def test_any_size(shape: tuple[int, int]) -> None:
    assert CNN()(torch.rand(2, 1, *shape)).shape == (2, 1, *shape)


def test_every_weight_and_the_input_receive_gradient() -> None:
    net, x = CNN(), torch.rand(1, 1, 8, 8, requires_grad=True)
    net(x).square().sum().backward()
    for tensor in (x, *net.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.any()
