"""The whole pipeline beside the usual script, over one server on loopback: ``python -m bench.pipeline [PART…]``.

``throughput``: articles per CPU-second without enrichment, and the usual script's, taking turns. CPU is user + system
time of the process and all its children, start-up included; a round before those that count leaves both with their
modules compiled, as any second start finds them. ``workers``: wall time of a run with two worker processes
beside one, enrichment on, after a small one. ``memory``: resident memory of the processes while 5,000 pages go through
one worker.

The server is the recorded wire in a process of its own; the demo's newsroom where ``../shared/data`` is absent, which
has too few pages for figures that mean much, and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from pipeline.flow import utc_now
from pipeline.index import Kind, open_index
from pipeline.ledger import open_ledger
from pipeline.records import Feed, feed_id
from pipeline.settings import load_settings
from tests.support.recorded_wire import wire_available

PARTS = ("throughput", "workers", "memory")
MEMORY_PAGES = 5000


@dataclass(frozen=True, slots=True)
class Wire:
    """A running server: its feeds, and the hosts that must be allowed."""

    feeds: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took. Seconds; ``articles`` is how many it stored."""

    wall: float
    cpu: float
    articles: int


@contextmanager
def serving(copies: int) -> Iterator[Wire]:
    """The wire, each page at ``copies`` addresses, from a process of its own."""
    module = ["tests.support.recorded_wire", "--copies", str(copies)] if wire_available() else ["bench.newsroom"]
    server = subprocess.Popen([sys.executable, "-m", *module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdin is not None
    try:
        said = json.loads(server.stdout.readline())
        yield Wire(tuple(said["feeds"]), tuple(said["hosts"]))
    finally:
        server.stdin.close()
        server.wait(10)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Let the processes that are begun here keep their modules' bytecode, wherever this runs: some images of Python
    switch that off, and would have each start measured with a compilation of all its libraries."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def timed(command: list[str], **environment: str) -> tuple[float, float, str]:
    """Wall and CPU seconds of a command with all its children, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, done.stdout


def subscribe(wire: Wire, folder: Path) -> dict[str, str]:
    """A data folder with the wire's feeds, and the environment for a run over it."""
    settings = load_settings(folder)
    ledger = open_ledger(settings.ledger_at)
    for url in wire.feeds:
        ledger.add_feed(Feed(id=feed_id(url), url=url, added=utc_now()))
    ledger.close()
    return {
        "WIREWATCH_DATA": str(folder),
        "WIREWATCH_ALLOW_HOSTS": ",".join(wire.hosts),
        "WIREWATCH_HOST_DELAY": "0",
        "WIREWATCH_PER_HOST": "8",
    }


RUN = [sys.executable, "-m", "pipeline", "run", "--once", "--quiet"]


def ours(wire: Wire, **environment: str) -> Cost:
    """One pass of the pipeline over the wire, from an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wall, cpu, _ = timed(RUN, **subscribe(wire, folder), **environment)
        index = open_index(load_settings(folder))
        articles = index.count(Kind.ARTICLES)
        index.close()
    return Cost(wall, cpu, articles)


def theirs(wire: Wire) -> Cost:
    """One pass of the usual script over the wire."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "bench.usual_script", f"{name}/articles.sqlite", *wire.feeds]
        wall, cpu, printed = timed(command)
    return Cost(wall, cpu, int(printed))


def throughput(rounds: int, copies: int) -> dict[str, Any]:
    with serving(copies) as wire, compiled_once():
        _, *pairs = [(ours(wire, WIREWATCH_ENRICH="false"), theirs(wire)) for _ in range(1 + rounds)]
    rate = statistics.median(our.articles / our.cpu for our, _ in pairs)
    peer = statistics.median(their.articles / their.cpu for _, their in pairs)
    ratio = statistics.median((o.articles / o.cpu) / (t.articles / t.cpu) for o, t in pairs)
    return {
        "articles": pairs[0][0].articles,
        "usual script: articles": pairs[0][1].articles,
        "articles a CPU-second": round(rate, 1),
        "usual script: articles a CPU-second": round(peer, 1),
        "ratio (must be 1.6, aim 2.5)": round(ratio, 2),
    }


def workers(rounds: int, copies: int) -> dict[str, Any]:
    with serving(copies) as wire, serving(1) as little, compiled_once():
        ours(little, WIREWATCH_WORKERS="2")  # leaves the modules compiled
        pairs = [(ours(wire, WIREWATCH_WORKERS="1"), ours(wire, WIREWATCH_WORKERS="2")) for _ in range(rounds)]
    return {
        "articles": pairs[0][0].articles,
        "one worker: articles a second": round(statistics.median(a.articles / a.wall for a, _ in pairs), 2),
        "two workers: articles a second": round(statistics.median(b.articles / b.wall for _, b in pairs), 2),
        "two beside one (must be 1.7)": round(statistics.median(a.wall / b.wall for a, b in pairs), 2),
    }


def memory(enrich: bool) -> dict[str, Any]:
    """Resident memory of each process through a long run, sampled twice a second."""
    pages = 257 if wire_available() else 50
    samples: list[tuple[float, float]] = []
    with serving(-(-MEMORY_PAGES // pages)) as wire, tempfile.TemporaryDirectory() as name:
        environment = os.environ | subscribe(wire, Path(name)) | {"WIREWATCH_ENRICH": str(enrich).lower()}
        process = subprocess.Popen(RUN, env=environment)
        watch = threading.Thread(target=_sample, args=(process, samples))
        watch.start()
        process.wait()
        watch.join()
        index = open_index(load_settings(Path(name)))
        articles = index.count(Kind.ARTICLES)
        index.close()
    late = len(samples) // 2
    return {
        "articles": articles,
        "main process, MB: at half time": round(samples[late][0]),
        "main process, MB: most": round(max(main for main, _ in samples)),
        "worker, MB: at half time": round(samples[late][1]),
        "worker, MB: most (must be under 500)": round(max(worker for _, worker in samples)),
    }


def _sample(process: subprocess.Popen[bytes], samples: list[tuple[float, float]]) -> None:
    main = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            children = [child.memory_info().rss / 1e6 for child in main.children(recursive=True)]
            samples.append((main.memory_info().rss / 1e6, max(children, default=0.0)))
        except psutil.Error:
            pass  # it has just ended
        time.sleep(0.5)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__.split("\n")[0])
    options.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--copies", type=int, default=4, help="addresses for each recorded page")
    options.add_argument("--no-enrich", action="store_true", help="measure memory without enrichment")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    for part in chosen.parts or PARTS:
        if part == "throughput":
            found = throughput(chosen.rounds, chosen.copies)
        elif part == "workers":
            found = workers(chosen.rounds, chosen.copies)
        elif part == "memory":
            found = memory(not chosen.no_enrich)
        else:
            options.error(f"no such part: {part}")
        if chosen.json:
            print(json.dumps({"part": part, "recorded wire": wire_available()} | found))
            continue
        table = Table("", part, box=None, title_justify="left")
        for name, value in found.items():
            table.add_row(name, str(value))
        Console().print(table)
        if not wire_available():
            print("(the demo's newsroom in place of the recorded wire: too few pages for figures that mean much)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
