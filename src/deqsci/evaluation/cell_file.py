"""A JSON file of measured cells: valid at any moment, and what a stopped run goes on from."""

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


class CellFile:
    """Cells, each named by its key, in a file that is rewritten whole after each.

    Parameters
    ----------
    path : the file; nothing is written before the first cell is put.
    document : what the file says beside its cells, and the cells to begin with.
    """

    def __init__(self, path: Path, document: Mapping[str, Any], cells: list[Cell]) -> None:
        self.path, self.cells = path, cells
        self.document: dict[str, Any] = {**jsonable(document), "cells": cells}

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


def read_document(path: Path) -> dict[str, Any]:
    """The document of a file of cells, or nothing where there is no file.

    Raises
    ------
    OutputError : the file is something else, or cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise OutputError(
            f"{path} cannot be read as results ({error}); give another --output"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise OutputError(f"{path} holds no results of this kind; give another --output")
    return document


def _is(cell: Cell, key: Key) -> bool:
    return all(cell.get(name) == value for name, value in key.items())
