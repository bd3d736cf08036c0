"""What the tests of the samplers share."""

from __future__ import annotations

from typing import Any

import torch
from scipy.stats import chisquare
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

READING = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default}


class HostReadsNothing(TorchDispatchMode):
    """Fails on operations that make the host wait for the device to learn a number."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        assert func not in READING, f"{func} makes the host wait"
        return func(*args, **(kwargs or {}))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def equally_often(cells: Tensor, count: int) -> bool:
    """Whether the numbers 0…count−1 in ``cells`` are as good as uniformly distributed."""
    return bool(chisquare(cells.bincount(minlength=count)).pvalue > 1e-3)
