"""What is read off the course of a solve."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deqsci.evaluation.record import SnapshotRecord, evaluations_to, mean, residual_trace
from deqsci.metrics import psnr
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
    record = SnapshotRecord.of(0, solve, "training-free", 1.0)
    assert (record.residual, record.iterations, record.evaluations) == (0.25, 3, 4)
    assert record.outcome == "stalled"


def test_a_record_is_scored_against_its_own_part_of_the_truth() -> None:
    truth = np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    record = SnapshotRecord.of(1, result([0.5]), "training-free", 1.0)
    assert record.scored(truth[:2], None) == record
    noisy = truth[2:] + np.float32(0.1)
    scored = record.scored(noisy, truth)
    assert scored.psnr == pytest.approx(psnr(noisy, truth[2:]))
    assert scored.psnr is not None
    assert scored.psnr > 15  # the other part's would be some 8 dB


def test_a_mean_needs_all_its_values() -> None:
    assert mean([1.0, 2.0]) == 1.5
    assert mean([1.0, None]) is None
    assert mean([]) is None
