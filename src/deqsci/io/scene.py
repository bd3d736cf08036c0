"""A scene for Python: what a snapshot file holds, as the tensors that every method takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deqsci.io.snapshots import SnapshotFile, load_snapshots
from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import Pattern


@dataclass(frozen=True)
class Scene:
    """Snapshots, the camera that took them, and the videos behind them where they are known.

    ``len(scene)`` counts the snapshots; ``scene[0]``, ``scene[2:4]`` and iteration give scenes of
    some of them, so that a long file can be solved one snapshot at a time.
    """

    snapshot: Tensor
    """(N, H, W), sums of frame intensities, 0…T."""
    physics: SnapshotPhysics
    """One camera for all snapshots."""
    truth: Tensor | None = None
    """(N, T, H, W), of a colour camera (N, T, H, W, 3), intensities."""
    name: str = ""
    notices: tuple[str, ...] = ()
    """Sentences about what was taken for granted when the file was read."""
    saturation: float | None = None
    """Level in the unit of ``snapshot`` at which the sensor clips, for
    :class:`deqsci.reconstruction.sensor.Sensor`; None where the file does not tell."""
    bayer: Pattern | None = None
    """The mosaic of a colour camera (see `deqsci.reconstruction.colour`), None of a gray one."""

    @classmethod
    def of(cls, file: SnapshotFile) -> Self:
        """The scene of a file that has been read."""
        masks, truth = _tensor(file.masks), None
        if file.truth is not None:
            truth = _tensor(file.truth).unflatten(0, (len(file.snapshots), len(masks)))
        return cls(
            _tensor(file.snapshots),
            SnapshotPhysics(masks),
            truth,
            name=file.path.name,
            notices=file.notices,
            saturation=file.saturation,
            bayer=file.bayer,
        )

    def __repr__(self) -> str:
        height, width = self.physics.shape
        truth = "without" if self.truth is None else "with"
        return (
            f"Scene({self.name!r}: {len(self)} × {self.physics.frames} frames of "
            f"{height}×{width}, {truth} truth)"
        )

    def __len__(self) -> int:
        return len(self.snapshot)

    def __getitem__(self, index: int | slice) -> Scene:
        part = index
        if not isinstance(index, slice):
            place = range(len(self))[index]  # raises IndexError where there is none
            part = slice(place, place + 1)
        truth = None if self.truth is None else self.truth[part]
        return replace(self, snapshot=self.snapshot[part], truth=truth)

    def __iter__(self) -> Iterator[Scene]:
        return (self[index] for index in range(len(self)))

    def to(self, device: torch.device | str) -> Scene:
        """The same scene on another device."""
        truth = None if self.truth is None else self.truth.to(device)
        return replace(
            self, snapshot=self.snapshot.to(device), physics=self.physics.to(device), truth=truth
        )


def load_scene(
    path: Path | str, *, masks: Path | str | None = None, full_scale: float | None = None
) -> Scene:
    """Read a file of snapshots and masks: .npz, .mat (v5, v7.3), .h5, or images.

    Errors are those of :func:`deqsci.load_snapshots`, which has further options; give what it
    returns to :meth:`Scene.of`.

    Parameters
    ----------
    path : the file with the snapshots.
    masks : a file whose masks are used in place of those in ``path``.
    full_scale : the count that one frame of full intensity leaves through an open mask.
    """
    return Scene.of(load_snapshots(path, masks=masks, full_scale=full_scale))


def _tensor(array: NDArray[np.float32]) -> Tensor:
    """In memory: a file that is too large to load may lie on the disk until here."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))
