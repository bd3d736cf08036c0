"""The level at which a sensor clips, from its snapshots."""

from __future__ import annotations

import torch
from torch import Tensor

_PLATEAU = 12
"""Pixels at the very top from which on they are no chance."""


def clip_level(snapshots: Tensor, masks: Tensor) -> float | None:
    """Level at which the sensor clips; None where no snapshot reaches it.

    Many pixels then read the very same most, more than come near it, and under masks that let
    differently much through: where a white scene reads the most, the masks are open alike. Where
    nothing reads less, as under a lens cap, nothing tells that it is the most.

    Shape: (N, H, W), (T, H, W).
    """
    top = float(max(snapshot.max() for snapshot in snapshots))
    opening = masks.sum(0)
    at_top = torch.cat([opening[snapshot >= top] for snapshot in snapshots])
    near = sum(int((snapshot >= 0.98 * top).sum()) for snapshot in snapshots) - len(at_top)
    if top <= 0 or all(bool((snapshot == top).all()) for snapshot in snapshots):
        return None
    if len(at_top) < max(_PLATEAU, near):
        return None
    varied = (at_top < 0.95 * at_top.max()).double().mean()
    return top if float(varied) > 0.1 else None
