"""Rebuilds the index from the archive. The same archive, ledger and models in, the same documents out, byte for byte.

The new index is built beside the old one, which answers searches meanwhile, and takes its place when it is whole. A
replay that is killed leaves the old index as it was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from pipeline.extract import from_feed
from pipeline.flow import utc_now
from pipeline.index import rebuilding
from pipeline.ledger import Change, Item, Ledger, Retry, Skipped
from pipeline.records import Document
from pipeline.settings import Settings
from pipeline.workers import WorkerPool, open_desk


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay did. ``problems`` are sentences, each naming the article and what was wrong."""

    documents: int
    problems: tuple[str, ...]


async def replay(settings: Settings, ledger: Ledger) -> Report:
    """Build the index anew from everything that was ever indexed.

    Needs the data folder for itself. A page that the archive cannot give back is replaced by the feed's own text,
    reported, and owed to the next run's fetch stage.
    """
    pool = WorkerPool(settings)
    problems: list[str] = []
    count = 0
    items = ledger.indexed_items()
    try:
        with rebuilding(settings) as index:
            async for batch in _in_order(items, pool, settings):
                documents: list[Document] = []
                for item, result in batch:
                    if isinstance(result, Retry):  # the archive could not give the page back
                        problems.append(f"{item.url}: {result.reason}")
                        result = _stand_in(item, result.reason, settings)
                        ledger.owe_fetch(item.id, utc_now())
                    if isinstance(result, Document):
                        documents.append(replace(result, indexed=item.indexed))
                        if result.article.id != item.article:
                            ledger.rename_article(item.id, result.article.id)
                    elif not isinstance(result, Skipped):
                        problems.append(f"{item.url or item.id}: {getattr(result, 'reason', result)}")
                await asyncio.to_thread(index.upsert, documents)
                count += len(documents)
    finally:
        await asyncio.to_thread(pool.stop)
    return Report(count, tuple(problems))


async def _in_order(
    items: Iterator[Item], pool: WorkerPool, settings: Settings
) -> AsyncIterator[list[tuple[Item, Document | Change]]]:
    """Batches of (item, what came of it) in the items' order, with the worker processes kept busy."""
    waiting: deque[tuple[Item, asyncio.Future[Document | Change]]] = deque()
    batch: list[tuple[Item, Document | Change]] = []
    while True:
        for item in islice(items, max(0, 2 * settings.batch - len(waiting))):
            waiting.append((item, asyncio.wrap_future(pool.submit(item))))
        if not waiting:
            break
        item, future = waiting.popleft()
        try:
            batch.append((item, await future))
        except Exception as error:  # noqa: BLE001 - a page that kills its process is a problem to report, not the end
            batch.append((item, Skipped(item.id, "crash", f"{type(error).__name__}: {error}")))
        if len(batch) >= settings.batch:
            yield batch
            batch = []
    if batch:
        yield batch


def _stand_in(item: Item, reason: str, settings: Settings) -> Document:
    """The document of an item whose archived page is damaged, from the feed's own text."""
    _, enricher = open_desk(settings)
    article = from_feed(item.sighting, reason)
    enriched = enricher.enrich(
        article.body, title=article.title, published=article.published or article.first_seen, language=article.language
    )
    return Document(article=article, enriched=enriched, indexed=item.indexed)
