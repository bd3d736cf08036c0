"""Several processes that train one model (``torchrun``), each on samples of its own.

Gradients are averaged by one all-reduce after the backward pass rather than by DDP's hooks, which
fire inside the adjoint's own backward passes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from deqsci.errors import ConfigError

T = TypeVar("T")


def pick_device(name: str) -> torch.device:
    """The device a process trains on; ``auto`` is its own GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        if not torch.cuda.is_available():
            raise ConfigError("device is 'cuda', but torch finds no GPU; use 'auto' or 'cpu'")
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device is {name!r}; wanted auto, cpu or cuda") from error


@contextmanager
def processes(device: torch.device) -> Iterator[tuple[int, int]]:
    """(rank, number) of this process within what ``torchrun`` started; (0, 1) when alone."""
    if "RANK" not in os.environ:
        yield 0, 1
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes. Does nothing in a single one."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(mean.view_as(gradient))


def gather(value: T) -> list[T]:
    """The value of every process, in rank order; all must call."""
    if not dist.is_initialized():
        return [value]
    gathered = [value] * dist.get_world_size()
    dist.all_gather_object(gathered, value)
    return gathered
