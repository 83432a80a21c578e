"""Lets go of stories that are over: which articles go together, and what is removed of them.

A story goes whole or not at all, so that what its documents say of its carriers and sources stays true. Its claims may
have been compared with those of other stories, whose documents are then owed to the index without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, or_, select

from pipeline.ledger import Ledger
from pipeline.ledger import story_tables as t
from pipeline.ledger.access import chunks
from pipeline.stories.claims import ClaimBook
from pipeline.stories.register import Register
from pipeline.stories.traits import number_of


@dataclass(frozen=True, slots=True)
class Family:
    """The articles of one story. ``names`` are the ids that it had, its own first; ``owed``: the index is owed it."""

    articles: tuple[str, ...]
    names: tuple[str, ...] = ()
    owed: bool = False


def families(db: Connection, articles: Sequence[str]) -> dict[str, Family]:
    """The family of each of these articles. One that was never placed is its own."""
    story_of: dict[str, str] = {}
    p = t.placements.c
    for numbers in chunks([number_of(article) for article in articles]):
        found = db.execute(select(p.article, p.story).where(p.number.in_(numbers)))
        story_of.update((article, story) for article, story in found)
    members: dict[str, list[str]] = {story: [] for story in sorted(set(story_of.values()))}
    names = {story: [story] for story in members}
    owed: set[str] = set()
    for part in chunks(list(members)):
        for article, story in db.execute(select(p.article, p.story).where(p.story.in_(part)).order_by(p.article)):
            members[story].append(article)
        for gone, story in db.execute(
            select(t.stories.c.id, t.stories.c.leads_to).where(t.stories.c.leads_to.in_(part))
        ):
            names[story].append(gone)
        busy = or_(t.stories.c.owed.is_(True), t.stories.c.lease_owner.is_not(None))
        owed.update(db.execute(select(t.stories.c.id).where(t.stories.c.id.in_(part), busy)).scalars())
    family = {story: Family(tuple(of), tuple(names[story]), story in owed) for story, of in members.items()}
    return {article: family[story_of[article]] if article in story_of else Family((article,)) for article in articles}


def forget(ledger: Ledger, db: Connection, articles: Sequence[str]) -> list[str]:
    """Remove these articles from the register. Returns the stories that are no more, under every id that they had."""
    numbers = sorted(number_of(article) for article in articles)
    over = _ids(db, t.placements.c.story, t.placements.c.number, numbers)
    others = ClaimBook(ledger).remove(db, numbers)
    _remove(db, t.placements, t.placements.c.number, numbers)
    _remove(db, t.versions, t.versions.c.article, list(articles))
    others |= _ids(db, t.placements.c.number, t.placements.c.story, sorted(over))  # a member that has come meanwhile
    living = _ids(db, t.placements.c.story, t.placements.c.number, sorted(others))
    Register(ledger).touch(db, living)
    gone = sorted(over - living)
    names = sorted({*gone, *_ids(db, t.stories.c.id, t.stories.c.leads_to, gone)})
    _remove(db, t.stories, t.stories.c.id, names)
    return names


def _ids(db: Connection, wanted: Column[Any], column: Column[Any], values: Sequence[Any]) -> set[Any]:
    """The values of one column in the rows that have one of these in another."""
    found: set[Any] = set()
    for part in chunks(values):
        found.update(db.execute(select(wanted).where(column.in_(part)).distinct()).scalars())
    return found


def _remove(db: Connection, table: Table, column: Column[Any], values: Sequence[Any]) -> None:
    for part in chunks(values):
        db.execute(delete(table).where(column.in_(part)))
