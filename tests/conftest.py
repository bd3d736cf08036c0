"""Fixtures for all tests."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the benchmark scenes and published weights; skips where it is absent."""
    beside = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("DEQSCI_SHARED", beside))
    if not (folder / "data").is_dir():
        pytest.skip(f"no benchmark data in {folder}; DEQSCI_SHARED names the folder")
    return folder


@pytest.fixture
def quick_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of a benchmark are forked from a server that has torch loaded, where that works."""
    from deqsci.evaluation import worker

    if sys.platform == "linux":
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload([worker.__name__])
        monkeypatch.setattr(worker, "_PROCESSES", processes)
