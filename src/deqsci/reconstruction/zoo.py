"""Reconstruction methods by name."""

from __future__ import annotations

from torch import nn

from deqsci.denoisers.cnn import CNN
from deqsci.denoisers.rsn_cnn import RSNCNN

DENOISERS: dict[str, type[nn.Module]] = {"de-gap-cnn": CNN, "de-gap-rsn-cnn": RSNCNN}


def new_denoiser(name: str) -> nn.Module:
    """The untrained denoiser of a method."""
    return DENOISERS[name]()
