"""``python -m deqsci.training.beside``: where the training of de-gap-st and de-rnn begins.

A network that looks across the frames put beside a trained denoiser of single frames, with a last
layer of zeros: until training moves that layer, the two together are the denoiser alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint

METHODS = ("de-gap-st", "de-rnn")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deqsci.training.beside", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("frame_wise", type=Path, help="weights of de-gap-cnn")
    parser.add_argument(
        "--across", type=Path, help="weights of the other network alone; random ones otherwise"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    combine(arguments.method, arguments.frame_wise, arguments.output, arguments.across)


def combine(method: str, frame_wise: Path, output: Path, across: Path | None = None) -> None:
    """Write the weights of ``method`` that do to a frame what those of ``frame_wise`` do.

    Raises
    ------
    WeightsError : weights of another network.
    """
    torch.manual_seed(0)
    network = new_map(method).network
    denoiser = network.frame_wise
    assert isinstance(denoiser, torch.nn.Module)
    load_checkpoint(denoiser, frame_wise)
    if across is not None:
        network.register_module("frame_wise", None)
        load_checkpoint(network, across)
        network.register_module("frame_wise", denoiser)
    tensors = network.state_dict()
    for name in ("head.weight", "head.bias"):
        tensors[name].zero_()
    checkpoint.save_weights(tensors, output)


if __name__ == "__main__":
    main()
