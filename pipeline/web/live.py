"""New hits of a search as they are indexed, by server-sent events.

One task looks every few seconds whether anything came in at all; only then does each open page's own search run. What
a page shows is told apart by id, not by time: an article's ``indexed`` is stamped some moments before it can be found.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from pipeline.errors import QueryError, WirewatchError
from pipeline.index import Kind
from pipeline.records import Hit
from pipeline.web import limits, site
from pipeline.web.address import Address
from pipeline.web.search import hits_of

EVERY: Final = 3.0
"""Seconds between looks for news. A look is one count, some 0.2 ms (2026-11-25)."""
MARGIN: Final = timedelta(seconds=120)
"""How long an article may take from its stamp into the index: the longest batch, with a merge."""
PULSE: Final = 20.0
"""Seconds after which a word is sent though nothing came, so that nobody in between thinks the line dead."""
LONGEST: Final = 1_800.0
"""Seconds after which a page has to ask again, as browsers do by themselves."""
LISTENERS: Final = 100
"""Pages that may listen at once."""

log = structlog.get_logger("wirewatch")


class Newsdesk:
    """Watches the index on behalf of all open pages."""

    def __init__(self, here: site.Site) -> None:
        self._site = here
        self.listeners = 0
        self._news = asyncio.Condition()
        self._editions = 0

    async def watch(self) -> None:
        """Look for news until cancelled."""
        last: tuple[int, ...] | None = None
        while True:
            await asyncio.sleep(EVERY)
            if not self.listeners:
                last = None
                continue
            try:
                now = await run_in_threadpool(lambda: tuple(self._site.index.count(kind) for kind in Kind))
            except WirewatchError as error:
                log.warning("the page cannot look for news", reason=str(error))
                continue
            if now != last:
                last = now
                async with self._news:
                    self._editions += 1
                    self._news.notify_all()

    async def next(self, seen: int) -> int:
        """Wait for an edition after ``seen``, or for a while; the number of the last one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PULSE), self._news:
                await self._news.wait_for(lambda: self._editions != seen)
        return self._editions


async def stream(request: Request) -> Response:
    """``/live?…``: the new hits of a search, each event a piece of the page."""
    here = site.of(request)
    desk: Newsdesk = request.app.state.desk
    begun = datetime.now(UTC)
    try:
        address = Address.read(request.query_params.multi_items())
        limits.refuse_dear(address.parsed(begun))
    except QueryError as error:
        return PlainTextResponse(error.reason, 400)
    here.searches.take(site.visitor(request))
    if desk.listeners >= LISTENERS:
        return PlainTextResponse("Too many pages are listening just now.", 503, {"Retry-After": "60"})
    return StreamingResponse(
        _events(request, here, desk, address, begun),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _events(
    request: Request, here: site.Site, desk: Newsdesk, address: Address, begun: datetime
) -> AsyncIterator[str]:
    extra = f"indexed:[{begun - MARGIN:%Y-%m-%dT%H:%M:%SZ} TO *]"
    template = here.templates.get_template("news.html")

    def look() -> list[Hit]:
        return list(hits_of(here.index, address, begun, extra))

    desk.listeners += 1
    try:
        seen = {hit.id for hit in await run_in_threadpool(look)}
        edition = -1
        yield "retry: 5000\n\n"
        while (datetime.now(UTC) - begun).total_seconds() < LONGEST:
            last, edition = edition, await desk.next(edition)
            if last == edition:
                yield ": nothing new\n\n"
                continue
            try:
                fresh = [hit for hit in await run_in_threadpool(look) if hit.id not in seen]
            except WirewatchError as error:
                log.warning("new hits cannot be had", reason=str(error))
                continue
            seen.update(hit.id for hit in fresh)
            if fresh:
                html = template.render(hits=fresh, address=address)
                yield "".join(f"data: {line}\n" for line in html.splitlines() if line.strip()) + "\n"
    finally:
        desk.listeners -= 1
