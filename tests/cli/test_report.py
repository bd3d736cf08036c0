"""``deqsci report``: where pages go, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import Run, write_scene
from tests.runs import write_run

METHOD = ["--method", "gap-tv", "--max-iter", "3", "-q"]


def test_the_page_of_a_real_run_lies_in_its_folder_and_does_not_hinder_the_next(
    run: Run, scene: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run("reconstruct", scene, "-o", out, *METHOD).code == 0
    done = run("report", out)
    assert done.code == 0, done.err
    assert f"page: {out / 'report.html'}, " in done.out
    assert "gap-tv makes a number of passes" in (out / "report.html").read_text(encoding="utf-8")
    again = run("reconstruct", scene, "-o", out, *METHOD)
    assert again.code == 0, again.err
    assert not (out / "report.html").exists()  # it showed the run before


def test_a_report_of_somebody_else_in_the_folder_is_kept(run: Run, tmp_path: Path) -> None:
    out = write_run(tmp_path / "out", 1)
    (out / "report.html").write_text("mine")
    done = run("report", out)
    assert done.code == 2
    assert "is no report of deqsci" in done.err
    done = run("reconstruct", write_scene(tmp_path / "scene.npz"), "-o", out, *METHOD)
    assert done.code == 2
    assert "holds report.html beside a run" in done.err
    assert (out / "report.html").read_text() == "mine"


def test_a_page_goes_elsewhere(run: Run, tmp_path: Path) -> None:
    out = write_run(tmp_path / "out", 1)
    page = tmp_path / "pages" / "first.html"
    done = run("report", out, "-o", page, "--json")
    assert json.loads(done.out) == {"pages": [str(page)]}
    assert page.stat().st_size > 10_000
    assert not (out / "report.html").exists()


def test_a_page_under_another_name_goes_with_its_run(run: Run, scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("reconstruct", scene, "-o", out, *METHOD).code == 0
    assert run("report", out, "-o", out / "page.htm").code == 0
    again = run("reconstruct", scene, "-o", out, *METHOD)
    assert again.code == 0, again.err
    assert not (out / "page.htm").exists()


@pytest.mark.parametrize("name", ["page.pdf", "page"])
def test_a_page_is_named_as_one(run: Run, tmp_path: Path, name: str) -> None:
    done = run("report", write_run(tmp_path / "out", 1), "-o", tmp_path / name)
    assert done.code == 2
    assert f"{name} is no page; give a name that ends in .html or .htm" in done.err
    assert not (tmp_path / name).exists()


def test_a_folder_of_runs_has_a_page_each_and_one_that_leads_there(
    run: Run, tmp_path: Path
) -> None:
    scenes, out = tmp_path / "scenes", tmp_path / "out"
    scenes.mkdir()
    for name in ("a", "b"):
        write_scene(scenes / f"{name}.npz")
    assert run("reconstruct", scenes, "-o", out, *METHOD).code == 0
    done = run("report", out, "--json")
    pages = [out / "a" / "report.html", out / "b" / "report.html", out / "report.html"]
    assert json.loads(done.out) == {"pages": [str(page) for page in pages]}
    assert all(page.is_file() for page in pages)
    again = run("reconstruct", scenes, "-o", out, *METHOD)
    assert again.code == 0, again.err
    done = run("report", out, "-o", tmp_path / "page.html")
    assert done.code == 2
    assert "holds 2 runs" in done.err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("nothing", "is no folder"), ("empty", "holds no run.json"), ("old", "without snapshot.npz")],
)
def test_what_is_no_run_is_refused(name: str, sentence: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (write_run(tmp_path / "old", 1) / "snapshot.npz").unlink()
    done = run("report", tmp_path / name)
    assert done.code == 2
    assert sentence in done.err
