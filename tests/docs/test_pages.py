"""What the pages point to is there."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deqsci
from tests.docs.pages import DOCS, PAGES, contents, links, title


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        assert goal.exists(), f"{title(page)} links to {target}"
        if anchor and goal.suffix == ".md":
            assert anchor in anchors(goal), f"{title(page)} links to {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as sites and GitHub make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_has_its_place_in_the_contents() -> None:
    named = contents()
    assert len(named) == len(set(named))
    found = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")}
    assert set(named) | {"index"} == found | {"api/index"}


def test_every_example_is_shown() -> None:
    shown = set(re.findall(r"literalinclude\} (\S+)", (DOCS / "examples.md").read_text()))
    scripts = {f"../examples/{path.name}" for path in (DOCS.parent / "examples").glob("*.py")}
    assert shown == scripts


def test_every_public_name_is_described() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.rst"))
    described = set(re.findall(r"auto\w+:: ([\w.]+)", text))
    assert set(deqsci.__all__) - {"__version__"} - {"METHODS"} <= described


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    if any(importlib.util.find_spec(name) is None for name in ("sphinx", "myst_parser", "furo")):
        pytest.skip("the docs extra is not installed")
    site = tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-d", str(tmp_path / "trees")]
    built = subprocess.run([*command, str(DOCS), str(site)], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    assert "convergence_report" in (site / "api" / "models.html").read_text(encoding="utf-8")
    assert "<math" in (site / "mathematics.html").read_text(encoding="utf-8")
