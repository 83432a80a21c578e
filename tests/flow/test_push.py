"""Feeds that name a hub are pushed: asked for, verified, signed, renewed; and polled when the hub does not keep its word."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.feeds import pushed, settle
from pipeline.feeds.websub import LEASE, LONGEST, SHORTEST, Intent, form, is_signed
from pipeline.flow import Flow, utc_now
from pipeline.flow.push import BACKSTOP, backed
from pipeline.index import Kind
from pipeline.ledger import Ledger, open_ledger
from pipeline.ledger.hosts import IN_HAND_PER_HOST
from pipeline.ledger.subscriptions import LATER, PATIENCE, RENEW, Subscription, SubscriptionState
from pipeline.records import Feed
from pipeline.settings import load_settings
from tests.flow.test_flow import Desk, html, make_desk, rss, xml
from tests.flow.test_listen import free_place, get
from tests.support.hub import Hub, push, say
from tests.support.ledgers import NOW, make_feed
from tests.support.press import SYLLABLES
from tests.support.server import Reply, ScriptedServer

ITEM = "<item><title>{name}</title><link>{link}</link><guid>{link}</guid><description>Boats sail.</description></item>"
SECRET = "a secret of ours"


def news(server: ScriptedServer, hub: Hub, *names: str) -> bytes:
    links = f'<link rel="hub" href="{hub.url}" xmlns="http://www.w3.org/2005/Atom"/>'
    links += f'<link rel="self" href="{server.url("/feed")}" xmlns="http://www.w3.org/2005/Atom"/>'
    return rss(links, *(ITEM.format(name=name, link=server.url(f"/{name}")) for name in names))


def story(name: str) -> Reply:
    """A page of its own words, or it would be taken for a copy."""
    chance = random.Random(name)
    words = ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(240)]
    text = "".join(f"<p>{' '.join(words[at : at + 40]).capitalize()}, she said.</p>" for at in range(0, 240, 40))
    title = " ".join(words[:6]).capitalize()
    return html(
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}</article></body></html>"
    )


class Scene:
    """A feed with a hub, and a worker that listens to it."""

    def __init__(self, folder: Path) -> None:
        self.server, self.hub = ScriptedServer(), Hub()
        self.folder = folder

    def __enter__(self) -> Scene:
        self.server.__enter__()
        self.hub.__enter__()
        place = free_place()
        hosts = (*self.server.hosts, self.hub.host)
        self.desk: Desk = make_desk(self.folder, hosts, listen=place, websub=f"http://{place}", revisit=False)
        self.desk.add(self.server.url("/feed"))
        self.announce("old")
        for name in ("old", "new", "other"):
            self.server.on(f"/{name}", story(name))
        return self

    def __exit__(self, *_: object) -> None:
        self.desk.index.close()
        self.desk.ledger.close()
        self.hub.__exit__(None, None, None)
        self.server.__exit__(None, None, None)

    def announce(self, *names: str) -> bytes:
        body = news(self.server, self.hub, *names)
        self.server.on("/feed", xml(body))
        return body

    @asynccontextmanager
    async def running(self, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Flow]:
        flow = Flow(self.desk.settings, self.desk.ledger, self.desk.index, clock=clock)
        running = asyncio.create_task(flow.run())
        try:
            yield flow
        finally:
            flow.stop()
            await running

    @property
    def subscription(self) -> Subscription | None:
        return next(iter(self.desk.ledger.subscriptions().values()), None)

    def state(self) -> str | None:
        return None if self.subscription is None else self.subscription.state.value

    def active(self) -> bool:
        """Whether the hub pushes, and knows that it does."""
        return self.state() == "active" and bool(self.hub.asked)

    @property
    def polls(self) -> int:
        return self.server.paths.count("/feed")


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - the ledger rings no bell
            await asyncio.sleep(0.05)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("pipeline.flow.push.LOOK", 0.1)
    with Scene(tmp_path) as made:
        yield made


async def test_what_a_hub_pushes_is_indexed_without_a_poll_and_once(scene: Scene) -> None:
    async with scene.running() as flow:
        await until(scene.active)
        (asked,) = scene.hub.asked
        assert (asked.mode, asked.topic, asked.status, asked.echoed) == (
            "subscribe",
            scene.server.url("/feed"),
            200,
            True,
        )
        polls = scene.polls
        body = scene.announce("new", "old")
        assert await push(asked.callback, body, asked.secret) == 202
        await until(lambda: scene.desk.index.count(Kind.ARTICLES) == 2)
        assert await push(asked.callback, body, asked.secret, "sha1") == 202
        assert (flow.tally.counts["pushes-taken"], flow.tally.counts["sightings"], scene.polls) == (2, 2, polls)
        _, metrics = await get(scene.desk.settings.listen or "", "/metrics")
        assert 'wirewatch_subscriptions{state="active"} 1.0' in metrics
    counts = scene.desk.ledger.counts()
    # A poll that brings the same entry brings nothing new.
    assert (await asyncio.to_thread(scene.desk.pass_once)).counts["sightings"] == 0
    assert scene.desk.ledger.counts() == counts


@pytest.mark.parametrize("status", [307, 308])
async def test_a_hub_that_sends_on_to_another_is_followed(scene: Scene, status: int) -> None:
    old = scene.server.url("/old-hub")
    scene.server.on("/old-hub", Reply(status=status, headers={"Location": scene.hub.url}))
    scene.server.on("/feed", xml(news(scene.server, scene.hub, "old").replace(scene.hub.url.encode(), old.encode())))
    async with scene.running():
        await until(scene.active)
        (asked,) = scene.hub.asked
        assert (asked.mode, asked.topic, len(asked.secret) > 30) == ("subscribe", scene.server.url("/feed"), True)


@pytest.mark.parametrize(("status", "allowed", "reason"), [(302, True, "302"), (307, False, "loopback")])
async def test_a_hub_that_leads_astray_is_not_followed(scene: Scene, status: int, allowed: bool, reason: str) -> None:
    old = scene.server.url("/old-hub")
    scene.server.on("/old-hub", Reply(status=status, headers={"Location": scene.hub.url}))
    scene.server.on("/feed", xml(news(scene.server, scene.hub, "old").replace(scene.hub.url.encode(), old.encode())))
    if not allowed:
        scene.desk.settings = scene.desk.settings.model_copy(update={"allow_hosts": scene.server.hosts})
    async with scene.running():
        await until(lambda: scene.subscription is not None and scene.subscription.reason is not None)
        assert scene.subscription is not None
        assert reason in (scene.subscription.reason or "")
        assert not scene.hub.asked


async def test_what_is_not_signed_with_the_feeds_secret_is_passed_over(scene: Scene) -> None:
    async with scene.running() as flow:
        await until(scene.active)
        (asked,) = scene.hub.asked
        body = news(scene.server, scene.hub, "new")
        assert await push(asked.callback, body, "some other secret") == 202
        assert flow.tally.counts["pushes-unsigned"] == 1
        assert sum(scene.desk.ledger.counts().values()) == 1


async def test_nobody_else_can_subscribe_us_end_it_or_push_to_us(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
        (asked,) = scene.hub.asked
        nobody = asked.callback.rpartition("/")[0] + "/" + "x" * 32
        assert await say(nobody, mode="subscribe", topic=asked.topic, challenge="c") == (404, "404: Not Found")
        assert (await say(asked.callback, mode="subscribe", topic="http://other.example/", challenge="c"))[0] == 404
        assert (await say(asked.callback, mode="unsubscribe", topic=asked.topic, challenge="c"))[0] == 404
        assert (await say(asked.callback, mode="publish", topic=asked.topic, challenge="c"))[0] == 404
        assert await push(nobody, b"<rss/>", asked.secret) == 410
        assert scene.state() == "active"


async def test_a_push_that_is_no_feed_makes_the_feed_due(scene: Scene) -> None:
    async with scene.running() as flow:
        await until(scene.active)
        (asked,) = scene.hub.asked
        (feed,) = scene.desk.ledger.feeds()
        scene.desk.ledger.touch_feed(feed.id, utc_now() + timedelta(hours=5))
        assert await push(asked.callback, b"something happened", asked.secret, kind="text/plain") == 202
        assert flow.tally.counts["pushes-unreadable"] == 1
        (feed,) = scene.desk.ledger.feeds()
        assert feed.next_poll is not None
        assert feed.next_poll <= utc_now() + timedelta(seconds=scene.desk.settings.min_interval)


async def test_a_push_beyond_the_cap_is_refused(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
        (asked,) = scene.hub.asked
        assert await push(asked.callback, b" " * (scene.desk.settings.max_bytes + 1), asked.secret) == 413


async def test_a_hub_that_denies_is_noted_with_its_reason_and_asked_tomorrow(scene: Scene) -> None:
    scene.hub.denies = "no room"
    async with scene.running():
        await until(lambda: scene.state() == "refused")
        assert scene.subscription is not None
        assert scene.subscription.reason == "the hub refuses: no room"
        await asyncio.sleep(0.5)
        assert len(scene.hub.asked) == 1
        assert scene.desk.ledger.subscriptions_due(utc_now() + LATER - timedelta(minutes=1), 10) == []
        assert len(scene.desk.ledger.subscriptions_due(utc_now() + LATER, 10)) == 1


async def test_a_hub_that_fails_is_asked_again_later_each_time_and_the_feed_is_polled(scene: Scene) -> None:
    scene.hub.status = 500
    async with scene.running() as flow:
        await until(lambda: flow.tally.counts["hub-failures"] == 1)
        await until(lambda: scene.subscription is not None and scene.subscription.reason is not None)
        assert scene.subscription is not None
        assert "500" in (scene.subscription.reason or "")
        assert scene.state() == "asked"
    now = utc_now() + PATIENCE
    assert len(scene.desk.ledger.subscriptions_due(now, 10)) == 1
    assert scene.desk.ledger.subscriptions_due(now + PATIENCE, 10) == []
    assert len(scene.desk.ledger.subscriptions_due(now + 2 * PATIENCE, 10)) == 1


async def test_a_lease_is_renewed_before_it_ends(scene: Scene) -> None:
    scene.hub.lease = 1000
    async with scene.running():
        await until(scene.active)
        before = scene.subscription
        assert before is not None
        assert before.expires is not None
        assert scene.desk.ledger.subscriptions_due(before.expires - timedelta(seconds=1000 * (1 - RENEW) + 5), 10) == []
    ahead = timedelta(seconds=1000 * RENEW + 1)
    async with scene.running(clock=lambda: utc_now() + ahead):
        await until(lambda: len(scene.hub.asked) == 2)
        after = scene.subscription
        assert after is not None
        assert after.expires is not None
        assert after.expires >= before.expires + ahead
    assert [asked.mode for asked in scene.hub.asked] == ["subscribe", "subscribe"]
    assert {asked.callback for asked in scene.hub.asked} == {scene.hub.asked[0].callback}


async def test_a_feed_that_is_removed_is_unsubscribed_from(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
        (feed,) = scene.desk.ledger.feeds()
        scene.desk.ledger.remove_feed(feed.id)
        await until(lambda: scene.subscription is None)
        assert [(asked.mode, asked.echoed) for asked in scene.hub.asked] == [("subscribe", True), ("unsubscribe", True)]
        assert await push(scene.hub.asked[0].callback, b"<rss/>", scene.hub.asked[0].secret) == 410


async def test_a_feed_that_names_another_hub_changes_to_it(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
        old = scene.subscription
        (feed,) = scene.desk.ledger.feeds()
        with Hub() as other:
            scene.desk.ledger.store_poll([], lambda _: replace(feed, hub=other.url))
            await until(lambda: scene.subscription is not None and scene.subscription.hub == other.url)
        assert scene.hub.asked[-1].mode == "unsubscribe"
        assert old is not None
        assert scene.subscription is not None
        assert scene.subscription.token != old.token


async def test_a_subscription_outlives_the_worker_and_its_feed_is_looked_at_when_one_is_back(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
    (feed,) = scene.desk.ledger.feeds()
    scene.desk.ledger.store_poll([], lambda _: replace(feed, interval=0.0, last_polled=utc_now() - timedelta(hours=1)))
    scene.announce("new", "old")  # pushed while nobody listened
    async with scene.running():
        await until(lambda: scene.desk.index.count(Kind.ARTICLES) == 2)
        assert len(scene.hub.asked) == 1
        assert await push(scene.hub.asked[0].callback, scene.announce("other"), scene.hub.asked[0].secret) == 202
        await until(lambda: scene.desk.index.count(Kind.ARTICLES) == 3)


async def test_a_hub_that_denies_the_end_has_ended_it(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
        (feed,) = scene.desk.ledger.feeds()
        scene.hub.denies = "no such subscription"
        scene.desk.ledger.remove_feed(feed.id)
        await until(lambda: scene.subscription is None)
        await asyncio.sleep(0.5)
        assert [asked.mode for asked in scene.hub.asked] == ["subscribe", "unsubscribe"]


async def test_pushes_that_take_long_end_and_leave_no_room_for_more_than_some(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.flow.push.PUSHES_AT_ONCE", 1)
    scene.desk.settings = scene.desk.settings.model_copy(update={"total_timeout": 2.0})
    async with scene.running() as flow:
        await until(scene.active)
        (asked,) = scene.hub.asked
        place, _, path = asked.callback.removeprefix("http://").partition("/")
        reader, writer = await asyncio.open_connection(*place.split(":"))
        writer.write(f"POST /{path} HTTP/1.1\r\nHost: {place}\r\nContent-Length: 100\r\n\r\n<rss>".encode())
        await writer.drain()
        await asyncio.sleep(0.5)
        assert await push(asked.callback, scene.announce("new"), asked.secret) == 503
        assert (await reader.readline()).split()[1] == b"408"
        writer.close()
        assert await push(asked.callback, scene.announce("new"), asked.secret) == 202
        counts = flow.tally.counts
        assert (counts["pushes-put-off"], counts["pushes-slow"], counts["pushes-taken"]) == (1, 1, 1)


async def test_a_packed_push_is_capped_as_it_is_unpacked(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
        (asked,) = scene.hub.asked
        bomb = zlib.compress(b"<rss/>" + b" " * 50_000_000)
        assert await push(asked.callback, bomb, asked.secret, encoding="deflate") == 413


async def test_what_is_pushed_is_the_feeds_whose_address_it_came_to(scene: Scene) -> None:
    other = scene.server.url("/other.xml")
    body = news(scene.server, scene.hub, "other").replace(b"/feed", b"/other.xml")
    scene.server.on("/other.xml", xml(body))
    scene.desk.add(other)
    async with scene.running() as flow:
        await until(lambda: [one.state for one in scene.desk.ledger.subscriptions().values()] == ["active"] * 2)
        first, second = sorted(scene.hub.asked, key=lambda asked: asked.topic == other)
        assert first.secret != second.secret
        assert await push(first.callback, body.replace(b"/other<", b"/new<"), second.secret) == 202
        assert flow.tally.counts["pushes-unsigned"] == 1
        assert await push(first.callback, body.replace(b"/other<", b"/new<"), first.secret) == 202
        await until(lambda: scene.desk.index.count(Kind.ARTICLES) == 3)
    item = next(item for item in scene.desk.ledger.indexed_items() if item.url.endswith("/new"))
    (feed,) = scene.desk.ledger.find_feeds(scene.server.url("/feed"))
    assert item.sighting.feed == feed.id


async def test_a_worker_that_is_killed_leaves_its_subscription_to_the_next(scene: Scene, tmp_path: Path) -> None:
    settings = scene.desk.settings
    environment = os.environ | {
        "WIREWATCH_DATA": str(tmp_path),
        "WIREWATCH_ALLOW_HOSTS": ",".join(settings.allow_hosts),
        "WIREWATCH_HOST_DELAY": "0",
        "WIREWATCH_ENRICH": "false",
        "WIREWATCH_LISTEN": settings.listen or "",
        "WIREWATCH_WEBSUB": settings.websub or "",
    }
    async with scene.running():
        await until(scene.active)
    (asked,) = scene.hub.asked
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "pipeline", "run", "--quiet", env=environment)
    try:
        await until(lambda: listens(settings.listen or ""), 90)
        assert await push(asked.callback, news(scene.server, scene.hub, "new"), asked.secret) == 202
    finally:
        worker.kill()
        await worker.wait()
    async with scene.running():
        await until(lambda: listens(settings.listen or ""))
        assert await push(asked.callback, news(scene.server, scene.hub, "other"), asked.secret) == 202
        await until(lambda: scene.desk.index.count(Kind.ARTICLES) == 3)
    assert scene.hub.asked == [asked]


def listens(place: str) -> bool:
    host, _, port = place.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
        return True
    return False


async def test_a_failing_feed_is_not_asked_the_sooner_for_its_hub(scene: Scene) -> None:
    async with scene.running():
        await until(scene.active)
        (asked,) = scene.hub.asked
        (feed,) = scene.desk.ledger.feeds()
        failing = replace(feed, failures=3, reason="HTTP 503", next_poll=utc_now() + timedelta(hours=5))
        scene.desk.ledger.store_poll([], lambda _: failing)
        assert await push(asked.callback, b"something happened", asked.secret) == 202
        assert scene.desk.ledger.feeds() == [failing]
    old = replace(failing, last_polled=utc_now() - timedelta(hours=1))
    scene.desk.ledger.store_poll([], lambda _: old)
    scene.desk.ledger.catch_up(utc_now(), 120.0)
    assert scene.desk.ledger.feeds() == [old]


# -- who is asked, on both databases ----------------------------------------------------------------------------------


def with_hub(ledger: Ledger) -> Feed:
    feed = replace(make_feed(), hub="https://hub.example/", topic="https://e.org/feed")
    ledger.add_feed(feed)
    return feed


def test_two_workers_make_one_subscription(ledger: Ledger, place: Path | str) -> None:
    with_hub(ledger)
    other = open_ledger(place)
    asked = [*ledger.subscriptions_due(NOW, 10), *other.subscriptions_due(NOW, 10)]
    assert len(asked) == len(ledger.subscriptions()) == 1
    other.close()


def test_a_subscription_that_a_feed_does_not_want_any_more_is_ended_at_last_without_its_hub(ledger: Ledger) -> None:
    feed = with_hub(ledger)
    (one,) = ledger.subscriptions_due(NOW, 10)
    ledger.hub_confirmed(one, timedelta(days=7), NOW)
    ledger.remove_feed(feed.id)
    now = NOW
    asked = 0
    while ledger.subscriptions() and asked < 10:
        now += timedelta(days=1)
        asked += len(ledger.subscriptions_due(now, 10))
    assert asked == 3


def test_a_silent_hub_speaks_again_with_something_new(ledger: Ledger) -> None:
    feed = with_hub(ledger)
    (one,) = ledger.subscriptions_due(NOW, 10)
    ledger.hub_confirmed(one, timedelta(days=7), NOW)
    ledger.note_push(one, 2, NOW)
    ledger.hub_refused(one, "it was silent", NOW)
    ledger.note_push(one, 0, NOW)  # it comes after the polls
    silent = ledger.subscriptions()[feed.id]
    assert (silent.pushes(NOW), silent.last_push) == (False, None)
    ledger.note_push(one, 1, NOW)
    ledger.note_push(one, 0, NOW + MINUTE)
    again = ledger.subscription(feed=feed.id)
    assert again is not None
    assert (again.pushes(NOW), again.last_push, again.reason) == (True, NOW + MINUTE, None)
    assert again == ledger.subscription(token=one.token)


def test_of_one_hub_some_are_asked_at_once_and_none_of_one_that_wants_peace(ledger: Ledger) -> None:
    for number in range(12):
        feed = make_feed(f"http://site{number}.org/feed")
        ledger.add_feed(replace(feed, hub="https://slow.example/", topic=feed.url))
    with_hub(ledger)
    ledger.hold_host("hub.example", NOW + MINUTE)
    assert [one.hub for one in ledger.subscriptions_due(NOW, 100)] == ["https://slow.example/"] * IN_HAND_PER_HOST
    after = ledger.subscriptions_due(NOW + MINUTE, 100)
    assert len(after) == 12 - IN_HAND_PER_HOST + 1
    assert "https://hub.example/" in {one.hub for one in after}


# -- pure -------------------------------------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
POLLED = replace(
    make_feed(), last_polled=NOW - 20 * MINUTE, next_poll=NOW + 10 * MINUTE, hub="https://hub.example/", topic="t"
)
ACTIVE = Subscription(
    feed=POLLED.id, hub="https://hub.example/", topic="t", token="k", secret="s", state=SubscriptionState.ACTIVE,
    asked=NOW - 90 * MINUTE, expires=NOW + 90 * MINUTE, reason=None, failures=0, last_push=None,
)  # fmt: skip

BACKED = [
    ("nothing_new", replace(ACTIVE, last_push=NOW - 30 * MINUTE), 0, BACKSTOP, False),
    ("nothing_pushed_yet", ACTIVE, 0, 10 * MINUTE, False),
    ("news_that_was_not_pushed", ACTIVE, 2, 10 * MINUTE, True),
    ("news_after_a_push", replace(ACTIVE, last_push=NOW - MINUTE), 2, BACKSTOP, False),
    ("a_push_before_the_last_poll", replace(ACTIVE, last_push=NOW - 30 * MINUTE), 1, 10 * MINUTE, True),
    ("asked_only_since_the_last_poll", replace(ACTIVE, asked=NOW - MINUTE), 2, 10 * MINUTE, False),
    ("a_lease_that_ran_out", replace(ACTIVE, expires=NOW), 0, 10 * MINUTE, False),
    ("refused", replace(ACTIVE, state=SubscriptionState.REFUSED), 0, 10 * MINUTE, False),
    ("never_asked", None, 0, 10 * MINUTE, False),
]


@pytest.mark.parametrize(("one", "new", "wait", "silent"), [case[1:] for case in BACKED], ids=[c[0] for c in BACKED])
def test_a_feed_is_polled_seldom_only_while_its_hub_keeps_its_word(
    one: Subscription | None, new: int, wait: timedelta, silent: bool
) -> None:
    feed, reason = backed(POLLED, new, POLLED, one, NOW)
    assert feed.next_poll == NOW + wait
    assert (reason is not None) == silent


def test_a_pushed_feed_keeps_its_own_rhythm_however_long_polls_find_nothing_new() -> None:
    feed = replace(POLLED, interval=900.0)
    for _ in range(50):
        polled_at = NOW if feed.next_poll is None else feed.next_poll
        lasting = replace(ACTIVE, last_push=polled_at, expires=polled_at + LONGEST)
        feed, silent = backed(settle(feed, 0, 20, polled_at), 0, feed, lasting, polled_at)
        assert silent is None
        assert feed.next_poll == polled_at + BACKSTOP
    assert feed.interval == 900.0


def test_a_pushed_feed_whose_publisher_wants_more_time_has_it() -> None:
    feed, _ = backed(settle(POLLED, 0, 20, NOW, ttl=20_000), 0, POLLED, replace(ACTIVE, last_push=NOW), NOW)
    assert feed.next_poll is not None
    assert feed.next_poll >= NOW + timedelta(seconds=20_000)


def test_a_feed_that_fails_is_asked_as_one_that_fails() -> None:
    failing = replace(POLLED, failures=1)
    assert backed(failing, 0, POLLED, ACTIVE, NOW) == (failing, None)


@pytest.mark.parametrize(
    ("given", "lease"),
    [
        ("3600", timedelta(hours=1)),
        ("1", SHORTEST),
        ("9" * 11, LONGEST),
        ("9" * 40, LEASE),
        ("soon", LEASE),
        ("", LEASE),
    ],
)
def test_a_lease_is_read_and_kept_in_bounds(given: str, lease: timedelta) -> None:
    assert Intent.of({"hub.mode": "subscribe", "hub.lease_seconds": given}).lease == lease


BODY = b"<rss/>"


@pytest.mark.parametrize("signature", [None, "", "abc", "sha256", "sha256=", "sha256=abc", "md5=abc", "sha256=ü"])
def test_what_is_no_signature_is_none(signature: str | None) -> None:
    assert not is_signed(BODY, signature, SECRET)


def test_signatures_of_all_methods_are_known() -> None:
    # By openssl: printf '<rss/>' | openssl dgst -sha256 -hmac 'a secret of ours'
    by_openssl = {
        "sha1": "414fec47c9df97ac1cbc8b61a736d63647d28409",
        "sha256": "1841c8c42f32e8f45f63ba4473c2e76516f9457d4ad377cec1ac2dcd2dc15dc8",
        "SHA512": "e0224d9652ecccab68cf624d6522323e4396a88141b6905c068907f46b801aa0"
        "64435a921d8be21c1590a05a75811b219aaef98d10e97f61904a8ca13b23c2f8",
    }
    for method, digest in by_openssl.items():
        assert is_signed(BODY, f"{method}={digest}", SECRET)
        assert not is_signed(BODY + b" ", f"{method}={digest}", SECRET)


def test_a_secret_is_given_only_when_something_is_asked_for() -> None:
    assert form("unsubscribe", "t", "c", "s") == {"hub.mode": "unsubscribe", "hub.topic": "t", "hub.callback": "c"}
    assert form("subscribe", "t", "c", "s")["hub.secret"] == "s"


def test_what_a_hub_does_is_told_in_words() -> None:
    assert pushed(None, NOW) == []
    assert pushed(ACTIVE, NOW) == [
        "hub.example is to push it, until 2026-11-23 13:30 UTC; nothing new has come yet, and polls go on as before."
    ]
    assert pushed(replace(ACTIVE, last_push=NOW - MINUTE), NOW) == [
        "hub.example pushes it (the last time 1 minute ago), until 2026-11-23 13:30 UTC; polls are seldom."
    ]
    refused = replace(ACTIVE, state=SubscriptionState.REFUSED, reason="the hub refuses: no room")
    assert pushed(refused, NOW) == [
        "hub.example names itself its hub, but does not push it now: the hub refuses: no room."
    ]


@pytest.mark.parametrize("address", ["news.example", "ftp://news.example/", "https://", "https://news.example/?a=1"])
def test_an_address_that_no_hub_can_reach_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(Exception, match="websub"):
        load_settings(tmp_path, listen="127.0.0.1:9464", websub=address)
