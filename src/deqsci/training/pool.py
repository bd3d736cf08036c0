"""Samples that stay for several steps, each going on from where its last solve ended."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from deqsci.physics import SnapshotPhysics
from deqsci.training.samples import Coded

Draw = Callable[[int], Coded]
"""Fresh samples, so many."""

BATCHES = 8
"""Size of the pool in batches: between two uses of a sample the weights should have moved on."""


class Pool:
    """Reuse of fixed points (Bai et al. 2022): weights move little in a step, and so does the
    equilibrium, so a solve that begins at the last one is short and can afford to be tight.

    A batch is a random part of the pool. A sample is replaced by a fresh one after ``uses`` uses.
    """

    def __init__(self, draw: Draw, batch: int, uses: int, seed: int) -> None:
        self._draw, self._batch, self._uses = draw, batch, uses
        self._generator = torch.Generator().manual_seed(seed)  # the host's: it need not wait
        self._tensors = _tensors(draw(BATCHES * batch))
        # Ages that differ, so that the pool is not renewed all at once.
        self._age = torch.arange(BATCHES * batch) % uses
        self._taken = torch.empty(0, dtype=torch.int64)

    def take(self) -> Coded:
        """The next batch."""
        worn = (self._age >= self._uses).nonzero().flatten()
        if len(worn) > 0:
            for kept, new in zip(self._tensors, _tensors(self._draw(len(worn)))):
                kept[worn] = new
            self._age[worn] = 0
        order = torch.randperm(len(self._age), generator=self._generator)
        self._taken = order[: self._batch]
        video, snapshot, masks, start, noise = (t[self._taken] for t in self._tensors)
        return Coded(video, snapshot, SnapshotPhysics(masks, noise=noise, check=False), start)

    def put_back(self, z: Tensor) -> None:
        """Remember where the solves of the batch last taken ended. Shape: (B, T, H, W).

        A solve that ended at no finite point will begin anew with a fresh sample.
        """
        finite = z.flatten(1).isfinite().all(1).cpu()
        self._tensors[3][self._taken[finite]] = z[finite]
        self._age[self._taken] += 1
        self._age[self._taken[~finite]] = self._uses

    def state(self) -> list[Tensor]:
        """What a checkpoint keeps."""
        tensors = [*self._tensors, self._age, self._generator.get_state()]
        return [tensor.cpu() for tensor in tensors]

    def load_state(self, state: list[Tensor]) -> None:
        """Go on from ``state``."""
        *tensors, self._age, order = state
        self._tensors = [
            saved.to(kept.device) for kept, saved in zip(self._tensors, tensors, strict=True)
        ]
        self._generator.set_state(order)


def _tensors(coded: Coded) -> list[Tensor]:
    noise = coded.physics.noise.expand(len(coded.video), 1, 1).clone()
    return [coded.video, coded.snapshot, coded.physics.masks, coded.start, noise]
