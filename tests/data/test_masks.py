"""Training masks: their statistics, their motion, and that each sample has its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from deqsci.data.masks import MaskSampler
from deqsci.errors import ConfigError
from tests.data.support import HostReadsNothing, seeded

ALL = ("bernoulli", "shifting", "gray", "file")


@pytest.fixture
def mask_file(tmp_path: Path) -> Path:
    path = tmp_path / "masks.npy"
    np.save(path, np.ones((2, 5, 6)))
    return path


@pytest.mark.parametrize("kind", ["bernoulli", "shifting"])
def test_each_sample_has_a_density_of_its_own(kind: str) -> None:
    masks = MaskSampler((kind,), density=(0.2, 0.8)).sample(300, 2, 32, 32, seeded())
    assert masks.shape == (300, 2, 32, 32)
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    shares = masks.mean((1, 2, 3))
    assert shares.mean().item() == pytest.approx(0.5, abs=0.03)
    assert shares.std().item() == pytest.approx(0.6 / 12**0.5, abs=0.02)  # of a uniform one


def test_a_density_that_is_given_is_met() -> None:
    masks = MaskSampler(density=(0.3, 0.3)).sample(4, 8, 64, 64, seeded())
    assert masks.mean((1, 2, 3)).tolist() == pytest.approx([0.3] * 4, abs=0.01)


def test_bernoulli_masks_are_independent_over_samples_and_frames() -> None:
    signs = 2 * MaskSampler().sample(3, 3, 64, 64, seeded()).flatten(0, 1).flatten(1) - 1
    correlation = signs @ signs.T / 64**2 - torch.eye(9)
    assert correlation.abs().max().item() < 5 / 64


def step_of(masks: Tensor) -> tuple[int, int]:
    """The (rows, columns) that every mask (T, H, W) moves by to the next."""

    def moves_by(rows: int, columns: int) -> bool:
        back = [after.roll((-rows, -columns), (0, 1)) for after in masks[1:]]
        inside = (slice(1, -1), slice(1, -1))  # where nothing came over the edge
        return all(torch.equal(now[inside], then[inside]) for now, then in zip(masks, back))

    (step,) = (s for s in ((1, 0), (-1, 0), (0, 1), (0, -1)) if moves_by(*s))
    return step


def test_shifting_masks_move_a_pixel_a_frame_in_any_of_four_directions() -> None:
    masks = MaskSampler(("shifting",)).sample(400, 4, 9, 7, seeded())
    steps = [step_of(sample) for sample in masks]
    assert len(set(steps)) == 4
    assert min(steps.count(step) for step in set(steps)) > 70
    assert len({sample.numpy().tobytes() for sample in masks}) == 400


def test_gray_masks_are_uniform() -> None:
    masks = MaskSampler(("gray",)).sample(2, 4, 64, 64, seeded())
    quantiles = masks.flatten().quantile(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))
    assert quantiles.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.02)
    assert bool((masks >= 0).all() and (masks <= 1).all())


def test_each_sample_is_of_one_kind_and_kinds_are_equally_likely(mask_file: Path) -> None:
    sampler = MaskSampler(("bernoulli", "gray", "file"), files=(mask_file,))
    masks = sampler.sample(300, 2, 8, 8, seeded()).flatten(1)
    open_ = (masks == 1).all(1)
    binary = ((masks == 0) | (masks == 1)).all(1) & ~open_
    gray = ((masks > 0) & (masks < 1)).all(1)
    counts = [int(kind.sum()) for kind in (open_, binary, gray)]
    assert sum(counts) == 300
    assert min(counts) > 70


def test_the_generator_alone_decides(mask_file: Path) -> None:
    sampler, generator = MaskSampler(ALL, files=(mask_file,)), seeded(3)
    first, second = (sampler.sample(4, 3, 8, 8, generator) for _ in range(2))
    assert torch.equal(first, sampler.sample(4, 3, 8, 8, seeded(3)))
    assert not torch.equal(first, second)


def test_the_host_does_not_wait_for_the_device(mask_file: Path) -> None:
    sampler = MaskSampler(ALL, (0.3, 0.6), (mask_file,))
    sampler.sample(1, 1, 1, 1, seeded())
    with HostReadsNothing():
        sampler.sample(3, 2, 4, 5, seeded())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"kinds": ("bernouli",)}, "did you mean 'bernoulli'"),
        ({"kinds": ()}, "no kind of masks"),
        ({"density": (0.0, 0.5)}, r"0 to 0\.5"),
        ({"density": (0.5, 1.1)}, r"0\.5 to 1\.1"),
        ({"density": (0.6, 0.5)}, r"0\.6 to 0\.5"),
        ({"kinds": ("file",)}, "with 0 mask files"),
        ({"files": (Path("masks.npy"),)}, "with 1 mask files"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, tuple[object, ...]], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        MaskSampler(**settings)
