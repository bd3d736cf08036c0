"""``deqsci benchmark``: the table, resumption, files that fail, foreign results, sweeps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deqsci.cli.benchmark import FAILED
from deqsci.evaluation import benchmark
from tests.cli.support import FRAMES, Run, moving_video, write_scene

pytestmark = pytest.mark.usefixtures("quick_processes")
METHODS = ["--methods", "gap-tv,admm-tv", "--max-iter", "3", "--threads", "1"]
FILES = {"table.md", "table.csv", "table.tex", "results.json"}
MEASURED = {
    "psnr": 30.0, "ssim": 0.9, "snapshots": [], "timings": [1.0], "seconds": 1.0,
    "size": [4, 32, 48], "outcomes": {"converged": 1},
}  # fmt: skip
TIMES = {"seconds", "timings", "memory_bytes", "memory_before_bytes"}


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A folder of two scenes."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    write_scene(folder / "kobe.npz", snapshots=2)
    write_scene(folder / "mine.npz")
    return folder


def document(out: Path) -> Any:
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def numbers(value: Any) -> Any:
    """Results without what no two runs share: times and memory."""
    if isinstance(value, dict):
        return {name: numbers(item) for name, item in value.items() if name not in TIMES}
    return [numbers(item) for item in value] if isinstance(value, list) else value


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def test_the_same_numbers_twice(run: Run, scenes: Path, tmp_path: Path) -> None:
    runs = []
    for out in (tmp_path / "a", tmp_path / "b"):
        done = run("benchmark", scenes, *METHODS, "--sweep", "noise=0.1", "-o", out)
        assert done.code == 0, done.err
        assert names(out) == FILES | {"sweep-noise.png"}
        assert "gap-tv" in done.out
        assert "8/8" in done.err
        runs.append(document(out)["cells"])
    assert numbers(runs[0]) == numbers(runs[1])
    assert len(runs[0]) == 8
    tables = [(tmp_path / out / "table.md").read_text(encoding="utf-8") for out in "ab"]
    assert "PSNR (dB, at most 100) and SSIM per frame" in tables[0]
    found = document(tmp_path / "a")
    assert set(found["scenes"]) == {"kobe.npz", "mine.npz"}
    assert found["settings"]["threads"] == 1
    assert found["settings"]["max_iter"] == 3
    assert found["settings"]["versions"]["deqsci"]
    assert len(found["cells"][0]["snapshots"]) == 2


def test_what_is_there_is_not_measured_again(
    run: Run, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run("benchmark", scenes, *METHODS, "-o", out).code == 0
    before = document(out)["cells"]
    done = run("benchmark", scenes, *METHODS, "-o", out, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    write_scene(scenes / "another.npz")
    monkeypatch.setattr(benchmark, "measure", lambda *_, **__: MEASURED)
    assert run("benchmark", scenes, *METHODS, "-o", out).code == 0
    after = document(out)["cells"]
    assert after[:4] == before
    assert [cell["scene"] for cell in after[4:]] == ["another.npz"] * 2


def test_other_settings_are_refused(run: Run, scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("benchmark", scenes, *METHODS, "-o", out).code == 0
    for options, words in (
        ([*METHODS[:3], 4, *METHODS[4:]], "max_iter 3, now 4"),
        ([*METHODS, "--seed", 4], "seed 0, now 4"),
    ):
        done = run("benchmark", scenes, *options, "-o", out)
        assert done.code == 2
        assert words in done.err
        assert done.err.count("\n") == 1
    write_scene(scenes / "mine.npz", snapshots=3)
    done = run("benchmark", scenes, *METHODS, "-o", out)
    assert done.code == 2
    assert "scene mine.npz: sha256" in done.err


def test_files_that_fail_are_told_and_the_others_measured(
    run: Run, scenes: Path, tmp_path: Path
) -> None:
    (scenes / "broken.mat").write_bytes(b"nothing of the kind")
    (scenes / "folder.mat").mkdir()
    write_scene(scenes / "bare.npz", truth=False)
    out = tmp_path / "out"
    done = run("benchmark", scenes, *METHODS[2:], "--methods", "gap-tv", "-o", out, "--json")
    assert done.code == FAILED == 4
    summary = json.loads(done.out)
    assert summary["failed"] == 2
    table = (out / "table.md").read_text(encoding="utf-8")
    assert "broken.mat is not a MATLAB file" in table
    assert "folder.mat holds no images" in table
    cells = {cell["scene"]: cell for cell in document(out)["cells"]}
    assert cells["bare.npz"]["psnr"] is None
    assert cells["bare.npz"]["evaluations"] == 3
    assert cells["kobe.npz"]["psnr"] > 10
    (scenes / "broken.mat").unlink()
    (scenes / "folder.mat").rmdir()
    done = run("benchmark", scenes, *METHODS[2:], "--methods", "gap-tv", "-o", out)
    assert done.code == 0, done.err


def test_results_made_elsewhere_stand_beside_ours(run: Run, scenes: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    np.savez(theirs / "Kobe.npz", video=moving_video(2 * FRAMES) + 0.1)
    arguments = ["benchmark", scenes, *METHODS[2:], "--methods", "gap-tv", "-o", tmp_path / "out"]
    done = run(*arguments, "--results", f"theirs={theirs}", "--json")
    assert done.code == 0, done.err
    cells = {cell["method"]: cell for cell in json.loads(done.out)["cells"]}
    assert cells["theirs"]["psnr"] == pytest.approx(20.0, abs=0.5)
    assert "| theirs † |" in (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    done = run(*arguments, "--results", f"gap-tv={theirs}")
    assert (done.code, done.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--methods", "gap-tw"], "did you mean gap-tv"),
        (["--methods", "de-gap-st-base"], "--weights de-gap-st-base=FILE"),
        (["--methods", "gap-tv", "--weights", "de-gap-cnn=a.pth"], "not among the methods"),
        (["--methods", "de-gap-cnn", "--weights", "de-gap-cnn=a.pth"], "a.pth"),
        (["--weights", "a.pth"], "NAME=PATH"),
        (["--results", "theirs=absent"], "absent is no folder"),
        (["--sweep", "nois=1"], "did you mean noise"),
    ],
)
def test_a_wrong_command_is_one_sentence(
    run: Run, scenes: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    done = run("benchmark", scenes, "-o", tmp_path / "out", "-q", *options)
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_foreign_folder_is_left_alone(run: Run, scenes: Path, tmp_path: Path) -> None:
    done = run("benchmark", scenes, *METHODS, "-o", scenes)
    assert done.code == 2
    assert "kobe.npz" in done.err
    assert names(scenes) == {"kobe.npz", "mine.npz"}


def test_ctrl_c_keeps_what_is_done(
    run: Run, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, calls = benchmark.measure, []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(*arguments, **options)

    monkeypatch.setattr(benchmark, "measure", interrupted)
    done = run("benchmark", scenes, *METHODS, "-o", tmp_path / "out")
    assert done.code == 130
    assert "the same command goes on" in done.err
    assert len(document(tmp_path / "out")["cells"]) == 2
    assert run("benchmark", scenes, *METHODS, "-o", tmp_path / "out").code == 0
    assert len(calls) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_goes_on(run: Run, scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["benchmark", str(scenes), *METHODS, "-o", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "deqsci", *arguments], stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 120
    while not (out / "table.tex").exists() and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = document(out)["cells"]
    assert 1 <= len(kept) < 4
    done = run(*arguments)
    assert done.code == 0, done.err
    assert document(out)["cells"][: len(kept)] == kept
    assert len(document(out)["cells"]) == 4
