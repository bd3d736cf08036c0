"""One claim's JSON file: what was measured, cell by cell, and all it takes to measure it again."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deqsci.io.atomic import atomic_path
from deqsci.io.digest import sha256
from deqsci.io.jsonable import jsonable

Cell = dict[str, Any]
KEPT_FOR = ("claim", "settings", "environment")


class Results:
    """A file of cells that is rewritten whole after each, so that a stopped run goes on.

    A cell is named by its key, ``model`` among it. Cells of an earlier run are kept if settings
    and environment are the same and their model's weights are; others would not compare.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], weights: Mapping[str, Path]) -> None:
        self.path = path
        hashes = {model: sha256(file) for model, file in weights.items()}
        self.document: dict[str, Any] = jsonable({**header, "weights": hashes, "cells": []})
        if path.is_file():
            self._take_over(json.loads(path.read_text()))

    def fill(self, key: Mapping[str, Any], measure: Callable[[], Mapping[str, Any]]) -> Cell:
        """The cell of that key, measured and written unless it is there."""
        for cell in self.document["cells"]:
            if all(cell.get(name) == value for name, value in key.items()):
                return dict(cell)
        began = time.perf_counter()
        made: Cell = jsonable({**key, **measure()})
        self.document["cells"].append(made)
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(self.document, ensure_ascii=False, indent=1) + "\n")
        seconds = time.perf_counter() - began
        said = ", ".join(str(value) for value in key.values())
        print(f"{self.document['claim']}: {said}: {seconds:.1f} s", file=sys.stderr, flush=True)
        return made

    def _take_over(self, before: dict[str, Any]) -> None:
        if any(before.get(name) != self.document[name] for name in KEPT_FOR):
            print(f"{self.path} was measured under other settings: starting over", file=sys.stderr)
            return
        now = self.document["weights"]
        self.document["weights"] = before["weights"] | now
        self.document["cells"] = [
            cell
            for cell in before["cells"]
            if before["weights"].get(cell["model"]) == self.document["weights"].get(cell["model"])
        ]
