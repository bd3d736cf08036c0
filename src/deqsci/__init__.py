"""Video snapshot compressive imaging with deep equilibrium models.

Names are loaded on first use (PEP 562), so that ``import deqsci`` and ``deqsci --help`` do not wait
for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from deqsci.errors import DeqsciError
    from deqsci.fixed_point import (
        Anderson,
        Broyden,
        FixedPoint,
        Implicit,
        JacobianFree,
        Phantom,
        Picard,
        Unrolled,
        spectral_norm,
        spectral_radius,
    )
    from deqsci.io import load_snapshots, read_video, save_snapshots
    from deqsci.io.scene import Scene, load_scene
    from deqsci.metrics import psnr, ssim
    from deqsci.physics import SnapshotPhysics
    from deqsci.physics.masks import bernoulli_masks, gray_masks, shifting_masks
    from deqsci.physics.noise import Noise
    from deqsci.reconstruction.colour import Colour
    from deqsci.reconstruction.convergence import ConvergenceReport, convergence_report
    from deqsci.reconstruction.equilibrium import DeepEquilibrium
    from deqsci.reconstruction.maps import GapMap
    from deqsci.reconstruction.result import Reconstruction
    from deqsci.reconstruction.tiling import Tiled
    from deqsci.reconstruction.warm_start import WarmStarted
    from deqsci.reconstruction.zoo import METHODS, build
    from deqsci.viz.convergence import convergence_figure
    from deqsci.viz.picture import save_picture

__all__ = [
    "METHODS",
    "Anderson",
    "Broyden",
    "Colour",
    "ConvergenceReport",
    "DeepEquilibrium",
    "DeqsciError",
    "FixedPoint",
    "GapMap",
    "Implicit",
    "JacobianFree",
    "Noise",
    "Phantom",
    "Picard",
    "Reconstruction",
    "Scene",
    "SnapshotPhysics",
    "Tiled",
    "Unrolled",
    "WarmStarted",
    "__version__",
    "bernoulli_masks",
    "build",
    "convergence_figure",
    "convergence_report",
    "gray_masks",
    "load_scene",
    "load_snapshots",
    "psnr",
    "read_video",
    "save_picture",
    "save_snapshots",
    "shifting_masks",
    "spectral_norm",
    "spectral_radius",
    "ssim",
]

_NAMES = {
    "errors": ["DeqsciError"],
    "fixed_point": [
        *["Anderson", "Broyden", "FixedPoint", "Implicit", "JacobianFree", "Phantom"],
        *["Picard", "Unrolled", "spectral_norm", "spectral_radius"],
    ],
    "io": ["load_snapshots", "read_video", "save_snapshots"],
    "io.scene": ["Scene", "load_scene"],
    "metrics": ["psnr", "ssim"],
    "physics": ["SnapshotPhysics"],
    "physics.masks": ["bernoulli_masks", "gray_masks", "shifting_masks"],
    "physics.noise": ["Noise"],
    "reconstruction.colour": ["Colour"],
    "reconstruction.convergence": ["ConvergenceReport", "convergence_report"],
    "reconstruction.equilibrium": ["DeepEquilibrium"],
    "reconstruction.maps": ["GapMap"],
    "reconstruction.result": ["Reconstruction"],
    "reconstruction.tiling": ["Tiled"],
    "reconstruction.warm_start": ["WarmStarted"],
    "reconstruction.zoo": ["METHODS", "build"],
    "viz.convergence": ["convergence_figure"],
    "viz.picture": ["save_picture"],
}
_MODULE_OF = {name: f"deqsci.{module}" for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
