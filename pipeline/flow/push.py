"""Entries that are pushed: asks hubs for them, answers their challenges, and takes in what they send.

What a hub sends is the feed, or its newest part, and goes the way of a poll's answer: into the archive, and its entries
into the ledger, where one that a poll has brought already is the same one. Polls go on, seldom while a hub pushes.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from aiohttp import web

from pipeline.errors import ArchiveError, FeedError, FetchError, LedgerError
from pipeline.feeds import announced, parse
from pipeline.feeds.websub import Intent, form, is_signed
from pipeline.fetch import Fetcher, raise_for_status
from pipeline.flow.shift import Shift
from pipeline.ledger import Ledger
from pipeline.ledger.subscriptions import Subscription, SubscriptionState
from pipeline.records import Feed, FeedState, Page, Sighting

log = structlog.get_logger("wirewatch")

PATH = "/websub/"
BACKSTOP = timedelta(hours=1)
"""How seldom a feed is polled whose hub pushes: what a hub loses without a word is then an hour late."""
LOOK = 30.0
"""Seconds between two looks for hubs that are to be asked."""
AT_ONCE = 100
PUSHES_AT_ONCE = 16
"""Pushes that are read and stored at once, each of up to ``max_bytes``: a hub is a stranger, and may send many."""
AGAIN = 30
"""Seconds after which a hub may come again with a push that there was no room for."""


async def keep_subscribed(shift: Shift, fetcher: Fetcher, *, once: bool = False) -> None:
    """Subscribe to the feeds that name a hub, and renew what runs out, for as long as the run lasts."""
    await asyncio.to_thread(shift.ledger.catch_up, shift.clock(), shift.settings.min_interval)
    while not shift.stopping.is_set():
        due = await asyncio.to_thread(shift.ledger.subscriptions_due, shift.clock(), AT_ONCE)
        await asyncio.gather(*(_ask(shift, fetcher, one) for one in due))
        if not due and (once or await shift.stopped_within(LOOK)):
            return


async def _ask(shift: Shift, fetcher: Fetcher, one: Subscription) -> None:
    """Ask one hub. What comes of it, the hub tells the callback."""
    mode = "unsubscribe" if one.state is SubscriptionState.ENDING else "subscribe"
    callback = f"{shift.settings.websub}{PATH.lstrip('/')}{one.token}"
    try:
        page = await fetcher.post(one.hub, form(mode, one.topic, callback, one.secret))
        raise_for_status(page)
    except FetchError as error:
        log.warning("hub failed", hub=one.hub, topic=one.topic, reason=error.reason)
        shift.tally.add("hub-failures")
        await asyncio.to_thread(shift.ledger.hub_failed, one, error.reason)
        return
    shift.tally.add(f"hubs-asked-to-{mode}")


def backed(
    feed: Feed, new: int, before: Feed, subscription: Subscription | None, now: datetime
) -> tuple[Feed, str | None]:
    """A polled feed with its next poll put off where a hub pushes it, or why the hub is not to be trusted with it.

    A hub is trusted once it has pushed something new. A poll that finds news although the hub has pushed nothing since
    the poll before shows that the hub is silent, if it had been asked by then. The feed's own rhythm stays what it was:
    that polls find nothing new says nothing of the feed while its hub is quicker.
    """
    if subscription is None or not subscription.pushes(now) or feed.failures:
        return feed, None
    asked, heard, polled = subscription.asked, subscription.last_push, before.last_polled
    if new and asked and polled and asked < polled and (heard is None or heard < polled):
        return feed, f"a poll found {new} new {'entry' if new == 1 else 'entries'} that it had not pushed"
    if feed.next_poll is None or heard is None:
        return feed, None
    own = min(feed.interval, before.interval)
    return replace(feed, interval=own, next_poll=max(feed.next_poll, now + BACKSTOP)), None


class Callback:
    """What hubs may say to a worker, each at the address that it was given."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._ledger: Ledger = shift.ledger
        self._room = asyncio.Semaphore(PUSHES_AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH + "{token}", self.intent), web.post(PATH + "{token}", self.push)]

    async def intent(self, request: web.Request) -> web.Response:
        """A challenge, echoed where it is for what we have asked; or a denial, noted."""
        intent = Intent.of(request.query)
        one = await self._of(request)
        if one is None or intent.topic != one.topic:
            raise web.HTTPNotFound
        now = self._shift.clock()
        match intent.mode:
            case "denied" if one.state is SubscriptionState.ENDING:
                await asyncio.to_thread(self._ledger.end_subscription, one)  # it knows nothing of it, then
                return web.Response(text="noted\n")
            case "denied":
                reason = f"the hub refuses: {intent.reason or 'it does not say why'}"
                await asyncio.to_thread(self._ledger.hub_refused, one, reason, now)
                return web.Response(text="noted\n")
            case "subscribe" if one.asked is not None and one.state is not SubscriptionState.ENDING:
                await asyncio.to_thread(self._ledger.hub_confirmed, one, intent.lease, now)
                log.info("a hub pushes", hub=one.hub, topic=one.topic, days=round(intent.lease / timedelta(days=1), 2))
            case "unsubscribe" if one.state is SubscriptionState.ENDING:
                await asyncio.to_thread(self._ledger.end_subscription, one)
            case _:
                raise web.HTTPNotFound  # nobody asked for it
        return web.Response(text=intent.challenge, content_type="text/plain")

    async def push(self, request: web.Request) -> web.Response:
        """Something new of a feed. What is not signed with its secret is passed over: it may come from anybody."""
        one = await self._of(request)
        if one is None or one.state is SubscriptionState.ENDING:
            raise web.HTTPGone
        if self._room.locked():
            self._shift.tally.add("pushes-put-off")
            raise web.HTTPServiceUnavailable(headers={"Retry-After": str(AGAIN)})
        async with self._room:
            return await self._read(one, request)

    async def _read(self, one: Subscription, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(self._shift.settings.total_timeout):
                body = await request.read()  # no more than settings.max_bytes
        except TimeoutError:
            self._shift.tally.add("pushes-slow")
            raise web.HTTPRequestTimeout from None
        if not is_signed(body, request.headers.get("X-Hub-Signature"), one.secret):
            self._shift.tally.add("pushes-unsigned")
            log.warning("a push is not signed as it should be", topic=one.topic, by=request.remote)
            return web.Response(status=HTTPStatus.ACCEPTED)
        headers = tuple((name, value) for name, value in request.headers.items() if name.lower() in _KEPT)
        try:
            outcome = await self._take(one, body, headers)
        except (LedgerError, ArchiveError) as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from error  # and the hub tries again
        self._shift.tally.add(f"pushes-{outcome}")
        return web.Response(status=HTTPStatus.ACCEPTED)

    async def _take(self, one: Subscription, body: bytes, headers: tuple[tuple[str, str], ...]) -> str:
        now = self._shift.clock()
        feed = await asyncio.to_thread(self._ledger.feed, one.feed)
        if feed is None:
            return "unwanted"
        page = Page(url=feed.url, final_url=feed.url, status=200, headers=headers, body=body, fetched=now)
        try:
            parsed = await asyncio.to_thread(parse, body, url=feed.url, headers=headers)
        except FeedError as error:
            # A hub that only says that there is news, or says it in some other way: the feed itself is asked.
            log.warning("a push is no feed", topic=one.topic, reason=error.reason)
            well = feed.failures == 0 and feed.state is FeedState.ACTIVE  # else its server has said when
            soon = max(now, (feed.last_polled or now) + timedelta(seconds=self._shift.settings.min_interval))
            if well and feed.next_poll is not None and feed.next_poll > soon:
                await asyncio.to_thread(self._ledger.touch_feed, feed.id, soon)
            return "unreadable"
        new = await asyncio.to_thread(self._store, one, page, announced(feed, page, parsed, now), now)
        if new:
            self._shift.tally.add("sightings", new)
            log.info("new entries pushed", feed=feed.url, entries=new)
            self._shift.to_fetch.set()
            self._shift.to_index.set()
        return "taken"

    def _store(self, one: Subscription, page: Page, sightings: tuple[Sighting, ...], now: datetime) -> int:
        self._shift.archive.append(page)
        self._shift.archive.flush()
        new = self._ledger.store_push(one.feed, sightings, now)
        self._ledger.note_push(one, new, now)
        return new

    async def _of(self, request: web.Request) -> Subscription | None:
        try:
            return await asyncio.to_thread(self._ledger.subscription, token=request.match_info["token"])
        except LedgerError as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from error


_KEPT = frozenset({"content-type", "link", "content-language"})
"""Headers of a push that say something of the feed; the rest is the hub's, or a proxy's."""
