"""Muon on the filters and AdamW on the rest, as one optimizer."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from deqsci.training.optimizer import OPTIMIZERS, Optimizer, as_matrix

RATE = 0.01


def network(channels_last: bool) -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Conv2d(5, 4, 1))
    return layers.to(memory_format=torch.channels_last) if channels_last else layers


def gradient(layers: nn.Module) -> None:
    torch.manual_seed(1)
    layers(torch.rand(2, 3, 8, 8)).square().sum().backward()


def condition(filters: torch.Tensor) -> torch.Tensor:
    values = torch.linalg.svdvals(filters.flatten(1))
    return values.max() / values.min()


@pytest.mark.parametrize("channels_last", [True, False])
def test_filters_step_along_a_matrix_with_equal_singular_values(channels_last: bool) -> None:
    layers = network(channels_last)
    before = [p.detach().clone() for p in layers.parameters()]
    gradient(layers)
    Optimizer("muon", layers.parameters()).step(RATE)
    for old, new in zip(before, layers.parameters()):
        if new.ndim == 4:
            step = (old - new.detach()).flatten(1)
            values = torch.linalg.svdvals(step)
            size = 0.2 * RATE * max(step.shape) ** 0.5  # so that its entries are as AdamW's
            assert size / 5 < values.min() <= values.max() < 1.3 * size  # few iterations do
            assert values.max() / values.min() < 0.3 * condition(new.grad)
            assert (step * new.grad.flatten(1)).sum() > 0  # downhill
        else:
            torch.testing.assert_close((old - new.detach()).abs(), torch.full_like(old, RATE))


def test_memory_layout_changes_no_step() -> None:
    ends = []
    for channels_last in (True, False):
        layers = network(channels_last)
        optimizer = Optimizer("muon", layers.parameters())
        for _ in range(3):
            layers.zero_grad()
            gradient(layers)
            optimizer.step(RATE)
        ends.append(torch.cat([p.detach().flatten() for p in layers.parameters()]))
    torch.testing.assert_close(*ends, rtol=0, atol=RATE * 0.05)  # Muon reckons in bfloat16


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_restores_the_trajectory(name: str) -> None:
    first, second = network(True), network(True)
    optimizer = Optimizer(name, first.parameters())
    gradient(first)
    optimizer.step(RATE)
    second.load_state_dict(first.state_dict())
    again = Optimizer(name, second.parameters())
    again.load_state_dict(deepcopy(optimizer.state_dict()))  # it would share tensors
    for layers, own in ((first, optimizer), (second, again)):
        layers.zero_grad()
        gradient(layers)
        own.step(RATE)
    for one, other in zip(first.parameters(), second.parameters()):
        assert torch.equal(one, other)


def test_a_matrix_shares_memory_with_its_filters() -> None:
    for filters in (torch.rand(4, 3, 3, 3), torch.rand(4, 3)):
        laid = filters.to(memory_format=torch.channels_last) if filters.ndim == 4 else filters
        as_matrix(laid).zero_()
        assert not laid.any()
