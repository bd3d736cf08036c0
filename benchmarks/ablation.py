"""What matters in de-gap-st: short trainings that differ in one respect, and what each recovers.

Every run begins with the same network, which has learned to denoise videos and has seen no anchor
yet, and has the same time on one core. It is judged on the middle of each clip behind random binary
masks: at the passes that it was trained for, solved, and run on plainly from there.

    python -m benchmarks.ablation CLIPS... --minutes 4 -o docs/ablation.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.claims.problem import from_clip
from benchmarks.claims.results import Results
from benchmarks.claims.training import ENDLESS, fit
from deqsci.cli.runtime import environment, hardware, pick_device
from deqsci.data.masks import MaskSampler
from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.fixed_point import Anderson, Unrolled
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.space_time_map import (
    RELAXATION,
    AcceleratedSpaceTimeMap,
    SpaceTimeMap,
)
from deqsci.reconstruction.zoo import METHODS, new_map
from deqsci.training.config import Stage, load_config

METHOD = "de-gap-st"
CONFIG = Path("configs/de-gap-st.yaml")
START = Path("checkpoints/de-gap-st-denoiser.safetensors")
RATE = 5e-4
"""Throughout: a schedule would have to know how many steps fit in the time."""

FRAMES, SIDE = 8, 96
SOLVER = Anderson(tol=5e-4, max_iter=150)
RUN_ON = 50


@dataclass(frozen=True)
class Variant:
    """What is trained, and in which circumstances it is trained and judged."""

    change: Callable[[Stage], Stage] = replace
    circumstances: Callable[[], AbstractContextManager[object]] = nullcontext

    @property
    def stage(self) -> Stage:
        """The stage that it trains."""
        stage = load_config(CONFIG).stages[0]
        return replace(self.change(stage), steps=ENDLESS, rate=RATE, final_rate=RATE)

    @property
    def passes(self) -> int | None:
        """How many passes it is trained for; None where that is the equilibrium."""
        adjoint = self.stage.build_adjoint()
        return adjoint.steps if isinstance(adjoint, Unrolled) else None


def unrolled(passes: int) -> Variant:
    """So many plain passes from the anchor, with all of their gradient and no equilibrium."""
    adjoint = {"name": "unrolled", "steps": passes}
    return Variant(
        partial(replace, adjoint=adjoint, depth=None, reuse=1, correction=None, stability=None)
    )


def frame_by_frame() -> AbstractContextManager[object]:
    """Frames see themselves where they saw their neighbours."""
    return patch("deqsci.denoisers.space_time.exchange", lambda x, frames: x.clone())


class Unseeing(AcceleratedSpaceTimeMap):
    """Its network is shown no misfit, but zeros."""

    def planes(self, *args: Any) -> Tensor:
        planes = super().planes(*args)
        planes[:, :, -1] = 0
        return planes


class InGap(AcceleratedSpaceTimeMap):
    """The network in the map of GAP, P ∘ D, where the misfit is zero."""

    forward = SpaceTimeMap.forward
    video = EquilibriumMap.video


def in_map(kind: type[AcceleratedSpaceTimeMap]) -> AbstractContextManager[object]:
    """The method's network in another map."""
    changed = replace(METHODS[METHOD], map=partial(kind, relaxation=RELAXATION))
    return patch.dict(METHODS, {METHOD: changed})


VARIANTS = {
    "equilibrium": Variant(),
    "no loss on states before the last": Variant(partial(replace, correction=None)),
    "always from the anchor": Variant(partial(replace, reuse=1)),
    "no penalty on what grows": Variant(partial(replace, stability=None)),
    "no misfit": Variant(circumstances=partial(in_map, Unseeing)),
    "in the map of GAP": Variant(circumstances=partial(in_map, InGap)),
    "frame by frame": Variant(circumstances=frame_by_frame),
    "5 passes, unrolled": unrolled(5),
    "10 passes, unrolled": unrolled(10),
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ablation", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=4, help="of training, each")
    parser.add_argument("--runs", type=Path, default=Path("out/ablation"), help="where they train")
    arguments = parser.parse_args(argv)
    weights = {}
    for name, variant in VARIANTS.items():
        folder = arguments.runs / name.replace(" ", "-").replace(",", "")
        train(variant, folder, arguments.minutes)
        weights[name] = folder / "last.safetensors"
    results = Results(arguments.output, header("ablation", arguments.minutes), weights)
    for name, variant in VARIANTS.items():
        passes = variant.passes
        with variant.circumstances():
            map = new_map(METHOD).eval()
            load_checkpoint(map.network, weights[name])
            for clip in arguments.clips:
                key = {"model": name, "clip": clip.name}
                results.fill(key, partial(measure, map, clip, passes))
    print(table(results.document))


def header(claim: str, minutes: float) -> dict[str, Any]:
    """What such a file says of how it was measured."""
    return {
        "claim": claim,
        "settings": {
            "minutes": minutes,
            "size": SIDE,
            "frames": FRAMES,
            "tol": SOLVER.tol,
            "max_iter": SOLVER.max_iter,
            "run_on": RUN_ON,
        },
        "environment": {**environment(), **hardware(pick_device("cpu"))},
    }


def train(variant: Variant, folder: Path, minutes: float, masks: MaskSampler | None = None) -> None:
    """Train a variant on one core, or go on with it; behind other masks where they are given."""
    config = load_config(CONFIG)
    changed = replace(
        config,
        masks=masks or config.masks,
        stages=(variant.stage,),
        init=START,
        minutes=minutes,
        validation=replace(config.validation, every=ENDLESS, clips=1),
        device="cpu",
        threads=1,
    )
    with variant.circumstances():
        fit(changed, folder)


@torch.no_grad()
def measure(
    map: EquilibriumMap, clip: Path, passes: int | None, masks: Tensor | None = None
) -> dict[str, Any]:
    """PSNR in dB after so many plain passes (as solved, where None), solved, and run on."""
    problem = from_clip(clip, FRAMES, SIDE, masks)
    f, start = problem.bind(map)

    def psnr(z: Tensor) -> float | None:
        value = problem.psnr(problem.video(map, z))
        return value if value == value else None  # JSON knows no NaN

    solution = SOLVER.solve(f, start)
    solved = psnr(solution.value)
    return {
        "trained": solved if passes is None else psnr(plain(f, start, passes)),
        "solved": solved,
        "evaluations": int(solution.evaluations[0]),
        "converged": bool(solution.converged[0]),
        "run_on": psnr(plain(f, solution.value, RUN_ON)),
    }


def plain(f: Callable[[Tensor], Tensor], z: Tensor, count: int) -> Tensor:
    """z after so many passes."""
    for _ in range(count):
        z = f(z)
    return z


def table(document: dict[str, Any]) -> str:
    """Means over the clips."""
    head = ["trained as", "as trained (dB)", "solved", "evaluations", "converged", "run on"]
    lines = [head, ["---"] * len(head)]
    for name in {cell["model"]: None for cell in document["cells"]}:
        cells = [cell for cell in document["cells"] if cell["model"] == name]
        converged = f"{sum(cell['converged'] for cell in cells)}/{len(cells)}"
        trained, solved, later = (mean(cells, key) for key in ("trained", "solved", "run_on"))
        lines.append([name, trained, solved, mean(cells, "evaluations", 0), converged, later])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def mean(cells: list[dict[str, Any]], entry: str, digits: int = 2) -> str:
    """Over the cells; a dash where one has none."""
    values = [cell[entry] for cell in cells]
    return "–" if None in values else f"{sum(values) / len(values):.{digits}f}"


if __name__ == "__main__":
    main()
