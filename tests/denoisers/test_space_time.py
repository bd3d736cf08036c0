"""The space–time network: any length and size, and every frame hears of every other."""

from __future__ import annotations

import pytest
import torch

from deqsci.denoisers.space_time import GATE, SpaceTimeNetwork, exchange


@pytest.fixture
def network() -> SpaceTimeNetwork:
    torch.manual_seed(0)
    network = SpaceTimeNetwork(planes=3, widths=(16, 16, 16)).double()
    torch.nn.init.normal_(network.head.weight)  # a head of zeros would hide the rest
    return network


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 7, 10), (5, 16, 13)])
def test_any_length_and_size(network: SpaceTimeNetwork, size: tuple[int, int, int]) -> None:
    frames, height, width = size
    planes = torch.rand(2, frames, 3, height, width).double()
    assert network(planes).shape == (2, frames, height, width)


def test_untrained_it_goes_a_part_of_the_way_to_the_anchor() -> None:
    planes = torch.rand(1, 2, 3, 8, 8)
    share = torch.tensor(GATE).sigmoid()
    u, anchor = planes[:, :, 0], planes[:, :, 1]
    torch.testing.assert_close(SpaceTimeNetwork(planes=3)(planes), u + share * (anchor - u))


def test_the_first_and_the_last_frame_depend_on_each_other(network: SpaceTimeNetwork) -> None:
    planes = torch.rand(1, 6, 3, 8, 8).double().requires_grad_()
    for here, there in ((0, 5), (5, 0)):
        (gradient,) = torch.autograd.grad(network(planes)[0, here].sum(), planes)
        assert gradient[0, there].any()


def test_samples_of_a_batch_are_strangers(network: SpaceTimeNetwork) -> None:
    planes = torch.rand(3, 4, 3, 8, 12).double()
    alone = torch.cat([network(p[None]) for p in planes])
    torch.testing.assert_close(network(planes), alone)


def test_every_sample_has_its_own_noise_level(network: SpaceTimeNetwork) -> None:
    planes = torch.rand(2, 3, 3, 8, 8).double()
    together = network(planes, torch.tensor([0.1, 0.2]))
    for k, sigma in enumerate((0.1, 0.2)):
        torch.testing.assert_close(together[k : k + 1], network(planes[k : k + 1], sigma))


def test_the_level_is_the_learned_one_where_none_is_given() -> None:
    network = SpaceTimeNetwork(planes=2, level=0.04).double()
    torch.nn.init.normal_(network.head.weight)
    planes = torch.rand(1, 2, 2, 8, 8).double()
    torch.testing.assert_close(network(planes), network(planes, 0.04), rtol=1e-5, atol=1e-5)
    (gradient,) = torch.autograd.grad(network(planes).sum(), network.log_level)
    assert gradient != 0


def test_features_move_by_one_frame() -> None:
    x = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 8, 1, 1) + 1  # frames hold 1, 2, 3
    moved = exchange(x, 3)[:, :, 0, 0]
    assert moved[:, 0].tolist() == [0, 1, 2]  # from the frame before
    assert moved[:, 2].tolist() == [2, 3, 0]  # from the frame after
    assert moved[:, 4].tolist() == [1, 2, 3]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_moving_features_keeps_their_layout(layout: torch.memory_format) -> None:
    x = torch.rand(6, 8, 4, 5).contiguous(memory_format=layout)
    assert exchange(x, 3).is_contiguous(memory_format=layout)


def test_moving_features_has_a_gradient_and_a_second_one() -> None:
    x = torch.rand(6, 8, 2, 1).double().requires_grad_()
    torch.autograd.gradcheck(lambda x: exchange(x, 3) ** 2, x)
    torch.autograd.gradgradcheck(lambda x: exchange(x, 3) ** 2, x)
