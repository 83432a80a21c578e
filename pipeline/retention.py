"""Removes what is older than a newsroom wants to keep from index, ledger and archive, and nothing that is owed.

What goes together goes at once: a story with all of its articles and copies, when the youngest of them is old and none
is owed anything, in quarantine or in somebody's hand, and all of its alerts have been delivered. First the ledger says
that an article is pruned, so that nobody makes it again; then the index lets go of it; then the ledger of the rest; in
the end the archive of files in which nothing lies that is wanted. A prune that is killed is finished by the next one,
and may run beside workers.

The ledger goes on knowing the links, so that an entry that its feed still shows is not taken for news.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nlargest

from sqlalchemy import Connection

from pipeline.errors import ArchiveError, SettingsError
from pipeline.fetch.archive import SUFFIX
from pipeline.folder import folder_in_use
from pipeline.index import Index, open_index
from pipeline.ledger import Ledger
from pipeline.ledger.pruning import why_kept
from pipeline.records import Sighting
from pipeline.settings import LEAST_DAYS, Settings
from pipeline.stories.forgetting import Family, families, forget

SHOWN = 10
"""Links that a dry run names."""
A_DAY = timedelta(hours=20)
"""Between two daily prunes: less than a day, since whoever looks does so once an hour."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was pruned, or would be: articles, items (links), and the archive's files with their bytes.

    ``kept`` counts the old items that stay, by why. A dry run gives the ``youngest`` of what would go, too: if these
    can be spared, so can the rest.
    """

    articles: int
    items: int
    files: int
    bytes: int
    kept: dict[str, int]
    youngest: tuple[Going, ...] = ()


@dataclass(frozen=True, slots=True)
class Going:
    """One link that would go, as its entry announced it."""

    first_seen: datetime
    source: str
    title: str
    url: str


@dataclass(slots=True)
class _Part:
    """Some old items, looked at: which may go, with which articles; and why the others stay."""

    last: str
    items: set[str] = field(default_factory=set)
    articles: set[str] = field(default_factory=set)
    kept: Counter[str] = field(default_factory=Counter)


def prune(settings: Settings, ledger: Ledger, cut: datetime, now: datetime, *, dry_run: bool = False) -> Report:
    """Remove what was first seen before ``cut``; with ``dry_run``, only say what that would be.

    Raises SettingsError where that is too young to be removed, LedgerError, ArchiveError, IndexUnavailableError or
    IndexDamagedError where one of them cannot be used, or a replay runs: the next prune goes on.
    """
    if cut > now - timedelta(days=LEAST_DAYS):
        days = (now - cut).days
        raise SettingsError(
            f"older than {days} {'day' if days == 1 else 'days'}: at least {LEAST_DAYS} are kept, for stories and "
            "claims are compared with those of a month"
        )
    with folder_in_use(settings.data):
        if dry_run:
            return _would_prune(settings, ledger, cut, now)
        with closing(open_index(settings)) as index:
            return _prune(settings, ledger, index, cut, now)


def prune_daily(settings: Settings, ledger: Ledger, now: datetime) -> Report | None:
    """Prune by the setting ``keep_days``, once a day; ``None`` where it is not set, or not yet time."""
    if settings.keep_days is None:
        return None
    stamp = settings.data / "pruned"
    if stamp.exists() and now.timestamp() - stamp.stat().st_mtime < A_DAY.total_seconds():
        return None
    report = prune(settings, ledger, now - timedelta(days=settings.keep_days), now)
    stamp.touch()
    os.utime(stamp, (now.timestamp(), now.timestamp()))
    return report


def _prune(settings: Settings, ledger: Ledger, index: Index, cut: datetime, now: datetime) -> Report:
    _let_go(ledger, index, ledger.half_pruned())
    items = articles = 0
    kept: Counter[str] = Counter()
    last = ""
    while True:
        with ledger.writing() as db:
            part = _next_part(ledger, db, cut, now, last)
            if part is None:
                break
            ledger.mark_pruned(db, sorted(part.items))
        _let_go(ledger, index, sorted(part.articles))
        items, articles, last = items + len(part.items), articles + len(part.articles), part.last
        kept += part.kept
    files = _unwanted(settings, cut, set(ledger.files_named()))
    for file, _ in files:
        try:
            (settings.archive_folder / file).unlink(missing_ok=True)
        except OSError as error:
            raise ArchiveError(file, None, f"cannot be removed: {error.strerror or error}") from error
    return Report(articles, items, len(files), sum(size for _, size in files), dict(sorted(kept.items())))


def _would_prune(settings: Settings, ledger: Ledger, cut: datetime, now: datetime) -> Report:
    named = ledger.files_named()
    youngest: list[tuple[datetime, Sighting]] = []
    items: set[str] = set()
    articles: set[str] = set()
    kept: Counter[str] = Counter()
    last = ""
    while True:
        with ledger.reading() as db:
            part = _next_part(ledger, db, cut, now, last)
            if part is None:
                break
            fresh = sorted(part.items - items)
            named -= ledger.files_of(db, fresh, sorted(part.articles - articles))
            youngest = nlargest(SHOWN, youngest + ledger.youngest(db, fresh, SHOWN), key=lambda one: one[0])
        items, articles, last = items | part.items, articles | part.articles, part.last
        kept += part.kept
    files = _unwanted(settings, cut, set(named))
    going = tuple(Going(seen, one.source, one.title, one.url) for seen, one in youngest)
    size = sum(size for _, size in files)
    return Report(len(articles), len(items), len(files), size, dict(sorted(kept.items())), going)


def _next_part(ledger: Ledger, db: Connection, cut: datetime, now: datetime, after: str) -> _Part | None:
    """Looks at the next old items after that one, with all that each goes together with; ``None`` after the last."""
    old = ledger.old_items(db, cut, after)
    if not old:
        return None
    part = _Part(last=old[-1].id)
    family_of = families(db, sorted({item.article for item in old if item.article is not None}))
    every = sorted({article for family in family_of.values() for article in family.articles})
    items_of: dict[str, set[str]] = {article: set() for article in every}
    why: dict[str, str] = {}
    for item in ledger.items_of(db, every):
        items_of[item.article].add(item.id)
        reason = why_kept(item, cut, now)
        if reason is not None:
            why[item.article] = reason
    untold = ledger.untold(db, sorted({name for family in family_of.values() for name in family.names}))
    for item in old:
        reason = why_kept(item, cut, now)
        if item.article is None:
            if reason is None:
                part.items.add(item.id)
        else:
            family = family_of[item.article]
            reason = why.get(item.article) or _why_whole(family, why, untold)
            if reason is None:
                part.articles.update(family.articles)
                part.items.update(*(items_of[article] for article in family.articles))
        if reason is not None:
            part.kept[reason] += 1
    return part


def _why_whole(family: Family, why: dict[str, str], untold: set[str]) -> str | None:
    """Why a story must stay, where the article that is looked at could go."""
    if any(article in why for article in family.articles):
        return "their story goes on"
    if not untold.isdisjoint(family.names):
        return "an alert is to be delivered"
    return "owed" if family.owed else None


def _let_go(ledger: Ledger, index: Index, articles: Sequence[str]) -> None:
    """Take articles that the ledger has as pruned out of the index, and then out of the rest of the ledger."""
    if not articles:
        return
    index.delete(articles)
    with ledger.writing() as db:
        ledger.forget_indexed(db, articles)
        ledger.forget_alerts(db, forget(ledger, db, articles))


def _unwanted(settings: Settings, cut: datetime, named: set[str]) -> list[tuple[str, int]]:
    """The archive's files that were last written before ``cut`` and in which nothing lies that is named, with their
    sizes. A file that is still written to is younger: none is for longer than a day."""
    found: list[tuple[str, int]] = []
    try:
        for entry in os.scandir(settings.archive_folder):
            if entry.name.endswith(SUFFIX) and entry.name not in named:
                about = entry.stat()
                if about.st_mtime < cut.timestamp():
                    found.append((entry.name, about.st_size))
    except FileNotFoundError:
        pass  # nothing was fetched yet
    except OSError as error:
        raise ArchiveError(str(settings.archive_folder), None, f"cannot be read: {error.strerror or error}") from error
    return sorted(found)
