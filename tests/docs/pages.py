"""README and the pages of the site: their fenced blocks, their links, their order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(
    [
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
        *(page for page in DOCS.rglob("*.md") if "_build" not in page.parts),
    ]
)

_FENCE = re.compile(r"^```(?P<kind>\S*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(deqsci [^`]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    kind: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(found["kind"], found["text"]) for found in _FENCE.finditer(text)]


def commands(text: str) -> list[str]:
    """The command lines of a block of shell: continued lines joined, comments left out."""
    lines = text.replace("\\\n", " ").splitlines()
    bare = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in lines)
    return [line for line in bare if line]


def inline_commands(page: Path) -> list[str]:
    """What stands as ``deqsci …`` between single backticks."""
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [" ".join(found.split()) for found in _INLINE.findall(prose)]


def links(page: Path) -> list[str]:
    """Targets of links and pictures that lie in the repository."""
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = [match["target"] for match in _LINK.finditer(prose)]
    return [target for target in found if "://" not in target]


def contents() -> list[str]:
    """The pages that the site's index names, in its order, without their suffix."""
    index = DOCS / "index.md"
    trees = [block.text for block in blocks(index) if block.kind == "{toctree}"]
    lines = [line.strip() for tree in trees for line in tree.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def title(page: Path) -> str:
    """The name of a page in a test's name."""
    return page.relative_to(REPOSITORY).as_posix()
