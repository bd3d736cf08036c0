"""The recurrent network: a memory over all frames that says nothing until it is trained."""

from __future__ import annotations

import pytest
import torch

from deqsci.denoisers.recurrent import RecurrentNetwork, Sweeps
from deqsci.denoisers.space_time import SpaceTimeNetwork

WIDTHS = (8, 8, 8)


@pytest.fixture
def network() -> RecurrentNetwork:
    torch.manual_seed(0)
    network = RecurrentNetwork(planes=3, widths=WIDTHS).double()
    torch.nn.init.normal_(network.head.weight)  # a head of zeros would hide the rest
    for module in network.modules():
        if isinstance(module, Sweeps):
            torch.nn.init.normal_(module.join.weight)
    return network


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 7, 10), (5, 16, 13)])
def test_any_length_and_size(network: RecurrentNetwork, size: tuple[int, int, int]) -> None:
    frames, height, width = size
    planes = torch.rand(2, frames, 3, height, width).double()
    assert network(planes).shape == (2, frames, height, width)


def test_untrained_sweeps_leave_the_space_time_network() -> None:
    torch.manual_seed(0)
    plain, recurrent = SpaceTimeNetwork(3, WIDTHS), RecurrentNetwork(3, WIDTHS)
    torch.nn.init.normal_(plain.head.weight)
    recurrent.load_state_dict(plain.state_dict(), strict=False)
    planes = torch.rand(1, 4, 3, 8, 8)
    assert torch.equal(recurrent(planes), plain(planes))


def test_one_pair_of_sweeps_reaches_every_frame() -> None:
    torch.manual_seed(0)
    sweeps = Sweeps(4).double()
    torch.nn.init.normal_(sweeps.join.weight)
    x = torch.rand(2 * 20, 4, 1, 1).double().requires_grad_()
    for here, there in ((0, 19), (19, 0)):
        (gradient,) = torch.autograd.grad(sweeps(x, 20)[here].sum(), x)
        assert gradient[there].any()
        assert not gradient[20:].any()  # the other video of the batch


def test_samples_of_a_batch_are_strangers(network: RecurrentNetwork) -> None:
    planes = torch.rand(3, 4, 3, 8, 12).double()
    alone = torch.cat([network(p[None]) for p in planes])
    torch.testing.assert_close(network(planes), alone)
