"""Every command on README and the pages exists, with the options it is shown with."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from deqsci.cli.app import app
from tests.docs.pages import PAGES, REPOSITORY, blocks, commands, inline_commands, title

COMMANDS = [
    pytest.param(command, id=f"{title(page)}: {command[:60]}")
    for page in PAGES
    for block in blocks(page)
    if block.kind == "sh"
    for line in commands(block.text)
    for command in line.split(" && ")
]
INLINE = [
    pytest.param(command, id=f"{title(page)}: {command[:60]}")
    for page in PAGES
    for command in inline_commands(page)
]
FOREIGN = {"cp", "mkdir", "git", "python3", "source", ".venv/bin/pip", ".venv/bin/pre-commit"}
"""Programs that are not ours to check."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "options.yaml").write_text("max-iter: 50\n")  # --config is read while parsing
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)
    program = Path(words[0]).name
    if program == "deqsci":
        app.parse_args(filled(words[1:]), print_error=False, exit_on_error=False)
    elif program == "make":
        assert words[1] in targets()
    elif program in ("python", "torchrun"):
        check_script(words)
    elif program == "pip":
        assert words[1:] == ["install", "-c", "constraints.txt", words[-1]]
        assert (REPOSITORY / "constraints.txt").is_file()
    else:
        assert words[0] in FOREIGN, f"no test knows {words[0]}"


@pytest.mark.parametrize("command", INLINE)
def test_a_command_in_the_text_has_its_verb_and_options(command: str) -> None:
    words = command.split()
    if words[1].startswith("-") or words[1] == "…":
        return
    verb = app[words[1]]
    known = {name for argument in verb.assemble_argument_collection() for name in argument.names}
    options = {word.split("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
    if words[1] != "train":  # takes any setting of its file
        assert options <= known


def filled(words: list[str]) -> list[str]:
    """The placeholder N of a number as a number; other placeholders are names as good as any."""
    return ["255" if word == "N" else word for word in words]


def targets() -> set[str]:
    """What ``make`` can make."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def check_script(words: list[str]) -> None:
    """The script or module is there, and its folder or file knows the long options."""
    if "-m" in words:
        place = words.index("-m") + 1
        found = importlib.util.find_spec(words[place])
        assert found is not None, f"no module {words[place]}"
        assert found.origin is not None
        script = Path(found.origin)
    else:
        place = 1
        script = REPOSITORY / words[place]
        assert script.is_file(), f"no script {script}"
    source = script.read_text(encoding="utf-8")
    if "benchmarks.claims" in words[place]:
        source += (REPOSITORY / "benchmarks/claims/command.py").read_text(encoding="utf-8")
    for word in words[place + 1 :]:
        if word.startswith("--"):
            assert f'"{word}"' in source, f"{script.name} does not know {word}"
