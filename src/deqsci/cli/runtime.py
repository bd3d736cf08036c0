"""The machine: device, threads, seed, and what to write down so that a run can be repeated."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from deqsci import __version__
from deqsci.cli.options import Computing
from deqsci.errors import ConfigError
from deqsci.reconstruction.precision import STATE_DTYPES


def pick_device(name: str) -> torch.device:
    """The device called ``name``; auto is CUDA, else Apple's GPU, else the CPU.

    Raises
    ------
    ConfigError : the machine, or the build of torch, lacks the device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, available in there.items() if available)
    if not there[name]:
        available = ", ".join(device for device, present in there.items() if present)
        raise ConfigError(
            f"--device {name} was asked for, but torch {torch.__version__} finds none here; "
            f"use one of: auto, {available}"
        )
    return torch.device(name)


def set_threads(threads: int | None) -> None:
    """Let torch use so many CPU threads; None for as many as it finds."""
    if threads is not None:
        torch.set_num_threads(threads)


def prepare(computing: Computing) -> tuple[torch.device, torch.dtype]:
    """Set threads and seed; return where to compute and the type of states.

    Raises
    ------
    ConfigError : the device is not there or cannot compute in the wanted type.
    """
    device = pick_device(computing.device)
    if device.type == "mps" and computing.dtype == "float64":
        raise ConfigError("--dtype float64 does not exist on mps; use float32, or --device cpu")
    set_threads(computing.threads)
    torch.manual_seed(computing.seed)
    return device, STATE_DTYPES[computing.dtype]


def hardware(device: torch.device) -> dict[str, str]:
    """Names of the processor and of the device computed on."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"processor": _processor(), "device": name}


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def environment() -> dict[str, Any]:
    """Versions, platform and CPU threads, as they go into ``run.json``."""
    packages = ["numpy", "scipy", "scikit-image", "av"]
    return {
        "versions": {
            "deqsci": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            **{name: version(name) for name in packages},
        },
        "platform": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
    }
