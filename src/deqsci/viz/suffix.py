"""The suffix of a picture chooses its format; others are refused before any work."""

from __future__ import annotations

from pathlib import Path

from deqsci.errors import OutputError

PAGES = (".png", ".pdf", ".svg")


def check_suffix(path: Path, known: tuple[str, ...] = PAGES) -> str:
    """The suffix of ``path`` in small letters.

    Raises
    ------
    OutputError : it is none of ``known``.
    """
    suffix = path.suffix.lower()
    if suffix not in known:
        raise OutputError(
            f"{path} is no picture that is written here; give one of {', '.join(known)}"
        )
    return suffix
