"""A file of measured cells that a stopped run goes on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deqsci.errors import OutputError
from deqsci.io.atomic import atomic_path
from deqsci.io.jsonable import jsonable

Cell = dict[str, Any]
Key = Mapping[str, Any]

ERROR = "error"
"""The entry of a cell that could not be measured: a sentence."""


class Results:
    """Cells in a JSON file that is rewritten whole after each: valid at any moment.

    A cell is named by its key. It depends on the settings of the whole file and on named inputs:
    the entry ``scene`` of a key names one of the section ``scenes``, whose facts (a digest, say)
    must not change under the cells that were measured with it.

    Parameters
    ----------
    path : the file, read if it is there.
    format : what the file says it is.
    settings : what every cell depends on.
    inputs : for each entry of a key that names an input, the facts of each by name.
    about : anything else worth writing down; what an earlier run said there is replaced.

    Raises
    ------
    OutputError : the file is something else, or its cells were measured with other settings or
        inputs, or ``path`` cannot be read.
    """

    def __init__(
        self,
        path: Path,
        format: str,
        settings: Mapping[str, Any],
        inputs: Mapping[str, Mapping[str, Any]],
        about: Mapping[str, Any],
    ) -> None:
        self.path = path
        before = _read(path, format)
        new, settings = jsonable(inputs), jsonable(settings)
        old = {kind: before.get(f"{kind}s", {}) for kind in new}
        self.cells: list[Cell] = [c for c in before.get("cells", []) if c.get(ERROR) is None]
        if self.cells:
            self._compare("", before["settings"], settings)
        for cell in self.cells:
            for kind, facts in new.items():
                if (name := cell.get(kind)) in facts:
                    self._compare(f"{kind} {name}: ", old[kind].get(name), facts[name])
        sections = {f"{kind}s": self._used(kind, old[kind]) | facts for kind, facts in new.items()}
        self.document: dict[str, Any] = {
            "format": format,
            **jsonable(about),
            "settings": settings,
            **sections,
            "cells": self.cells,
        }

    def find(self, key: Key) -> Cell | None:
        """The cell of that key, where it is there and was measured."""
        return next((c for c in self.cells if _is(c, key) and c.get(ERROR) is None), None)

    def put(self, key: Key, content: Mapping[str, Any]) -> Cell:
        """Write the cell of that key in place of one that may be there.

        Raises
        ------
        OutputError : the file cannot be written.
        """
        cell: Cell = jsonable({**key, **content})
        self.cells[:] = [c for c in self.cells if not _is(c, key)] + [cell]
        text = json.dumps(self.document, ensure_ascii=False, indent=1, allow_nan=False)
        with atomic_path(self.path) as part:
            part.write_text(text + "\n", encoding="utf-8")
        return cell

    def _used(self, kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts of the inputs that a cell was measured with."""
        names = {cell.get(kind) for cell in self.cells}
        return {name: fact for name, fact in facts.items() if name in names}

    def _compare(self, what: str, before: Any, now: Any) -> None:
        """Raise OutputError naming the first thing that differs."""
        difference = _difference(before, now)
        if difference is not None:
            raise OutputError(
                f"{self.path} holds cells measured with {what}{difference}; cells of both would "
                f"not compare: go back to what it was, or give another --output"
            )


def _is(cell: Cell, key: Key) -> bool:
    return all(cell.get(name) == value for name, value in key.items())


def _difference(before: Any, now: Any, name: str = "") -> str | None:
    """``threads 2, now 4``, of the first entry that differs; None where none does."""
    if isinstance(before, dict) and isinstance(now, dict):
        for entry in [*before, *(e for e in now if e not in before)]:
            inner = f"{name}.{entry}" if name else entry
            found = _difference(before.get(entry), now.get(entry), inner)
            if found is not None:
                return found
        return None
    return None if before == now else f"{name} {_said(before)}, now {_said(now)}".strip()


def _said(value: Any) -> str:
    return (
        "not given" if value is None else f"{value:g}" if isinstance(value, float) else f"{value}"
    )


def _read(path: Path, format: str) -> dict[str, Any]:
    """The document, or nothing where there is no file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise OutputError(
            f"{path} cannot be read as results ({error}); give another --output"
        ) from None
    if not isinstance(document, dict) or document.get("format") != format:
        raise OutputError(f"{path} holds no results of this kind; give another --output")
    return document
