"""The mask generators: density, motion, range, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from deqsci.errors import ConfigError, MaskError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks, gray_masks, shifting_masks

GENERATORS = [bernoulli_masks, shifting_masks, gray_masks]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("generate", GENERATORS)
def test_masks_make_a_camera_and_follow_the_seed(generate: Callable[..., Tensor]) -> None:
    masks = generate(5, 7, 9, generator=seeded())
    assert masks.shape == (5, 7, 9)
    assert masks.dtype == torch.float32
    SnapshotPhysics(masks)
    assert torch.equal(masks, generate(5, 7, 9, generator=seeded()))
    assert not torch.equal(masks, generate(5, 7, 9, generator=seeded(1)))


@pytest.mark.parametrize("generate", [bernoulli_masks, shifting_masks])
@pytest.mark.parametrize("density", [0.1, 0.5, 0.9])
def test_binary_masks_have_the_density(generate: Callable[..., Tensor], density: float) -> None:
    masks = generate(4, 128, 128, density=density, generator=seeded())
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    assert masks.mean().item() == pytest.approx(density, abs=0.01)


def test_density_one_is_always_open() -> None:
    assert bool((bernoulli_masks(2, 16, 16, density=1.0) == 1).all())


def test_bernoulli_masks_are_independent_in_time() -> None:
    first, second = bernoulli_masks(2, 200, 200, generator=seeded()) - 0.5
    assert abs((first * second).mean().item()) < 0.25 * 4 / 200


@pytest.mark.parametrize("step", [(1, 0), (0, 2), (-1, 3), (2, -1), (0, 0)])
def test_shifting_masks_move_by_the_step(step: tuple[int, int]) -> None:
    masks = shifting_masks(6, 20, 24, step=step, generator=seeded())
    for now, after in pairwise(masks):
        moved = torch.full_like(now, torch.nan)
        rows = slice(max(0, step[0]), 20 + min(0, step[0]))
        columns = slice(max(0, step[1]), 24 + min(0, step[1]))
        from_rows = slice(max(0, -step[0]), 20 + min(0, -step[0]))
        from_columns = slice(max(0, -step[1]), 24 + min(0, -step[1]))
        moved[rows, columns] = now[from_rows, from_columns]
        inside = ~moved.isnan()
        assert torch.equal(after[inside], moved[inside])


def test_a_shifting_pattern_does_not_wrap_round() -> None:
    masks = shifting_masks(2, 64, 64, step=(1, 0), generator=seeded())
    assert not torch.equal(masks[1, 0], masks[0, -1])


def test_gray_masks_fill_their_range() -> None:
    masks = gray_masks(4, 64, 64, low=0.2, high=0.6, generator=seeded())
    assert masks.min() >= 0.2
    assert masks.max() <= 0.6
    assert masks.mean().item() == pytest.approx(0.4, abs=0.005)


@pytest.mark.parametrize("generate", GENERATORS)
@pytest.mark.parametrize("size", [(0, 4, 4), (4, 0, 4), (4, 4, -1)])
def test_empty_masks_are_refused(
    generate: Callable[..., Tensor], size: tuple[int, int, int]
) -> None:
    with pytest.raises(MaskError, match="at least 1"):
        generate(*size)


@pytest.mark.parametrize("density", [0.0, -0.1, 1.5, float("nan")])
def test_a_density_that_is_no_share_is_refused(density: float) -> None:
    with pytest.raises(ConfigError, match="density"):
        bernoulli_masks(2, 4, 4, density=density)


@pytest.mark.parametrize(("low", "high"), [(-0.1, 1.0), (0.0, 1.1), (0.6, 0.5)])
def test_a_transmission_out_of_range_is_refused(low: float, high: float) -> None:
    with pytest.raises(ConfigError, match="low"):
        gray_masks(2, 4, 4, low=low, high=high)
