"""Pages for the tests of extraction: files of ``pages/`` as if they had been fetched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.records import Page

PAGES = Path(__file__).parent / "pages"
FETCHED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

MakePage = Callable[..., Page]


def page_of(
    body: bytes | str, url: str = "https://www.indusledger.example/a/1", kind: str = "text/html; charset=utf-8"
) -> Page:
    raw = body.encode() if isinstance(body, str) else body
    headers = (("Content-Type", kind),) if kind else ()
    return Page(url=url, final_url=url, status=200, headers=headers, body=raw, fetched=FETCHED)


@pytest.fixture
def stored() -> MakePage:
    """A page of ``pages/`` by its name."""

    def make(name: str, url: str = "https://www.indusledger.example/a/1") -> Page:
        return page_of((PAGES / name).read_bytes(), url)

    return make
