"""The command as such: help, versions, mistyped commands, faults of ours, interruption."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deqsci import __version__
from deqsci.cli import app
from tests.cli.support import Run


def deqsci(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deqsci", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_answers_at_once() -> None:
    before = os.times()
    done = deqsci("--help")
    after = os.times()
    assert done.returncode == 0
    for verb in ("demo", "simulate", "reconstruct", "info"):
        assert verb in done.stdout
    # Of the processor, not of the clock: other processes may have the cores.
    seconds = after.children_user + after.children_system
    assert seconds - before.children_user - before.children_system < 0.5


@pytest.mark.parametrize("verb", ["demo", "simulate", "reconstruct", "info"])
def test_every_command_has_help(run: Run, verb: str) -> None:
    done = run(verb, "--help")
    assert done.code == 0
    assert "--json" in done.out
    assert "--config" in done.out


def test_version(run: Run) -> None:
    assert run("--version").out.strip() == __version__


def test_the_process_ends_with_the_code(tmp_path: Path) -> None:
    done = deqsci("reconstruct", tmp_path / "absent.npz", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "absent.npz" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["recnstruct"], "reconstruct"),
        (["reconstruct", "a.npz", "-o", "out", "--max-itr", "3"], "--max-iter"),
        (["reconstruct", "a.npz", "-o", "out", "--device", "cud"], "cuda"),
        (["reconstruct", "a.npz", "-o", "out", "--dtype", "float23"], "float32"),
        (["simulate", "a.mp4", "-o", "a.npz", "--mask-kind", "grey"], "gray"),
        (["info", "--jsn"], "--json"),
    ],
)
def test_a_typing_error_names_the_nearest(run: Run, arguments: list[str], nearest: str) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert nearest in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["reconstruct", "-o", "out"], "INPUT"),
        (["reconstruct", "a.npz"], "--output"),
        (["reconstruct", "a.npz", "-o", "out", "--tol", "-1"], "--tol"),
        (["reconstruct", "a.npz", "-o", "out", "--tol", "0"], "--tol"),
        (["reconstruct", "a.npz", "-o", "out", "--tol", "nan"], "--tol"),
        (["reconstruct", "a.npz", "-o", "out", "--tol", "inf"], "--tol"),
        (["reconstruct", "a.npz", "-o", "out", "--tol", "small"], "--tol"),
        (["reconstruct", "a.npz", "-o", "out", "--max-iter", "0"], "--max-iter"),
        (["reconstruct", "a.npz", "-o", "out", "--threads", "0"], "--threads"),
        (["reconstruct", "a.npz", "-o", "out", "--seed", "-1"], "--seed"),
        (["reconstruct", "a.npz", "-o", "out", "--full-scale", "0"], "--full-scale"),
        (["simulate", "a.mp4", "-o", "a.npz", "--frames", "0"], "--frames"),
        (["simulate", "a.mp4", "-o", "a.npz", "--crop", "8"], "--crop"),
        (["simulate", "a.mp4", "-o", "a.npz", "--crop", "0", "8"], "--crop"),
        (["simulate", "a.mp4", "-o", "a.npz", "--start", "-3"], "--start"),
        (["simulate", "a.mp4", "-o", "a.npz", "--noise-gaussian", "-0.1"], "--noise-gaussian"),
        (["simulate", "a.mp4", "-o", "a.npz", "--noise-bits", "40"], "--noise-bits"),
        (["demo", "--snapshots", "0"], "--snapshots"),
    ],
)
def test_a_wrong_value_names_its_option(run: Run, arguments: list[str], word: str) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert word in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_a_fault_of_ours_is_told_apart(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise RuntimeError(f"no {name}")

    monkeypatch.setattr("deqsci.cli.runtime.pick_device", broken)
    done = run("info")
    assert done.code == 1
    assert "internal error: RuntimeError: no auto" in done.err
    assert "Traceback" not in done.err
    assert "Traceback" in run("info", "-v").err


def test_interruption_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deqsci.cli.runtime.pick_device", interrupted)
    assert run("info").code == 130


class TestConfigFile:
    def values(self, run: Run, path: Path, *more: str) -> object:
        """The options that ``reconstruct`` would be called with."""
        tokens = ["reconstruct", "a.npz", "-o", "out", "--config", str(path), *more]
        _, bound, _ = app.app.parse_args(tokens, print_error=False, exit_on_error=False)
        return bound.arguments["solving"]

    def test_gives_values(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "options.yaml"
        path.write_text(yaml.safe_dump({"max-iter": 7, "method": "gap-tv", "strict": True}))
        solving = self.values(run, path)
        assert (solving.max_iter, solving.method, solving.strict) == (7, "gap-tv", True)

    def test_yields_to_the_command_line(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "options.yaml"
        path.write_text("max-iter: 7\n")
        assert self.values(run, path, "--max-iter", "9").max_iter == 9

    def test_may_be_empty(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "options.yaml"
        path.write_text("# nothing yet\n")
        assert run("info", "--config", path, "--json").code == 0

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("max-itr: 7\n", "--max-iter"),
            ("max-iter: 0\n", "max-iter"),
            ("device: gpu\n", "device"),
            ("- 1\n- 2\n", "list"),
            ("a: b: c\n", "YAML"),
            ("\x00", "YAML"),
        ],
    )
    def test_is_checked(self, run: Run, tmp_path: Path, text: str, words: str) -> None:
        path = tmp_path / "options.yaml"
        path.write_text(text)
        done = run("reconstruct", "a.npz", "-o", tmp_path / "out", "--config", path)
        assert done.code == 2
        assert words in done.err
        assert str(path) in done.err
        assert done.err.count("\n") == 1

    def test_must_exist(self, run: Run, tmp_path: Path) -> None:
        done = run("info", "--config", tmp_path / "absent.yaml")
        assert done.code == 2
        assert "absent.yaml" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
@pytest.mark.parametrize("arguments", [["info"], ["--help"]])
def test_a_reader_who_goes_away_is_no_fault_of_ours(arguments: list[str]) -> None:
    """As in ``deqsci info | head``: of text and of tables."""
    theirs, ours = os.pipe()
    os.close(theirs)
    command = [sys.executable, "-m", "deqsci", *arguments]
    done = subprocess.run(command, stdout=ours, stderr=subprocess.PIPE, text=True, check=False)
    os.close(ours)
    assert (done.returncode, done.stderr) == (141, "")
