"""Mask-generic against one mask: the same training behind masks of every kind, and behind one.

Both trainings are those of ``benchmarks.ablation``. The one mask is the random binary one that the
ablation judges behind, in crops as large as the videos'; here both are judged behind that, another
like it, a shifting and a gray one.

    python -m benchmarks.one_mask CLIPS... --minutes 4 -o docs/one-mask.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.ablation import (
    FRAMES,
    METHOD,
    SIDE,
    VARIANTS,
    Variant,
    header,
    mean,
    measure,
    train,
)
from benchmarks.claims.results import Results
from deqsci.data.masks import MaskSampler
from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.physics.masks import bernoulli_masks, gray_masks, shifting_masks
from deqsci.reconstruction.zoo import new_map

GENERIC, ONE = "masks of every kind", "one mask"


SEEDED = [torch.Generator().manual_seed(seed) for seed in range(4)]
JUDGED = {
    "that mask": bernoulli_masks(FRAMES, SIDE, SIDE, generator=SEEDED[0]),
    "another": bernoulli_masks(FRAMES, SIDE, SIDE, generator=SEEDED[1]),
    "shifting": shifting_masks(FRAMES, SIDE, SIDE, generator=SEEDED[2]),
    "gray": gray_masks(FRAMES, SIDE, SIDE, generator=SEEDED[3]),
}
"""The masks that both are judged behind, (T, H, W) each; the first is the one mask."""


class OneMask(MaskSampler):
    """Crops of the one mask, its T frames in their order."""

    def sample(
        self, batch: int, frames: int, height: int, width: int, generator: torch.Generator
    ) -> Tensor:
        mask = JUDGED["that mask"]
        assert frames == len(mask)

        def first(length: int, size: int) -> int:
            return int(torch.randint(length - size + 1, (), generator=generator))

        corners = [(first(SIDE, height), first(SIDE, width)) for _ in range(batch)]
        return torch.stack([mask[:, i : i + height, j : j + width] for i, j in corners])


BEHIND_ONE = Variant(partial(replace, frames=FRAMES, max_frames=None))
"""What is trained behind it: its T alone."""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.one_mask", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=4, help="of training, each")
    parser.add_argument("--runs", type=Path, default=Path("out/ablation"), help="where they train")
    arguments = parser.parse_args(argv)
    generic, one = arguments.runs / "equilibrium", arguments.runs / "one-mask"
    train(VARIANTS["equilibrium"], generic, arguments.minutes)
    train(BEHIND_ONE, one, arguments.minutes, OneMask())
    weights = {GENERIC: generic / "last.safetensors", ONE: one / "last.safetensors"}
    results = Results(arguments.output, header("one mask", arguments.minutes), weights)
    for name, file in weights.items():
        map = new_map(METHOD).eval()
        load_checkpoint(map.network, file)
        for kind, masks in JUDGED.items():
            for clip in arguments.clips:
                key = {"model": name, "masks": kind, "clip": clip.name}
                results.fill(key, partial(measure, map, clip, None, masks))
    print(table(results.document))


def table(document: dict[str, Any]) -> str:
    """Mean PSNR over the clips, solved."""
    kinds = list({cell["masks"]: None for cell in document["cells"]})
    lines = [["trained behind", *kinds], ["---"] * (1 + len(kinds))]
    for name in {cell["model"]: None for cell in document["cells"]}:
        line = [name]
        for kind in kinds:
            cells = [c for c in document["cells"] if (c["model"], c["masks"]) == (name, kind)]
            line.append(mean(cells, "solved"))
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
