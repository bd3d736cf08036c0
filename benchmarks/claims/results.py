"""One claim's JSON file: what was measured, cell by cell, and all it takes to measure it again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deqsci.evaluation.cell_file import Cell, CellFile, Key, read_document
from deqsci.io.digest import sha256
from deqsci.io.jsonable import jsonable

KEPT_FOR = ("claim", "settings", "environment")


class Results(CellFile):
    """Cells of which ``model`` is in every key.

    Those of an earlier run are kept if settings and environment are the same and their model's
    weights are; others would not compare. Unlike a user's benchmark, a claim starts over then: its
    file is made for a page, from what is there to be measured.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], weights: Mapping[str, Path]) -> None:
        before, header = read_document(path), jsonable(header)
        hashes = {model: sha256(file) for model, file in weights.items()}
        if before and any(before.get(name) != header[name] for name in KEPT_FOR):
            print(f"{path} was measured under other settings: starting over", file=sys.stderr)
            before = {}
        old = before.get("weights", {})
        now = old | hashes
        cells = [c for c in before.get("cells", []) if old.get(c["model"]) == now.get(c["model"])]
        super().__init__(path, {**header, "weights": now}, cells)

    def fill(self, key: Key, measure: Callable[[], Mapping[str, Any]]) -> Cell:
        """The cell of that key, measured and written unless it is there."""
        if (found := self.find(key)) is not None:
            return found
        began = time.perf_counter()
        made = self.put(key, measure())
        seconds = time.perf_counter() - began
        said = ", ".join(str(value) for value in key.values())
        print(f"{self.document['claim']}: {said}: {seconds:.1f} s", file=sys.stderr, flush=True)
        return made
