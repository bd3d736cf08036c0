"""What a table says follows from the cells, and reads well in every format."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from deqsci.evaluation.formats import latex, markdown, table_csv
from deqsci.evaluation.table import curves, tabulate

SIZE = [8, 256, 256]


def cell(method: str, scene: str, psnr: float | None, **changes: Any) -> dict[str, Any]:
    records = [{"snapshot": i, "evaluations": 10 + i, "converged": i == 0} for i in range(2)]
    return {
        "method": method, "scene": scene, "sweep": None, "value": None, "error": None,
        "psnr": psnr, "ssim": None if psnr is None else psnr / 50, "evaluations": 10.5,
        "residual": 1e-3, "converged": 1, "outcomes": {"converged": 1, "stalled": 1},
        "seconds": 2.0, "timings": [1.0, 2.0, 9.0], "memory_bytes": 4e8, "size": SIZE,
        "snapshots": records,
    } | changes  # fmt: skip


def failed(method: str, scene: str, error: str) -> dict[str, Any]:
    return {"method": method, "scene": scene, "sweep": None, "value": None, "error": error}


def foreign(name: str, scene: str, psnr: float) -> dict[str, Any]:
    scores = {"psnr": psnr, "ssim": 0.9}
    return failed(name, scene, "") | {
        "error": None, "file": "a.gif", **scores, "snapshots": [{"snapshot": 0, **scores}],
    }  # fmt: skip


def document(*cells: dict[str, Any], max_snapshots: int | None = None) -> dict[str, Any]:
    settings = {
        "threads": 2, "device": "cpu", "processor": "Abacus", "max_snapshots": max_snapshots,
    }  # fmt: skip
    methods = {"gap-tv": {"tolerance": None}, "de-gap-cnn": {"tolerance": 1e-4}}
    return {"settings": settings, "methods": methods, "cells": list(cells)}


WHOLE = document(
    cell("de-gap-cnn", "drop.mat", 38.0),
    cell("gap-tv", "kobe.mat", 26.004),
    cell("gap-tv", "drop.mat", 34.0),
    cell("de-gap-cnn", "kobe.mat", 25.996),
)


def test_methods_are_rows_and_scenes_columns_in_their_orders() -> None:
    table = tabulate(WHOLE)
    assert list(table.scenes.values()) == ["Kobe", "Drop"]
    assert [row.name for row in table.rows] == ["gap-tv", "de-gap-cnn"]
    gap_tv, equilibrium = table.rows
    assert gap_tv.average.psnr == pytest.approx((26.004 + 34) / 2)
    assert (gap_tv.converged, equilibrium.converged) == (None, "2/4")
    assert (gap_tv.evaluations, gap_tv.seconds, gap_tv.memory) == (10.5, 2.0, 4e8)


def test_the_best_as_printed_is_bold() -> None:
    lines = markdown(tabulate(WHOLE), WHOLE["cells"]).splitlines()
    assert lines[2].startswith("| gap-tv | **26.00** / **0.520** | 34.00 / 0.680 | 30.00 / 0.600 |")
    assert lines[3].startswith("| de-gap-cnn | **26.00** / **0.520** | **38.00** / **0.760** |")


def test_the_protocol_stands_below() -> None:
    text = markdown(tabulate(WHOLE), WHOLE["cells"])
    for words in (
        "PSNR (dB, at most 100) and SSIM per frame",
        "All snapshots",
        "256×256×8",
        "Abacus, 2 CPU",
    ):
        assert words in text
    assert "The first snapshot of every file." in markdown(
        tabulate(document(cell("gap-tv", "a.npz", 30.0), max_snapshots=1)), []
    )


def test_an_average_is_over_scenes_that_could_be_scored_or_is_none() -> None:
    cells = [
        *WHOLE["cells"][:3],
        failed("gap-tv", "broken.mat", "is damaged"),
        failed("de-gap-cnn", "broken.mat", "is damaged"),
        cell("gap-tv", "bare.npz", None),
        failed("de-gap-cnn", "kobe.mat", "ran out of memory"),
    ]
    table = tabulate(document(*cells))
    gap_tv, equilibrium = table.rows
    assert gap_tv.average.psnr == pytest.approx((26.004 + 34) / 2)
    assert equilibrium.average.psnr is None  # it lacks Kobe, which the other has
    assert table.errors == ["is damaged", "ran out of memory"]
    text = markdown(table, cells)
    assert "The average is over Kobe, Drop." in text
    assert "failed (1)" in text
    assert "2. ran out of memory" in text


def test_times_of_other_sizes_are_kept_apart() -> None:
    small = cell("gap-tv", "small.npz", 30.0, size=[8, 16, 16], timings=[0.001] * 50)
    (row,) = tabulate(document(*WHOLE["cells"][1:3], small)).rows
    assert row.seconds == 2.0


def test_foreign_results_have_scores_only() -> None:
    whole = document(*WHOLE["cells"], foreign("theirs", "drop.mat", 39.0))
    lines = markdown(tabulate(whole), whole["cells"]).splitlines()
    assert lines[4] == "| theirs † | – | **39.00** / **0.900** | – | – | – | – | – | – |"
    assert any(line.startswith("† videos made elsewhere") for line in lines)
    assert "| Drop | theirs | 1 | 39.00 | 0.900 | – | – | – | – | a.gif |" in lines


def test_csv_has_a_line_for_every_cell() -> None:
    cells = [*WHOLE["cells"], failed("gap-tv", "broken.mat", 'is "damaged", or cut')]
    rows = list(csv.DictReader(io.StringIO(table_csv(cells))))
    assert len(rows) == 5
    assert float(rows[0]["psnr"]) == 38.0
    assert rows[0]["outcomes"] == "1× converged, 1× stalled"
    assert (rows[4]["psnr"], rows[4]["error"]) == ("", 'is "damaged", or cut')


def test_latex_prints_names_as_they_are() -> None:
    whole = document(cell("gap-tv", "my_scene&co.npz", 30.0), foreign("50%", "my_scene&co.npz", 9))
    text = latex(tabulate(whole))
    assert r"my\_scene\&co" in text
    assert r"50\% \dag{} & 9.00 / \textbf{0.900}" in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    columns = text.split(r"\begin{tabular}{")[1].split("}")[0]
    assert {line.count(" & ") + 1 for line in body} == {len(columns)}


def swept(method: str, scene: str, value: float | str, psnr: float | None) -> dict[str, Any]:
    return cell(method, scene, psnr, sweep="frames", value=value)


def test_a_curve_is_over_the_same_scenes_all_along() -> None:
    long, short = "long.npz", "short.npz"
    cells = [
        swept("gap-tv", long, 16, 20.0),
        swept("gap-tv", long, 8, 25.0),
        swept("gap-tv", short, 8, 35.0),
        failed("gap-tv", short, "has fewer frames") | {"sweep": "frames", "value": 16},
        swept("de-gap-cnn", long, 8, 26.0),
        failed("de-gap-cnn", long, "died") | {"sweep": "frames", "value": 16},
    ]
    (curve,) = curves(document(*cells))
    assert (curve.name, curve.values, curve.scenes) == ("frames", [8, 16], ["long"])
    assert curve.psnr == {"gap-tv": [25.0, 20.0], "de-gap-cnn": [26.0, None]}
    text = markdown(tabulate(document(*cells)), cells, [curve])
    assert "| gap-tv | 25.00 | 20.00 |" in text
    assert "Mean over long." in text


def test_words_keep_their_order() -> None:
    cells = [swept("gap-tv", "a.npz", kind, 20.0) for kind in ("own", "gray", "bernoulli")]
    assert curves(document(*cells))[0].values == ["own", "gray", "bernoulli"]
