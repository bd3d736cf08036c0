"""The inverse problem a claim is measured on: one snapshot, its camera and the true video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.errors import InputFileError, ShapeError
from deqsci.fixed_point.monitor import Map
from deqsci.io import load_snapshots, read_video
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.maps import EquilibriumMap


@dataclass(frozen=True)
class Problem:
    """One snapshot (1, H, W), its camera and the video (1, T, H, W) behind it."""

    snapshot: Tensor
    physics: SnapshotPhysics
    truth: Tensor

    def bind(self, map: EquilibriumMap) -> tuple[Map, Tensor]:
        """z ↦ f(z; y, Φ) of this snapshot, and where its solve begins."""
        return map.at(self.snapshot, self.physics)

    def video(self, map: EquilibriumMap, z: Tensor) -> Tensor:
        """What a state of the map stands for."""
        return map.video(z, self.snapshot, self.physics)

    def psnr(self, video: Tensor) -> float:
        """PSNR of a video (1, T, H, W) in dB; NaN where it is no longer finite."""
        return psnr(video[0], self.truth[0]) if bool(video.isfinite().all()) else float("nan")

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> Problem:
        """The same problem on another device or in another precision."""
        snapshot, truth = (x.to(device, dtype) for x in (self.snapshot, self.truth))
        return Problem(snapshot, self.physics.to(device, dtype), truth)

    def crops(self, count: int, size: int) -> list[Problem]:
        """``count`` windows of size×size along the diagonal, the ends a border apart.

        Raises
        ------
        ShapeError : the snapshot is smaller than a window.
        """
        height, width = self.physics.shape
        if min(height, width) < size:
            raise ShapeError(f"the snapshot is {height}×{width}; wanted at least {size}×{size}")
        return [self._crop(size, (k + 1) / (count + 1)) for k in range(count)]

    def _crop(self, size: int, share: float) -> Problem:
        rows, columns = (
            slice(start, start + size)
            for start in (round(share * (length - size)) for length in self.physics.shape)
        )
        window = (..., rows, columns)
        physics = SnapshotPhysics(self.physics.masks[window].contiguous())
        return Problem(self.snapshot[window].contiguous(), physics, self.truth[window].contiguous())


def first_snapshot(path: Path, crop: int | None = None) -> Problem:
    """The first snapshot of a scene file, or its middle of ``crop`` pixels along each side.

    Raises
    ------
    InputFileError : the file holds no truth to measure against.
    ShapeError : the snapshot is smaller than its middle.
    """
    scene = load_snapshots(path)
    if scene.truth is None:
        raise InputFileError(f"{path} holds no truth; wanted a scene whose video is known")
    physics = SnapshotPhysics(torch.from_numpy(scene.masks))
    truth = torch.from_numpy(scene.truth[: physics.frames])
    problem = Problem(torch.from_numpy(scene.snapshots[:1]), physics, truth[None])
    return problem if crop is None else problem.crops(1, crop)[0]


def from_clip(path: Path, frames: int, side: int, masks: Tensor | None = None) -> Problem:
    """The first frames of a clip, cut to its centre, through ``masks``, or random binary ones.

    Raises
    ------
    InputFileError : the clip has fewer frames.
    """
    video = torch.from_numpy(read_video(path, max_frames=frames))
    if len(video) < frames:
        raise InputFileError(f"{path} holds {len(video)} frames; wanted at least {frames}")
    top, left = (max(0, (length - side) // 2) for length in video.shape[1:])
    return simulated(video[:, top : top + side, left : left + side].contiguous(), masks)


def simulated(video: Tensor, masks: Tensor | None = None) -> Problem:
    """The snapshot of a video through ``masks``, or random binary ones, half of them open.

    Shape: (T, H, W) each.
    """
    if masks is None:
        masks = bernoulli_masks(*video.shape, generator=torch.Generator().manual_seed(0))
    physics = SnapshotPhysics(masks)
    return Problem(physics.A(video[None]), physics, video[None])


def smooth_video(frames: int, size: int, seed: int = 0) -> Tensor:
    """A video of soft spots, for where the content does not matter. Shape: (T, size, size)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, frames, 4, 4, generator=generator)
    return F.interpolate(coarse, size=(size, size), mode="bilinear")[0]


Watch = Callable[[Tensor, float], None]


def watched(f: Map, watch: Watch) -> Map:
    """f, with every value and its relative residual shown to ``watch``; batches of one."""

    def shown(z: Tensor) -> Tensor:
        fz = f(z)
        watch(fz, float((fz - z).norm() / fz.norm()))
        return fz

    return shown
