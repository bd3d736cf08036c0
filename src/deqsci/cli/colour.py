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

    demosaic: Literal["joint", "malvar", "bilinear"] | None = None
    """How the missing colours are found: jointly with what the snapshot says, by Malvar's linear
    filters, or bilinearly; without it, jointly."""

    def notice(self, scene: SnapshotFile) -> str | None:
        """Why the option does nothing on a scene, where it was given and does not."""
        if self.demosaic is None or scene.bayer is not None:
            return None
        return (
            f"{scene.path} is of a gray camera, where --demosaic has nothing to do; --bayer says "
            f"the mosaic of a colour camera"
        )


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
