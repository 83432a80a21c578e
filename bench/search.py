"""How fast the embedded index is: queries of each type on 10,000 articles, and upserts.

The articles are random text of our own over a small vocabulary with Zipf weights, so that some words are in nearly
every article and most in few, as in news; every article has entities, a speaker and three claims. Each type is asked
with 200 different queries, after a warm-up, 20 hits a page. The time is that of ``Index.search`` whole, records
decoded: by the wall clock, and in CPU of the searching thread, which a busy machine does not blow up.

    python -m bench.search [--articles 10000] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.index import Index, Interval, Kind, SearchRequest, Sort, open_index
from pipeline.records import Article, Claim, Content, Cue, Document, Enriched, Entity, Speaker, article_id
from pipeline.settings import Settings

QUERIES = 200
BATCH = 100
VOCABULARY = 20_000
START = datetime(2026, 1, 1, tzinfo=UTC)
TARGET_MS = 10.0
"""p95 for term, phrase, boolean, range and prefix queries on 10,000 articles."""
HELD = ("term", "phrase", "boolean", "range", "prefix")


class Newsroom:
    """Writes random articles. The same seed gives the same ones."""

    def __init__(self, seed: int = 20261123) -> None:
        self.random = random.Random(seed)
        syllables = [c + v for c in "bcdfghjklmnprstvz" for v in "aeiou"]
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(self.random.choices(syllables, k=self.random.choice((2, 2, 3, 3, 4))))] = None
        self.words = list(words)
        # Zipf's law: the n-th word is there 1/n as often as the first.
        self.weights = [1 / rank for rank in range(1, VOCABULARY + 1)]
        self.cumulative: list[float] = []
        total = 0.0
        for weight in self.weights:
            total += weight
            self.cumulative.append(total)
        self.people = [f"{self.rare().title()} {self.rare().title()}" for _ in range(400)]
        self.places = [self.rare().title() for _ in range(150)]
        self.sources = [f"{self.rare().title()} Wire" for _ in range(25)]

    def rare(self) -> str:
        return self.words[self.random.randrange(500, VOCABULARY)]

    def text(self, length: int) -> str:
        return " ".join(self.random.choices(self.words, cum_weights=self.cumulative, k=length))

    def article(self, n: int) -> Document:
        url = f"https://bench.example/{n}"
        body = "\n\n".join(
            ". ".join(self.text(self.random.randrange(8, 25)).capitalize() for _ in range(3)) + "."
            for _ in range(self.random.randrange(5, 11))
        )
        person, place = self.random.choice(self.people), self.random.choice(self.places)
        published = START + timedelta(seconds=self.random.randrange(300 * 86_400))
        claims = tuple(
            Claim(
                speaker=Speaker(start=0, end=len(person), text=person, name=person),
                cue=Cue(start=0, end=4, text="said", lemma="say", cls="say"),
                content=Content(text=self.text(15), spans=((0, 1),)),
                form="indirect",
                entities=(place,),
            )
            for _ in range(3)
        )
        return Document(
            article=Article(
                id=article_id(url),
                url=url,
                title=self.text(8).capitalize(),
                body=body,
                source=self.random.choice(self.sources),
                published=published,
                first_seen=published,
                language="en",
            ),
            enriched=Enriched(
                language="en",
                claims=claims,
                entities=tuple(
                    Entity(start=0, end=1, text=name, label=label, name=name)
                    for name, label in ((person, "PERSON"), (place, "GPE"), (self.random.choice(self.places), "GPE"))
                ),
            ),
            indexed=published,
        )

    # -- queries: words by their frequency, as readers pick them

    def word(self) -> str:
        return self.random.choices(self.words[:5_000], cum_weights=self.cumulative[:5_000])[0]

    def pair(self, documents: list[Document]) -> str:
        body = self.random.choice(documents).article.body.replace(".", "").split()
        at = self.random.randrange(len(body) - 2)
        return f'"{body[at]} {body[at + 1]}"'

    def day(self) -> datetime:
        return START + timedelta(days=self.random.randrange(300))


def kinds(room: Newsroom, documents: list[Document]) -> dict[str, Callable[[], SearchRequest]]:
    """What is asked, by type."""

    def asked(query: str, **more: object) -> SearchRequest:
        return SearchRequest(query=query, **more)  # type: ignore[arg-type]

    def week() -> str:
        day = room.day()
        return f"published:[{day:%Y-%m-%d} TO {day + timedelta(days=7):%Y-%m-%d}]"

    return {
        "term": lambda: asked(room.word()),
        "phrase": lambda: asked(room.pair(documents)),
        "boolean": lambda: asked(f"({room.word()} OR {room.word()}) AND {room.word()} NOT {room.rare()}"),
        "range": lambda: asked(f"{week()} {room.word()}"),
        "prefix": lambda: asked(room.word()[:4] + "*"),
        "leading wildcard": lambda: asked("*" + room.word()[-4:]),
        "fuzzy": lambda: asked(room.rare() + "~"),
        "loose phrase": lambda: asked(room.pair(documents) + "~3"),
        "field": lambda: asked(f"speaker:{room.random.choice(room.people).split()[0]} title:{room.word()}"),
        "claims": lambda: asked(room.word(), kind=Kind.CLAIMS),
        "newest first": lambda: asked(room.word(), sort=Sort.NEWEST),
        "with facets": lambda: asked(room.word(), facets=("source", "entity", "speaker", "language")),
        "with histogram": lambda: asked(room.word(), histogram=Interval.DAY),
        "with highlights": lambda: asked(f"{room.word()} {room.word()}", highlight=True),
        "the page's own": lambda: asked(
            f"{room.word()} {room.word()}",
            highlight=True,
            histogram=Interval.DAY,
            facets=("source", "entity", "speaker", "language"),
        ),
    }


def measure(index: Index, ask: Callable[[], SearchRequest]) -> dict[str, float]:
    requests = [ask() for _ in range(QUERIES)]
    for request in requests[:10]:
        index.search(request)
    wall, cpu, hits = [], [], 0
    for request in requests:
        start, thread = time.perf_counter(), time.thread_time()
        result = index.search(request)
        wall.append((time.perf_counter() - start) * 1_000)
        cpu.append((time.thread_time() - thread) * 1_000)
        hits += result.total
    return {
        "p50_ms": statistics.median(wall),
        "p95_ms": statistics.quantiles(wall, n=20)[18],
        "p50_cpu_ms": statistics.median(cpu),
        "p95_cpu_ms": statistics.quantiles(cpu, n=20)[18],
        "hits": hits / QUERIES,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    room = Newsroom()
    documents = [room.article(n) for n in range(options.articles)]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        index = open_index(settings)
        wall, cpu = time.perf_counter(), time.process_time()
        for at in range(0, len(documents), BATCH):
            index.upsert(documents[at : at + BATCH])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(file.stat().st_size for file in settings.index_folder.rglob("*") if file.is_file())
        upserts = {
            "articles": len(documents),
            "batch": BATCH,
            "articles_per_s": len(documents) / wall,
            "articles_per_cpu_s": len(documents) / cpu,
            "megabytes": size / 1e6,
            "text_megabytes": sum(len(document.article.body) for document in documents) / 1e6,
        }
        searches = {name: measure(index, ask) for name, ask in kinds(room, documents).items()}
        index.close()
    if options.json:
        print(json.dumps({"upsert": upserts, "search": searches}))
        return
    print(
        f"upsert in batches of {BATCH}: {upserts['articles_per_s']:,.0f} articles/s, "
        f"{upserts['articles_per_cpu_s']:,.0f} a CPU-second; {upserts['megabytes']:.1f} MB on disk "
        f"for {upserts['text_megabytes']:.1f} MB of text in {len(documents):,} articles, three claims each"
    )
    print(f"\n{'query':<18}{'p50 ms':>9}{'p95 ms':>9}{'p50 CPU':>9}{'p95 CPU':>9}{'hits':>8}")
    for name, figures in searches.items():
        mark = ""
        if name in HELD:
            mark = "  ok" if figures["p95_ms"] < TARGET_MS else f"  above {TARGET_MS:.0f}"
        print(
            f"{name:<18}{figures['p50_ms']:>9.2f}{figures['p95_ms']:>9.2f}{figures['p50_cpu_ms']:>9.2f}"
            f"{figures['p95_cpu_ms']:>9.2f}{figures['hits']:>8,.0f}{mark}"
        )


if __name__ == "__main__":
    main()
