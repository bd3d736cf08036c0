"""Peak memory of one training step or one reconstruction, in a process of its own."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.claims.command import equilibrium_model
from benchmarks.claims.problem import Problem, simulated, smooth_video
from deqsci.fixed_point import Adjoint, Anderson, Unrolled
from deqsci.reconstruction.equilibrium import DeepEquilibrium

STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Step:
    """What is run: a forward solve, and a backward pass unless ``adjoint`` is None."""

    method: str
    adjoint: Adjoint | None
    solver: Anderson
    size: int
    """Height and width of the snapshot."""
    device: torch.device
    frames: int = 8


def peak_memory(step: Step) -> dict[str, float]:
    """``megabytes`` (10⁶ bytes): the most held during the step, over what was held before it.

    CPU: resident size of a fresh process, after its imports and one tiny step of the same kind.
    CUDA: ``torch.cuda.max_memory_allocated``, likewise.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return {"megabytes": pool.apply(_measure, (step, torch.get_num_threads()))}


def _measure(step: Step, threads: int) -> float:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = equilibrium_model(step.method, step.device)
    tiny = Unrolled(2) if isinstance(step.adjoint, Unrolled) else step.adjoint
    model.solver = replace(step.solver, max_iter=2)
    _run(model, tiny, simulated(smooth_video(step.frames, 16)).to(step.device))
    problem = simulated(smooth_video(step.frames, step.size)).to(step.device)
    model.solver = step.solver
    before = _held(step.device)
    _run(model, step.adjoint, problem)
    return (_peak(step.device) - before) / 1e6


def _run(model: DeepEquilibrium, adjoint: Adjoint | None, problem: Problem) -> None:
    if adjoint is None:
        model.reconstruct(problem.snapshot, problem.physics)
        return
    model.adjoint = adjoint
    video = model(problem.snapshot, problem.physics)
    (video - problem.truth).square().mean().backward()


def _held(device: torch.device) -> int:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
    return _status("VmRSS")


def _peak(device: torch.device) -> int:
    # Not ru_maxrss, which a process inherits from the one that started it.
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else _status("VmHWM")


def _status(field: str) -> int:
    """A size in /proc/self/status, in bytes (Linux)."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"{STATUS} has no {field}; memory is measured on Linux only")
