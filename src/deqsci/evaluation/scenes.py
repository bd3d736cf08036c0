"""The scenes of a benchmark: their order, their names in a table, what tells them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deqsci.io import SnapshotFile
from deqsci.io.digest import sha256
from deqsci.io.images import natural_key

ORDER = ("kobe", "traffic", "runner", "drop", "crash", "aerial")
"""The six standard scenes in the order in which the field prints them."""
ALIASES = {"vehicle": "crash"}


def standard_name(path: Path) -> str | None:
    """Which of the six standard scenes a file is by its name; None for any other.

    ``traffic48_cacti.mat``, ``Traffic.npz`` and ``traffic`` are Traffic, ``trafficlight`` is not.
    """
    word = re.match(r"[a-z]*", path.stem.lower())
    name = "" if word is None else word.group()
    name = ALIASES.get(name, name)
    return name if name in ORDER else None


def in_order(files: Iterable[Path]) -> list[Path]:
    """The standard scenes in their order, then the others by name."""

    def key(file: Path) -> tuple[int, list[tuple[int, str]]]:
        name = standard_name(file)
        return len(ORDER) if name is None else ORDER.index(name), natural_key(file.name)

    return sorted(files, key=key)


def titles(names: Sequence[str]) -> dict[str, str]:
    """What to call each file in a table: the standard scene, else its stem, else its whole name."""
    chosen = {}
    for name in names:
        path = Path(name)
        standard = standard_name(path)
        chosen[name] = path.stem if standard is None else standard.capitalize()
    for shorten in (lambda name: Path(name).stem, str):  # where two would share a title
        shown = list(chosen.values())
        chosen = {
            name: title if shown.count(title) == 1 else shorten(name)
            for name, title in chosen.items()
        }
    return chosen


def facts(path: Path) -> dict[str, Any]:
    """What identifies the file; nothing where it cannot be read, which its cell will tell."""
    try:
        return {"sha256": sha256(path)}
    except OSError:
        return {"sha256": None}


def first(scene: SnapshotFile, snapshots: int | None) -> SnapshotFile:
    """The scene with so many snapshots at most."""
    if snapshots is None or snapshots >= len(scene.snapshots):
        return scene
    frames = snapshots * len(scene.masks)
    truth = None if scene.truth is None else scene.truth[:frames]
    return replace(scene, snapshots=scene.snapshots[:snapshots], truth=truth)
