"""What a file's numbers mean and how far they are trusted: options, estimates, and what is said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from deqsci.cli.options import Bayer, Count, Flag, PositiveFloat
from deqsci.cli.terminal import Terminal

if TYPE_CHECKING:
    from deqsci.io import SnapshotFile
    from deqsci.reconstruction.calibration import NoiseLevel
    from deqsci.reconstruction.sensor import Sensor

LOUD = 0.1
"""σ over the mean level above which masks that lie off are likelier than so little light. Of five
clips, two tenths of a pixel left 0.11 to 0.13 of four, half a pixel 0.23 to 0.25, 200 photons at
intensity 1 at most 0.07 of all."""

READING = Group("Reading the file", sort_key=1)
TRUST = Group("Trusting the sensor", sort_key=1)


def _level(_: object, value: float | None) -> None:
    if value is not None and not 0 <= value < math.inf:
        raise ValueError("wanted a finite number from 0")


@Parameter(name="*", group=READING)
@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the numbers of a file mean, where it does not tell."""

    masks: Path | None = None
    """File with the masks, where INPUT has none or others are to be used."""
    frames: Count | None = None
    """Frames per snapshot, where the masks file has more; without it, what the name of the file
    says (cr_10), or all."""
    full_scale: PositiveFloat | None = None
    """Count that one frame of full intensity leaves through an open mask; without it, what the
    truth says, or a guess."""
    black_level: float | None = None
    """Count of a pixel without light; without it, a guess."""
    saturation: PositiveFloat | None = None
    """Count at which the camera clips; without it, the last one of its bits, or where the
    snapshots have a plateau."""
    bayer: Bayer | None = None
    """Pattern of a colour camera's mosaic; without it, the one that the file remembers, if any."""

    def load(self, path: Path) -> SnapshotFile:
        """The snapshots of a file, read so."""
        from deqsci.io import load_snapshots

        return load_snapshots(
            path,
            masks=self.masks,
            frames=self.frames,
            full_scale=self.full_scale,
            black_level=self.black_level,
            saturation=self.saturation,
            bayer=self.bayer,
        )


@Parameter(name="*", group=TRUST)
@dataclass(frozen=True, kw_only=True)
class Trust:
    """How far the data step may rely on the snapshots."""

    noise: Annotated[float | None, Parameter(validator=_level)] = None
    """Standard deviation of the snapshots' noise, in intensities, 0 for none; without it, what
    they tell. It serves to find dead and hot pixels; in the solve only de-gap-ffdnet,
    de-gap-nl, de-gap-st, de-gap-st-base, de-rnn and rnn heed it."""
    keep_bad_pixels: Flag = False
    """Use dead, hot and saturated pixels like all others."""


def look_at_sensor(scene: SnapshotFile, trust: Trust) -> Sensor:
    """Noise and bad pixels of a scene whose masks fit."""
    import numpy as np
    import torch

    from deqsci.reconstruction.bad_pixels import BadPixels
    from deqsci.reconstruction.sensor import Sensor

    snapshots, masks = (
        torch.from_numpy(np.require(array, requirements="A"))
        for array in (scene.sample, scene.masks)
    )
    sensor = Sensor.of(snapshots, masks, trust.noise, scene.saturation, scene.bayer is not None)
    if trust.keep_bad_pixels:
        none = torch.zeros(scene.masks.shape[1:], dtype=torch.bool)
        sensor = replace(sensor, bad=BadPixels(none, none))
    return sensor


def sensor_facts(scene: SnapshotFile, sensor: Sensor, trust: Trust) -> dict[str, Any]:
    """Scale, noise and bad pixels, as ``run.json`` records them."""
    import torch

    from deqsci.io.jsonable import jsonable

    bad = sensor.bad
    saturated = [int(bad.saturated(torch.from_numpy(y)).sum()) for y in scene.snapshots]
    dead, hot = int(bad.dead.sum()), int(bad.hot.sum())
    left_out = len(saturated) * (dead + hot) + sum(saturated)
    facts = {
        "scale": scene.scale,
        "noise": sensor.noise
        and {
            **asdict(sensor.noise),
            "sigma": sensor.noise.sigma,
            "estimated": trust.noise is None,
        },
        "left_out": {
            "dead": dead,
            "hot": hot,
            "saturated": saturated,
            "saturation": bad.saturation,
            "share": left_out / scene.snapshots.size,
        },
    }
    result: dict[str, Any] = jsonable(facts)
    return result


def show_sensor(terminal: Terminal, sensor: Sensor, summary: Mapping[str, Any]) -> None:
    """Noise, and how many pixels were left out."""
    if sensor.noise is None:
        terminal.say("noise: the snapshots do not tell; --noise SIGMA says it")
    elif summary["noise"]["estimated"]:
        terminal.say(noise_sentence(sensor.noise))
        if sensor.noise.sigma > LOUD * sensor.noise.level:
            terminal.notice(
                "so much noise is rare: unless there was hardly any light, the masks lie off where "
                "they were in the camera (`deqsci calibrate` finds by how much), or are others, or "
                "--black-level or --full-scale is another"
            )
    left_out = summary["left_out"]
    if left_out["share"] > 0:
        kinds = {kind: left_out[kind] for kind in ("dead", "hot")}
        kinds["saturated"] = sum(left_out["saturated"])
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
        terminal.say(
            f"pixels left out of the data term: {counts} ({_percent(left_out['share'])} of all); "
            f"--keep-bad-pixels uses them"
        )


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.3g} %" if percent >= 0.01 else "less than 0.01 %"


def noise_sentence(noise: NoiseLevel) -> str:
    """σ and what it is made of."""
    shot = f", {noise.photons:.0f} photons at intensity 1" if math.isfinite(noise.photons) else ""
    return (
        f"noise: σ = {noise.sigma:.4f} at the mean level {noise.level:.2f} "
        f"(read noise {noise.read:.4f}{shot})"
    )
