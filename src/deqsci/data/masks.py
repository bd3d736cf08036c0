"""Random masks for training, a fresh set for every sample of a batch."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from deqsci.data.mask_files import MaskFiles
from deqsci.errors import ConfigError


@dataclass(frozen=True)
class MaskSampler:
    """Which masks the training sees: the kinds of :mod:`deqsci.physics.masks`, or real ones.

    Pixels that no frame opens occur, as in a camera; `SnapshotPhysics` knows what to do with them.

    Raises
    ------
    ConfigError : an unknown kind or none, a density outside (0, 1], kind ``file`` without files or
        files without it.
    """

    kinds: tuple[str, ...] = ("bernoulli",)
    """One is drawn for each sample: ``bernoulli`` (independent binary), ``shifting`` (one binary
    pattern that moves by a pixel a frame, up, down, left or right), ``gray`` (independent, uniform
    in 0…1), ``file`` (a piece of the masks in ``files``)."""
    density: tuple[float, float] = (0.5, 0.5)
    """Range of the share of open pixels (bernoulli, shifting), drawn uniformly for each sample."""
    files: tuple[Path, ...] = ()
    """Mask files (file): .npy, .npz with ``masks`` or .mat v5 with ``mask``."""

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in _GENERATORS:
                near = difflib.get_close_matches(str(kind), _GENERATORS, n=1, cutoff=0.0)[0]
                raise ConfigError(
                    f"mask kind is {kind!r}; did you mean {near!r}? Kinds are "
                    f"{', '.join(_GENERATORS)}"
                )
        if not self.kinds:
            raise ConfigError(f"no kind of masks; wanted some of {', '.join(_GENERATORS)}")
        low, high = self.density
        if not 0 < low <= high <= 1:
            raise ConfigError(
                f"mask density is {low:g} to {high:g}; wanted shares of open pixels in (0, 1], "
                f"the smaller one first"
            )
        if ("file" in self.kinds) != bool(self.files):
            raise ConfigError(
                f"mask kinds are {', '.join(self.kinds)} with {len(self.files)} mask files; wanted "
                f"files together with the kind 'file'"
            )

    def sample(
        self, batch: int, frames: int, height: int, width: int, generator: torch.Generator
    ) -> Tensor:
        """Masks (B, T, H, W) float32 in [0, 1] on the generator's device.

        The host does not wait for the device, save once to read the files.

        Raises
        ------
        InputFileError, ShapeError, MaskError : a mask file that cannot be read or understood.
        """
        size = (batch, frames, height, width)
        masks, *others = (_GENERATORS[kind](self, size, generator) for kind in self.kinds)
        choice = torch.randint(
            len(self.kinds), (batch, 1, 1, 1), generator=generator, device=generator.device
        )
        for i, other in enumerate(others, start=1):
            masks = torch.where(choice == i, other, masks)
        return masks

    def _densities(self, batch: int, generator: torch.Generator) -> Tensor:
        """Shape: (B, 1, 1, 1)."""
        low, high = self.density
        return low + (high - low) * _uniform((batch, 1, 1, 1), generator)


Size = tuple[int, int, int, int]


def _bernoulli(sampler: MaskSampler, size: Size, generator: torch.Generator) -> Tensor:
    return (_uniform(size, generator) < sampler._densities(size[0], generator)).float()


def _shifting(sampler: MaskSampler, size: Size, generator: torch.Generator) -> Tensor:
    # The pattern is larger than the sensor: fresh pixels enter at the edge and none return.
    batch, frames, height, width = size
    travel = frames - 1
    patterns = (batch, 1, height + travel, width + travel)
    density = sampler._densities(batch, generator)
    pattern = (_uniform(patterns, generator) < density).float().flatten(1)

    device = generator.device
    direction = torch.randint(4, (batch, 1), generator=generator, device=device)
    t, i, j = (torch.arange(n, device=device) for n in (frames, height, width))
    distance = torch.where(direction % 2 == 1, t, travel - t)
    step = torch.where(direction < 2, width + travel, 1)  # in memory: one row, or one column
    corner = (distance * step)[:, :, None, None]
    index = corner + i[:, None] * (width + travel) + j
    return pattern.gather(1, index.flatten(1)).view(size)


def _gray(sampler: MaskSampler, size: Size, generator: torch.Generator) -> Tensor:
    return _uniform(size, generator)


def _file(sampler: MaskSampler, size: Size, generator: torch.Generator) -> Tensor:
    return MaskFiles.load(sampler.files, str(generator.device)).sample(*size, generator)


_GENERATORS: dict[str, Callable[[MaskSampler, Size, torch.Generator], Tensor]] = {
    "bernoulli": _bernoulli,
    "shifting": _shifting,
    "gray": _gray,
    "file": _file,
}


def _uniform(size: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform on [0, 1), on the generator's device."""
    return torch.rand(size, generator=generator, device=generator.device)
