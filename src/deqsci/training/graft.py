"""``python -m deqsci.training.graft``: begin a larger model with what a smaller one has learned.

Every tensor of the smaller network that the larger one has too, by itself or in its parts, is taken
over. Planes that only the larger one sees meet filters of zeros, and what else only it has is as an
untrained network has it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.errors import WeightsError
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
    known = new_map(smaller).network
    load_checkpoint(known, weights)
    tensors = new_map(larger).network.state_dict()
    for name, learned in known.state_dict().items():
        places = [place for place in tensors if f".{place}".endswith(f".{name}")]
        if not places:
            raise WeightsError(f"{larger} has no {name} as {smaller} has; {WANTED}")
        for place in places:
            tensors[place] = _grown(place, learned, tensors[place])
    return tensors


def _grown(name: str, learned: Tensor, untrained: Tensor) -> Tensor:
    """What was learned, with the untrained rest where there is more."""
    tensor = learned
    if f".{name}".endswith(f".{EMBED}") and untrained.shape[1] > learned.shape[1]:
        tensor = _with_more_planes(learned, untrained.shape[1])
    if ".head." in f".{name}" and len(untrained) > len(learned):
        return untrained  # with further anchors, what was learned to say no longer holds
    if tensor.shape != untrained.shape:
        raise WeightsError(
            f"{name} has shape {tuple(untrained.shape)} there and {tuple(learned.shape)} here; "
            f"{WANTED}"
        )
    return tensor


def _with_more_planes(filters: Tensor, count: int) -> Tensor:
    """The noise level comes last, after the planes. Shape: (C, n, 3, 3) → (C, count, 3, 3)."""
    planes, level = filters[:, :-1], filters[:, -1:]
    new = filters.new_zeros(len(filters), count - filters.shape[1], *filters.shape[2:])
    return torch.cat((planes, new, level), 1)


if __name__ == "__main__":
    main()
