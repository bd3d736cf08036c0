"""A section of the page: a claim, what was found, and whether it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

# The order of the published tables; other scenes follow by name.
KNOWN = ("kobe", "traffic", "runner", "drop", "crash", "aerial")


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds, decided by the figures, and by how much."""

    holds: bool
    why: str

    def __str__(self) -> str:
        return f"{'**Holds**' if self.holds else '**Does not hold**'}: {self.why}"


@dataclass(frozen=True)
class Section:
    """What one results file says."""

    verdicts: Sequence[Verdict]
    how: str
    """How it was measured."""
    tables: Sequence[str]
    figure: str | None = None
    """Text in place of the picture, where there is one."""
    reading: str = ""
    """What the figures mean."""


def snapshot_used(settings: Mapping[str, Any]) -> str:
    """What of a scene was reconstructed, to begin a sentence."""
    crop = settings.get("crop")
    middle = f"The middle {crop}×{crop} of each scene's first snapshot"
    return "The first snapshot of each scene" if crop is None else middle


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None, digits: int = 2) -> str:
    """Fixed-point, or a dash for what is not there."""
    return "–" if value is None else f"{value:.{digits}f}"


def power(value: float | None) -> str:
    """Scientific with one decimal, or a dash."""
    return "–" if value is None else f"{value:.1e}"


def span(values: Sequence[float], digits: int = 0) -> str:
    """Lowest to highest, or the one value there is."""
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low} – {high}"


def percent(share: float) -> str:
    """Of 1, with two significant digits."""
    return f"{100 * share:.2g} %"


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean."""
    listed = list(values)
    return sum(listed) / len(listed)


def scene_name(file: str) -> str:
    """The name that people use: Traffic for traffic48_cacti.mat."""
    word = re.match(r"[A-Za-z]+", file)
    return word.group().capitalize() if word else file


def scene_order(file: str) -> tuple[int, str]:
    """Sort key of a scene."""
    name = scene_name(file).lower()
    return (KNOWN.index(name) if name in KNOWN else len(KNOWN)), file


def by_scene(cells: Iterable[Document]) -> list[Document]:
    """Cells by model and then by scene."""
    return sorted(cells, key=lambda cell: (cell["model"], scene_order(cell["scene"])))


def values_of(cells: Iterable[Document], key: str) -> list[Any]:
    """Different values of a key, in the order they appear."""
    return list(dict.fromkeys(cell[key] for cell in cells))
