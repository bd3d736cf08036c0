"""What the commands of all claims share: options, the record of the machine, the file written."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from benchmarks.claims.results import Results
from deqsci.cli.runtime import environment, hardware, pick_device
from deqsci.io import list_inputs
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.zoo import METHODS, build, shipped_weights

NOT_SETTINGS = {"scenes", "output", "methods", "threads", "device"}


class Command:
    """The command line of one claim; ``parser`` takes further options before ``parse``."""

    def __init__(self, claim: str, doc: str | None, *, scenes: bool = True) -> None:
        self.claim = claim
        self.parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks.claims.{claim}", description=(doc or "").splitlines()[0]
        )
        if scenes:
            self.parser.add_argument("scenes", type=Path, nargs="+", help="files or folders")
        default = Path("docs", "claims", f"{claim}.json")
        self.parser.add_argument("-o", "--output", type=Path, default=default)
        self.parser.add_argument("--threads", type=int, help="of the CPU; torch's own choice")
        self.parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")

    def add_methods(self) -> None:
        """``--methods``: every equilibrium method with shipped weights unless told otherwise."""
        shipped = [
            name for name, m in METHODS.items() if m.kind == "equilibrium" and shipped_weights(name)
        ]
        self.parser.add_argument("--methods", nargs="+", default=shipped)

    def add_crop(self) -> None:
        """``--crop``: where a thousand evaluations of the whole would take too long."""
        said = "use the middle of this height and width; the whole snapshot where left out"
        self.parser.add_argument("--crop", type=int, help=said)

    def parse(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """Read the arguments, make scenes a list of files, set threads and device."""
        self._words = sys.argv[1:] if argv is None else list(argv)
        arguments = self.parser.parse_args(self._words)
        if "scenes" in arguments:
            arguments.scenes = list(chain.from_iterable(map(list_inputs, arguments.scenes)))
        if arguments.threads is not None:
            torch.set_num_threads(arguments.threads)
        arguments.device = pick_device(arguments.device)
        return arguments

    def results(
        self, arguments: argparse.Namespace, weights: Mapping[str, Path] | None = None
    ) -> Results:
        """The claim's file; ``weights`` by model, those shipped with the methods by default."""
        if weights is None:
            found = {name: shipped_weights(name) for name in arguments.methods}
            weights = {name: path for name, path in found.items() if path is not None}
        settings = {
            name: value.name if isinstance(value, Path) else value
            for name, value in vars(arguments).items()
            if name not in NOT_SETTINGS and value is not None
        }
        header = {
            "claim": self.claim,
            "command": shlex.join([*self.parser.prog.split(), *map(_portable, self._words)]),
            "settings": settings,
            "environment": {**environment(), **hardware(arguments.device)},
        }
        return Results(arguments.output, header, weights)


def equilibrium_model(name: str, device: torch.device | str, **options: Any) -> DeepEquilibrium:
    """An equilibrium method of the zoo, ready to reconstruct."""
    model = build(name, device=device, **options)
    assert isinstance(model, DeepEquilibrium), f"{name} is no equilibrium method"
    return model


def _portable(word: str) -> str:
    """A file outside the working directory by its name alone: where it lay helps nobody else."""
    path = Path(word)
    outside = path.is_absolute() or ".." in path.parts
    return path.name if outside else word
