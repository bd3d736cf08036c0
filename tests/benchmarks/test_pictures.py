"""The picture of quality against time shows the committed results."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import imageio.v3 as iio
import pytest

from benchmarks.pictures.quality_time import apart, averages, draw_quality_time

RESULTS = Path(__file__).parents[2] / "docs" / "results.json"


def cell(method: str, scene: str, psnr: float | None, **others: object) -> dict:
    return {
        "method": method, "scene": scene, "psnr": psnr, "timings": [1.0, 2.0, 6.0],
        "sweep": None, "error": None,
    } | others  # fmt: skip


def test_methods_that_did_every_scene_are_averaged() -> None:
    cells = [
        *(cell("gap-tv", scene, psnr) for scene, psnr in (("a", 20.0), ("b", 30.0))),
        cell("gap-tv", "a", 1.0, sweep="noise"),
        cell("de-gap-cnn", "a", 25.0),
        cell("de-gap-cnn", "b", None, error="out of memory"),
        *(cell("STFormer", scene, 35.0) for scene in "ab"),
    ]
    gap, other = averages(cells, ["a", "b"])
    assert (gap.method, gap.kind, gap.psnr, gap.seconds) == ("gap-tv", "training-free", 25, 2)
    assert (other.method, other.kind) == ("STFormer", "elsewhere")


def test_names_do_not_overlap() -> None:
    placed = apart([1.0, 3.0, 1.05, 0.99], 0.2)
    assert placed == pytest.approx([0.85, 3.0, 1.05, 0.65])
    assert all(a - b >= 0.2 - 1e-9 for a, b in pairwise(sorted(placed, reverse=True)))


def test_the_committed_results_are_drawn(tmp_path: Path) -> None:
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert averages(document["cells"], document["scenes"])
    draw_quality_time(RESULTS, tmp_path / "picture.png")
    assert iio.imread(tmp_path / "picture.png").shape[1] == 1050  # 3.5 inches, 300 dots an inch
