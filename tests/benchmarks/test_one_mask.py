"""One mask is one mask, and the others are others."""

from __future__ import annotations

from dataclasses import replace

import torch

from benchmarks.ablation import FRAMES, SIDE, VARIANTS
from benchmarks.claims.problem import simulated, smooth_video
from benchmarks.one_mask import BEHIND_ONE, JUDGED, OneMask, table


def test_that_mask_is_the_one_the_ablation_judges_behind() -> None:
    usual = simulated(smooth_video(FRAMES, SIDE)).physics.masks
    that, *others = JUDGED.values()
    assert torch.equal(usual.view_as(that), that)
    assert all(not torch.equal(that, other) for other in others)


def test_trained_behind_one_mask_nothing_but_crops_of_it_is_seen() -> None:
    stage, generic = BEHIND_ONE.stage, VARIANTS["equilibrium"].stage
    assert stage == replace(generic, frames=FRAMES, max_frames=None)
    size = (FRAMES, SIDE - 1, SIDE - 2)
    crops = OneMask().sample(60, *size, torch.Generator().manual_seed(0))
    whole = JUDGED["that mask"]
    there = [whole[:, i : i + size[1], j : j + size[2]] for i in range(2) for j in range(3)]
    seen = [[torch.equal(crop, place) for place in there] for crop in crops]
    assert all(any(row) for row in seen)
    assert all(any(column) for column in zip(*seen))  # and every one of them is


def test_the_table_has_a_mean_for_each_kind_of_masks() -> None:
    cells = [
        {"model": model, "masks": masks, "solved": value}
        for model in ("a", "b")
        for masks, value in (("that", 1.0), ("that", 2.0), ("gray", 3.0))
    ]
    lines = table({"cells": cells}).splitlines()
    assert lines[0] == "| trained behind | that | gray |"
    assert lines[2:] == ["| a | 1.50 | 3.00 |", "| b | 1.50 | 3.00 |"]
