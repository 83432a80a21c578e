"""The feeds: how each fares, in words; adding one by a site's address; lists of feeds as OPML, in and out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.errors import FeedError, FetchError
from pipeline.feeds import gone_quiet, health, list_opml, pushed, write_opml
from pipeline.fetch import Archive, Fetcher
from pipeline.flow import utc_now
from pipeline.flow.subscribe import feed_listed, recent_volumes, subscribe
from pipeline.records import Feed, FeedState
from pipeline.web import chart, site

DAYS: Final = 14
"""Days of a sparkline."""


def page(request: Request) -> Response:
    """``/feeds``."""
    return _shown(request)


def _shown(
    request: Request, fault: str = "", typed: str = "", skipped: tuple[Any, ...] = (), status: int = 200
) -> Response:
    here = site.of(request)
    now = utc_now()
    feeds = here.ledger.feeds()
    volumes = recent_volumes(here.ledger, feeds, now)
    by_day = here.ledger.volume(now - timedelta(days=DAYS), now)
    baselines = here.ledger.baselines()
    hubs = here.ledger.subscriptions()
    rows: list[dict[str, Any]] = [
        {
            "feed": feed,
            "health": health(feed, volumes[feed.id], now) + pushed(hubs.get(feed.id), now),
            "state": _state(feed, now, quiet=gone_quiet(volumes[feed.id])),
            "line": chart.sparkline(by_day.get(feed.id, {}), now, DAYS),
            "total": sum(by_day.get(feed.id, {}).values()),
            "baseline": baselines.get(feed.id, 0),
        }
        for feed in feeds
    ]
    order = ["failing", "gone", "quiet", "new", "well"]
    rows.sort(key=lambda row: (order.index(row["state"]), row["feed"].source.casefold()))
    return here.page(
        request,
        "feeds.html",
        status,
        rows=rows,
        fault=fault,
        typed=typed,
        skipped=skipped,
        said=request.query_params.get("said", "")[:300],
        days=DAYS,
    )


def _state(feed: Feed, now: datetime, *, quiet: bool) -> str:
    if feed.state is FeedState.GONE:
        return "gone"
    if feed.failures:
        return "failing"
    if feed.last_polled is None:
        return "new"
    return "quiet" if quiet else "well"


async def add(request: Request) -> Response:
    """Add a feed by its address, or that of a site that names one."""
    here = site.of(request)
    form = await site.form_of(request)
    address = str(form.get("address", "")).strip()[:2_000]
    source = str(form.get("source", "")).strip()[:200]
    if not address:
        return await run_in_threadpool(
            _shown, request, "Paste the address of a feed, or of a site that has one.", status=400
        )
    try:
        archive = Archive(here.settings.archive_folder, here.settings.warc_size)
        try:
            async with Fetcher(here.settings) as fetcher:
                feed, new = await subscribe(here.settings, here.ledger, archive, fetcher, address, source)
        finally:
            archive.close()
    except (FeedError, FetchError) as error:
        words = str(error)
        if isinstance(error, FetchError) and error.code == "private-address":
            words += "; if you mean it, add its host to allow_hosts (WIREWATCH_ALLOW_HOSTS)"
        return await run_in_threadpool(_shown, request, words, address, status=400)
    name = feed.source or feed.title or urlsplit(feed.url).hostname or feed.url
    entries = "1 entry" if new == 1 else f"{new} entries"
    said = f"{name} was there already." if new is None else f"Added {name}: it holds {entries} now, as its baseline."
    return RedirectResponse(f"/feeds?said={quote(said)}#feed-{feed.id}", 303)


async def remove(request: Request) -> Response:
    """Stop polling a feed. What it brought stays."""
    form = await site.form_of(request)
    here = site.of(request)
    wanted = str(form.get("feed", ""))
    known = (await run_in_threadpool(here.feeds)).get(wanted)
    if known is None:
        return await run_in_threadpool(_shown, request, f"There is no feed {wanted[:40]!r}.", status=404)
    await run_in_threadpool(here.ledger.remove_feed, known.id)
    said = f"{known.source or known.url} is polled no more. What it brought stays searchable."
    return RedirectResponse(f"/feeds?said={quote(said)}", 303)


async def poll(request: Request) -> Response:
    """Make a feed due now; the next run polls it."""
    form = await site.form_of(request)
    here = site.of(request)
    known = (await run_in_threadpool(here.feeds)).get(str(form.get("feed", "")))
    if known is None:
        return await run_in_threadpool(_shown, request, "There is no such feed.", status=404)
    await run_in_threadpool(here.ledger.touch_feed, known.id, utc_now())
    said = f"{known.source or known.url} is due now; a run that is resident polls it within seconds."
    return RedirectResponse(f"/feeds?said={quote(said)}#feed-{known.id}", 303)


async def opml_in(request: Request) -> Response:
    """Add all feeds of an OPML file."""
    here = site.of(request)
    form = await site.form_of(request)
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await run_in_threadpool(_shown, request, "Choose an OPML file first.", status=400)
    content = await file.read()
    try:
        listed = list_opml(content, name=file.filename)
    except FeedError as error:
        return await run_in_threadpool(_shown, request, str(error), status=400)
    now = utc_now()
    added = 0
    for outline in listed.feeds:
        feed = feed_listed(outline, now)
        added += await run_in_threadpool(here.ledger.add_feed, feed)
    said = f"{added} added, {len(listed.feeds) - added} already there, {len(listed.skipped)} skipped."
    if listed.skipped:
        return await run_in_threadpool(_shown, request, said, skipped=listed.skipped)
    return RedirectResponse(f"/feeds?said={quote(said)}", 303)


def opml_out(request: Request) -> Response:
    """``/feeds.opml``: all feeds as OPML."""
    content = write_opml(site.of(request).ledger.feeds())
    return Response(
        content,
        media_type="text/x-opml; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="wirewatch.opml"'},
    )
