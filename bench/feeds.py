"""Five thousand feeds on a ten-minute cycle in one process: ``python -m bench.feeds [--feeds N] [--seconds N]``.

Every feed is on a host of its own (addresses of 127.0.0.0/8, one server), due at its own moment of the cycle; a share
of the polls brings an article, which is fetched, archived, enriched and indexed. Measured is how long after it was due
each feed was asked, and what the processes took of CPU and memory. A cycle is ten minutes; the default looks at its
first three, which are steady work from the first second on.

The peer is arithmetic: the time in which a loop that takes a second for each feed, one after the other, comes round.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from pipeline.flow import utc_now
from pipeline.index import Kind, open_index
from pipeline.ledger import open_ledger
from pipeline.records import Feed, feed_id
from pipeline.settings import load_settings

CYCLE = 600.0
NEWS = 5
"""One poll in so many brings an article: 1,000 of 5,000 feeds in ten minutes, 144,000 a day."""
START = 20.0
"""Seconds that the worker gets to begin before the first feed is due."""
WORDS = """
the council minister road river bridge villagers officials market harvest drought inquiry budget hospital teachers
strike border ceasefire envoy talks ferry storm quake vote ballot court appeal witness convoy depot refinery
""".split()  # noqa: SIM905


def paragraph(chance: random.Random) -> str:
    """Some sentences, one of them a claim."""
    said = f"Officials of the {chance.choice(WORDS)} said on Monday that the {chance.choice(WORDS)} would be closed."
    others = [" ".join(chance.choices(WORDS, k=14)).capitalize() + "." for _ in range(2)]
    return f"<p>{said} {' '.join(others)}</p>"


def address(n: int) -> str:
    """The n-th loopback address beside 127.0.0.1."""
    return f"127.{1 + n // 62_500}.{n // 250 % 250}.{1 + n % 250}"


class Handler(BaseHTTPRequestHandler):
    """A feed and an article a host. Feeds that have no news answer 304."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        host = str(self.connection.getsockname()[0])
        number = int(host.split(".")[1]) * 62_500 + int(host.split(".")[2]) * 250 + int(host.split(".")[3])
        if self.path == "/robots.txt":
            return self._answer(404, b"")
        if self.path == "/feed":
            self.server.asked.setdefault(host, time.time())
            if number % NEWS:
                return self._answer(304, b"")
            link = f"http://{self.headers['Host']}/article"
            when = format_datetime(utc_now())
            entry = f"<item><title>Road {number} closed</title><link>{link}</link><pubDate>{when}</pubDate></item>"
            feed = f'<rss version="2.0"><channel><title>Outlet {number}</title>{entry}</channel></rss>'
            return self._answer(200, feed.encode(), "application/rss+xml")
        text = "".join(paragraph(random.Random(f"{number} {n}")) for n in range(10))
        head = f"<html lang=en><title>Road {number} closed</title><article><h1>Road {number} closed</h1>"
        return self._answer(200, f"{head}{text}</article></html>".encode(), "text/html; charset=utf-8")

    def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("ETag", '"same"')
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), Handler)  # all of 127/8
        self.asked: dict[str, float] = {}
        """When each address was first asked for its feed."""


def subscribe(folder: Path, feeds: int, port: int) -> dict[str, datetime]:
    """A data folder with the feeds, known before, and when each is due, by its address."""
    ledger = open_ledger(load_settings(folder).ledger_at)
    start = utc_now() + timedelta(seconds=START)
    due: dict[str, datetime] = {}
    for n in range(feeds):
        url = f"http://{address(n)}:{port}/feed"
        due[address(n)] = when = start + timedelta(seconds=CYCLE * n / feeds)
        feed = Feed(
            id=feed_id(url), url=url, added=start, interval=CYCLE, etag='"before"', baseline=False, next_poll=when
        )
        ledger.add_feed(feed)
    ledger.close()
    return due


def measure(feeds: int, seconds: float, enrich: bool) -> dict[str, object]:
    with Server() as server, tempfile.TemporaryDirectory() as name:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder, port = Path(name), server.server_address[1]
        hosts = json.dumps([f"{address(n)}:{port}" for n in range(feeds)])
        (folder / "wirewatch.toml").write_text(f"allow_hosts = {hosts}\n")
        due = subscribe(folder, feeds, port)
        environment = os.environ | {
            "WIREWATCH_DATA": name,
            "WIREWATCH_MIN_INTERVAL": str(CYCLE),
            "WIREWATCH_MAX_INTERVAL": str(CYCLE),
            "WIREWATCH_ENRICH": str(enrich).lower(),
        }
        process = psutil.Popen([sys.executable, "-m", "pipeline", "run", "--quiet"], env=environment)
        first = min(due.values()).timestamp()
        time.sleep(max(0.0, first - time.time()))
        before, memory = _cpu(process), 0
        while time.time() < first + seconds:
            memory = max(memory, sum(p.memory_info().rss for p in [process, *process.children(recursive=True)]))
            time.sleep(2.0)
        took = _cpu(process) - before
        late = [
            server.asked[host] - when.timestamp()
            for host, when in due.items()
            if when.timestamp() < first + seconds - 5 and host in server.asked
        ]
        missed = sum(when.timestamp() < first + seconds - 5 for when in due.values()) - len(late)
        process.terminate()
        process.wait(60)
        server.shutdown()
        index = open_index(load_settings(folder))
        articles = index.count(Kind.ARTICLES)
        index.close()
    quantiles = statistics.quantiles(late, n=20)
    return {
        "feeds": feeds,
        "polls looked at": len(late),
        "not asked within 5 s of the end": missed,
        "asked after it was due, s: p50": round(statistics.median(late), 2),
        "p95": round(quantiles[-1], 2),
        "latest": round(max(late), 2),
        "articles indexed meanwhile": articles,
        "CPU, share of one processor": round(took / seconds, 2),
        "memory of all processes, MB": round(memory / 1e6),
        "a loop with a second a feed would take, min": round(feeds / 60, 1),
    }


def _cpu(process: psutil.Process) -> float:
    return sum(sum(p.cpu_times()[:2]) for p in [process, *process.children(recursive=True)])


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench.feeds", description=__doc__.split("\n")[0])
    options.add_argument("--feeds", type=int, default=5_000)
    options.add_argument("--seconds", type=float, default=180.0)
    options.add_argument("--no-enrich", action="store_true", help="without entities and claims")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    found = measure(chosen.feeds, chosen.seconds, not chosen.no_enrich)
    if chosen.json:
        print(json.dumps(found))
        return 0
    table = Table("", "feeds on a ten-minute cycle", box=None, title_justify="left")
    for name, value in found.items():
        table.add_row(name, str(value))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
