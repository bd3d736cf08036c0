"""The method that the options ask for, and what is written down about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from deqsci.cli.options import Computing, Solving
from deqsci.cli.runtime import environment, prepare
from deqsci.errors import ConfigError, ShapeError
from deqsci.evaluation.record import EQUILIBRIUM
from deqsci.io.digest import sha256
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.feed_forward import check_frames
from deqsci.reconstruction.precision import in_precision
from deqsci.reconstruction.reconstructor import Reconstructor
from deqsci.reconstruction.schedule import FiniteSchedule
from deqsci.reconstruction.warm_start import WarmStarted
from deqsci.reconstruction.zoo import DEFAULT_METHOD, METHODS, build, find, shipped_weights


class ChosenMethod:
    """A method that is built, on its device, and ready for any number of scenes.

    Raises
    ------
    ConfigError, MethodError, WeightsError : the options ask for what is not there.
    """

    def __init__(self, solving: Solving, computing: Computing) -> None:
        self.solving, self.computing = solving, computing
        self.device, self.dtype = prepare(computing)
        self.name = solving.method or DEFAULT_METHOD
        method = find(self.name)
        if computing.dtype == "bfloat16" and not method.networks:
            raise ConfigError(
                f"{self.name} has no network to compute in bfloat16; leave --dtype bfloat16 out"
            )
        built = build(
            self.name,
            weights=solving.weights,
            max_iter=solving.max_iter,
            tol=solving.tol,
            device=self.device,
            dtype=self.dtype,
        )
        self.kind = method.kind
        if solving.strict and self.kind != EQUILIBRIUM:
            raise ConfigError(
                f"{self.name} runs a finite schedule and has no tolerance to reach; "
                f"leave --strict out"
            )
        solver = built.solver if isinstance(built, DeepEquilibrium) else None
        self.tolerance: float | None = getattr(solver, "tol", None)
        map = getattr(built, "map", None)
        self.lipschitz: float | None = getattr(map, "lipschitz", None)
        self.heeds_noise = bool(getattr(map, "heeds_noise", False))
        self.model = in_precision(built, computing.dtype)
        if solving.warm_start is not None:
            self.model = self._begun_at(solving.warm_start, self.model)

    def _begun_at(self, start: str, model: Reconstructor) -> WarmStarted:
        """The model begun at another method's video.

        Raises
        ------
        ConfigError : there is no solve to begin, or one that begins well by itself, or the other
            method is none to begin at.
        """
        starts = [
            name
            for name, other in METHODS.items()
            if other.kind != EQUILIBRIUM
            and other.frames is None
            and (not other.networks or shipped_weights(name))
        ]
        if isinstance(model, DeepEquilibrium) and not model.map.begins_at_mean:
            raise ConfigError(
                f"{self.name} begins its solves at a video of its own; leave --warm-start out"
            )
        if isinstance(model, DeepEquilibrium) and start in starts:
            first = build(start, device=self.device, dtype=self.dtype)
            if isinstance(first, FiniteSchedule):
                return WarmStarted(model, first)
        raise ConfigError(
            f"{self.name} cannot begin at {start}; --warm-start wants an equilibrium method to "
            f"begin at one of {', '.join(starts)}"
        )

    def check(self, file: Path, frames: int) -> None:
        """Raise ShapeError where the snapshots of a file hold another number of frames than the
        method is made for."""
        if (wanted := METHODS[self.name].frames) is not None:
            try:
                check_frames(frames, wanted)
            except ShapeError as error:
                raise ShapeError(f"{file}: {error}") from None

    def facts(self) -> dict[str, Any]:
        """Method, weights, options and machine, as ``run.json`` records them."""
        file = self.solving.weights or shipped_weights(self.name)
        return {
            "method": self.name,
            "weights": None if file is None else {"file": file.name, "sha256": sha256(file)},
            "options": asdict(self.solving) | asdict(self.computing),
            "tolerance": self.tolerance,
            "lipschitz": self.lipschitz,
            "seed": self.computing.seed,
            "device": str(self.device),
            **environment(),
        }
