"""One cell: its numbers are those of the metrics, and the same twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import deqsci.evaluation.cell
from deqsci.errors import InputFileError, ShapeError
from deqsci.evaluation.cell import TIMED, measure, score
from deqsci.evaluation.worker import Setup
from deqsci.metrics import psnr, ssim
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.total_variation import GapTV
from tests.evaluation.support import nothing, scene, without_truth

QUICK = Setup("gap-tv", max_iter=3)
TIMES = ("seconds", "timings", "memory_bytes", "memory_before_bytes")


def numbers(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell without what no two runs share."""
    records = [{k: v for k, v in r.items() if k != "seconds"} for r in cell["snapshots"]]
    return {k: v for k, v in cell.items() if k not in TIMES} | {"snapshots": records}


@pytest.mark.usefixtures("quick_processes")
def test_a_cell_holds_every_snapshot_and_its_means(tmp_path: Path) -> None:
    given = scene(tmp_path, snapshots=2)
    told: list[tuple[int, int]] = []
    cell = measure(QUICK, given, watch=lambda done, of: told.append((done, of)))
    physics = SnapshotPhysics(torch.from_numpy(given.masks))
    videos = GapTV(3).reconstruct(torch.from_numpy(given.snapshots), physics).video
    assert given.truth is not None
    scores = [psnr(v, t) for v, t in zip(videos, given.truth.reshape(2, 4, 32, 48))]
    assert [record["psnr"] for record in cell["snapshots"]] == pytest.approx(scores, abs=1e-4)
    assert cell["psnr"] == pytest.approx(sum(scores) / 2, abs=1e-4)
    assert len(cell["timings"]) == TIMED == 3  # the first snapshot was solved again
    assert told == [(0, 3), (1, 3), (2, 3)]
    assert cell["outcomes"] == {"ran its schedule of 3 iterations to the end": 2}
    assert set(cell["evaluations_to"]) == {"1e-2", "1e-3", "1e-4"}
    assert numbers(measure(QUICK, given, watch=nothing)) == numbers(cell)
    bare = measure(QUICK, without_truth(given), timed=1, watch=nothing)
    assert bare["psnr"] is None
    assert len(bare["timings"]) == 2


@pytest.mark.usefixtures("quick_processes")
def test_what_takes_long_is_not_solved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deqsci.evaluation.cell, "ENOUGH", 0.0)
    cell = measure(QUICK, scene(tmp_path, snapshots=2), timed=5, watch=nothing)
    assert len(cell["timings"]) == len(cell["snapshots"]) == 2


def test_a_video_made_elsewhere_is_scored_snapshot_by_snapshot(tmp_path: Path) -> None:
    given = scene(tmp_path, snapshots=2)
    assert given.truth is not None
    video = given.truth + np.float32(0.1)
    scored = score(video, given)
    assert scored["psnr"] == pytest.approx(psnr(video, given.truth))
    assert scored["ssim"] == pytest.approx(ssim(video, given.truth))
    assert [record["snapshot"] for record in scored["snapshots"]] == [0, 1]
    with pytest.raises(ShapeError, match=r"has 7×32×48 .* the scene 8×32×48"):
        score(video[:7], given)
    with pytest.raises(InputFileError, match="no truth"):
        score(video, without_truth(given))
