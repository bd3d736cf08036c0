"""The whole state of a run in one file, written atomically."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from deqsci.errors import WeightsError


def save(state: dict[str, Any], path: Path) -> None:
    """Write to a temporary file and rename, so that a crash leaves the old file whole."""
    temporary = path.with_suffix(".partial")
    with temporary.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint of ours; only tensors and plain values are ever read."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a damaged file
        raise WeightsError(f"{path} is not a readable checkpoint: {error}") from error
    return state
