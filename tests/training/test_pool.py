"""Samples stay for so many steps and go on from where they ended."""

from __future__ import annotations

from collections import Counter

import torch

from deqsci.physics import SnapshotPhysics
from deqsci.training.pool import BATCHES, Pool
from deqsci.training.samples import Coded

USES = 3


class Counting:
    """Samples whose video is their number."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, batch: int) -> Coded:
        numbers = torch.arange(self.drawn, self.drawn + batch).float().view(-1, 1, 1, 1)
        self.drawn += batch
        video = numbers.expand(-1, 2, 4, 4).contiguous()
        masks = torch.ones_like(video)
        physics = SnapshotPhysics(masks)
        return Coded(video, physics.A(video), physics, torch.zeros_like(video))


def numbers(coded: Coded) -> list[int]:
    return coded.video[:, 0, 0, 0].int().tolist()


def test_a_sample_goes_on_from_its_last_end_and_is_replaced_when_worn() -> None:
    pool = Pool(Counting(), 2, USES, seed=0)
    seen: Counter[int] = Counter()
    for _ in range(60):
        coded = pool.take()
        for row, number in enumerate(numbers(coded)):
            assert (coded.start[row] == seen[number]).all()  # steps it has been through
            assert (coded.snapshot[row] == 2 * number).all()
            seen[number] += 1
        pool.put_back(coded.start + 1)
    first = 2 * BATCHES
    assert all(count <= USES for number, count in seen.items() if number >= first)
    assert USES in [count for number, count in seen.items() if number >= first]
    assert max(seen) >= first


def test_an_end_that_is_not_finite_is_forgotten() -> None:
    draw = Counting()
    pool = Pool(draw, 2, 100, seed=0)
    gone = numbers(pool.take())
    pool.put_back(torch.full((2, 2, 4, 4), torch.inf))
    later = [number for _ in range(60) for number in numbers(pool.take())]
    assert not set(gone) & set(later)
    assert draw.drawn == 2 * BATCHES + 2


def test_state_restores_the_trajectory() -> None:
    pool = Pool(Counting(), 2, USES, seed=0)
    for _ in range(5):
        pool.put_back(pool.take().start + 1)
    saved = [t.clone() for t in pool.state()]
    expected = [numbers(pool.take()) for _ in range(3)]
    again = Pool(Counting(), 2, USES, seed=1)
    again.load_state(saved)
    assert [numbers(again.take()) for _ in range(3)] == expected
