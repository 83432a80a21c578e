"""Makes articles again from the archive: some of them, in the ordinary course of work, or the whole index.

Some are owed again, and whoever does what is owed makes them again. The index is rebuilt: the same archive, ledger and
models in, the same documents out, byte for byte. The new index is built beside the old one, which answers searches
meanwhile, and takes its place when it is whole; a replay that is killed leaves the old index as it was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from pipeline.alerts.desk import Desk
from pipeline.errors import (
    DocumentsRefusedError,
    FeedError,
    IndexDamagedError,
    IndexUnavailableError,
    LedgerError,
    NotReadyError,
    SettingsError,
)
from pipeline.extract import from_feed
from pipeline.flow import heed, utc_now
from pipeline.flow.stories import AT_ONCE, at_its_place, outdated, place_documents
from pipeline.folder import folder_in_use
from pipeline.index import Index, Kind, open_index, rebuilding
from pipeline.ledger import Again, Change, Item, Ledger, Owed, Quarantined, Retry, Skipped, open_ledger, this_worker
from pipeline.records import Document
from pipeline.settings import Settings
from pipeline.stories.register import Register
from pipeline.stories.traits import draft
from pipeline.workers import WorkerPool, open_desk, under_its_id


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay did. ``problems`` are sentences, each naming the article and what was wrong."""

    documents: int
    problems: tuple[str, ...]


async def replay(settings: Settings, ledger: Ledger, *, alert: bool = False, beside: bool = False) -> Report:
    """Build the index anew from everything that was ever indexed. With ``alert``, what the rules of now find in it is
    owed to their channels, but for what was told before. With ``beside``, the index is not the one in use: what the
    ledger says of that one, and owes it, stays as it is.

    Needs the data folder for itself. An article that cannot be made again (its archive record is damaged, its page
    breaks the extractor) is taken over from the old index, or from the feed's own text where that is gone too; it is
    reported, and a page that the archive has lost is owed to the next run's fetch stage.

    Raises LedgerError where the ledger knows of no article but the index or the archive holds some, NotReadyError where
    the model cannot be loaded; the old index then stays as it is.
    """
    old = _old_index(settings)
    _refuse_without_ledger(settings, ledger, old)
    pool = WorkerPool(settings)
    problems: list[str] = []
    desk = Desk(settings, ledger) if alert else None
    made = 0
    try:
        await asyncio.wrap_future(pool.begin())
        with rebuilding(settings) as index:
            async for batch in _in_order(ledger.indexed_items(), pool, settings):
                remade: list[tuple[Item, Document]] = []
                for item, result in batch:
                    if isinstance(result, Skipped):  # a better extractor sees that it never was an article
                        continue
                    if isinstance(result, Retry) and result.owed is Owed.FETCH:
                        ledger.owe_fetch(item.id, utc_now())
                    if not isinstance(result, Document):
                        problems.append(f"{item.url or item.id}: {getattr(result, 'reason', result)}")
                        result = _as_before(item, old) or _stand_in(item, problems[-1], settings)
                    remade.append((item, replace(result, indexed=item.indexed)))
                    if result.article.id != item.article and not beside:
                        ledger.rename_article(item.id, result.article.id)
                documents = await asyncio.to_thread(_in_their_places, ledger, index, pool, remade, beside)
                try:
                    await asyncio.to_thread(index.upsert, documents)
                except DocumentsRefusedError as error:  # the others are in
                    problems += [f"article {id_}: {reason}" for id_, reason in error.refused.items()]
                    made -= len(error.refused)
                made += len(documents)
                if desk is not None:
                    await asyncio.to_thread(_alert, desk, ledger, documents)
            await asyncio.to_thread(_refresh_beside if beside else _refresh, ledger, index)
            if old is not None:
                old.close()
    finally:
        await asyncio.to_thread(pool.stop)
    return Report(made, tuple(problems))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which articles of the index are meant: those first seen in that time, announced by that feed (by id)."""

    feed: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, ledger: Ledger, feed: str | None, since: str | None, until: str | None) -> Selection:
        """A selection as a person gives it: the feed by address, id or the id's beginning, times as ISO 8601 (in UTC
        where they name no zone). Raises FeedError or SettingsError naming what cannot be read."""
        found = [] if feed is None else ledger.find_feeds(feed)
        if feed is not None and len(found) != 1:
            raise FeedError(feed, "unknown", "more than one feed is meant" if found else "there is no such feed")
        return cls(found[0].id if found else None, _moment("since", since), _moment("until", until))


def owe_again(ledger: Ledger, selection: Selection, again: Again) -> int:
    """Owe the selected articles this stage and all that follow again. Returns how many.

    They stay in the index as they are until they have been made again; a page that cannot be had any more leaves its
    article as it was.
    """
    return ledger.owe_again(again, selection.feed, selection.since, selection.until, utc_now())


def count(ledger: Ledger, selection: Selection) -> int:
    """How many articles are meant."""
    return ledger.count_indexed(selection.feed, selection.since, selection.until)


def rebuild(settings: Settings, target: str | None = None, *, alert: bool = False) -> Report:
    """:func:`replay`, with the data folder held for it. With ``target``, into Elasticsearch indices of that prefix, the
    ones in use being left alone."""
    if target is not None:
        if settings.index == "embedded":
            raise SettingsError(
                f"target index {target!r}: the embedded index has no prefix; it is rebuilt in its place"
            )
        settings = settings.model_copy(update={"index_prefix": target})
    with folder_in_use(settings.data, alone=True), closing(open_ledger(settings.ledger_at)) as ledger:
        return asyncio.run(replay(settings, ledger, alert=alert, beside=target is not None))


def _moment(name: str, given: str | None) -> datetime | None:
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise SettingsError(f"{name}: {given!r} is no date; give it as 2026-11-25 or 2026-11-25T18:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_their_places(
    ledger: Ledger, index: Index, pool: WorkerPool, remade: Sequence[tuple[Item, Document]], beside: bool
) -> list[Document]:
    """The documents where the register has them; those that were indexed before there were stories are placed now, and
    those that the extractor or the model of now reads otherwise anew. Where the index is not the one in use, these say
    nothing of others' claims: the register knows of the claims of the one that is."""
    register = Register(ledger)
    documents = [document for _, document in remade]
    standing = register.placements([document.article.id for document in documents])
    otherwise = set(register.read_otherwise(documents))
    if beside:
        for article in otherwise & standing.keys():
            known = standing[article]
            standing[article] = replace(known, placement=replace(known.placement, assertions=()))
        otherwise = set()
    new = [
        (item, draft(document))
        for item, document in remade
        if document.article.id not in standing or document.article.id in otherwise
    ]
    placed = standing | place_documents(ledger, index, pool, new, utc_now())
    return [
        at_its_place(document, place)
        for document in documents
        if not isinstance(place := placed[document.article.id], str)
    ]


def _refresh(ledger: Ledger, index: Index) -> None:
    """Bring up to date what was made before later articles joined its story."""
    register, owner = Register(ledger), this_worker()
    while stories := register.claim_owed(utc_now(), AT_ONCE, owner, 300.0):
        standing = register.standing(stories)
        index.upsert(outdated(index, standing))
        revisions = dict.fromkeys(stories, 0) | {place.placement.story: place.revision for place in standing.values()}
        register.refreshed(revisions, owner)


def _refresh_beside(ledger: Ledger, index: Index) -> None:
    """The same for an index that is not in use: the one in use is owed these stories still."""
    register = Register(ledger)
    stories = register.all_owed()
    for at in range(0, len(stories), 50):
        index.upsert(outdated(index, register.standing(stories[at : at + 50])))


def _alert(desk: Desk, ledger: Ledger, documents: Sequence[Document]) -> None:
    now = utc_now()
    ledger.apply([], now, "", also=desk.recording(desk.find(documents, now), now))


def _old_index(settings: Settings) -> Index | None:
    """The index in use, ``None`` where it cannot be opened."""
    try:
        return open_index(settings)
    except (IndexDamagedError, IndexUnavailableError):
        return None


def _refuse_without_ledger(settings: Settings, ledger: Ledger, old: Index | None) -> None:
    """A ledger that was lost must not empty an index that is whole."""
    if sum(ledger.counts().values()):
        return
    held = old.count(Kind.ARTICLES) if old is not None else 0
    if held or any(settings.archive_folder.glob("*.warc.gz")):
        what = f"the index holds {held} articles" if held else "the archive holds pages"
        raise LedgerError(ledger.where, f"it knows of no article, but {what}: restore the ledger from a backup first")


def _as_before(item: Item, old: Index | None) -> Document | None:
    """The document of an item in the index in use."""
    if old is None or item.article is None:
        return None
    try:
        return old.get(item.article)
    except (IndexDamagedError, IndexUnavailableError):
        return None


async def _in_order(
    items: Iterator[Item], pool: WorkerPool, settings: Settings
) -> AsyncIterator[list[tuple[Item, Document | Change]]]:
    """Batches of (item, what came of it) in the items' order, with the worker processes kept busy."""
    waiting: deque[tuple[Item, asyncio.Future[Document | Change]]] = deque()
    batch: list[tuple[Item, Document | Change]] = []
    while True:
        for item in islice(items, max(0, 2 * settings.batch - len(waiting))):
            future = asyncio.wrap_future(pool.submit(item))
            future.add_done_callback(heed)
            waiting.append((item, future))
        if not waiting:
            break
        item, future = waiting.popleft()
        batch.append((item, await _made(item, future, pool)))
        if len(batch) >= settings.batch:
            yield batch
            batch = []
    if batch:
        yield batch


async def _made(item: Item, future: asyncio.Future[Document | Change], pool: WorkerPool) -> Document | Change:
    """What a worker process makes of an item; a process that died of something else gets a second try."""
    error: Exception | None = None
    for attempt in (future, None):
        try:
            return await (attempt or asyncio.wrap_future(pool.submit(item)))
        except NotReadyError:
            raise
        except Exception as failed:  # noqa: BLE001 - a page that kills its process is a problem to report, not the end
            error = failed
    return Quarantined(item.id, "extract", "crash", f"{type(error).__name__}: {error}")


def _stand_in(item: Item, reason: str, settings: Settings) -> Document:
    """The document of an item whose archived page is damaged, from the feed's own text."""
    _, enricher = open_desk(settings)
    article = under_its_id(item, from_feed(item.sighting, reason))
    enriched = enricher.enrich(
        article.body, title=article.title, published=article.published or article.first_seen, language=article.language
    )
    return Document(article=article, enriched=enriched, indexed=item.indexed)
