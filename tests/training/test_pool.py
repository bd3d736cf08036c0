"""Samples stay for so many steps and go on from where they ended."""

from __future__ import annotations

from collections import Counter

import torch

from deqsci.physics import SnapshotPhysics
from deqsci.training.pool import BATCHES, Pool
from deqsci.training.samples import Coded

USES = 3


class Counting:
    """Pairs of samples whose video is their number, of 2 or 3 frames."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self) -> Coded:
        numbers = torch.arange(self.drawn, self.drawn + 2).float().view(-1, 1, 1, 1)
        video = numbers.expand(-1, 2 + self.drawn // 2 % 2, 4, 4).contiguous()
        self.drawn += 2
        masks = torch.ones_like(video)
        physics = SnapshotPhysics(masks)
        return Coded(video, physics.A(video), physics, torch.zeros_like(video))


def numbers(coded: Coded) -> list[int]:
    return coded.video[:, 0, 0, 0].int().tolist()


def test_a_batch_goes_on_from_its_last_end_and_is_replaced_when_worn() -> None:
    pool = Pool(Counting(), USES, seed=0)
    seen: Counter[int] = Counter()
    lengths = set()
    for _ in range(60):
        coded = pool.take()
        lengths.add(coded.video.shape[1])
        for row, number in enumerate(numbers(coded)):
            assert (coded.start[row] == seen[number]).all()  # steps it has been through
            assert (coded.snapshot[row] == coded.video.shape[1] * number).all()
            seen[number] += 1
        pool.put_back(coded.start + 1)
    assert lengths == {2, 3}
    first = 2 * BATCHES
    assert all(count <= USES for number, count in seen.items() if number >= first)
    assert USES in [count for number, count in seen.items() if number >= first]
    assert max(seen) >= first


def test_a_batch_whose_start_is_the_maps_own_goes_on_from_its_end_too() -> None:
    def draw() -> Coded:
        video = torch.rand(2, 3, 4, 4)
        physics = SnapshotPhysics(torch.ones_like(video))
        return Coded(video, physics.A(video), physics)

    pool = Pool(draw, 100, seed=0)
    starts = []
    for _ in range(3 * BATCHES):
        coded = pool.take()
        starts.append(coded.start)
        pool.put_back(coded.video)
    assert starts[0] is None
    assert any(start is not None for start in starts)


def test_a_batch_that_ended_at_no_finite_point_makes_way() -> None:
    draw = Counting()
    pool = Pool(draw, 100, seed=0)
    coded = pool.take()
    ended = coded.start.clone()
    ended[1] = torch.inf
    pool.put_back(ended)
    later = [number for _ in range(60) for number in numbers(pool.take())]
    assert not set(numbers(coded)) & set(later)
    assert draw.drawn == 2 * BATCHES + 2


def test_state_restores_the_trajectory() -> None:
    draw = Counting()
    pool = Pool(draw, 100, seed=0)
    for _ in range(5):
        pool.put_back(pool.take().start + 1)
    saved = pool.state()
    expected = [pool.take() for _ in range(9)]
    again = Pool(Counting(), 100, seed=1)
    again.load_state(saved)
    for coded in expected:
        same = again.take()
        assert numbers(same) == numbers(coded)
        assert torch.equal(same.start, coded.start)


def test_a_context_is_kept_with_its_batch_but_in_no_state() -> None:
    pool = Pool(Counting(), USES, seed=0)
    known: set[str] = set()
    for _ in range(60):
        coded = pool.take()
        own = str(numbers(coded))
        assert coded.context == (own if own in known else None)
        known.add(own)
        pool.put_back(coded.start, own)
    again = Pool(Counting(), USES, seed=0)
    again.load_state(pool.state())
    assert all(again.take().context is None for _ in range(4 * BATCHES))
