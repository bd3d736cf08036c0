"""Video snapshot compressive imaging with deep equilibrium models.

Names are loaded on first use (PEP 562), so that ``import deqsci`` and ``deqsci --help`` do not wait
for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from deqsci.errors import DeqsciError as DeqsciError
    from deqsci.physics import SnapshotPhysics as SnapshotPhysics

_MODULE_OF = {
    "DeqsciError": "deqsci.errors",
    "SnapshotPhysics": "deqsci.physics",
}

__all__ = ["DeqsciError", "SnapshotPhysics", "__version__"]


def __getattr__(name: str) -> Any:
    try:
        module = _MODULE_OF[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
