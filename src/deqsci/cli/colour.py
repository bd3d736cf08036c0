"""What a colour camera changes in a run: options, sizes, and what is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Parameter

from deqsci.cli.options import COLOUR

if TYPE_CHECKING:
    from deqsci.io import SnapshotFile


@Parameter(name="*", group=COLOUR)
@dataclass(frozen=True, kw_only=True)
class Colouring:
    """How a mosaicked video becomes one in colour."""

    demosaic: Literal["joint", "malvar", "bilinear"] = "joint"
    """How the missing colours are found: jointly with what the snapshot says, by Malvar's linear
    filters, or bilinearly."""


def solved_size(scene: SnapshotFile) -> tuple[int, int]:
    """Height and width of what a method solves in one piece: of a mosaic, its largest phase."""
    height, width = scene.masks.shape[1:]
    return (height, width) if scene.bayer is None else (-(-height // 2), -(-width // 2))


def frame_shape(scene: SnapshotFile) -> tuple[int, ...]:
    """(H, W), or in colour (H, W, 3)."""
    size: tuple[int, ...] = scene.masks.shape[1:]
    return size if scene.bayer is None else (*size, 3)


def colour_facts(scene: SnapshotFile, demosaic: str) -> dict[str, Any]:
    """Pattern, demosaicking and protocol, as ``run.json`` records them."""
    from deqsci.metrics import COLOUR_PROTOCOL, PROTOCOL

    gray = scene.bayer is None
    return {
        "bayer": scene.bayer,
        "demosaic": None if gray else demosaic,
        "protocol": PROTOCOL if gray else COLOUR_PROTOCOL,
    }
