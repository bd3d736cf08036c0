"""Options that several commands share; the docstring under a field is its help text.

Nothing here imports torch: ``--help`` and a mistyped option answer at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter
from cyclopts.validators import Number

SOLVING = Group("Method and solve", sort_key=2)
COLOUR = Group("Colour", sort_key=3)
COMPUTING = Group("Computing", sort_key=3)
REPORTING = Group("Reporting", sort_key=4)


def positive_and_finite(_: object, value: float | None) -> None:
    """Validator: NaN and infinity pass every comparison that cyclopts makes, or none."""
    if value is not None and not (0 < value < math.inf):
        raise ValueError("wanted a finite number above 0")


Flag = Annotated[bool, Parameter(negative="", show_default=False)]
Count = Annotated[int, Parameter(validator=Number(gte=1))]
PositiveFloat = Annotated[float, Parameter(validator=positive_and_finite)]
Output = Annotated[Path, Parameter(alias="-o")]
Bayer = Literal["RGGB", "BGGR", "GRBG", "GBRG"]
Threads = Annotated[int | None, Parameter(group=COMPUTING, validator=Number(gte=1))]
Seed = Annotated[int, Parameter(validator=Number(gte=0, lt=2**63))]


@Parameter(name="*", group=REPORTING)
@dataclass(frozen=True, kw_only=True)
class Reporting:
    """What is printed, and where option values come from."""

    json: Flag = False
    """Print one JSON object on standard output, and nothing else there."""
    quiet: Annotated[Flag, Parameter(alias="-q")] = False
    """Print errors only."""
    verbose: Annotated[Flag, Parameter(alias="-v")] = False
    """Print a line per snapshot, and the traceback of an error."""
    config: Path | None = None
    """YAML file of option values, as in `max-iter: 50`; the command line goes first."""


@Parameter(name="*", group=COMPUTING)
@dataclass(frozen=True, kw_only=True)
class Computing:
    """Where and how precisely numbers are computed."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute; auto takes a GPU if there is one."""
    dtype: Literal["float32", "float64", "bfloat16"] = "float32"
    """Floating-point type; with bfloat16 the first evaluations of a network, half of de-gap-st's,
    take half the time where a processor has it; the solve ends in float32, at the same video."""
    threads: Threads = None
    """CPU threads; without it, all that torch finds."""
    seed: Seed = 0
    """Seed of everything random."""


@Parameter(name="*", group=SOLVING)
@dataclass(frozen=True, kw_only=True)
class Solving:
    """Which method reconstructs, and when it stops."""

    method: str | None = None
    """Reconstruction method (`deqsci info` lists them); without it, de-gap-st."""
    weights: Path | None = None
    """Weights to use instead of the shipped ones: .safetensors, or a .pth/.ckpt of tensors."""
    max_iter: Count | None = None
    """Evaluations of the map at most, of a finite schedule its length; without it, the method's
    own."""
    tol: PositiveFloat | None = None
    """Relative residual at which a solve has converged; without it, the method's own."""
    warm_start: str | None = None
    """Method whose video an equilibrium method that begins at the mean frame (de-gap-cnn,
    de-gap-rsn-cnn) begins its solve at instead, such as gap-tv."""
    tile: Annotated[int | None, Parameter(validator=Number(gte=128))] = None
    """Longest side in pixels of the tiles that a snapshot is solved in; without it, one piece,
    or tiles where it is too large for that."""
    strict: Flag = False
    """End with exit code 3 if a snapshot did not reach the tolerance."""
