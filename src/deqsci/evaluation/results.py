"""The cells of a benchmark, which are never mixed with others that do not compare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deqsci.errors import OutputError
from deqsci.evaluation.cell_file import ERROR, CellFile, read_document
from deqsci.io.jsonable import jsonable


class Results(CellFile):
    """Cells that depend on the settings of the whole file and on named inputs.

    The entry ``scene`` of a cell's key names one of the section ``scenes``, whose facts (a digest,
    say) must not change under the cells that were measured with it.

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
        before = read_document(path)
        if before and before.get("format") != format:
            raise OutputError(f"{path} holds no results of this kind; give another --output")
        new, settings = jsonable(inputs), jsonable(settings)
        old = {kind: before.get(f"{kind}s", {}) for kind in new}
        # What failed is told until it is tried again or its scene is gone; it compares to anything.
        cells = [
            cell
            for cell in before.get("cells", [])
            if cell.get(ERROR) is None or cell.get("scene") in new.get("scene", ())
        ]
        measured = [cell for cell in cells if cell.get(ERROR) is None]
        if measured:
            _compare(path, "", before["settings"], settings)
        elif before.get("settings") != settings:
            cells = []
        for cell in measured:
            for kind, facts in new.items():
                if (name := cell.get(kind)) in facts:
                    _compare(path, f"{kind} {name}: ", old[kind].get(name), facts[name])
        # Inputs of cells that are kept are, even where this run does not name them.
        used = {kind: {cell.get(kind) for cell in cells} for kind in new}
        sections = {
            f"{kind}s": {name: old[kind][name] for name in old[kind] if name in used[kind]} | facts
            for kind, facts in new.items()
        }
        document = {"format": format, **about, "settings": settings, **sections}
        super().__init__(path, document, cells)


def _compare(path: Path, what: str, before: Any, now: Any) -> None:
    """Raise OutputError naming the first thing that differs."""
    difference = _difference(before, now)
    if difference is not None:
        raise OutputError(
            f"{path} holds cells measured with {what}{difference}; cells of both would not "
            f"compare: go back to what it was, or give another --output"
        )


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
