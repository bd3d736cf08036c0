"""From what a page shows to its file: template, style and script in one, and nothing let in."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from deqsci.errors import OutputError
from deqsci.io.atomic import atomic_path
from deqsci.io.run_folder import REPORT_MARK, is_report

SCRIPTS = ("pictures.js", "stage.js", "charts.js", "page.js")
"""Parts of the one script, in this order."""


def write_page(path: Path, template: str, content: Mapping[str, Any]) -> None:
    """Fill a template and write it to ``path``, whole or not at all.

    Every text of ``content`` is escaped; a style and a script other than ours would not be run.

    Raises
    ------
    OutputError : ``path`` cannot be written, or holds something that is no such page.
    """
    if path.is_file() and not is_report(path):
        raise OutputError(f"{path} exists and is no report of deqsci; give another file with -o")
    style = _asset("style.css")
    script = "".join(map(_asset, SCRIPTS))
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The browser itself refuses any other script or style, and everything that needs a network.
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    html = environment.get_template(template).render(
        mark=REPORT_MARK, policy=policy, style=style, script=script, **content
    )
    with atomic_path(path) as temporary:
        # Names of files may hold bytes that are no text.
        temporary.write_text(html, encoding="utf-8", errors="replace", newline="\n")


def link(file: Path, page: Path) -> str:
    """The address of ``file`` on ``page``, relative where both lie on one drive."""
    try:
        relative = Path(os.path.relpath(file.resolve(), page.resolve().parent))
    except ValueError:
        return file.resolve().as_uri()
    # "./" keeps a name such as "javascript:x" from being read as a scheme.
    return "./" + quote(os.fsencode(relative.as_posix()))


def _asset(name: str) -> str:
    file = resources.files("deqsci.viz.report") / "assets" / name
    return file.read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
