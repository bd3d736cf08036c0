"""The progress bar: at a terminal, and nowhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.support import write_scene

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")


def at_a_terminal(*arguments: object) -> tuple[int, str]:
    """Exit code and standard error of the command, run with a terminal for standard error."""
    ours, theirs = pty.openpty()
    seen: list[bytes] = []

    def listen() -> None:
        while True:
            try:
                heard = os.read(ours, 1 << 16)
            except OSError:  # Linux says so where others send nothing, once nobody has it open
                return
            if not heard:
                return
            seen.append(heard)

    listener = threading.Thread(target=listen)
    listener.start()
    command = [sys.executable, "-m", "deqsci", *map(str, arguments)]
    size = {"TERM": "xterm", "COLUMNS": "160"}
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=theirs, env=os.environ | size, timeout=300
        )
    finally:
        os.close(theirs)
        listener.join()
        os.close(ours)
    return done.returncode, b"".join(seen).decode(errors="replace")


def test_a_solve_shows_snapshot_iteration_and_residual(tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.npz", snapshots=2)
    solve = ["reconstruct", scene, "--method", "gap-tv", "--max-iter", "1000"]
    code, shown = at_a_terminal(*solve, "-o", tmp_path / "out")
    assert code == 0, shown
    states = re.findall(r"snapshot (\d)/2 +iteration (\d+) +residual (\d\.\de-\d\d)", shown)
    assert {snapshot for snapshot, _, _ in states} == {"1", "2"}
    first = [(int(k), float(residual)) for snapshot, k, residual in states if snapshot == "1"]
    assert first == sorted(first, key=lambda state: state[0])
    assert all(0 < residual < 1 for _, residual in first)


def test_told_to_be_quiet_it_shows_nothing(tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.npz")
    solve = ["reconstruct", scene, "--method", "gap-tv", "--max-iter", "5", "-q"]
    code, shown = at_a_terminal(*solve, "-o", tmp_path / "out")
    assert (code, shown) == (0, "")
