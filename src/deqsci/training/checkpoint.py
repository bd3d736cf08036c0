"""Files of a run, each written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from deqsci.errors import WeightsError

PARTIAL = ".partial"
"""What a file is called after its name until it is whole."""


def save(state: dict[str, Any], path: Path) -> None:
    """The whole state of a run."""
    write(path, lambda partial: torch.save(state, partial))


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint of ours; only tensors and plain values are ever read."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a damaged file
        raise WeightsError(f"{path} is not a readable checkpoint: {error}") from error
    return state


def save_weights(tensors: dict[str, Tensor], path: Path) -> None:
    """Weights alone, as every method of the package reads them."""
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    write(path, lambda partial: save_file(plain, partial))


def write(path: Path, fill: Callable[[Path], object]) -> None:
    """Fill a file beside ``path`` and rename it, so that a crash leaves the old file whole.

    As ``deqsci.io.atomic`` does, which training cannot import: it needs a video encoder.
    """
    partial = path.with_name(path.name + PARTIAL)
    fill(partial)
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(path)
