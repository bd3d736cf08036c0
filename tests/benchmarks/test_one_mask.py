"""One mask is one mask, and the others are others."""

from __future__ import annotations

from pathlib import Path

import torch

from benchmarks.ablation import FRAMES, SIDE, VARIANTS
from benchmarks.claims.problem import simulated, smooth_video
from benchmarks.one_mask import judged, one_mask, table


def test_that_mask_is_the_one_the_ablation_judges_behind() -> None:
    usual = simulated(smooth_video(FRAMES, SIDE)).physics.masks
    that, *others = judged().values()
    assert torch.equal(usual.view_as(that), that)
    assert all(not torch.equal(that, other) for other in others)


def test_trained_behind_one_mask_nothing_but_pieces_of_it_is_seen(tmp_path: Path) -> None:
    variant, sampler = one_mask(tmp_path)
    assert (variant.stage.frames, variant.stage.max_frames) == (FRAMES, None)
    assert variant.stage.steps == VARIANTS["equilibrium"].stage.steps
    piece = sampler.sample(1, FRAMES, SIDE, SIDE, torch.Generator().manual_seed(0))[0]
    whole = judged()["that mask"]
    assert sorted(piece.sum((1, 2)).tolist()) == sorted(whole.sum((1, 2)).tolist())
    assert not torch.equal(piece, whole)  # at another place, turned


def test_the_table_has_a_mean_for_each_kind_of_masks() -> None:
    cells = [
        {"model": model, "masks": masks, "solved": value}
        for model in ("a", "b")
        for masks, value in (("that", 1.0), ("that", 2.0), ("gray", 3.0))
    ]
    lines = table({"cells": cells}).splitlines()
    assert lines[0] == "| trained behind | that | gray |"
    assert lines[2:] == ["| a | 1.50 | 3.00 |", "| b | 1.50 | 3.00 |"]
