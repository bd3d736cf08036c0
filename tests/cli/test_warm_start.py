"""``deqsci reconstruct --warm-start``."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from deqsci.reconstruction.zoo import METHODS, new_map
from tests.cli.support import FRAMES, Run


def first_residual(folder: Path) -> float:
    with (folder / "residuals.csv").open(newline="", encoding="utf-8") as file:
        return float(next(csv.DictReader(file))["residual"])


def test_a_warm_start_is_nearer_and_recorded(run: Run, scene: Path, tmp_path: Path) -> None:
    method = ["--method", "de-gap-cnn", "--max-iter", "2", "--json"]
    assert run("reconstruct", scene, "-o", tmp_path / "cold", *method).code == 0
    done = run("reconstruct", scene, "-o", tmp_path / "warm", *method, "--warm-start", "gap-tv")
    assert done.code == 0, done.err
    (summary,) = json.loads(done.out)["runs"]
    assert summary["options"]["warm_start"] == "gap-tv"
    seconds = summary["snapshots"][0]["seconds"]
    assert summary["frames_per_second"] == pytest.approx(FRAMES / seconds)
    assert first_residual(tmp_path / "warm") < first_residual(tmp_path / "cold")


@pytest.mark.parametrize(
    ("method", "start"),
    [
        ("gap-tv", "admm-tv"),
        ("de-gap-cnn", "de-gap-cnn"),
        ("de-gap-cnn", "u-net"),  # made for one T
        ("de-gap-cnn", "nosuch"),
    ],
)
def test_only_a_schedule_starts_only_a_solve(
    run: Run, scene: Path, tmp_path: Path, method: str, start: str
) -> None:
    out = tmp_path / "out"
    done = run("reconstruct", scene, "-o", out, "--method", method, "--warm-start", start)
    assert done.code == 2
    assert f"{method} cannot begin at {start}" in done.err
    assert "one of gap-tv, admm-tv, desci, pnp-ffdnet, rnn\n" in done.err
    assert not out.exists()


def test_a_method_with_a_start_of_its_own_takes_no_other(
    run: Run, scene: Path, tmp_path: Path
) -> None:
    done = run("reconstruct", scene, "-o", tmp_path / "out", "--warm-start", "gap-tv")
    assert done.code == 2
    assert "de-gap-st begins its solves at a video of its own" in done.err
    assert not (tmp_path / "out").exists()


def test_the_help_names_the_methods_that_begin_at_the_mean_frame(run: Run) -> None:
    text = " ".join(run("reconstruct", "--help").out.replace("│", " ").split())
    told = re.search(r"begins at the mean frame \((.+?)\)", text)
    assert told is not None
    solved = [name for name, method in METHODS.items() if method.kind == "equilibrium"]
    assert told[1].split(", ") == [name for name in solved if new_map(name).begins_at_mean]
