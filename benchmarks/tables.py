"""Write the tables of README and site from the files that hold what was measured.

    python -m benchmarks.tables

A table stands between ``<!-- NAME -->`` and ``<!-- end of NAME -->``, and nothing in it is typed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.ablation import table as ablation
from benchmarks.generality import table as generality
from benchmarks.one_mask import table as one_mask
from deqsci.evaluation.formats import markdown
from deqsci.evaluation.table import tabulate
from deqsci.io.atomic import atomic_path

Document = dict[str, Any]


def results(document: Document) -> str:
    """Methods by scenes, with what the numbers mean."""
    text, _, _ = markdown(tabulate(document), document["cells"]).partition("## Cells")
    return text.strip()


TABLES: dict[str, tuple[str, Callable[[Document], str]]] = {
    "results": ("docs/results.json", results),
    "generality": ("docs/generality.json", generality),
    "generality of de-gap-st": ("docs/generality-de-gap-st.json", generality),
    "generality of the paper's models": ("docs/generality-paper-models.json", generality),
    "ablation": ("docs/ablation.json", ablation),
    "one mask": ("docs/one-mask.json", one_mask),
}
"""Where the numbers of each table lie, and how it is made of them."""

PAGES = ("README.md", "docs/paper-models.md", "docs/space-time.md", "docs/non-local.md")


def main() -> None:
    for name in PAGES:
        page = Path(name)
        with atomic_path(page) as temporary:
            temporary.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def filled(text: str) -> str:
    """The page with its tables made anew."""
    for name, (source, make) in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        if begin in text:
            before, _, rest = text.partition(begin)
            _, found, after = rest.partition(end)
            if not found:
                raise SystemExit(f"{begin} has no {end}; nothing was written")
            table = make(json.loads(Path(source).read_text(encoding="utf-8")))
            text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    main()
