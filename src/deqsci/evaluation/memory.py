"""How much memory this process holds, and has held at most."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

STATUS = Path("/proc/self/status")


def held(device: torch.device) -> int | None:
    """Bytes held now: resident size, or what torch has allocated on a GPU; None if unknown."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return _status("VmRSS")


def peak(device: torch.device) -> int | None:
    """The most bytes held since this process began; None where the system does not say.

    CPU: peak resident size, interpreter and libraries included. CUDA:
    ``torch.cuda.max_memory_allocated``.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # On Linux not ru_maxrss: a process inherits it from the one that started it.
    return _status("VmHWM") if STATUS.exists() else _largest_resident()


def _status(field: str) -> int | None:
    """A size in /proc/self/status, in bytes (Linux)."""
    if not STATUS.exists():
        return None
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next((1024 * int(x.split()[1]) for x in lines if x.startswith(f"{field}:")), None)


def _largest_resident() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
