"""How the site is built; ``make docs`` builds it, without a network."""

from __future__ import annotations

import re
from typing import Any

from docutils.nodes import Element, SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

import deqsci

project = "deqsci"
author = "deqsci contributors"
version = release = deqsci.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
default_role = "py:obj"
nitpicky = False  # shapes are written in brackets, which are no types

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = f"deqsci {version}"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

SECTION = re.compile(r"(Parameters|Attributes|Returns|Raises)")
ENTRY = re.compile(r"(?P<names>[\w*, ]+?) : (?P<text>.+)")


def sections(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Write the sections of a docstring as lists: their entries are prose, with shapes and units.

    An entry is ``name : prose``, its next lines are indented.
    """
    written: list[str] = []
    inside = False
    index = 0
    while index < len(lines):
        line = lines[index]
        underline = lines[index + 1] if index + 1 < len(lines) else ""
        if SECTION.fullmatch(line) and underline and set(underline) == {"-"}:
            written += [f"**{line}**", ""]
            inside = True
            index += 2
            continue
        entry = ENTRY.fullmatch(line) if inside else None
        if entry:
            written.append(f"* **{entry['names']}** – {entry['text']}")
        elif inside and line.startswith("    "):
            written.append(f"  {line.strip()}")
        else:
            written.append(line)
        index += 1
    lines[:] = written


def signature(
    app: Any, what: str, name: str, obj: Any, options: Any, arguments: str | None, back: str | None
) -> tuple[str | None, str | None]:
    """Types by their own names, without their modules."""
    short = [text and re.sub(r"~?\b(?:\w+\.)+(?=[A-Za-z])", "", text) for text in (arguments, back)]
    return short[0], short[1]


def formula(self: Any, node: Element) -> None:
    """A formula as MathML, which browsers draw by themselves: no script, no fonts, no network."""
    self.body.append(tex2mathml(node.astext(), as_block=node.tagname == "math_block"))
    raise SkipNode


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", sections)
    app.connect("autodoc-process-signature", signature)
    app.add_html_math_renderer("mathml", (formula, None), (formula, None))


html_math_renderer = "mathml"
