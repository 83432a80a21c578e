"""The items of the ledger, and what can become of them: one small record for each outcome of a stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.records import Location, Sighting, article_id


class Owed(StrEnum):
    """What is to be done next for an item."""

    FETCH = "fetch"
    INDEX = "index"  # extract, enrich and index: one step, since the first two are pure


class Again(StrEnum):
    """From which stage on an article is made again."""

    FETCH = "fetch"
    EXTRACT = "extract"
    ENRICH = "enrich"  # with its text as the index has it; ``Item.stage`` says so until that is done


class ItemState(StrEnum):
    """Where an item stands. Every item ends in exactly one of the last six."""

    SEEN = "seen"
    FETCHED = "fetched"
    INDEXED = "indexed"
    DUPLICATE = "duplicate"  # another item already speaks for this article
    SKIPPED = "skipped"  # the page holds no article
    QUARANTINED = "quarantined"
    DROPPED = "dropped"  # taken out of quarantine by the operator's word
    PRUNED = "pruned"  # it ended in one of the others, and was removed for its age


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to be fetched and indexed, with the sighting that first announced it."""

    id: str
    url: str
    host: str
    sighting: Sighting
    state: ItemState
    owed: Owed | None
    due: datetime | None
    fetches: int
    attempts: int
    stage: str | None
    reason: str | None
    code: str | None
    body_reason: str | None
    location: Location | None
    article: str | None
    indexed: datetime | None
    etag: str | None = None
    last_modified: str | None = None
    page_hash: str | None = None

    @property
    def by_link(self) -> bool:
        """Whether it is known by its link: not where there is none, nor where its feed's links tell nothing, so that
        tomorrow this one may lead elsewhere, or nowhere."""
        return bool(self.url) and self.id == article_id(self.url)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The page is in the archive; extract, enrich and index are owed."""

    item: str
    location: Location
    etag: str | None = None
    last_modified: str | None = None
    page_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The page of an indexed article was looked at again and says what it said, or could not be looked at now.

    ``again`` is when to look next, ``None`` for never; ``visited`` whether it was looked at at all.
    """

    item: str
    again: datetime | None
    etag: str | None = None
    last_modified: str | None = None
    visited: bool = True


@dataclass(frozen=True, slots=True)
class FellBack:
    """The page cannot be had, or nothing can be made of it; the feed's own text is owed to the index in its place.

    ``fetch_again`` is when to ask for the page once more, ``None`` for never; ``stage`` is where it failed.
    """

    item: str
    code: str
    reason: str
    fetch_again: datetime | None
    stage: str = "fetch"


@dataclass(frozen=True, slots=True)
class Retry:
    """A stage failed and is to be tried again at ``due``. ``owed`` is what is owed then.

    ``lost`` says that the archive has lost the page: it is asked for whole, whatever was had of it before.
    """

    item: str
    owed: Owed
    due: datetime
    code: str
    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Indexed:
    """The article is in the index, since ``at``. ``revisit`` is when to look at its page again, ``None`` for never."""

    item: str
    article: str
    at: datetime
    revisit: datetime | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another item already speaks for this article."""

    item: str
    article: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The page holds no article; ``code`` is what it holds."""

    item: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The page of an article that stands in the index with the feed's own text will not be asked for again."""

    item: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The item failed for good at ``stage`` until somebody looks."""

    item: str
    stage: str
    code: str
    reason: str


Change = Fetched | Unchanged | FellBack | Retry | Indexed | Duplicate | Skipped | GaveUp | Quarantined


UNCONDITIONAL: dict[str, Any] = {"etag": None, "last_modified": None, "page_hash": None}
"""The columns of an item whose page is asked for whole: "not changed" would be no answer."""


def columns(change: Change, now: datetime) -> dict[str, Any]:
    """The columns that a change sets."""
    # Here, and not above: worker processes make changes without a ledger, and SQLAlchemy is slow to import.
    from sqlalchemy import case, literal_column

    from pipeline.ledger import tables as t

    clean: dict[str, Any] = {"reason": None, "code": None, "stage": None}
    kept: dict[str, Any] = {
        "state": literal_column(f"CASE WHEN indexed IS NULL THEN '{ItemState.FETCHED}' ELSE state END")
    }
    match change:
        case Unchanged(again=again, etag=etag, last_modified=last_modified, visited=visited):
            values = {"owed": None if again is None else Owed.FETCH.value, "due": again}
            if visited:
                values |= clean | {"fetches": 0, "etag": etag, "last_modified": last_modified}
            return values
        case Fetched(location=location):
            return (
                clean
                | kept
                | {
                    "owed": Owed.INDEX.value,
                    "due": now,
                    "fetches": 0,
                    "attempts": 0,
                    "body_reason": None,
                    "fetch_again": None,
                    "warc_file": location.file,
                    "warc_offset": location.offset,
                    "etag": change.etag,
                    "last_modified": change.last_modified,
                    "page_hash": change.page_hash,
                }
            )
        case FellBack(code=code, reason=reason, fetch_again=fetch_again, stage=stage):
            failed = t.items.c.fetches if stage == "fetch" else t.items.c.attempts
            return kept | {
                "owed": Owed.INDEX.value,
                "due": now,
                failed.name: failed + 1,
                "stage": stage,
                "code": code,
                "reason": reason,
                "body_reason": reason,
                "fetch_again": fetch_again,
                "quarantined": now,  # where nothing can be made of the page, and the feed's own text stands in
            }
        case Retry(owed=owed, due=due, code=code, reason=reason, lost=lost):
            count = t.items.c.fetches if owed is Owed.FETCH else t.items.c.attempts
            return (UNCONDITIONAL if lost else {}) | {
                "owed": owed.value,
                "due": due,
                count.name: count + 1,
                "stage": owed.value,
                "code": code,
                "reason": reason,
            }
        case Indexed(article=article, at=at, revisit=revisit):
            done = case((t.items.c.stage == Again.ENRICH.value, None), else_=t.items.c.stage)
            indexed = {
                "state": ItemState.INDEXED.value,
                "article": article,
                "indexed": at,
                "attempts": 0,
                "stage": done,
            }
            if revisit is not None:  # its page was had, so there is no other reason to ask for it
                return indexed | {"owed": Owed.FETCH.value, "due": revisit, "fetch_again": None}
            waiting = t.items.c.fetch_again
            return indexed | {
                "owed": case((waiting.is_not(None), Owed.FETCH.value), else_=None),
                "due": waiting,
                "fetch_again": None,
            }
        case GaveUp(code=code, reason=reason):
            return {"owed": None, "due": None, "stage": "fetch", "code": code, "reason": reason}
        case Duplicate(article=article):
            return clean | {"state": ItemState.DUPLICATE.value, "article": article, "owed": None, "due": None}
        case Skipped(code=code, reason=reason):
            return {
                "state": ItemState.SKIPPED.value,
                "owed": None,
                "due": None,
                "stage": "extract",
                "code": code,
                "reason": reason,
            }
        case Quarantined(stage=stage, code=code, reason=reason):
            return {
                "state": ItemState.QUARANTINED.value,
                "quarantined": now,
                "owed": None,
                "due": None,
                "stage": stage,
                "code": code,
                "reason": reason,
            }
