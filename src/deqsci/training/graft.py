"""``python -m deqsci.training.graft``: begin a larger model with what a smaller one has learned.

Every tensor of the smaller network that the larger one has too is taken over. Planes that only the
larger one sees meet filters of zeros, and what else only it has is as an untrained network has it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint

EMBED = "embed.weight"
"""Filters over all planes, four phases each, and the noise level."""


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
    WeightsError : weights of another network.
    """
    torch.manual_seed(0)
    known = new_map(smaller).network
    load_checkpoint(known, weights)
    tensors = new_map(larger).network.state_dict()
    for name, tensor in known.state_dict().items():
        tensors[name] = (
            _with_more_planes(tensor, tensors[name].shape[1]) if name == EMBED else tensor
        )
    return tensors


def _with_more_planes(filters: Tensor, count: int) -> Tensor:
    """The noise level comes last, after the planes. Shape: (C, n, 3, 3) → (C, count, 3, 3)."""
    planes, level = filters[:, :-1], filters[:, -1:]
    new = filters.new_zeros(len(filters), count - filters.shape[1], *filters.shape[2:])
    return torch.cat((planes, new, level), 1)


if __name__ == "__main__":
    main()
