"""How the register grows: made-up articles, of which each tenth is a copy of one shortly before it, placed in batches.

Texts are random words with Zipf weights, so that keys of common terms are crowded as in news. What is measured is
reading an article's traits, and placing it (``Register.place``, its transaction included), in CPU; placing by the clock
too, and the process's memory. Batches are as large as a run's are when it has much to do.

    python -m bench.stories.growth [--articles 1000000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.ledger import open_ledger
from pipeline.records import Article, Document, Enriched, article_id
from pipeline.stories.register import WINDOW, Register
from pipeline.stories.traits import Traits, traits

BATCH = 200
WORDS = 320
VOCABULARY = 60_000
SHARE_OF_COPIES = 0.1
MARKS = (10_000, 20_000, 50_000, 100_000, 200_000, 400_000, 600_000, 800_000, 1_000_000)
START = datetime(2026, 11, 1, tzinfo=UTC)


def articles(count: int) -> Iterator[Document]:
    """So many articles over twelve days, all within the window."""
    chance = random.Random(20261125)
    syllables = [c + v for c in "bcdfghjklmnprstvz" for v in "aeiou"]
    vocabulary = list(
        dict.fromkeys("".join(chance.choices(syllables, k=chance.choice((2, 3, 3, 4)))) for _ in range(90_000))
    )
    vocabulary = vocabulary[:VOCABULARY]
    weights = [1 / (n + 20) for n in range(len(vocabulary))]
    pool = chance.choices(vocabulary, weights, k=2_000_000)
    recent: list[list[str]] = []
    step = (WINDOW - timedelta(days=2)) / count
    for n in range(count):
        if recent and chance.random() < SHARE_OF_COPIES:
            text = chance.choice(recent)[: chance.randint(WORDS // 2, WORDS)]
        else:
            start = chance.randrange(len(pool) - WORDS)
            text = pool[start : start + WORDS]
            text = [word.capitalize() if k % 9 == 4 else word for k, word in enumerate(text)]
            chance.shuffle(text)
        recent.append(text)
        del recent[:-500]
        url = f"https://growth.example/{n}"
        body = "\n\n".join(" ".join(text[k : k + 40]) + "." for k in range(0, len(text), 40))
        at = START + n * step
        article = Article(
            id=article_id(url), url=url, title=" ".join(text[:8]), body=body, first_seen=at, published=at,
            source=f"Outlet {chance.randrange(200)}",
        )  # fmt: skip
        yield Document(article=article, enriched=Enriched(language="en"))


def grow(count: int, folder: Path | None = None) -> None:
    """Print what placing an article costs as the register grows."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "ledger.sqlite"
        register = Register(open_ledger(file))
        copies = round(1 / SHARE_OF_COPIES)
        print(f"growth to {count:,} articles, one in {copies} a copy; traits + placing since the last line:")
        batch: list[tuple[Document, Traits]] = []
        reading = cpu = wall = 0.0
        since = done = joined = 0
        for document in articles(count):
            began = time.process_time()
            batch.append((document, traits(document)))
            reading += time.process_time() - began
            if len(batch) < BATCH:
                continue
            began, clock = time.process_time(), time.monotonic()
            placed = register.place(batch, batch[-1][0].article.first_seen)
            register.indexed(one for one in placed.values() if not isinstance(one, str))
            cpu, wall = cpu + time.process_time() - began, wall + time.monotonic() - clock
            joined += sum(not isinstance(one, str) and one.placement.copy_of is not None for one in placed.values())
            done, since, batch = done + len(batch), since + len(batch), []
            if done in MARKS or done == count:
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                size = sum(one.stat().st_size for one in Path(place).iterdir()) / 2**20
                print(
                    f"  {done:>9,}  {1000 * reading / since:5.2f} + {1000 * cpu / since:5.2f} ms CPU  "
                    f"{1000 * wall / since:5.2f} ms  {memory:5,} MB of memory  "
                    f"{size:6,.0f} MB of ledger  {joined / done:.3f} found to be copies",
                    flush=True,
                )
                reading = cpu = wall = 0.0
                since = 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.stories.growth")
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where the ledger is made; the system's own by default"
    )
    args = parser.parse_args()
    grow(args.articles, args.folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
