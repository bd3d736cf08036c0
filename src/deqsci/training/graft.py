"""``python -m deqsci.training.graft``: begin a larger model with what a smaller one has learned.

Every tensor of the smaller network that the larger one has too, by itself or in its parts, is taken
over. Planes that only the larger one sees meet filters of zeros, those that only the smaller one
sees are left out, and what else only the larger one has is as an untrained network has it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.errors import WeightsError
from deqsci.reconstruction.maps import EquilibriumMap
from deqsci.reconstruction.non_local_map import NonLocalMap
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint

EMBED = "embed.weight"
"""Filters over all planes, four phases each, and the noise level."""

WANTED = "wanted two methods of which one's network is a part of the other's"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deqsci.training.graft", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("smaller", help="its method, e.g. de-gap-st")
    parser.add_argument("weights", type=Path, help="its weights")
    parser.add_argument("larger", help="the other method, e.g. de-rnn")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    checkpoint.save_weights(
        grafted(arguments.smaller, arguments.weights, arguments.larger), arguments.output
    )


def grafted(smaller: str, weights: Path, larger: str) -> dict[str, Tensor]:
    """Weights of the larger method that begin with those of the smaller one.

    Raises
    ------
    WeightsError : weights of another network, or the smaller network is no part of the larger.
    """
    torch.manual_seed(0)
    known, wanted = new_map(smaller), new_map(larger)
    load_checkpoint(known.network, weights)
    tensors = wanted.network.state_dict()
    parts = [place.removesuffix(EMBED) for place in tensors if f".{place}".endswith(f".{EMBED}")]
    if not parts:
        raise WeightsError(f"{larger} has no {EMBED} in any part; {WANTED}")
    for name, learned in known.network.state_dict().items():
        for part in parts:
            place = part + name
            if place not in tensors:
                raise WeightsError(f"{larger} has no {place} as {smaller} has; {WANTED}")
            tensor = learned
            if name == EMBED:
                tensor = _of_planes(learned, known.sees, _seen_at(place, wanted))
            tensors[place] = _grown(place, tensor, tensors[place]).clone()  # each part its own
    return tensors


def _seen_at(place: str, map: EquilibriumMap) -> Sequence[str]:
    """The planes that the network there is shown."""
    if isinstance(map, NonLocalMap) and place.startswith("guide."):
        return map.guide.sees
    return map.sees


def _grown(name: str, learned: Tensor, untrained: Tensor) -> Tensor:
    """What was learned, with the untrained rest where there is more."""
    if ".head." in f".{name}" and len(untrained) > len(learned):
        return untrained  # with further anchors, what was learned to say no longer holds
    if learned.shape != untrained.shape:
        raise WeightsError(
            f"{name} has shape {tuple(untrained.shape)} there and {tuple(learned.shape)} here; "
            f"{WANTED}"
        )
    return learned


def _of_planes(filters: Tensor, seen: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """The filters of the wanted planes, four phases each, and of the noise level, which comes last.

    Shape: (C, 4 n + 1, 3, 3) → (C, 4 m + 1, 3, 3).
    """
    *planes, level = filters.split([4] * len(seen) + [1], 1)
    known = dict(zip(seen, planes))
    return torch.cat([*(known.get(name, torch.zeros_like(planes[0])) for name in wanted), level], 1)


if __name__ == "__main__":
    main()
