"""What one step trains on, drawn on the device."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from deqsci.data.clip_set import ClipSet
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.training.config import Stage, TrainConfig


@dataclass(frozen=True)
class Coded:
    """Videos (B, T, H, W), the snapshots (B, H, W) that a camera took of them, where the solves
    begin (B, T, H, W), where it is not where the map begins, and the map's context where it is
    known."""

    video: Tensor
    snapshot: Tensor
    physics: SnapshotPhysics
    start: Tensor | None = None
    context: Any = None

    def first(self, count: int) -> Coded:
        """The first so many."""
        noise = self.physics.noise.expand(len(self.video), 1, 1)[:count]
        physics = SnapshotPhysics(self.physics.masks[:count], noise=noise, check=False)
        start = None if self.start is None else self.start[:count]
        context = None if self.context is None else self.context[:count]
        return Coded(self.video[:count], self.snapshot[:count], physics, start, context)


def draw_video(
    clips: ClipSet, stage: Stage, generator: torch.Generator, host: torch.Generator
) -> Tensor:
    """Random crops, as many frames as ``host`` draws. Shape: (B, T, size, size)."""
    frames = draw_count((stage.frames, stage.max_frames or stage.frames), host)
    return clips.sample(stage.batch, frames, stage.size, generator, stage.max_stride)


def draw_count(bounds: tuple[int, int], host: torch.Generator) -> int:
    """A whole number from the lower to the upper bound."""
    return int(torch.randint(bounds[0], bounds[1] + 1, (), generator=host))


def code(video: Tensor, config: TrainConfig, generator: torch.Generator) -> Coded:
    """Snapshots of the videos, each through masks and with a noise level of its own."""
    batch, frames, height, width = video.shape
    masks = config.masks.sample(batch, frames, height, width, generator)
    noise = torch.zeros((), device=video.device)
    if config.noise[1] > 0:
        low, high = config.noise
        noise = low + (high - low) * _uniform(batch, 3, generator)
        noise = noise * (_uniform(batch, 3, generator) >= config.clean)
    physics = SnapshotPhysics(masks, noise=noise, check=False)  # a sampler draws from [0, 1]
    snapshot = physics.A(video)
    if config.noise[1] > 0:
        snapshot = snapshot + noise * normal(snapshot, generator)
    return Coded(video, snapshot, physics)


def in_context(coded: Coded, map: EquilibriumMap) -> Coded:
    """The same with the map's context, which is made where there is none."""
    if coded.context is not None:
        return coded
    return replace(coded, context=map.context(coded.snapshot, coded.physics))


def begun(coded: Coded, map: EquilibriumMap, stage: Stage, generator: torch.Generator) -> Coded:
    """The same, its solves beginning where the stage wants them to."""
    if stage.start_blend == 0 and stage.start_noise == 0:
        return coded
    batch, coded = len(coded.video), in_context(coded, map)
    _, start = map.at(coded.snapshot, coded.physics, coded.context)
    blended = _uniform(batch, 4, generator) < stage.start_blend
    share = torch.where(blended, _uniform(batch, 4, generator), 1.0)
    start = torch.lerp(coded.video, start, share)
    level = stage.start_noise * _uniform(batch, 4, generator)
    return replace(coded, start=start + level * normal(start, generator))


def add_noise(
    video: Tensor, sigma: tuple[float, float], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Gaussian noise of a log-uniform level a video. Shape: → (B, T, H, W), (B,)."""
    low, high = map(math.log, sigma)
    level = (low + (high - low) * _uniform(len(video), 4, generator)).exp()
    return video + level * normal(video, generator), level.flatten()


def normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal numbers of the shape and on the device of ``like``."""
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)


def _uniform(batch: int, dimensions: int, generator: torch.Generator) -> Tensor:
    shape = (batch, *[1] * (dimensions - 1))
    return torch.rand(shape, generator=generator, device=generator.device)
