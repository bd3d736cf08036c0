"""``python -m deqsci.training.beside``: where the training of de-gap-st begins.

A space–time network put beside a frame-wise denoiser with a last layer of zeros: until training
moves that layer, the two together are the denoiser alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deqsci.training.beside", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("frame_wise", type=Path, help="weights of de-gap-cnn")
    parser.add_argument("space_time", type=Path, help="weights of de-gap-st-small")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    combine(arguments.frame_wise, arguments.space_time, arguments.output)


def combine(frame_wise: Path, space_time: Path, output: Path) -> None:
    """Write the weights of de-gap-st that reconstruct as those of de-gap-cnn do.

    Raises
    ------
    WeightsError : weights of another network.
    """
    alone, small = new_map("de-gap-cnn").network, new_map("de-gap-st-small").network
    load_checkpoint(alone, frame_wise)
    load_checkpoint(small, space_time)
    tensors = small.state_dict()
    for name in ("head.weight", "head.bias"):
        tensors[name].zero_()
    tensors |= {f"frame_wise.{name}": tensor for name, tensor in alone.state_dict().items()}
    checkpoint.save_weights(tensors, output)


if __name__ == "__main__":
    main()
