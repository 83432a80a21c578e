"""Which articles belong together: the decisions about a batch of new articles and what is near them.

Pure. Works on members in memory; ``register`` brings them from the ledger and writes down what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.records import Status, story_id
from pipeline.stories import alike, origin
from pipeline.stories.placing import Member
from pipeline.stories.text import overlap
from pipeline.stories.traits import TERM_KEY, Likeness, Traits

SAME_WINDOW = timedelta(days=2)
SAME_TEXT = 0.9
"""Share of either text in the other from which one outlet's two pages with one headline are one article."""
UPDATE_TEXT = 0.2
"""Share of the shorter text from which an agency's "UPDATE 2-" takes another's place that is not under its headline."""


@dataclass(slots=True)
class Table:
    """Members by number, with what they are compared by, and what was changed among them."""

    members: dict[int, Member]
    likeness: dict[int, Likeness]
    created: dict[str, datetime]
    """When the stories of these members were begun; for choosing which of two lives on."""
    changed: set[int] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    """Stories that are no more, to those that they lead to."""
    regrouped: dict[str, str] = field(default_factory=dict)
    """The same for groups of copies."""

    def story(self, member: Member) -> str:
        return end(self.merged, member.story)

    def group(self, member: Member) -> str:
        return end(self.regrouped, member.text_group)


def end(leads: Mapping[str, str], key: str) -> str:
    """Where a chain of keys leads to."""
    while key in leads:
        key = leads[key]
    return key


def same_article(new: Member, candidates: Iterable[int], table: Table) -> Member | None:
    """The article that ``new`` is one with: the same outlet's, under the same headline, in the same words."""
    like = table.likeness[new.number]
    for number in sorted(candidates):
        other = table.members[number]
        if (
            other.source == new.source
            and other.update_number == new.update_number
            and other.title_key == new.title_key != 0
            and abs(other.time - new.time) <= SAME_WINDOW
            and like.length >= alike.SHORTEST
            and min(overlap(like.sketch, table.likeness[number].sketch)) >= SAME_TEXT
        ):
            return other
    return None


def join(new: Member, candidates: Iterable[int], table: Table) -> None:
    """Put a new (or newly worded) article where it belongs: with its copies, and with accounts of its event."""
    for number in sorted(candidates):
        other = table.members[number]
        mine, theirs = table.likeness[new.number], table.likeness[number]
        kinship = alike.kinship(mine, theirs, new.time - other.time)
        if kinship is alike.Kinship.COPY:
            _unite_groups(new, other, table)
        if kinship is not alike.Kinship.NONE or _takes_back(new, other) or _takes_back(other, new):
            _unite_stories(new, other, table)
        _heed(new, other, table)
        _heed(other, new, table)


def begin(number: int, member: Member, table: Table, now: datetime) -> None:
    """A story of its own, until it is joined to another."""
    table.members[number] = member
    table.created.setdefault(member.story, now)
    table.changed.add(number)


def new_story(article: str) -> str:
    return story_id(article)


def _unite_stories(a: Member, b: Member, table: Table) -> None:
    first, second = table.story(a), table.story(b)
    if first == second:
        return
    kept, gone = sorted((first, second), key=lambda story: (table.created[story], story))  # the older one lives on
    table.merged[gone] = kept


def _unite_groups(a: Member, b: Member, table: Table) -> None:
    first, second = sorted((table.group(a), table.group(b)))
    if first != second:
        table.regrouped[second] = first


def _heed(by: Member, other: Member, table: Table) -> None:
    """What ``by`` says became of ``other``: killed, withdrawn, or overtaken by an update."""
    if _takes_back(by, other):
        _mark(other, Status.KILLED, by.time, by.status_note or by.title, table)
    elif _overtakes(by, other, table):
        _mark(other, Status.UPDATED, by.time, by.title, table)


def _takes_back(by: Member, other: Member) -> bool:
    return (
        by.kills is not None
        and by.kills == other.title_key != 0
        and by.number != other.number
        and other.kills is None
        and other.time <= by.time <= other.time + timedelta(days=30)
        and (origin.same(by.source, other.source) or origin.same(by.origin, other.origin))
    )


def _overtakes(by: Member, other: Member, table: Table) -> bool:
    if not (other.update_number < by.update_number and by.source == other.source and by.number != other.number):
        return False
    if not other.time <= by.time <= other.time + alike.EVENT_WINDOW or by.kills is not None or other.kills is not None:
        return False
    if by.title_key == other.title_key != 0:
        return True
    mine, theirs = table.likeness[by.number], table.likeness[other.number]
    kin = alike.kinship(mine, theirs, by.time - other.time) is not alike.Kinship.NONE
    return kin and max(overlap(mine.sketch, theirs.sketch)) >= UPDATE_TEXT


_RANK = (
    Status.CURRENT,
    Status.UPDATED,
    Status.CLARIFIED,
    Status.CORRECTED,
    Status.VANISHED,
    Status.WITHDRAWN,
    Status.KILLED,
)


def worse(a: Status, b: Status) -> bool:
    """Whether ``a`` says more against an article than ``b``."""
    return _RANK.index(a) > _RANK.index(b)


def _mark(member: Member, status: Status, at: datetime, note: str | None, table: Table) -> None:
    if worse(status, member.status):
        member.status, member.status_at, member.status_note = status, at, note
        table.changed.add(member.number)


def chosen(of: Traits, filed: Mapping[int, Sequence[tuple[int, int]]], most: int) -> list[int]:
    """Of the (number, minute) filed under an article's keys, the likeliest, at most so many: those found oftenest, then
    the newest.

    A text in common may show in a single key (a cut copy has few), but one term in common is nothing.
    """
    shared: dict[int, int] = {}
    minutes: dict[int, int] = {}
    for key in of.keys:
        weight = 1 if key & TERM_KEY else 2
        for number, minute in filed[key]:
            shared[number] = shared.get(number, 0) + weight
            minutes[number] = minute
    shared.pop(of.number, None)
    near = [(-count, -minutes[number], number) for number, count in shared.items() if count > 1]
    near.sort()
    return [number for _, _, number in near[:most]]
