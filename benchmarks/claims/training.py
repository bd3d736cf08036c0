"""The same network trained five ways for the same time: by each gradient rule, and its two twins.

Every run begins with one denoiser, pretrained by the first stage of the configuration, and goes on
for so many minutes on the same data: at the equilibrium with the phantom, the exact and the
Jacobian-free gradient, unrolled, and denoising on. Their folders are what ``curves`` and ``twins``
read. A run that was stopped goes on.

    python -m benchmarks.claims.training --minutes 8
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deqsci.training.config import Stage, TrainConfig, load_config
from deqsci.training.run import start

UNROLLED_STEPS = 10
RULES: dict[str, dict[str, Any]] = {
    "phantom": {"name": "phantom", "steps": 5},
    "implicit": {"name": "implicit", "solver": {"name": "anderson", "tol": 1e-4, "memory": 10}},
    "jacobian-free": {"name": "jacobian-free"},
    "unrolled": {"name": "unrolled", "steps": UNROLLED_STEPS},
}
DENOISER = "denoiser"
PLUG_AND_PLAY = "plug-and-play"
RATE = 2e-4
ENDLESS = 1_000_000


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.claims.training", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--config", type=Path, default=Path("configs/de-gap-cnn.yaml"))
    parser.add_argument("--minutes", type=float, default=8, help="of each run after the denoiser")
    parser.add_argument("--runs", nargs="+", choices=[*RULES, PLUG_AND_PLAY], help="all")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/claims/training"))
    arguments = parser.parse_args(argv)
    config = load_config(arguments.config)
    denoiser, equilibrium = parts(config)
    fit(replace(config, stages=(denoiser,)), arguments.output / DENOISER)
    config = replace(
        config,
        init=arguments.output / DENOISER / "last.safetensors",
        minutes=arguments.minutes,
        validation=replace(config.validation, every=50),
        checkpoint_every=50,
    )
    for name in arguments.runs or [*RULES, PLUG_AND_PLAY]:
        stage = denoiser
        if name == "unrolled":  # it has no equilibrium to keep stable
            stage = replace(equilibrium, adjoint=RULES[name], stability=None, reuse=1)
        elif name != PLUG_AND_PLAY:
            stage = replace(equilibrium, adjoint=RULES[name])
        # One rate throughout: a schedule would have to know how many steps fit in the time.
        stage = replace(stage, steps=ENDLESS, rate=RATE, final_rate=RATE)
        fit(replace(config, stages=(stage,)), arguments.output / name)


def parts(config: TrainConfig) -> tuple[Stage, Stage]:
    """The first stage, which denoises, and the first that solves for the equilibrium."""
    solving = (s for s in config.stages if s.kind == "equilibrium")
    return config.stages[0], next(s for s in solving if s.adjoint["name"] != "unrolled")


def fit(config: TrainConfig, folder: Path) -> None:
    """Train, or go on; one line a validation."""
    with start(config, folder) as trainer:
        trainer.on_validation = lambda record: print(
            f"{folder.name}: {record['seconds']:.0f} s, {record['validation']}",
            file=sys.stderr,
            flush=True,
        )
        trainer.fit()


if __name__ == "__main__":
    main()
