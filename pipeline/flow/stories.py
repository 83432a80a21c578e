"""Places documents among stories on their way into the index, and pays what the index is owed when a story grows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from datetime import datetime

import structlog

from pipeline.errors import DocumentsRefusedError, NotReadyError, WirewatchError
from pipeline.flow.shift import Shift
from pipeline.flow.work import REASON, Made
from pipeline.index import Index
from pipeline.ledger import Change, Item, Ledger
from pipeline.records import Article, Difference, Document
from pipeline.stories.register import Placed, Register
from pipeline.stories.traits import Draft
from pipeline.stories.versions import difference, fingerprint
from pipeline.workers import WorkerPool

log = structlog.get_logger("wirewatch")

REFRESH = 5.0
"""Seconds between looks for stories that have grown: twenty carriers in a minute are then a dozen writes, not twenty
times twenty (2026-11-25)."""
REFRESH_IN_A_PASS = 120.0
"""The same in one pass over all that is owed, where nobody waits for news: a story that grows all the while is written
once, and not every half minute (2026-11-26)."""
AT_ONCE = 800
"""Articles whose stories are refreshed in one write of the index, where they have no claims (see ``claim_owed``). A
write costs some 20 ms of CPU whatever is in it, and for every eighth tantivy merges what the others left; 800 documents
take 30 MB, with their claims eight times as much (2026-11-26)."""


def place_documents(
    ledger: Ledger, index: Index, pool: WorkerPool, drafts: Sequence[tuple[Item, Draft]], now: datetime
) -> dict[str, Placed | str]:
    """Where the document of each of these drafts stands, by article; or the id of the article that it turned out to be.

    Words that are new may be the publisher's or the extractor's. So the page that the article is known from is read
    again by the extractor of now: where it says the same there is no new version, and what a new version changed is
    taken from it. This costs what extraction costs, and only where there would be a new version.
    """
    register = Register(ledger)
    found = [draft for _, draft in drafts]
    pages = register.reworded(found)
    reworded = [(item, document) for item, (document, _) in drafts if document.article.id in pages]
    read = {
        document.article.id: pool.extract(replace(item, location=location, body_reason=None))
        for item, document in reworded
        if (location := pages[document.article.id]) is not None
    }
    reread: set[str] = set()
    differences: dict[str, Difference] = {}
    for item, document in reworded:
        key = document.article.id
        earlier = _made(read[key]) if key in read else None
        if isinstance(earlier, Article) and fingerprint(earlier) == fingerprint(document.article):
            reread.add(key)
            continue
        before = index.get(key)
        if isinstance(earlier, Article) and (before is None or fingerprint(before.article) != fingerprint(earlier)):
            enriched = _made(pool.enrich(item, earlier))
            before = enriched if isinstance(enriched, Document) else before
        if before is not None:
            differences[key] = difference(before, document)
    return register.place(found, now, differences, reread)


def _made(future: Future[Made | Change]) -> Made | Change | None:
    """What a worker process made; ``None`` where the page was too much for it. Raises NotReadyError where it was
    stopped: then nothing may be decided."""
    try:
        return future.result()
    except CancelledError as error:
        raise NotReadyError("the worker processes were stopped") from error
    except NotReadyError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an old page does to a parser, the new one is there
        log.warning("an archived page could not be read again", reason=f"{type(error).__name__}: {error}"[:REASON])
        return None


def at_its_place(document: Document, placed: Placed) -> Document:
    """The document with its version and its placement."""
    article = replace(document.article, version=placed.version)
    return replace(document, article=article, placement=placed.placement)


def refresh_stories(shift: Shift, index: Index) -> int:
    """Bring the documents of stories that have grown up to date, without making them again. Returns how many."""
    register = Register(shift.ledger)
    stories = register.claim_owed(shift.clock(), AT_ONCE, shift.owner, shift.settings.lease)
    if not stories:
        return 0
    try:
        standing = register.standing(stories)
        documents = outdated(index, standing)
        _upsert(index, documents)
        # Before the register is told: a kill in between does it again, and makes the same alerts.
        now = shift.clock()
        shift.ledger.apply([], now, shift.owner, also=shift.desk.recording(shift.desk.find(documents, now), now))
    except WirewatchError:
        register.let_go(stories, shift.owner)
        raise
    revisions = dict.fromkeys(stories, 0) | {placed.placement.story: placed.revision for placed in standing.values()}
    register.refreshed(revisions, shift.owner)
    shift.tally.add("stories-refreshed", len(stories))
    return len(stories)


def _upsert(index: Index, documents: Sequence[Document]) -> None:
    """Write documents anew; one that the index took before and refuses now stays as it was."""
    try:
        index.upsert(documents)
    except DocumentsRefusedError as error:
        log.warning("a story could not be refreshed", reason=str(error))


def outdated(index: Index, standing: dict[str, Placed]) -> list[Document]:
    """The documents in the index that say something else than this, put right."""
    changed: list[Document] = []
    for article, placed in sorted(standing.items()):
        document = index.get(article)
        # One that is on its way to the index brings its own placement, and says so to the register.
        if document is not None and document.article.version == placed.version:
            fresh = at_its_place(document, placed)
            if fresh != document:
                changed.append(fresh)
    return changed


async def refresh_owed(shift: Shift, index: Index, work: asyncio.Task[None] | None = None, *, once: bool) -> None:
    """Refresh stories as they grow; in one pass, until ``work``, which makes them grow, is done and none is owed."""
    pause = REFRESH_IN_A_PASS if once else REFRESH
    while not shift.stopping.is_set():
        last = work is None or work.done()
        if await asyncio.to_thread(refresh_stories, shift, index):
            shift.to_deliver.set()
            if last or not once:
                continue
        elif once and last:
            return
        stopped = asyncio.create_task(shift.stopping.wait())
        waits: set[asyncio.Future[object]] = {stopped}  # type: ignore[arg-type]
        if work is not None and not last:
            waits.add(work)  # type: ignore[arg-type]
        try:
            await asyncio.wait(waits, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
