"""A scene for Python: what a snapshot file holds, as the tensors that every method takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from deqsci.io.snapshots import load_snapshots
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
    bayer: Pattern | None = None
    """The mosaic of a colour camera, for which ``deqsci.Colour`` makes a method."""

    def __len__(self) -> int:
        return len(self.snapshot)

    def __getitem__(self, index: int | slice) -> Scene:
        part = index
        if isinstance(index, int):
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
    """Read a .npz, .mat (v5, v7.3) or .h5 file of snapshots and masks.

    Parameters and errors are those of :func:`deqsci.load_snapshots`, which gives the same as NumPy
    arrays.
    """
    mask_file = None if masks is None else Path(masks)
    file = load_snapshots(Path(path), masks=mask_file, full_scale=full_scale)
    phi = torch.from_numpy(file.masks)
    truth = None
    if file.truth is not None:
        truth = torch.from_numpy(file.truth).unflatten(0, (-1, len(phi)))
    snapshot = torch.from_numpy(file.snapshots)
    return Scene(snapshot, SnapshotPhysics(phi), truth, file.path.name, file.notices, file.bayer)
