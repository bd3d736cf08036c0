"""What a run was told, in plain values: for its folder, its checkpoints and the model card."""

from __future__ import annotations

import dataclasses
import json
import platform
from typing import Any

import torch

from deqsci import __version__
from deqsci.training.config import TrainConfig

FREE = ("minutes", "threads", "device", "compile", "checkpoint_every", "validation", "stages")
"""Settings that may change when a run goes on; of its stages, the steps and what is to come."""


def describe(config: TrainConfig) -> dict[str, Any]:
    """The settings as JSON has them."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    return plain


def describe_run(config: TrainConfig, device: torch.device, processes: int) -> dict[str, Any]:
    """Settings, versions and hardware."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor()
    return {
        "config": describe(config),
        "versions": {
            "deqsci": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "device": f"{device.type} {name}".strip(),
        "threads": torch.get_num_threads(),
        "processes": processes,
    }


def changes(before: dict[str, Any], now: dict[str, Any], stage: int) -> list[str]:
    """Settings that differ and must not, in a run that has come to ``stage``."""
    different = [name for name in now if name not in FREE and before.get(name) != now[name]]
    if len(now["stages"]) < stage:
        return [*different, "stages"]
    for index, (old, new) in enumerate(zip(before["stages"], now["stages"])):
        if index <= stage:
            names = [n for n in new if n != "steps" and old.get(n) != new[n]]
            different += [f"stages.{index}.{name}" for name in names]
    return different
