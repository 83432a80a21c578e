"""New hits reach open pages as they are indexed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from pipeline.index import open_index
from pipeline.web import live
from tests.conformance.wire import WIRE, document
from tests.support.page import Page
from tests.web.conftest import small_wire


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(live, "EVERY", 0.1)
    with Page(small_wire(tmp_path / "data")) as running:
        yield running


class Listener:
    """Collects what a page's stream says."""

    def __init__(self, page: Page, path: str) -> None:
        self.answer = requests.get(page.url + path, stream=True, timeout=30)
        self.news = threading.Semaphore(0)
        self.ready = threading.Event()
        self.events: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        assert self.ready.wait(10)

    def _read(self) -> None:
        event: list[str] = []
        # However the stream ends is no matter of the reader's.
        with contextlib.suppress(requests.RequestException, AttributeError, ValueError):
            self._events(event)

    def _events(self, event: list[str]) -> None:
        for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line.startswith("retry:"):
                self.ready.set()
            elif line.startswith("data:"):
                event.append(line.removeprefix("data:"))
            elif not line and event:
                self.events.append("\n".join(event))
                event.clear()
                self.news.release()

    def next(self) -> str:
        assert self.news.acquire(timeout=20)
        return self.events[-1]


def fresh(name: str, title: str):  # type: ignore[no-untyped-def]
    return document(name, title, "Nothing else is here.", indexed=datetime.now(UTC), first_seen=datetime.now(UTC))


def test_a_new_hit_is_told_to_those_whose_search_it_answers_and_once(quick: Page) -> None:
    all_, some = Listener(quick, "/live"), Listener(quick, "/live?q=title:flood")
    index = open_index(quick.app.state.site.settings)
    index.upsert([fresh("one", "Flood in the valley")])
    assert "Flood in the valley" in all_.next()
    told = some.next()
    assert "<mark>Flood</mark> in the valley" in told
    assert "<li>" in told
    index.upsert([fresh("two", "Quake at sea")])
    news = all_.next()
    assert "Quake at sea" in news
    assert "Flood" not in news
    assert len(some.events) == 1


def test_what_was_there_before_is_no_news(quick: Page) -> None:
    listener = Listener(quick, "/live")
    index = open_index(quick.app.state.site.settings)
    again = replace(WIRE["talks"], article=replace(WIRE["talks"].article, version=9))
    index.upsert([again, fresh("one", "Only this")])
    told = listener.next()
    assert "Only this" in told
    assert "Kashmir talks collapse" not in told


def test_a_query_that_cannot_be_read_opens_no_stream(quick: Page) -> None:
    assert quick.get("/live?q=a+AND").status_code == 400


def test_only_so_many_pages_may_listen(quick: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LISTENERS", 1)
    listener = Listener(quick, "/live")
    assert quick.get("/live").status_code == 503
    listener.answer.close()
