"""The tables on the pages are those that the measured files make."""

from __future__ import annotations

import pytest

from benchmarks.tables import PAGES, TABLES, filled
from tests.docs.pages import REPOSITORY


@pytest.mark.parametrize("page", PAGES)
def test_no_table_was_typed(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert filled(text) == text


def test_every_table_stands_on_a_page() -> None:
    pages = "".join((REPOSITORY / page).read_text(encoding="utf-8") for page in PAGES)
    for name in TABLES:
        assert f"<!-- {name} -->" in pages
        assert f"<!-- end of {name} -->" in pages
