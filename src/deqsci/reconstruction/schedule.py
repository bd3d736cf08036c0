"""Methods that run a finite schedule of iterations, as plug-and-play methods do."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Callback, norms
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.result import Reconstruction


class FiniteSchedule(nn.Module, ABC):
    """A method whose iterations are counted beforehand; it has no equilibrium to converge to."""

    @property
    @abstractmethod
    def max_evaluations(self) -> int:
        """Iterations of the schedule."""

    @abstractmethod
    def iterates(self, snapshot: Tensor, physics: SnapshotPhysics) -> Iterator[Tensor]:
        """The ``max_evaluations`` videos of the schedule, (B, T, H, W), the last one the result."""

    def forward(self, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The video. Shape: (B, H, W) → (B, T, H, W)."""
        physics.validate(snapshot)
        for video in self.iterates(snapshot, physics):
            result = video
        return result

    @torch.no_grad()
    def reconstruct(
        self, snapshot: Tensor, physics: SnapshotPhysics, callback: Callback | None = None
    ) -> Reconstruction:
        """The video and how far its last iterations moved, without a gradient.

        The residuals are relative changes from one iterate to the next; the first is measured
        against the mean frame. A single pass has none: NaN.
        """
        physics.validate(snapshot)
        before = physics.initial(snapshot)
        residuals: list[list[float]] = []  # numbers: small tensors would fragment the heap
        for iteration, video in enumerate(self.iterates(snapshot, physics), start=1):
            size = norms(video).clamp_min(torch.finfo(torch.float32).tiny)
            change = norms(torch.sub(video, before, out=before)) / size
            residuals.append(change.tolist())
            if callback is not None:
                callback(iteration, change)
            before = video
        trace = torch.tensor(residuals).T
        if self.max_evaluations == 1:
            trace.fill_(math.nan)
        return Reconstruction(
            video,
            tuple(self._told(last) for last in trace[:, -1].tolist()),
            torch.zeros(len(trace), dtype=torch.bool),
            trace,
            torch.full((len(trace),), self.max_evaluations),
        )

    def _told(self, last: float) -> str:
        if self.max_evaluations == 1:
            return "answered in one pass"
        return (
            f"ran its schedule of {self.max_evaluations} iterations to the end; "
            f"the last one changed the video by {last:.1e}"
        )


def accelerated_gap(
    snapshot: Tensor,
    physics: SnapshotPhysics,
    iterations: int,
    denoise: Callable[[Tensor, int], Tensor],
    start: Tensor | None = None,
) -> Iterator[Tensor]:
    r"""Accelerated generalised alternating projection (Liao et al. 2014; Yuan 2016).

    .. math:: y_1 \leftarrow y_1 + (y - \Phi x), \quad
        x \leftarrow D_k(x + \Phi^\dagger (y_1 - \Phi x))

    The projection aims at a target y₁ that grows by what the denoiser took away from the
    snapshot. ``denoise(video, k)`` may depend on the iteration k = 0, 1, …. Without a ``start`` it
    begins with the repeated mean frame.
    """
    video = physics.initial(snapshot) if start is None else start
    target = physics.A(video)  # the first target is then the snapshot itself
    for k in range(iterations):
        predicted = physics.A(video)
        target = target + (snapshot - predicted)
        video = denoise(video + physics.A_dagger(target - predicted), k)
        yield video


def check_iterations(iterations: int) -> None:
    """Raise ConfigError unless there is at least one iteration."""
    if iterations < 1:
        raise ConfigError(f"a schedule of {iterations} iterations; wanted at least 1")
