"""What the sensor makes of a snapshot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.errors import ConfigError


@dataclass(frozen=True)
class Noise:
    """Noise, errors of the pixels and the converter, in the order of a camera's signal chain.

    Parameters
    ----------
    gaussian : standard deviation of the read noise, in the snapshot's unit (intensity 1 is the
        full scale of one frame).
    photons : photons that intensity 1 stands for; None for light without shot noise.
    bits : resolution of the converter, whose 2**bits levels span 0 … full scale; None for none.
    saturation : snapshot level at which the sensor clips, also the converter's full scale;
        None for none.
    gain : counts too many, as a ratio: what the file's full scale does not know of.
    offset : what the file's black level does not know of, in the snapshot's unit.
    pixel_gain : standard deviation of the pixels' own gains, which are the same in all snapshots.
    dead : share of the pixels that read 0 always.
    black_level : what is added before the converter, whose codes begin at 0, and taken off after.

    Raises
    ------
    ConfigError : a parameter out of its range.
    """

    gaussian: float = 0.0
    photons: float | None = None
    bits: int | None = None
    saturation: float | None = None
    gain: float = 1.0
    offset: float = 0.0
    pixel_gain: float = 0.0
    dead: float = 0.0
    black_level: float = 0.0

    def __post_init__(self) -> None:
        if not (self.gaussian >= 0 and math.isfinite(self.gaussian)):
            raise ConfigError(
                f"gaussian noise is {self.gaussian:g}; wanted a standard deviation ≥ 0"
            )
        for name in ("photons", "saturation", "gain"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise ConfigError(f"{name} is {value:g}; wanted a number > 0")
        for name in ("pixel_gain", "black_level"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ConfigError(f"{name} is {value:g}; wanted a number ≥ 0")
        if not math.isfinite(self.offset):
            raise ConfigError(f"offset is {self.offset:g}; wanted a finite number")
        if not 0 <= self.dead < 1:
            raise ConfigError(f"the share of dead pixels is {self.dead:g}; wanted 0 ≤ share < 1")
        if self.bits is not None and not 1 <= self.bits <= 16:
            raise ConfigError(f"quantisation to {self.bits} bits; wanted 1 to 16")

    def __call__(
        self, snapshot: Tensor, full_scale: float, generator: torch.Generator | None = None
    ) -> Tensor:
        """The snapshot as the sensor reports it; the argument is left as it is.

        Read noise may take it below 0, unless it is quantised without a black level. A gradient
        passes where the chain has one: through all but shot noise and quantisation.

        Parameters
        ----------
        snapshot : (..., H, W), intensity summed over the frames.
        full_scale : top of the converter's range where no saturation level is set; T, as a rule.
        generator : source of the randomness, on the snapshot's device.

        Raises
        ------
        ConfigError : the black level leaves nothing of the converter's range.
        """
        if self.saturation is not None:
            full_scale = self.saturation
        converted = self.bits is not None or self.saturation is not None
        if converted and self.black_level >= full_scale:
            raise ConfigError(
                f"black level is {self.black_level:g}, in intensities, not counts; wanted less "
                f"than {full_scale:g}, where the converter ends"
            )
        pixels = snapshot.shape[-2:]
        if self.photons is not None:
            arriving = (snapshot * self.photons).clamp_min(0)
            snapshot = torch.poisson(arriving, generator=generator) / self.photons
        if self.pixel_gain > 0:
            own = snapshot.new_empty(pixels).normal_(1, self.pixel_gain, generator=generator)
            snapshot = snapshot * own.clamp_min(0)
        snapshot = snapshot * self.gain + self.offset
        if self.gaussian > 0:
            drawn = torch.empty_like(snapshot).normal_(0, self.gaussian, generator=generator)
            snapshot = snapshot + drawn
        if self.dead > 0:
            draws = snapshot.new_empty(pixels).uniform_(generator=generator)
            snapshot = snapshot * (draws >= self.dead)
        snapshot = snapshot + self.black_level
        if self.saturation is not None:
            snapshot = snapshot.clamp(max=full_scale)
        if self.bits is not None:
            step = full_scale / (2**self.bits - 1)
            snapshot = (snapshot.clamp(0, full_scale) / step).round() * step
        return snapshot - self.black_level
