"""Extraction and enrichment in processes of their own: what one worker process does, and the pool of them.

A page can be made to keep a parser busy for minutes, or to fill gigabytes. So each item has a limit of time and of
memory, and a process that passes one is ended and replaced, which costs that item its attempt and nobody else anything.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pebble import ProcessPool

from pipeline.errors import ArchiveError, ExtractError, NotReadyError, WirewatchError
from pipeline.ledger import Change, Item, Owed, Quarantined, Retry, Skipped
from pipeline.records import Article, Document, Enriched, Location, Page, PageKind

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.stories.traits import Draft

STAND_INS = {
    PageKind.LOGIN: "the page asks for a login or a subscription",
    PageKind.EMPTY: "the page holds no article text",
}
"""Kinds of page for which the feed's own text stands in, where the feed has any, and why."""

NO_ARTICLE = {
    PageKind.VIDEO: "the page is a video",
    PageKind.LIVE: "the page is a live blog",
} | STAND_INS


class Enriches(Protocol):
    """What enrichment is, for those who only call it."""

    name: str

    def enrich(
        self, text: str, *, title: str = "", published: datetime | None = None, language: str | None = None
    ) -> Enriched: ...


def read_article(item: Item, read: Callable[[Location], Page]) -> Article | Change:
    """The article of an item, from its archived page or from the feed's own text; or what became of it instead."""
    made = _read_article(item, read)
    return under_its_id(item, made) if isinstance(made, Article) else made


def under_its_id(item: Item, article: Article) -> Article:
    """The article under the id that stays. The item of a feed whose links tell nothing is not known by its link: what
    it was once known as it stays, and where its page names no address but that link, it is known as itself."""
    if item.by_link:
        return article
    names_another = article.body_source == "page" and article.url != item.url
    return replace(article, id=item.article or (article.id if names_another else item.id))


def _read_article(item: Item, read: Callable[[Location], Page]) -> Article | Change:
    from pipeline.extract import extract, from_feed

    sighting = item.sighting
    if item.body_reason is not None or item.location is None:
        reason = item.body_reason or "the page was not fetched"
        if not (sighting.text or sighting.title):
            return Quarantined(item.id, "fetch", item.code or "no-text", reason)
        return from_feed(sighting, reason)
    try:
        article = extract(read(item.location), sighting)
    except ArchiveError as error:
        # The page is still on the web: ask for it again, and leave the damaged record behind.
        return Retry(item.id, Owed.FETCH, sighting.first_seen, "archive", str(error), lost=True)
    except ExtractError as error:
        if sighting.text:
            return from_feed(sighting, error.reason)
        return Quarantined(item.id, "extract", "not-a-page", error.reason)
    if article.kind is PageKind.ARTICLE:
        return article
    if article.kind in STAND_INS and sighting.text:
        return from_feed(sighting, STAND_INS[article.kind])
    return Skipped(item.id, article.kind.value, NO_ARTICLE[article.kind])


def process(item: Item, read: Callable[[Location], Page], enricher: Enriches) -> Document | Change:
    """Extract and enrich one item: a pure function of its page, its sighting and the enricher's models."""
    article = read_article(item, read)
    return enrich_article(item, article, enricher) if isinstance(article, Article) else article


def enrich_article(item: Item, article: Article, enricher: Enriches) -> Document:
    """The document of an article: a pure function of it and the enricher's models."""
    enriched = enricher.enrich(
        article.body,
        title=article.title,
        published=article.published or article.first_seen,
        language=article.language,
    )
    article = replace(article, language=enriched.language or article.language)
    return Document(article=article, enriched=enriched, indexed=item.indexed)


class WorkerPool:
    """Processes that run :func:`process` or a half of it, each with the archive and the models open. Started at the
    first item.

    What is submitted gives a future of what becomes of the item. It raises TimeoutError where the time limit was
    passed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: ProcessPool | None = None

    def begin(self) -> Future[None]:
        """Start the processes. A future that is done when one of them is ready, or raises NotReadyError."""
        pool = self._started()
        with _deaf_to_interrupts():
            ready: Future[None] = pool.schedule(_ready)
        return ready

    def submit(self, item: Item) -> Future[Document | Change]:
        """Extract and enrich an item."""
        return self._schedule(_process, item)

    def draft(self, item: Item, article: Article | None = None) -> Future[Draft | Change]:
        """Extract and enrich an item, or only enrich its article where that is given, and read the traits by which its
        document is placed."""
        return self._schedule(_draft, item, article)

    def extract(self, item: Item) -> Future[Article | Change]:
        """Extract an item."""
        return self._schedule(_extract, item)

    def enrich(self, item: Item, article: Article) -> Future[Document | Change]:
        """Enrich an item whose article is there already."""
        return self._schedule(_enrich, item, article)

    def _schedule(self, work: Callable[..., Any], *args: object) -> Future[Any]:
        future: Future[Any] = self._started().schedule(work, args=args, timeout=self._settings.page_timeout)
        return future

    def _started(self) -> ProcessPool:
        if self._pool is not None and not self._pool.active:
            self.stop()  # it broke; its items fail, and those after them get a new one
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._settings.workers,
                # Threads of ours hold locks of the index and the ledger: a forked child would inherit them locked.
                context=get_context("spawn"),
                initializer=_begin,
                initargs=(Orders.of(self._settings),),
            )
        return self._pool

    def stop(self) -> None:
        """End the processes now; what they had in hand is lost, and stays owed."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool = None


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes begun in this block take no Ctrl-C: it goes to all of a terminal's processes, and ours ends theirs.

    They inherit it, and so are deaf from their first moment. Outside of the main thread, which alone may set signals,
    nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True, slots=True)
class Orders:
    """The settings that a worker process needs, apart from the others: those take pydantic to unpack, a third of a
    second of CPU to import."""

    archive_folder: Path
    warc_size: int
    enrich: bool
    model: str | None
    page_memory: int

    @classmethod
    def of(cls, settings: Settings) -> Orders:
        return cls(settings.archive_folder, settings.warc_size, settings.enrich, settings.model, settings.page_memory)


_desk: tuple[Callable[[Location], Page], Enriches] | WirewatchError | None = None
"""The worker process's own archive and models, or why it has none."""

PR_SET_PDEATHSIG = 1

OUT_OF_MEMORY = 86
"""The exit code of a process whose page took more memory than it may: it ends, since what a page has filled, the
allocator seldom gives back."""


def _begin(orders: Orders) -> None:
    """Make a fresh process ready: it leaves signals to its parent, and dies with it."""
    global _desk
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # prctl(2): a parent that is killed -9 can tell nobody, and must not leave processes behind. Linux only.
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    gc.set_threshold(20_000)  # as in pipeline.cli: what is made now are libraries
    import pipeline.extract  # noqa: F401 - slow to import, which must not be taken off the first page's time

    try:
        _desk = open_desk(orders)
    except WirewatchError as error:
        _desk = error  # told to the first who asks: an error here would only be "the pool is broken"
    gc.freeze()  # what was loaded stays for good: no collection needs to look at it again
    _limit_memory(orders.page_memory)


def _limit_memory(room: int) -> None:
    """Let this process take so many more bytes than it has now (setrlimit(2), RLIMIT_DATA; Linux counts all private
    memory under it)."""
    try:
        status = Path("/proc/self/status").read_text()
        taken = re.search(r"VmData:\s+(\d+) kB", status)
        if taken is not None:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (int(taken[1]) * 1024 + room, hard))
    except (OSError, ValueError):
        return  # no such limit on this system, or a lower one is set already


def open_desk(settings: Settings | Orders) -> tuple[Callable[[Location], Page], Enriches]:
    """What extraction and enrichment need: a way to read the archive, and the models."""
    from pipeline.enrich import Enricher
    from pipeline.fetch import Archive

    return Archive(settings.archive_folder, settings.warc_size).read, Enricher(settings)


def _ready() -> None:
    """Raises NotReadyError where this process could not be made ready."""
    if isinstance(_desk, WirewatchError):
        raise NotReadyError(str(_desk))


def _process(item: Item) -> Document | Change:
    read, enricher = _at_the_desk()
    with _within_memory():
        return process(item, read, enricher)


def _extract(item: Item) -> Article | Change:
    read, _ = _at_the_desk()
    with _within_memory():
        return read_article(item, read)


def _enrich(item: Item, article: Article) -> Document:
    _, enricher = _at_the_desk()
    with _within_memory():
        return enrich_article(item, article, enricher)


def _draft(item: Item, article: Article | None) -> Draft | Change:
    from pipeline.stories.traits import draft

    made = _process(item) if article is None else _enrich(item, article)
    return draft(made) if isinstance(made, Document) else made


@contextmanager
def _within_memory() -> Iterator[None]:
    """End this process where a page takes more memory than it may."""
    try:
        yield
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _at_the_desk() -> tuple[Callable[[Location], Page], Enriches]:
    if _desk is None:  # pebble runs the initializer before any task
        raise RuntimeError("this process was never made ready")
    _ready()
    assert isinstance(_desk, tuple)
    return _desk
