"""What is read off the course of a solve."""

from __future__ import annotations

import numpy as np
import torch

from deqsci.evaluation.record import SnapshotRecord, evaluations_to, residual_trace
from deqsci.reconstruction.result import Reconstruction

NAN = float("nan")


def result(residuals: list[float]) -> Reconstruction:
    return Reconstruction(
        video=torch.zeros(1, 2, 4, 4),
        status=("stalled: nothing better; more memory may help",),
        converged=torch.tensor([False]),
        residuals=torch.tensor([residuals]),
        evaluations=torch.tensor([len(residuals)]),
    )


def test_a_trace_ends_where_the_solve_did() -> None:
    trace = residual_trace(torch.tensor([[0.5, NAN, 0.25, NAN, NAN]]))
    np.testing.assert_array_equal(trace, [0.5, NAN, 0.25])
    assert len(residual_trace(torch.tensor([[NAN, NAN]]))) == 0


def test_evaluations_are_counted_to_the_first_time_a_level_is_reached() -> None:
    trace = np.array([0.5, 0.01, 0.02, 9e-4, NAN])
    assert evaluations_to(trace) == {"1e-2": 2, "1e-3": 4, "1e-4": None}


def test_a_solver_returns_its_best_iterate_and_a_schedule_its_last() -> None:
    solve = result([0.5, 0.125, 0.25, NAN])
    assert SnapshotRecord.of(0, solve, "equilibrium", 1.0).residual == 0.125
    record = SnapshotRecord.of(0, solve, "total variation", 1.0)
    assert (record.residual, record.iterations, record.evaluations) == (0.25, 3, 4)
    assert record.outcome == "stalled"
