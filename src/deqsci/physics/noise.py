"""What the sensor adds to a snapshot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError


@dataclass(frozen=True)
class Noise:
    """Shot noise, read noise, saturation and quantisation, in the order of a camera's signal chain.

    Parameters
    ----------
    gaussian : standard deviation of the read noise, in the snapshot's unit (intensity 1 is the
        full scale of one frame).
    photons : photons that intensity 1 stands for; None for light without shot noise.
    bits : resolution of the converter, whose 2**bits levels span 0 … full scale; None for none.
    saturation : snapshot level at which the sensor clips, also the converter's full scale;
        None for none.

    Raises
    ------
    ConfigError : a parameter out of its range.
    """

    gaussian: float = 0.0
    photons: float | None = None
    bits: int | None = None
    saturation: float | None = None

    def __post_init__(self) -> None:
        if not (self.gaussian >= 0 and math.isfinite(self.gaussian)):
            raise ConfigError(
                f"gaussian noise is {self.gaussian:g}; wanted a standard deviation ≥ 0"
            )
        for name in ("photons", "saturation"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ConfigError(f"{name} is {value:g}; wanted a number > 0")
        if self.bits is not None and not 1 <= self.bits <= 16:
            raise ConfigError(f"quantisation to {self.bits} bits; wanted 1 to 16")

    def __call__(
        self, snapshot: Tensor, full_scale: float, generator: torch.Generator | None = None
    ) -> Tensor:
        """The snapshot as the sensor reports it; the argument is left as it is.

        Read noise may take it below 0, as a sensor with a black level does, unless it is
        quantised: a converter's codes begin at 0.

        Parameters
        ----------
        snapshot : any shape, intensity summed over the frames.
        full_scale : top of the converter's range where no saturation level is set; T, as a rule.
        generator : source of the randomness, on the snapshot's device.
        """
        if self.photons is not None:
            arriving = (snapshot * self.photons).clamp_min(0)
            snapshot = torch.poisson(arriving, generator=generator) / self.photons
        if self.gaussian > 0:
            drawn = torch.empty_like(snapshot).normal_(0, self.gaussian, generator=generator)
            snapshot = snapshot + drawn
        if self.saturation is not None:
            full_scale = self.saturation
            snapshot = snapshot.clamp(max=full_scale)
        if self.bits is not None:
            step = full_scale / (2**self.bits - 1)
            snapshot = (snapshot.clamp(0, full_scale) / step).round() * step
        return snapshot.clone() if self == Noise() else snapshot
