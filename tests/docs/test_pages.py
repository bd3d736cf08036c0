"""What the pages point to is there."""

from __future__ import annotations

import re
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
    application = pytest.importorskip("sphinx.application", reason="the docs extra is missing")
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    site = application.Sphinx(
        str(DOCS), str(DOCS), str(tmp_path / "site"), str(tmp_path / "trees"), "html",
        status=None, warningiserror=True,
    )  # fmt: skip
    site.build()
    assert site.statuscode == 0
    page = (tmp_path / "site" / "api" / "models.html").read_text(encoding="utf-8")
    assert "convergence_report" in page
    assert "<math" in (tmp_path / "site" / "mathematics.html").read_text(encoding="utf-8")
