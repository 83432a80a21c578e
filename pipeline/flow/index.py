"""The last stage: extracts and enriches what was fetched, in the worker processes, and indexes it in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from pipeline.errors import DocumentsRefusedError, IndexDamagedError, IndexUnavailableError
from pipeline.flow.revisits import next_visit
from pipeline.flow.shift import Shift
from pipeline.flow.stories import at_its_place, place_documents
from pipeline.flow.work import REASON, work_owed
from pipeline.index import Index
from pipeline.ledger import Again, Change, Duplicate, Indexed, Item, Quarantined, Skipped
from pipeline.records import Article, Document
from pipeline.stories.register import Register
from pipeline.stories.traits import Draft
from pipeline.workers import WorkerPool

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = structlog.get_logger("wirewatch")


async def index_owed(
    shift: Shift, index: Index, pool: WorkerPool, fetches: asyncio.Task[None] | None = None, *, once: bool
) -> None:
    """Extract and enrich what was fetched, in the worker processes, and index it in batches.

    One pass ends when nothing is owed and ``fetches``, where given, which may bring more, are done.
    """

    def store(ready: Sequence[tuple[Item, Draft | Change]]) -> None:
        store_documents(shift, index, pool, ready)

    def make(item: Item) -> Future[Draft | Change]:
        return pool.draft(item, article_there(index, item))

    await work_owed(shift, make, store, fetches, once=once)


def article_there(index: Index, item: Item) -> Article | None:
    """The article of an item as the index has it, where it is only to be enriched again; else ``None``."""
    if item.stage != Again.ENRICH.value or item.article is None:
        return None
    document = index.get(item.article)
    return None if document is None else document.article


def store_documents(shift: Shift, index: Index, pool: WorkerPool, batch: Sequence[tuple[Item, Draft | Change]]) -> None:
    """Index the documents, then tell the ledger, in one transaction with the alerts that they make. Killed between the
    two, the same documents come again, and make the same alerts."""
    now = shift.clock()
    changes = [result for _, result in batch if not isinstance(result, Draft)]
    drafts = [(item, result) for item, result in batch if isinstance(result, Draft)]
    owners = shift.ledger.own([(draft.document.article.id, item.id) for item, draft in drafts])
    owned = [(item, draft) for item, draft in drafts if item.id in owners]
    placed = place_documents(shift.ledger, index, pool, owned, now)
    mine: list[tuple[Item, Document]] = []
    for item, (document, _) in drafts:
        place = placed.get(document.article.id, document.article.id) if item.id in owners else document.article.id
        if isinstance(place, str):
            changes.append(Duplicate(item.id, place))
        else:
            mine.append((item, replace(at_its_place(document, place), indexed=document.indexed or now)))
    indexed = _upsert(shift, index, mine)
    Register(shift.ledger).indexed(place for place in placed.values() if not isinstance(place, str))
    taken = {change.item for change in indexed if isinstance(change, Indexed)}
    findings = shift.desk.find([document for item, document in mine if item.id in taken], now)
    settle_items(shift, [*changes, *indexed], now, also=shift.desk.recording(findings, now))
    shift.ledger.note("index", None, now)


def settle_items(
    shift: Shift, changes: Sequence[Change], now: datetime, also: Callable[[Connection], None] | None = None
) -> None:
    """Write down what became of items, and say so. ``also`` is written in the same transaction."""
    shift.apply(changes, now, also)
    for change in changes:
        shift.tally.add(_OUTCOMES.get(type(change), "retried"))
        if isinstance(change, Quarantined):
            log.warning("quarantined", item=change.item, stage=change.stage, reason=change.reason)


def _upsert(shift: Shift, index: Index, documents: Sequence[tuple[Item, Document]]) -> list[Change]:
    """Index the documents; where the index chokes on the batch, one by one, so that only the bad one is lost."""
    refused: dict[str, str] = {}
    try:
        index.upsert([document for _, document in documents])
    except (IndexUnavailableError, IndexDamagedError):
        raise
    except DocumentsRefusedError as error:  # the others are in
        refused = error.refused
    except Exception as error:  # noqa: BLE001 - a document that no index takes must not hold up the others
        if len(documents) == 1:
            item, _ = documents[0]
            return [Quarantined(item.id, "index", "refused", f"{type(error).__name__}: {error}"[:REASON])]
        return [change for one in documents for change in _upsert(shift, index, [one])]
    return [
        Quarantined(item.id, "index", "refused", refused[document.article.id])
        if document.article.id in refused
        else _indexed(shift, item, document)
        for item, document in documents
    ]


def _indexed(shift: Shift, item: Item, document: Document) -> Indexed:
    """The item whose document is in the index, to be looked at again where its page may yet be changed, and its link
    surely leads there still."""
    article, now = document.article, shift.clock()
    revisit = None
    if shift.settings.revisit and article.body_source == "page" and item.by_link:
        revisit = next_visit(article.first_seen, article.published, now)
    return Indexed(item.id, article.id, document.indexed or now, revisit)


_OUTCOMES: dict[type, str] = {
    Indexed: "indexed",
    Duplicate: "duplicates",
    Skipped: "skipped",
    Quarantined: "quarantined",
}
