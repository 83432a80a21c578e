"""The place of an article among others: what its document says of its story, from the rows of the story's articles.

Pure: the same rows give the same placement, whoever asks, and in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pipeline.records import Assertion, Carrier, Placement, Status
from pipeline.stories import origin as origins

CARRIERS = 50
"""Carriers that a document names. A wire story with a thousand carriers would else write a million lines of them."""

_TAKEN_BACK = (Status.KILLED, Status.WITHDRAWN)


@dataclass(slots=True)
class Member:
    """One article of a story, as the ledger keeps it (``placements``, without what it is compared by)."""

    number: int
    article: str
    story: str
    text_group: str
    time: datetime
    seen: datetime
    source: str
    url: str
    title: str
    title_key: int
    origin: str
    origin_from: str
    weak: bool
    body_source: str
    fingerprint: str
    version: int
    update_number: int
    kills: int | None
    status: Status
    status_at: datetime | None
    status_note: str | None

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Member:
        """A row of ``COLUMNS``."""
        member = cls(*row)
        member.status = Status(member.status)
        return member

    @property
    def rank(self) -> tuple[datetime, str]:
        """First first: by time, then by id."""
        return self.time, self.article


COLUMNS = tuple(field.name for field in fields(Member))
"""The columns of ``placements`` that a member has."""


def group_origin(group: Sequence[Member]) -> tuple[str, str]:
    """Whose text a group of copies has, and where that was read.

    An agency that some of them name, by the surest of their words; else whoever had it first.
    """
    first = min(group, key=lambda member: member.rank)
    named = [member for member in group if member.origin_from != "outlet" and (not member.weak or len(group) > 1)]
    if not named:
        return first.origin if first.origin_from == "outlet" else origins.outlet_origin(first.source), "outlet"
    order = ("dateline", "byline", "credit")
    surest = min(named, key=lambda member: (member.weak, order.index(member.origin_from), member.rank))
    return surest.origin, surest.origin_from


def place(
    own: Member, members: Sequence[Member], merged: Sequence[str] = (), assertions: Sequence[Assertion] = ()
) -> Placement:
    """The placement of ``own`` in a story of these articles, ``own`` among them."""
    ordered = sorted(members, key=lambda member: member.rank)
    groups: dict[str, list[Member]] = {}
    for member in ordered:
        groups.setdefault(member.text_group, []).append(member)
    whose = {group: group_origin(of) for group, of in groups.items()}
    first = ordered[0]
    name, read_from = whose[own.text_group]
    if name != own.origin or (own.weak and read_from != "outlet"):
        read_from = "content"  # its copies say so, or confirm what its own words leave open
    elif own.origin_from != "outlet":
        read_from = own.origin_from

    def carrier(member: Member) -> Carrier:
        leader = groups[member.text_group][0]
        return Carrier(
            article=member.article,
            source=member.source,
            url=member.url,
            title=member.title,
            time=member.time,
            minutes=_minutes(first, member),
            origin=whose[member.text_group][0],
            copy_of=None if leader is member else leader.article,
            version=member.version,
            status=member.status,
        )

    shown = ordered[:CARRIERS]
    if own not in shown:
        shown = [*shown[:-1], own]
    leader = groups[own.text_group][0]
    status, at, note = own.status, own.status_at, own.status_note
    if status not in _TAKEN_BACK:
        taken = next((member for member in groups[own.text_group] if member.status is Status.KILLED), None)
        if taken is not None:  # the agency took the text back, for all who carry it
            status, at, note = taken.status, taken.status_at, taken.status_note
    return Placement(
        story=own.story,
        merged=tuple(sorted(merged)),
        origin=name,
        origin_from=read_from,
        copy_of=None if leader is own else leader.article,
        minutes=_minutes(first, own),
        carriers=tuple(carrier(member) for member in shown),
        independent_sources=count_origins(whose[group][0] for group in groups),
        versions=own.version,
        status=status,
        status_at=at,
        status_note=note,
        assertions=tuple(assertions),
    )


def count_origins(names: Iterable[str]) -> int:
    """How many origins these names are of: "Meridian" and "Meridian News Agency" are one."""
    kept: list[str] = []
    for name in sorted(set(names)):
        if not any(origins.same(name, other) for other in kept):
            kept.append(name)
    return len(kept)


def _minutes(first: Member, member: Member) -> int:
    return int((member.time - first.time).total_seconds() // 60)
