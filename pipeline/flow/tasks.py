"""The flow in tasks, for a scheduler that runs each by itself, on any machine, and again where one has failed.

A *round* (one run of a DAG, say) claims what is due or owed in a few batches; each batch then goes from task to task
by the name of its claim. Nothing else is handed on: what is to be done is in the ledger, pages are in the archive, and
what extraction and enrichment made waits in the data folder (``claims/``) for the task that follows. So a task may be
killed and begun again, on the same machine or another: it does what is left to do of its batch, and changes nothing
twice.

These are the stages that a resident run does beside each other, the same functions; the command line has every one of
them too (``wirewatch task``). All raise LedgerError, ArchiveError, IndexUnavailableError, IndexDamagedError or
NotReadyError where they cannot go on; what is not done stays with the batch.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import current_process
from multiprocessing.process import AuthenticationString  # type: ignore[attr-defined]
from typing import Any, TypeVar

from pipeline.alerts.sending import Sending
from pipeline.errors import ArchiveError
from pipeline.fetch import Fetcher
from pipeline.flow.batch import BatchShift
from pipeline.flow.fetch import fetch_owed
from pipeline.flow.index import article_there, index_owed, settle_items, store_documents
from pipeline.flow.kept import Kept
from pipeline.flow.poll import poll_due
from pipeline.flow.run import first_of
from pipeline.flow.shift import utc_now
from pipeline.flow.stories import refresh_owed
from pipeline.flow.upkeep import Report, look_after
from pipeline.flow.work import work_owed
from pipeline.folder import folder_in_use
from pipeline.index import open_index
from pipeline.ledger import Change, Item, Ledger, Owed, claims_of, open_ledger, round_of
from pipeline.records import Article, Document, Feed
from pipeline.settings import Settings
from pipeline.stories.traits import Draft, draft
from pipeline.urls import host
from pipeline.workers import WorkerPool

T = TypeVar("T")

SHARDS = 8
"""Batches of feeds a round. Feeds are polled beside each other within one, so more would only cost more tasks."""
FEEDS = 4000
"""Feeds a round; what is due beyond is the next round's. 500 a shard at some 50 ms of CPU each are 25 s."""
ITEMS = 200
"""Items a batch: starting a task costs 0.4-0.9 CPU-seconds, an article 0.2 (2026-11-23)."""
BATCHES = 8
"""Batches of items a round."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was claimed, and of how many feeds or items it consists."""

    claim: str
    count: int


# -- claiming ---------------------------------------------------------------------------------------------------------


def plan(settings: Settings, name: str, *, shards: int = SHARDS, limit: int = FEEDS) -> list[Batch]:
    """Claim the feeds that are due, in at most so many shards, for the round of this name.

    All feeds of one host are in one shard, so that the host sees one guest. A round that is planned again gives back
    what it had claimed.
    """
    with _round(settings, name) as (ledger, me):
        feeds = ledger.claim_feeds(utc_now(), limit, me, settings.lease, per_host=limit)
        hosts: dict[str, list[Feed]] = defaultdict(list)
        for feed in feeds:
            hosts[host(feed.url)].append(feed)
        dealt = _deal(hosts.values(), shards)
        batches = []
        for claim, part in zip(claims_of(round_of(name)), dealt, strict=False):
            ledger.hand_over(me, claim, utc_now(), settings.claim_lease, feeds=[feed.id for feed in part])
            batches.append(Batch(claim, len(part)))
        return batches


def claim(settings: Settings, name: str, *, size: int = ITEMS, most: int = BATCHES) -> list[Batch]:
    """Claim what is owed now, in at most so many batches of about this size, for the round of this name.

    All pages of one host are in one batch, and no more of them than its size: they are asked for one after the other.
    A round that claims again gives back what it had claimed.
    """
    with _round(settings, name) as (ledger, me):
        room = size * most
        hosts: dict[str, list[Item]] = defaultdict(list)
        for item in ledger.claim_items(Owed.FETCH, utc_now(), room, me, settings.lease, per_host=size):
            hosts[item.host].append(item)
        room -= sum(map(len, hosts.values()))
        ready = ledger.claim_items(Owed.INDEX, utc_now(), room, me, settings.lease) if room > 0 else []
        total = sum(map(len, hosts.values())) + len(ready)
        parts = [*hosts.values(), *([item] for item in ready)]
        dealt = _deal(parts, min(most, -(-total // size)))
        batches = []
        for owner, part in zip(claims_of(round_of(name)), dealt, strict=False):
            ledger.hand_over(me, owner, utc_now(), settings.claim_lease, items=[item.id for item in part])
            batches.append(Batch(owner, len(part)))
        return batches


@contextmanager
def _round(settings: Settings, name: str) -> Iterator[tuple[Ledger, str]]:
    """The ledger, and whom to claim for. What the round had before is given back, and in the end what was not dealt."""
    round_ = round_of(name)
    with folder_in_use(settings.data), closing(open_ledger(settings.ledger_at)) as ledger:
        _give_back(settings, ledger, round_)
        try:
            yield ledger, round_
        finally:
            ledger.release(round_)


def _deal(groups: Iterable[Sequence[T]], most: int) -> list[list[T]]:
    """Whole groups in at most so many parts of about the same size: the largest first, each to the smallest part."""
    parts: list[list[T]] = [[] for _ in range(max(most, 1))]
    for group in sorted(groups, key=len, reverse=True):
        min(parts, key=len).extend(group)
    return [part for part in parts if part]


# -- a batch's tasks --------------------------------------------------------------------------------------------------


def poll(settings: Settings, claim: str) -> dict[str, int]:
    """Poll the feeds of a batch. A feed that fails is noted with that feed, and fails nothing else."""

    async def stage(shift: BatchShift) -> None:
        async with Fetcher(settings, held=shift.hold_host) as fetcher:
            await poll_due(shift, fetcher, once=True)
        shift.ledger.leave_hosts(claim)

    return _work(settings, claim, stage)


def fetch(settings: Settings, claim: str) -> dict[str, int]:
    """Fetch the pages that a batch is owed into the archive."""

    async def stage(shift: BatchShift) -> None:
        async with Fetcher(settings, held=shift.hold_host) as fetcher:
            await fetch_owed(shift, fetcher, once=True)
        shift.ledger.leave_hosts(claim)

    return _work(settings, claim, stage)


def extract(settings: Settings, claim: str) -> dict[str, int]:
    """Take the articles out of a batch's pages, and keep them for :func:`enrich`."""

    async def stage(shift: BatchShift) -> None:
        def make(item: Item) -> Future[Article | Change]:
            article = shift.kept.get(item.id, Article) or article_there(opened, item)
            return pool.extract(item) if article is None else _done(article)

        # No model is needed, and it is slow to load.
        with closing(open_index(settings)) as opened, _pool(settings.model_copy(update={"enrich": False})) as pool:
            await work_owed(shift, make, _keeping(shift), once=True)

    return _work(settings, claim, stage)


def enrich(settings: Settings, claim: str) -> dict[str, int]:
    """Find entities and claims in a batch's articles, and keep the documents for :func:`index`."""

    async def stage(shift: BatchShift) -> None:
        def make(item: Item) -> Future[Document | Change]:
            document = shift.kept.get(item.id, Document)
            if document is not None:
                return _done(document)
            article = shift.kept.get(item.id, Article)
            return pool.submit(item) if article is None else pool.enrich(item, article)

        with _pool(settings) as pool:
            await work_owed(shift, make, _keeping(shift), once=True)

    return _work(settings, claim, stage)


def index(settings: Settings, claim: str) -> dict[str, int]:
    """Index a batch's documents; one that is not there is made first."""

    async def stage(shift: BatchShift) -> None:
        def make(item: Item) -> Future[Draft | Change]:
            document = shift.kept.get(item.id, Document)
            return pool.draft(item) if document is None else _done(draft(replace(document, indexed=item.indexed)))

        def store(ready: Sequence[tuple[Item, Draft | Change]]) -> None:
            store_documents(shift, opened, pool, ready)

        with closing(open_index(settings)) as opened, _pool(settings) as pool:
            await work_owed(shift, make, store, once=True)
            await refresh_owed(shift, opened, once=True)

    return _work(settings, claim, stage)


def ingest(settings: Settings, claim: str) -> dict[str, int]:
    """All of fetch, extract, enrich and index in one task, the stages beside each other as in a resident run."""

    async def stage(shift: BatchShift) -> None:
        with closing(open_index(settings)) as opened, _pool(settings) as pool:
            await asyncio.wrap_future(pool.begin())
            async with Fetcher(settings, held=shift.hold_host) as fetcher, asyncio.TaskGroup() as group:
                fetches = group.create_task(fetch_owed(shift, fetcher, once=True))
                group.create_task(index_owed(shift, opened, pool, fetches, once=True))
            await refresh_owed(shift, opened, once=True)

    return _work(settings, claim, stage)


def deliver(settings: Settings) -> dict[str, int]:
    """Send the alerts that are due now, each tried once; what fails is due again later. Returns what came of them."""

    async def send(heard: Callable[[str], None]) -> None:
        sending = await Sending.begin(settings, heard)
        await sending.finish()

    outcomes: Counter[str] = Counter()
    with folder_in_use(settings.data), closing(open_ledger(settings.ledger_at)) as ledger:
        ledger.release_dead()
        due = ledger.outbox.next_due()
        if due is not None and due <= utc_now():
            asyncio.run(send(lambda outcome: outcomes.update([outcome])))
    return dict(outcomes)


# -- ending a round ---------------------------------------------------------------------------------------------------


def finish(settings: Settings, name: str) -> dict[str, int]:
    """End a round: what its batches could not do is given back and stays owed. Returns what became of its items, by
    state, from the ledger: what the tasks counted themselves is wrong once one of them was begun again."""
    round_ = round_of(name)
    with folder_in_use(settings.data), closing(open_ledger(settings.ledger_at)) as ledger:
        _give_back(settings, ledger, round_)
        return {state: count for state, count in ledger.round_counts(round_).items() if count}


def owed(settings: Settings) -> int:
    """How many items are owed a fetch or the index now, and in nobody's hand."""
    with closing(open_ledger(settings.ledger_at)) as ledger:
        return sum(counts["now"] for counts in ledger.owed(utc_now()).values())


def upkeep(settings: Settings) -> Report:
    """Look after what has to be looked after now and then (see upkeep.py)."""
    with folder_in_use(settings.data), closing(open_ledger(settings.ledger_at)) as ledger:
        return look_after(settings, ledger, utc_now())


def _give_back(settings: Settings, ledger: Ledger, round_: str) -> None:
    claims = claims_of(round_)
    ledger.release(round_, *claims)
    for claim in claims:
        Kept(settings.claims_folder, claim).drop_all()


# -- the machinery ----------------------------------------------------------------------------------------------------


def _work(settings: Settings, claim: str, stage: Callable[[BatchShift], Awaitable[None]]) -> dict[str, int]:
    """Do a stage over a batch with its lease kept. Returns what was done by this try."""

    async def worked(shift: BatchShift) -> None:
        heart = asyncio.create_task(shift.keep_leases())
        try:
            await stage(shift)
        except BaseExceptionGroup as errors:
            raise first_of(errors) from errors
        finally:
            heart.cancel()

    with folder_in_use(settings.data), closing(open_ledger(settings.ledger_at)) as ledger:
        shift = BatchShift(settings, ledger, claim)
        try:
            asyncio.run(worked(shift))
        finally:
            shift.close()
        return dict(sorted(shift.tally.counts.items()))


def _keeping(shift: BatchShift) -> Callable[[Sequence[tuple[Item, Article | Document | Change]]], None]:
    """Keeps what the next task needs, and writes down what else became of items."""

    def store(ready: Sequence[tuple[Item, Article | Document | Change]]) -> None:
        changes: list[Change] = []
        for item, made in ready:
            if not isinstance(made, Article | Document):
                changes.append(made)
                continue
            try:
                shift.kept.put(item.id, made)
            except OSError as error:
                raise ArchiveError(str(shift.kept.folder), None, f"cannot be written: {error.strerror}") from error
            shift.tally.add("extracted" if isinstance(made, Article) else "enriched")
        settle_items(shift, changes, shift.clock())

    return store


@contextmanager
def _pool(settings: Settings) -> Iterator[WorkerPool]:
    _may_have_children()
    pool = WorkerPool(settings)
    try:
        yield pool
    finally:
        pool.stop()


def _may_have_children() -> None:
    """Let this process begin others also where Celery has begun it.

    Celery's workers are daemons, which may have no children, lest these outlive them; ours do not (see workers.py).
    And its library puts a process object of its own into ``multiprocessing``, with a key that only it can hand on.
    """
    here = current_process()
    here.daemon = False
    here._config["authkey"] = AuthenticationString(bytes(here.authkey))  # type: ignore[attr-defined]


def _done(made: Article | Document | Draft) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(made)
    return future
