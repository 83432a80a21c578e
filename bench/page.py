"""How soon the built-in page answers a search, and how heavy it is, on 10,000 articles.

The articles and their words are those of ``bench.search``. ``wirewatch serve`` runs as a process of its own, and is
asked over one socket kept open, as a browser does, with gzip; the time is by the wall clock from the request's last
byte to the answer's first, which the page sends when all of it is made. The peer is what the page stands on: the same
search of the index (facets, histogram, highlights) in this process, without HTTP and HTML. CPU is the server's own, a
request, which a busy machine does not blow up.

    python -m bench.page [--articles 10000] [--json]
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.search import BATCH, Newsroom
from pipeline.index import Index, Kind, open_index
from pipeline.ledger import open_ledger
from pipeline.settings import Settings
from pipeline.web.address import Address
from pipeline.web.search import find

QUERIES = 100
TARGET_MS = 50.0
"""p95 of the first byte."""
TARGET_BYTES = 60 * 1024
"""The first page as it comes over the wire, with style sheet and scripts."""
PAUSE = 0.15
"""Seconds between requests: the page lets one visitor search eight times a second."""


def searches(room: Newsroom, documents: list[str]) -> dict[str, Callable[[], Address]]:
    """What is asked, by type."""
    return {
        "everything": lambda: Address(),
        "term": lambda: Address(query=room.word()),
        "two words": lambda: Address(query=f"{room.word()} {room.word()}"),
        "phrase": lambda: Address(query=room.random.choice(documents)),
        "filtered": lambda: Address(query=room.word(), filters=(("source", room.random.choice(room.sources)),)),
        "claims": lambda: Address(query=room.word(), kind=Kind.CLAIMS),
    }


class Visitor:
    """One connection to the page."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self, path: str) -> tuple[float, bytes]:
        """Milliseconds to the first byte, and the body as it came."""
        start = time.perf_counter()
        self.connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = self.connection.getresponse()
        first = (time.perf_counter() - start) * 1_000
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return first, body


def figures(took: list[float]) -> dict[str, float]:
    return {"p50_ms": statistics.median(took), "p95_ms": statistics.quantiles(took, n=20)[18]}


def measure(
    visitor: Visitor, server: psutil.Process, index: Index, make: Callable[[], Address]
) -> dict[str, dict[str, float]]:
    addresses = [make() for _ in range(QUERIES)]
    now = datetime.now(UTC)
    served, searched = [], []
    began = 0.0
    for n, address in enumerate([*addresses[:5], *addresses]):
        if n == 5:  # the first few warm up
            began = sum(server.cpu_times()[:2])
        start = time.perf_counter()
        find(index, address, now)
        inside = (time.perf_counter() - start) * 1_000
        time.sleep(PAUSE)
        first, _ = visitor.get(address.url())
        if n >= 5:
            served.append(first)
            searched.append(inside)
    cpu = (sum(server.cpu_times()[:2]) - began) * 1_000 / QUERIES
    return {"page": figures(served) | {"cpu_ms": cpu}, "search": figures(searched)}


def weight(visitor: Visitor) -> dict[str, int]:
    """Bytes of the first page as they come, and of all that it fetches."""
    time.sleep(1)
    _, page = visitor.get("/")
    found = re.findall(r'(?:src|href)="(/static/[^"]*)"', gzip.decompress(page).decode())
    return {"page": len(page)} | {path.split("?")[0]: len(visitor.get(path)[1]) for path in found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    room = Newsroom()
    documents = [room.article(n) for n in range(options.articles)]
    phrases = [room.pair(documents) for _ in range(QUERIES)]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        open_ledger(settings.ledger_file).close()
        index = open_index(settings)
        for at in range(0, len(documents), BATCH):
            index.upsert(documents[at : at + BATCH])
        command = [
            sys.executable,
            "-c",
            "from pipeline.cli import main; main()",
            "serve",
            "--data",
            folder,
            "--port",
            "0",
        ]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with subprocess.Popen([*command, "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                said = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
                assert said
                visitor, server = Visitor(int(said[1])), psutil.Process(process.pid)
                found = {name: measure(visitor, server, index, make) for name, make in searches(room, phrases).items()}
                bytes_ = weight(visitor)
            finally:
                process.terminate()
        index.close()
    if options.json:
        print(json.dumps({"first_byte": found, "bytes": bytes_}))
    else:
        numbers = f"{'p50':>8}{'p95':>8}"
        print(f"{'first byte, ms':<16}{numbers}{'CPU':>8}   the search alone{numbers}   ratio of p50")
        for name, pair in found.items():
            page, alone = pair["page"], pair["search"]
            print(
                f"{name:<16}{page['p50_ms']:>8.1f}{page['p95_ms']:>8.1f}{page['cpu_ms']:>8.1f}{'':<19}{alone['p50_ms']:>8.1f}"
                f"{alone['p95_ms']:>8.1f}{page['p50_ms'] / alone['p50_ms']:>15.1f}"
                + ("" if page["p95_ms"] < TARGET_MS else f"  p95 above {TARGET_MS:.0f}")
            )
        whole = sum(bytes_.values())
        print(f"\nthe first page, packed: {whole / 1024:.1f} KB (" + ", ".join(
            f"{name.removeprefix('/static/')} {size / 1024:.1f}" for name, size in bytes_.items()
        ) + ")" + ("" if whole < TARGET_BYTES else f"  above {TARGET_BYTES // 1024}"))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
