"""A method in a process of its own: it is given snapshots and returns videos.

So the peak of its memory is its own, and whatever kills it ends one cell and not the run.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deqsci.errors import DeqsciError
from deqsci.evaluation import memory
from deqsci.evaluation.record import EQUILIBRIUM, SnapshotRecord, evaluations_to, residual_trace
from deqsci.io.digest import sha256
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.precision import STATE_DTYPES, in_precision
from deqsci.reconstruction.zoo import build, find, shipped_weights

Float = NDArray[np.float32]

WARM_UP = 2
"""Evaluations before anything is timed: libraries are loaded, buffers touched, kernels chosen."""

# Not forked: a forked process holds less than any that a user starts, the libraries' pages.
_PROCESSES: Any = multiprocessing.get_context("spawn")


class WorkerError(DeqsciError):
    """The method failed, or its process died."""


@dataclass(frozen=True)
class Setup:
    """A method and how it is to run; what it does not have (a tolerance, a limit) is left out."""

    method: str
    weights: Path | None = None
    max_iter: int | None = None
    tol: float | None = None
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    seed: int = 0
    noise: float = 0.0
    """Standard deviation of the snapshots' noise that the method is told, in intensities."""

    def build(self) -> Any:
        """The method, ready to reconstruct. Raises as :func:`deqsci.reconstruction.zoo.build`."""
        method = find(self.method)
        return build(
            self.method,
            weights=self.weights,
            max_iter=self.max_iter if method.has_limit else None,
            tol=self.tol if method.kind == EQUILIBRIUM else None,
            device=self.device,
            dtype=STATE_DTYPES[self.dtype],
        )

    def facts(self) -> dict[str, Any]:
        """What the method's numbers depend on beside the settings; errors as :meth:`build`."""
        model = replace(self, device="cpu").build()
        file = self.weights or shipped_weights(self.method)
        return {
            "weights": None if file is None else {"file": file.name, "sha256": sha256(file)},
            "tolerance": getattr(getattr(model, "solver", None), "tol", None),
            "relaxation": getattr(getattr(model, "map", None), "relaxation", None),
        }


@dataclass(frozen=True)
class Solved:
    """What became of a snapshot."""

    video: Float
    """(T, H, W), intensities in [0, 1]."""
    record: SnapshotRecord
    evaluations_to: dict[str, int | None]
    """Evaluations to each of the protocol's residuals."""
    before: int | None
    """Bytes held before the method was there."""
    peak: int | None
    """Bytes held at most."""


class Worker:
    """``with Worker(setup, masks) as worker: worker.solve(0, snapshot)``; masks (T, H, W)."""

    def __init__(self, setup: Setup, masks: Float) -> None:
        self._link, theirs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_serve, args=(theirs, setup, masks), daemon=True)
        self._process.start()
        theirs.close()  # so that the death of the process is the end of the pipe

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.join()
        self._link.close()

    def solve(self, index: int, snapshot: Float) -> Solved:
        """Reconstruct the snapshot (H, W) of that index.

        Raises
        ------
        WorkerError : the method failed, or its process died; nothing more can be solved then.
        """
        with suppress(ConnectionError):  # the last words of a dead process can still be read
            self._link.send((index, snapshot))
        try:
            answer: Solved | str = self._link.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            raise WorkerError(_death(self._process.exitcode)) from None
        if isinstance(answer, str):
            raise WorkerError(answer)
        return answer


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = ", as when memory runs out" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{hint}"


def _serve(link: Connection[Any, Any], setup: Setup, masks: Float) -> None:
    """What the process does until the other end of the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    with suppress(EOFError, ConnectionError):
        try:
            _solve_all(link, setup, masks)
        except (EOFError, ConnectionError):
            raise
        except DeqsciError as error:
            link.send(str(error))
        except Exception as error:  # a sentence for the table instead of a dead run
            link.send(f"{type(error).__name__}: {error}")


def _solve_all(link: Connection[Any, Any], setup: Setup, masks: Float) -> None:
    torch.set_num_threads(setup.threads)
    torch.manual_seed(setup.seed)
    device, kind = torch.device(setup.device), find(setup.method).kind
    before = memory.held(device)
    built = setup.build()
    model = in_precision(built, setup.dtype)
    camera = SnapshotPhysics(torch.from_numpy(masks), noise=setup.noise)
    physics = camera.to(device, STATE_DTYPES[setup.dtype])
    # A solve that begins in bfloat16 ends in float32; a schedule does not.
    cold = [model] if model is built or kind != EQUILIBRIUM else [built, model]
    while True:
        index, snapshot = link.recv()
        while cold:
            _warm_up(cold.pop(0), _tensor(snapshot, physics), physics)
        began = time.perf_counter()
        result = model.reconstruct(_tensor(snapshot, physics), physics)
        video = result.video[0].clamp(0, 1).float().cpu().numpy()
        seconds = time.perf_counter() - began
        record = SnapshotRecord.of(index, result, kind, seconds)
        counts = evaluations_to(residual_trace(result.residuals))
        link.send(Solved(video, record, counts, before, memory.peak(device)))


def _tensor(snapshot: Float, physics: SnapshotPhysics) -> Tensor:
    return torch.from_numpy(snapshot[None]).to(physics.masks)


class _WarmError(Exception):
    """Ends the warm-up."""


def _warm_up(model: Any, snapshot: Tensor, physics: SnapshotPhysics) -> None:
    def stop(iteration: int, _: Tensor) -> None:
        if iteration >= WARM_UP:
            raise _WarmError

    with suppress(_WarmError):
        model.reconstruct(snapshot, physics, callback=stop)
