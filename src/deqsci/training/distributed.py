"""Several processes that train one model (``torchrun``), each on samples of its own.

Gradients are averaged by one all-reduce after the backward pass rather than by DDP's hooks, which
fire inside the adjoint's own backward passes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn

from deqsci.errors import ConfigError

T = TypeVar("T")


def pick_device(name: str) -> torch.device:
    """The device a process trains on; ``auto`` is its own GPU where there is one."""
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device is {name!r}; wanted auto, cpu or cuda")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ConfigError("device is 'cuda', but torch finds no GPU; use 'auto' or 'cpu'")
    if name == "cpu" or not there:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def processes(device: torch.device) -> Iterator[tuple[int, int]]:
    """(rank, number) of this process within what ``torchrun`` started; (0, 1) when alone."""
    if "RANK" not in os.environ:
        yield 0, 1
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # The others wait while the first validates.
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(hours=1))
    try:
        yield dist.get_rank(), dist.get_world_size()
        dist.barrier()  # one that left while another still speaks to it could abort both
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
    """The value of every process, in rank order, in the first; empty in others. All must call."""
    if not dist.is_initialized():
        return [value]
    gathered = [value] * dist.get_world_size() if dist.get_rank() == 0 else None
    dist.gather_object(value, gathered)
    return gathered or []


def any_process(flag: bool, device: torch.device) -> bool:
    """Whether the flag is up in one process; all must call."""
    if not dist.is_initialized():
        return flag
    flags = torch.tensor(float(flag), device=device)
    dist.all_reduce(flags, dist.ReduceOp.MAX)
    return bool(flags > 0)
