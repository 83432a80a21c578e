"""Operations: what is owed at each stage, what ended how, and the quarantine, with retry and drop."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.errors import WirewatchError
from pipeline.flow import utc_now
from pipeline.index import Kind
from pipeline.ledger import ItemState, Owed
from pipeline.web import site

SHOWN: Final = 200
"""Items of the quarantine on the page."""

OUTCOMES: Final = {
    ItemState.INDEXED: "in the index",
    ItemState.DUPLICATE: "copies of an article that is there",
    ItemState.SKIPPED: "pages without an article (video, live, front pages)",
    ItemState.QUARANTINED: "in quarantine",
    ItemState.DROPPED: "given up by an operator",
    ItemState.PRUNED: "removed for their age",
    ItemState.SEEN: "seen, page not fetched yet",
    ItemState.FETCHED: "fetched, not indexed yet",
}


def page(request: Request) -> Response:
    """``/operations``."""
    here = site.of(request)
    now = utc_now()
    ledger = here.ledger
    counts = ledger.counts()
    notes = ledger.notes()
    try:
        held: dict[str, int] | None = here.held()
        fault = ""
        if held is not None and held[Kind.ARTICLES.value] < counts[ItemState.INDEXED.value]:
            fault = "It holds fewer articles than were indexed: `wirewatch replay` rebuilds it from the archive."
    except WirewatchError as error:
        held, fault = None, str(error)
    feeds = here.feeds()
    quarantined = ledger.quarantined(SHOWN)
    return here.page(
        request,
        "operations.html",
        data=str(here.settings.data),
        held=held,
        fault=fault,
        feeds=feeds,
        failing=[feed for feed in feeds.values() if feed.failures],
        due=sum(feed.next_poll is None or feed.next_poll <= now for feed in feeds.values()),
        owed=ledger.owed(now),
        again=ledger.next_due(Owed.FETCH),
        outcomes=[(state.value, words, counts[state.value]) for state, words in OUTCOMES.items()],
        reasons=ledger.quarantine_reasons(),
        quarantined=quarantined,
        notes=notes,
        said=request.query_params.get("said", "")[:300],
        now=now,
    )


async def retry(request: Request) -> Response:
    """Owe items of the quarantine (one, or all) their failed stage again."""
    ids = await _chosen(request)
    here = site.of(request)
    done = await run_in_threadpool(here.ledger.retry_quarantined, ids, utc_now())
    return _back(f"{_items(done)} will be tried again by the next run.")


async def drop(request: Request) -> Response:
    """Give items of the quarantine up for good."""
    ids = await _chosen(request)
    done = await run_in_threadpool(site.of(request).ledger.drop_quarantined, ids)
    return _back(f"{_items(done)} given up.")


async def _chosen(request: Request) -> list[str] | None:
    form = await site.form_of(request)
    item = str(form.get("item", ""))
    if not item:
        raise HTTPException(400, "Which item is meant was not said.")
    return None if item == "all" else [item]


def _items(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"


def _back(said: str) -> Response:
    return RedirectResponse(f"/operations?said={quote(said)}#quarantine", 303)
