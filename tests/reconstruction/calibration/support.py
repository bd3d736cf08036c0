"""A textured scene that moves, and a camera to see it with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.physics import SnapshotPhysics
from deqsci.physics.camera import MaskDeviation
from deqsci.physics.masks import bernoulli_masks
from deqsci.physics.noise import Noise

FRAMES, SIDE = 6, 128


def moving_texture(frames: int = FRAMES, side: int = SIDE, seed: int = 0) -> Tensor:
    """Clouds of some pixels' size that drift, (F, side, side)."""
    generator = torch.Generator().manual_seed(seed)
    size = side + 2 * frames
    clouds = F.interpolate(
        torch.rand(1, 1, size // 8, size // 8, generator=generator), size, mode="bicubic"
    )
    grain = F.avg_pool2d(torch.rand(1, 1, size + 2, size + 2, generator=generator), 3, 1)
    wide = (0.1 + 0.6 * clouds + 0.2 * grain).clamp(0, 1)[0, 0]
    return torch.stack([wide[t : t + side, 2 * t : 2 * t + side] for t in range(frames)])


@dataclass(frozen=True)
class Taken:
    """Snapshots (N, H, W), nominal masks (T, H, W) and the video (N, T, H, W)."""

    snapshots: Tensor
    masks: Tensor
    video: Tensor


def take(
    deviation: MaskDeviation | None = None,
    noise: Noise | None = None,
    *,
    snapshots: int = 1,
    video: Tensor | None = None,
    seed: int = 0,
) -> Taken:
    """Snapshots of a moving texture by a camera that departs from its masks."""
    generator = torch.Generator().manual_seed(seed)
    if video is None:
        video = moving_texture(snapshots * FRAMES, seed=seed)
    video = video.view(-1, FRAMES, *video.shape[-2:])
    masks = bernoulli_masks(FRAMES, *video.shape[-2:], generator=generator)
    physics = SnapshotPhysics((deviation or MaskDeviation())(masks))
    reported = (noise or Noise(gaussian=0.005))(physics.A(video), float(FRAMES), generator)
    return Taken(reported, masks, video)
