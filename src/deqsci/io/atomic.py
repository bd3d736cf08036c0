"""A file is there whole or not at all: write beside it, then rename."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deqsci.errors import OutputError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Lend a temporary path beside ``path``; rename it to ``path`` once the block has ended well.

    The temporary file keeps the suffix, by which encoders choose their format. If the block
    raises (Ctrl-C included), the temporary file goes and whatever stood at ``path`` stays.
    Missing parent folders are made.

    Raises
    ------
    OutputError : the folder cannot be made or written, or ``path`` is a folder.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; wanted the path of a file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}.", suffix=f".part{path.suffix}", dir=path.parent
        )
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({reason(error)}); give an output path that can be"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"writing {path} failed: {reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def reason(error: OSError) -> str:
    """The system's own words for what went wrong, without the path and the number."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
