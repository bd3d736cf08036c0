"""Batches that stay for several steps, each going on from where its last solves ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deqsci.physics import SnapshotPhysics
from deqsci.training.samples import Coded

BATCHES = 8
"""Batches in the pool: between two uses of one the weights should have moved on."""


class Pool:
    """Reuse of fixed points (Bai et al. 2022): weights move little in a step, and so does the
    equilibrium, so a solve that begins at the last one is short and can afford to be tight.

    A step takes one of the batches at random; after ``uses`` steps a fresh one comes in its place.
    Batches may differ in shape.

    Parameters
    ----------
    draw : makes a fresh batch.
    """

    def __init__(self, draw: Callable[[], Coded], uses: int, seed: int) -> None:
        self._draw, self._uses = draw, uses
        self._generator = torch.Generator().manual_seed(seed)
        # Ages that differ, so that the pool is not renewed all at once.
        self._places = [_Place.of(draw(), number % uses) for number in range(BATCHES)]
        self._taken = 0

    def take(self) -> Coded:
        """The next batch."""
        self._taken = int(torch.randint(BATCHES, (), generator=self._generator))
        place = self._places[self._taken]
        if place.age >= self._uses:
            place = self._places[self._taken] = _Place.of(self._draw(), 0)
        video, snapshot, masks, noise, *start = place.tensors
        physics = SnapshotPhysics(masks, noise=noise, check=False)
        return Coded(video, snapshot, physics, start[0] if start else None, place.context)

    def put_back(self, z: Tensor, context: Any = None) -> None:
        """Remember where the solves of the batch last taken ended, and its context. Shape:
        (B, T, H, W).

        A batch of which one solve ended at no finite point makes way for a fresh one.
        """
        place = self._places[self._taken]
        place.tensors[4:], place.context = [z.clone()], context
        place.age = place.age + 1 if bool(z.isfinite().all()) else self._uses

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        places = [([t.cpu() for t in place.tensors], place.age) for place in self._places]
        return {"places": places, "generator": self._generator.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        device = self._places[0].tensors[0].device
        # A context is what y, Φ and the weights decide: it is made again when it is needed.
        self._places = [_Place([t.to(device) for t in ts], age) for ts, age in state["places"]]
        self._generator.set_state(state["generator"])


@dataclass
class _Place:
    tensors: list[Tensor]
    age: int
    context: Any = None

    @classmethod
    def of(cls, coded: Coded, age: int) -> _Place:
        return cls(_tensors(coded), age, coded.context)


def _tensors(coded: Coded) -> list[Tensor]:
    noise = coded.physics.noise.expand(len(coded.video), 1, 1).clone()
    start = [] if coded.start is None else [coded.start]
    return [coded.video, coded.snapshot, coded.physics.masks, noise, *start]
