"""The recurrent network: any length and size, and every frame hears of every other."""

from __future__ import annotations

import pytest
import torch

from deqsci.denoisers.recurrent import RecurrentNetwork


@pytest.fixture
def network() -> RecurrentNetwork:
    torch.manual_seed(0)
    network = RecurrentNetwork(planes=3, width=8, hidden=8).double()
    torch.nn.init.normal_(network.head.weight)  # a head of zeros would hide the rest
    return network


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 7, 10), (5, 16, 13)])
def test_any_length_and_size(network: RecurrentNetwork, size: tuple[int, int, int]) -> None:
    frames, height, width = size
    planes = torch.rand(2, frames, 3, height, width).double()
    assert network(planes).shape == (2, frames, height, width)


def test_untrained_it_is_the_denoiser_of_single_frames() -> None:
    class Halve(torch.nn.Module):
        def forward(self, frames: torch.Tensor, sigma: None) -> torch.Tensor:
            return frames / 2

    planes = torch.rand(1, 2, 3, 8, 8)
    assert torch.equal(RecurrentNetwork(planes=3)(planes), planes[:, :, 0])
    halved = RecurrentNetwork(planes=3, frame_wise=Halve())
    assert torch.equal(halved(planes), planes[:, :, 0] / 2)


def test_the_first_and_the_last_frame_depend_on_each_other(network: RecurrentNetwork) -> None:
    planes = torch.rand(1, 6, 3, 8, 8).double().requires_grad_()
    for here, there in ((0, 5), (5, 0)):
        (gradient,) = torch.autograd.grad(network(planes)[0, here].sum(), planes)
        assert gradient[0, there].any()


def test_samples_of_a_batch_are_strangers(network: RecurrentNetwork) -> None:
    planes = torch.rand(3, 4, 3, 8, 12).double()
    alone = torch.cat([network(p[None]) for p in planes])
    torch.testing.assert_close(network(planes), alone)
