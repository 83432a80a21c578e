"""No alert is lost, and none acknowledged comes twice, whenever the worker is killed and however the receiver behaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from pipeline.alerts.files import rules_files
from pipeline.flow import utc_now
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Feed, feed_id
from pipeline.settings import load_settings
from tests.support.receiver import SECRET, Receiver

KILLS = int(os.environ.get("ALERT_KILLS", "30"))
"""``make kills`` asks for 200: some eight minutes on two cores that have nothing else to do."""
SEED = 20261126
# The channel's patience is long enough for a machine that stalls for some seconds: an answer that comes later than that
# is none to the sender, though the receiver counts it as one.
RULES = """\
rules:
  - {name: once, query: kashmir, channels: [hook]}
  - {name: each, query: kashmir AND monday, throttle: every version, channels: [hook]}
channels:
  hook: {type: webhook, url: "URL", secret: {env: HOOK_SECRET}, timeout: 10}
"""
SYLLABLES = [
    start + end
    for start in ["b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v"]
    for end in ["an", "ek", "il", "om", "ush", "eta", "ivo", "arn"]
]
# Sixteen thousand words: two stories share next to none, and nothing takes them for accounts of one event.
WORDS = [one + other for one in SYLLABLES for other in SYLLABLES]


def body(token: str, more: str) -> str:
    """A story's text: of no two stories alike, so that they are no copies of each other, and of one always the same."""
    chance = random.Random(token)
    sentences = [" ".join(chance.choices(WORDS, k=14)).capitalize() + "." for _ in range(9)]
    opening = f"Officials in Kashmir said on Monday that {token} had been seen."
    return "\n\n".join([opening, " ".join(sentences[:5]), " ".join([*sentences[5:], more])])


@dataclass
class Story:
    token: str
    title: str
    more: str = ""
    feeds: tuple[str, ...] = ("a",)


@dataclass
class Site:
    """Two outlets on loopback: each edition brings a new story, a copy of it by the other, an update, a correction."""

    stories: list[Story] = field(default_factory=list)
    requests: int = 0

    def __enter__(self) -> Site:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests += 1
                found = site.page(self.path)
                self.send_response(404 if found is None else 200)
                kind, text = found or ("text/plain", "")
                body = text.encode()
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients are killed: no news
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self) -> None:
        number = len(self.stories)
        token = f"convoy{number}x"
        both = ("a", "b") if number % 3 == 0 else ("a",)
        if number > 4 and number % 4 == 0:
            self.stories[-3].title = f"UPDATE 1-{self.stories[-3].title}"
            self.stories[-3].more = "The road was open again by night, a driver said."
        if number > 4 and number % 5 == 0:
            self.stories[-4].title = f"CORRECTED-{self.stories[-4].title}"
            self.stories[-4].more = "This story corrects the name of the road."
        self.stories.append(Story(token, f"{token} {' '.join(random.Random(token).choices(WORDS, k=6))}", feeds=both))

    def page(self, path: str) -> tuple[str, str] | None:
        outlet, _, rest = path.strip("/").partition("/")
        if path == "/robots.txt":
            return None
        if rest == "feed.xml":
            listed = [(n, story) for n, story in enumerate(self.stories) if outlet in story.feeds][-30:]
            items = "".join(
                f"<item><title>{story.title}</title><link>http://{self.host}/{outlet}/{n}</link>"
                f"<guid>{outlet}{n}</guid><pubDate>{format_datetime(utc_now())}</pubDate>"
                f"<description>{story.title}</description></item>"
                for n, story in reversed(listed)
            )
            return "application/rss+xml", f'<rss version="2.0"><channel><title>{outlet}</title>{items}</channel></rss>'
        if rest.isdigit() and int(rest) < len(self.stories):
            story = self.stories[int(rest)]
            paragraphs = body(story.token, story.more).split("\n\n")
            text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
            return (
                "text/html",
                f"<html lang=en><head><title>{story.title}</title></head><body><article><h1>{story.title}</h1>{text}</article></body></html>",
            )
        return None


def moods(chance: random.Random) -> dict[int, str]:
    return dict(enumerate(chance.choices(["ok", "fail", "lie", "hang"], [80, 9, 8, 3], k=100_000)))


@dataclass
class Desk:
    """One data folder under a site, and a way to run and to kill."""

    site: Site
    receiver: Receiver
    folder: Path
    ledger: Ledger

    def begin(self) -> subprocess.Popen[bytes]:
        for feed in self.ledger.feeds():
            self.ledger.touch_feed(feed.id, feed.added)
        environment = os.environ | {
            "WIREWATCH_DATA": str(self.folder),
            "WIREWATCH_ALLOW_HOSTS": self.site.host,
            "WIREWATCH_HOST_DELAY": "0",
            "WIREWATCH_ENRICH": "false",
            "WIREWATCH_ALERT_RETRY": "0.2",
            "HOOK_SECRET": SECRET,
        }
        command = [sys.executable, "-m", "pipeline", "run", "--once", "--quiet"]
        return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)

    def events(self) -> int:
        return self.site.requests + len(self.receiver.taken) + self.receiver.refused

    def finish(self) -> None:
        """Run undisturbed until nothing is owed."""
        for _ in range(60):
            assert self.begin().wait(300) == 0
            counts, owed = self.ledger.outbox.counts(), self.ledger.owed(utc_now())
            if counts["owed"] == 0 and owed["index"]["now"] == owed["fetch"]["now"] == 0:
                return
            time.sleep(0.3)
        raise AssertionError("something stays owed")


def a_desk(folder: Path, site: Site, receiver: Receiver) -> Desk:
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "rules.yaml").write_text(RULES.replace("URL", receiver.url))
    assert rules_files(folder / "rules")
    settings = load_settings(folder)
    ledger = open_ledger(settings.ledger_file)
    for outlet in ("a", "b"):
        url = f"http://{site.host}/{outlet}/feed.xml"
        ledger.add_feed(Feed(id=feed_id(url), url=url, added=utc_now(), source=f"Outlet {outlet}"))
    desk = Desk(site, receiver, folder, ledger)
    assert desk.begin().wait(300) == 0  # the silent first poll, of empty feeds
    return desk


def disturb(desk: Desk, kills: int, chance: random.Random, *, couriers: bool = False) -> list[float]:
    """Kill the worker again and again, at random moments of its work. Returns when. With ``couriers``, kill what it
    began as well."""
    killed: list[float] = []
    while len(killed) < kills:
        desk.site.publish()
        before, process = desk.events(), desk.begin()
        wanted = chance.randint(0, 14)
        while process.poll() is None and desk.events() < before + wanted:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.3))
        if process.poll() is None:
            begun = psutil.Process(process.pid).children(recursive=True) if couriers else []
            process.send_signal(signal.SIGKILL)
            killed.append(time.time())
            for child in begun:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        process.wait()
    return killed


def check(desk: Desk) -> None:
    """Everything published was told by both rules, everything that fired was taken, each under one key."""
    receiver = desk.receiver
    acknowledged = [message for message in receiver.taken if message.acknowledged]
    for rule in ("once", "each"):
        told = " ".join(alert["headline"] for m in acknowledged if m.body["rule"] == rule for alert in m.body["alerts"])
        missing = [story.token for story in desk.site.stories if story.token not in told]
        assert missing == [], rule
    fired = {told.alert.id for told in desk.ledger.outbox.told(limit=100_000) if told.deliveries}
    assert {alert["id"] for message in acknowledged for alert in message.body["alerts"]} == fired
    keys: dict[str, set[str]] = {}
    for message in receiver.taken:
        for alert in message.body["alerts"]:
            keys.setdefault(alert["id"], set()).add(message.key)
    assert {id_: found for id_, found in keys.items() if len(found) > 1} == {}
    spoken = Counter(
        (alert["rule"], alert["story"])
        for body in {message.key: message.body for message in acknowledged}.values()
        for alert in body["alerts"]
        if alert["kind"] == "match" and alert["rule"] == "once"
    )
    assert [story for story, times in spoken.items() if times > 1] == []
    assert all(message.signed for message in receiver.taken)


@pytest.mark.slow
@pytest.mark.timeout(300 + 60 * KILLS)
def test_kills_of_the_worker_lose_no_alert_and_double_none_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    sequence = iter(moods(chance).values())
    with Site() as site, Receiver(mood=lambda *_: next(sequence), hang=15.0) as receiver:
        desk = a_desk(tmp_path, site, receiver)
        killed = disturb(desk, KILLS, chance)
        desk.finish()
        check(desk)
        assert receiver.histories() == {}
        assert len(killed) == KILLS
        print(
            f"{len(killed)} kills, {len(site.stories)} stories, {len(receiver.keys)} keys, {len(receiver.taken)} taken, "
            f"{receiver.refused} refused, {sum(not message.acknowledged for message in receiver.taken)} taken and denied"
        )


@pytest.mark.slow
@pytest.mark.timeout(300 + 60 * KILLS)
def test_kills_of_the_worker_and_the_courier_lose_no_alert_and_repeat_only_what_was_under_way(tmp_path: Path) -> None:
    chance = random.Random(SEED + 1)
    with Site() as site, Receiver() as receiver:
        desk = a_desk(tmp_path, site, receiver)
        killed = disturb(desk, max(5, KILLS // 5), chance, couriers=True)
        desk.finish()
        check(desk)
        # What was under way when everything died may have arrived; it comes again, under its key, and says so.
        for key in receiver.doubled():
            first, *again = [message for message in receiver.taken if message.key == key]
            assert all(message.attempt > first.attempt for message in again)
            assert any(abs(at - first.at) < 2.0 for at in killed), key
