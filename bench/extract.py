"""Extraction beside trafilatura's presets, on the recorded wire: ``python -m bench.extract [--rounds N] [--json]``.

CPU is process time per page over trees that are already parsed (each extractor gets a fresh one, parsed outside the
clock), the extractors taking turns page by page, best of the rounds per page, so that a busy machine hurts all alike.
``extract`` as the pipeline calls it, from bytes, is a line of its own. Without ``../shared/data`` the demo newsroom's
pages are used.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests
import trafilatura
from lxml.html import HtmlElement
from rich.console import Console
from rich.table import Table

from bench.scoring import Tally, as_read, f1, same_day, same_minute
from pipeline.demo.newsroom import Newsroom
from pipeline.extract import extract, from_tree
from pipeline.extract.document import parse
from pipeline.fetch import as_utf8
from pipeline.records import Article, Page, PageKind

WIRE = Path(__file__).resolve().parents[2] / "shared" / "data" / "wire"
BASE = "trafilatura fast"
"""The preset that the CPU ratio is taken against."""


@dataclass(frozen=True, slots=True)
class Case:
    """A page and what is right for it; ``None`` where that is not known."""

    page: Page
    title: str
    authors: tuple[str, ...] | None
    published: str | None
    body: str
    outlet: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What one extractor made of one page."""

    body: str
    title: str
    authors: tuple[str, ...]
    minute: datetime | None
    day: str | None


def wire(folder: Path = WIRE) -> list[Case]:
    """The recorded wire; empty where the folder is absent."""
    index = folder / "articles.jsonl"
    if not index.exists():
        return []
    cases = []
    for line in index.read_text("utf-8").splitlines():
        row = json.loads(line)
        body = gzip.decompress((folder / row["page"]).read_bytes())
        authors = tuple(row["authors"] or ())
        page = page_of(row["url"], body)
        cases.append(Case(page, row["title"], authors, row["published"], row["body"], row["publisher"]))
    return cases


def newsroom() -> list[Case]:
    """The demo newsroom's articles, fetched over loopback: templates and sentences of our own, so an easier set."""
    cases = []
    with Newsroom(datetime(2026, 11, 1, 9, 0, tzinfo=UTC), slow=0) as room:
        for gold in room.articles.values():
            if gold.status != 200 or gold.kind is not PageKind.ARTICLE:
                continue
            answer = requests.get(gold.url, timeout=30)
            headers = tuple(answer.headers.items())
            page = Page(
                url=gold.url, final_url=answer.url, status=200, headers=headers, body=answer.content, fetched=room.now
            )
            cases.append(Case(page, gold.title, gold.authors, gold.published.isoformat(), gold.body))
    return cases


def page_of(url: str, body: bytes) -> Page:
    """A page as if fetched on a fixed day."""
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    fetched = datetime(2026, 11, 1, tzinfo=UTC)
    return Page(url=url, final_url=url, status=200, headers=headers, body=body, fetched=fetched)


def _ours(root: HtmlElement, page: Page) -> Found:
    return _of_article(from_tree(root, page))


def _ours_from_bytes(_: HtmlElement, page: Page) -> Found:
    return _of_article(extract(page))


def _of_article(article: Article) -> Found:
    day = article.published.isoformat() if article.published else None
    return Found(article.body, article.title, article.authors, article.published, day)


def _trafilatura(
    *, fast: bool = False, favor_precision: bool = False, favor_recall: bool = False
) -> Callable[[HtmlElement, Page], Found]:
    def run(root: HtmlElement, _: Page) -> Found:
        document = trafilatura.bare_extraction(
            root, with_metadata=True, fast=fast, favor_precision=favor_precision, favor_recall=favor_recall
        )
        if document is None or isinstance(document, dict):
            return Found("", "", (), None, None)
        authors = tuple(name for name in (document.author or "").split("; ") if name)
        return Found(document.text or "", document.title or "", authors, None, document.date)

    return run


EXTRACTORS: dict[str, Callable[[HtmlElement, Page], Found]] = {
    "wirewatch": _ours,
    BASE: _trafilatura(fast=True),
    "trafilatura default": _trafilatura(),
    "trafilatura precision": _trafilatura(favor_precision=True),
    "trafilatura recall": _trafilatura(favor_recall=True),
    "wirewatch, from bytes": _ours_from_bytes,
}


def measure(cases: list[Case], rounds: int) -> tuple[dict[str, float], dict[str, Tally]]:
    """CPU seconds per page and scores, by extractor."""
    best: dict[str, list[float]] = {name: [float("inf")] * len(cases) for name in EXTRACTORS}
    tallies = {name: Tally() for name in EXTRACTORS}
    for round_ in range(rounds):
        for number, case in enumerate(cases):
            for name, run in _in_turn(round_ + number):
                root = parse(case.page, as_utf8(case.page))
                if root is None:
                    continue
                start = time.process_time()
                found = run(root, case.page)
                best[name][number] = min(best[name][number], time.process_time() - start)
                if round_ == 0:
                    _score(tallies[name], found, case)
    return {name: sum(times) / len(times) for name, times in best.items()}, tallies


def _in_turn(offset: int) -> Iterator[tuple[str, Callable[[HtmlElement, Page], Found]]]:
    """The extractors, another one first each time: the first after a parse finds colder caches."""
    names = list(EXTRACTORS)
    for step in range(len(names)):
        name = names[(offset + step) % len(names)]
        yield name, EXTRACTORS[name]


def _score(tally: Tally, found: Found, case: Case) -> None:
    tally.body.append(f1(found.body, case.body))
    tally.titles.append(as_read(found.title) == as_read(case.title))
    if case.authors is not None:
        tally.add_authors(found.authors, case.authors)
    minute = same_minute(found.minute, case.published)
    if minute is not None:
        tally.minutes.append(minute)
        tally.days.append(bool(same_day(found.day, case.published)))


def main() -> int:
    """Print the table, or one JSON object with ``--json``."""
    options = argparse.ArgumentParser(prog="python -m bench.extract", description=__doc__.split("\n")[0])
    options.add_argument("--rounds", type=int, default=3, help="rounds per page; the best counts")
    options.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given = options.parse_args()
    cases, source = wire(), "the recorded wire"
    if not cases:
        cases, source = newsroom(), "the demo newsroom"
    seconds, tallies = measure(cases, given.rounds)
    rows = {
        name: {
            "cpu_ms": 1000 * seconds[name],
            "cpu_ratio": seconds[name] / seconds[BASE],
            "body_f1": tally.body_f1,
            "title_right": tally.title_right,
            "authors_f1": tally.authors_f1,
            "published_minute": tally.minute_right,
            "published_day": tally.day_right,
        }
        for name, tally in tallies.items()
    }
    if given.json:
        print(json.dumps({"source": source, "pages": len(cases), "extractors": rows}))
        return 0
    table = Table(title=f"Extraction with metadata, {len(cases)} pages of {source}")
    for column in ("", "CPU ms/page", "× fast", "body F1", "title", "authors F1", "to the minute", "to the day"):
        table.add_column(column, justify="left" if not column else "right")
    for name, row in rows.items():
        cells = [f"{row['cpu_ms']:.1f}", f"{row['cpu_ratio']:.2f}"]
        cells += [f"{row[field]:.3f}" for field in list(row)[2:]]
        table.add_row(name, *cells)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
