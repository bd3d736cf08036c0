"""Sweeps: a scene taken again from its truth, with one thing about the camera or solve varied."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from deqsci.errors import ConfigError, InputFileError
from deqsci.evaluation.worker import Setup
from deqsci.io import SnapshotFile
from deqsci.physics import SnapshotPhysics
from deqsci.physics.camera import MaskDeviation
from deqsci.physics.masks import bernoulli_masks, gray_masks, shifting_masks
from deqsci.physics.noise import Noise

Value = float | int | str


@dataclass(frozen=True)
class Quantity:
    """Something that can be swept."""

    label: str
    """What it is, with its unit, as an axis says it."""
    parse: Callable[[str], Value]
    wanted: str
    """Values that ``parse`` takes."""


def _at_least(low: float, number: Callable[[str], float | int]) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        value = number(text)
        if not low <= value < float("inf"):
            raise ValueError
        return value

    return parse


def _mask_kind(text: str) -> str:
    if text not in (*MASKS, OWN):
        raise ValueError
    return text


MASKS: dict[str, Callable[..., Tensor]] = {
    "bernoulli": bernoulli_masks,
    "shifting": shifting_masks,
    "gray": gray_masks,
}
OWN = "own"
"""The scene's own masks, among the kinds of masks."""

QUANTITIES = {
    "noise": Quantity(
        "read noise of the snapshot (σ, intensities)",
        _at_least(0, float),
        "standard deviations ≥ 0",
    ),
    "frames": Quantity("frames in a snapshot, T", _at_least(1, int), "whole numbers ≥ 1"),
    "masks": Quantity("masks", _mask_kind, f"some of {', '.join([*MASKS, OWN])}"),
    "shift": Quantity(
        "masks moved against their file (pixels right)", _at_least(0, float), "pixels ≥ 0"
    ),
    "max-iter": Quantity("evaluations at most", _at_least(1, int), "whole numbers ≥ 1"),
}


@dataclass(frozen=True)
class Sweep:
    """A quantity and the values it takes."""

    name: str
    values: tuple[Value, ...]

    @staticmethod
    def parse(text: str) -> Sweep:
        """A sweep written as ``noise=0,0.01,0.02``.

        Raises
        ------
        ConfigError : no such quantity, or values that it cannot take.
        """
        name, _, listed = text.partition("=")
        if name not in QUANTITIES:
            near = difflib.get_close_matches(name, QUANTITIES, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"--sweep {text} varies {name!r}; did you mean {near}? There are "
                f"{', '.join(QUANTITIES)}, as in noise=0,0.01,0.02"
            )
        quantity = QUANTITIES[name]
        try:
            values = [quantity.parse(word.strip()) for word in listed.split(",")]
        except ValueError:
            raise ConfigError(
                f"--sweep {text}; wanted {name}=A,B,… with {quantity.wanted}"
            ) from None
        return Sweep(name, tuple(dict.fromkeys(values)))


def shown(value: Value) -> str:
    """A value as one would write it."""
    return value if isinstance(value, str) else f"{value:g}"


def varied(
    scene: SnapshotFile, setup: Setup, name: str, value: Value
) -> tuple[SnapshotFile, Setup]:
    """The scene and the method at one value of a sweep.

    The snapshots are simulated from the truth, everything random from the setup's seed, so that
    every method and every repetition sees the same. Noise, shift and the limit of evaluations
    leave the scene its own masks; other kinds of masks and numbers of frames take generated ones,
    for ``frames`` independent binary ones. The method is told the noise that was added; those
    that heed it use it. Videos are cut to whole snapshots.

    Raises
    ------
    InputFileError : the scene has no truth, or fewer frames than one snapshot takes.
    """
    if scene.truth is None:
        raise InputFileError(f"{scene.path} holds no truth to simulate snapshots from")
    generator = torch.Generator().manual_seed(setup.seed)
    seen = masks = torch.from_numpy(scene.masks)
    noise, (frames, *size) = Noise(), masks.shape
    match name:
        case "noise":
            noise = Noise(gaussian=float(value))
            setup = replace(setup, noise=float(value))
        case "shift":
            seen = MaskDeviation(shift=(0.0, float(value)))(masks)
        case "max-iter":
            setup = replace(setup, max_iter=int(value))
        case "frames":
            frames = int(value)
            seen = masks = bernoulli_masks(frames, *size, generator=generator)
        case "masks" if value != OWN:
            seen = masks = MASKS[str(value)](frames, *size, generator=generator)
    count = len(scene.truth) // frames
    if count == 0:
        raise InputFileError(
            f"{scene.path} has {len(scene.truth)} frames; a snapshot of {frames} takes more"
        )
    truth = scene.truth[: count * frames]
    videos = torch.from_numpy(truth).view(count, frames, *size)
    # One at a time: all the masked frames at once would be as large as the video again.
    exact = torch.cat([SnapshotPhysics(seen).A(video[None]) for video in videos])
    snapshots = noise(exact, float(frames), generator).numpy()
    return replace(
        scene, snapshots=snapshots, masks=np.ascontiguousarray(masks), truth=truth, notices=()
    ), setup
