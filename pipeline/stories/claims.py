"""The book of claims in the ledger: which claims are one assertion, and which stand against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, delete, or_, select

from pipeline.ledger import Ledger
from pipeline.ledger import story_tables as t
from pipeline.ledger.access import chunks
from pipeline.records import Assertion, Document, Opposite, Relation
from pipeline.stories.assertions import Said, assertion_id, is_same, opposition
from pipeline.stories.placing import COLUMNS, Member, count_origins, group_origin
from pipeline.stories.traits import Traits

NEWEST = 200
"""Claims of one speaker that a new one is compared with, newest first."""
OF_STORY = 400
"""Claims of a story that a new one is compared with."""
WINDOW = 30 * 24 * 60
"""Minutes in which a speaker is held to a word."""
SHORT, SHORTEST = 200, 60
"""Characters of a speaker and of a cue that are kept to be shown."""
SHOWN = 5
"""Opposites that a claim names, surest first."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A claim in the book as new ones are compared with it. ``number`` is its article's, ``minute`` that article's time
    since 1970."""

    number: int
    n: int
    minute: int
    assertion: str
    said: Said

    @property
    def place(self) -> tuple[int, int, int]:
        """What claims are in order of: who said it first."""
        return self.minute, self.number, self.n


# Made once: a batch asks with them for hundreds of speakers and stories.
_COMPARED = tuple(
    t.claims.c[name] for name in ("number", "n", "minute", "assertion", "speaker", "stance", "plain", "terms")
)
_OF_SPEAKER = (
    select(*_COMPARED)
    .where(t.claims.c.last_name == bindparam("name"), t.claims.c.minute >= bindparam("since"))
    .order_by(t.claims.c.minute.desc())
    .limit(NEWEST)
)
_OF_STORY = (
    select(*_COMPARED)
    .join(t.placements, t.placements.c.number == t.claims.c.number)
    .where(t.placements.c.story == bindparam("story"), t.claims.c.stance == bindparam("stance"))
    .order_by(t.claims.c.minute.desc())
    .limit(OF_STORY)
)


class ClaimBook:
    """The claims of one ledger. All methods work in the caller's transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def otherwise(self, db: Connection, said: Mapping[int, Sequence[Said]]) -> set[int]:
        """Those of these articles, by number, whose claims are not those in the book: another model has read them."""
        c = t.claims.c
        book: dict[int, list[tuple[object, ...]]] = {number: [] for number in said}
        for part in chunks(sorted(said)):
            columns = (c.number, c.n, c.speaker, c.shown, c.cue, c.stance, c.plain, c.text)
            for row in db.execute(select(*columns).where(c.number.in_(part)).order_by(c.number, c.n)):
                book[row.number].append(tuple(row)[1:])
        return {number for number, ones in said.items() if book[number] != [_words(one) for one in ones]}

    def _compared_with(self, db: Connection, numbers: Sequence[int]) -> set[int]:
        """The other articles whose documents speak of claims of these."""
        c, o = t.claims.c, t.opposites.c
        found: set[int] = set()
        for part in chunks(numbers):
            assertions = select(c.assertion).where(c.number.in_(part)).distinct()
            for speaks in (
                select(c.number).where(c.assertion.in_(assertions)),
                select(o.number).where(o.other_number.in_(part)),
                select(o.other_number).where(o.number.in_(part)),
            ):
                found.update(db.execute(speaks.distinct()).scalars())
        return found - set(numbers)

    def remove(self, db: Connection, numbers: Sequence[int]) -> set[int]:
        """Remove the claims of these articles. Returns the numbers of the others whose documents speak of them."""
        others = self._compared_with(db, numbers)
        for part in chunks(numbers):
            db.execute(delete(t.claims).where(t.claims.c.number.in_(part)))
            either = or_(t.opposites.c.number.in_(part), t.opposites.c.other_number.in_(part))
            db.execute(delete(t.opposites).where(either))
        return others

    def enter(self, db: Connection, fresh: Sequence[tuple[Document, Traits]], stories: Mapping[int, str]) -> set[int]:
        """Write down the claims of new articles (or new versions), joined to those that say the same or the opposite.

        ``stories`` are the articles' stories by number. Returns the numbers of other articles whose documents do not
        say what is known now.
        """
        entering = [(of, document) for document, of in fresh]
        gone = [of.number for of, _ in entering]
        others = self.remove(db, gone)
        if not any(of.said for of, _ in entering):
            return others
        by_speaker, by_story = self._known(db, entering, stories)
        rows: list[dict[str, Any]] = []
        against: dict[tuple[int, int, int, int], dict[str, Any]] = {}
        for of, document in entering:
            minute = int(of.time.timestamp() // 60)
            of_story = by_story[stories[of.number]]
            for said in of.said:
                near = by_speaker[_last(said.speaker)] if said.speaker else []
                same = [other for other in near if other.number != of.number and is_same(said, other.said)]
                if same:
                    assertion = min(same, key=lambda other: other.place).assertion
                    others.update(other.number for other in near if other.assertion == assertion)
                else:
                    own = (other for other in near if other.number == of.number and is_same(said, other.said))
                    first = next(own, None)
                    assertion = first.assertion if first else assertion_id(document.article.id, said.n)
                entered = Entered(of.number, said.n, minute, assertion, said)
                opposed = _opposed(entered, [*near, *of_story])
                against |= opposed
                others.update(number for pair in opposed for number in (pair[0], pair[2]) if number != of.number)
                rows.append(_row(entered))
                if said.speaker:
                    near.append(entered)
                of_story.append(entered)
        if rows:
            db.execute(self._ledger.insert(t.claims).on_conflict_do_nothing(), rows)
        if against:
            db.execute(self._ledger.insert(t.opposites).on_conflict_do_nothing(), list(against.values()))
        return others - set(gone)

    def _known(
        self, db: Connection, entering: Sequence[tuple[Traits, Document]], stories: Mapping[int, str]
    ) -> tuple[dict[str, list[Entered]], dict[str, list[Entered]]]:
        """The claims that new ones are compared with: by speaker's last name all, by story those of another stance
        than one of the new ones."""
        names = sorted({_last(said.speaker) for of, _ in entering for said in of.said if said.speaker})
        since = min(int(of.time.timestamp() // 60) for of, _ in entering) - WINDOW
        by_speaker = {name: [*map(_entered, db.execute(_OF_SPEAKER, {"name": name, "since": since}))] for name in names}
        by_story: dict[str, list[Entered]] = {stories[of.number]: [] for of, _ in entering}
        for story, stance in sorted({(stories[of.number], -said.stance) for of, _ in entering for said in of.said}):
            by_story[story] += map(_entered, db.execute(_OF_STORY, {"story": story, "stance": stance}))
        return by_speaker, by_story

    def of(self, db: Connection, members: Sequence[Member]) -> dict[int, tuple[Assertion, ...]]:
        """The assertions of articles, by number: one for each claim of the document, in order."""
        numbers = [member.number for member in members]
        mine: dict[int, dict[int, str]] = {}
        for part in chunks(numbers):
            columns = (t.claims.c.number, t.claims.c.n, t.claims.c.assertion)
            for number, n, assertion in db.execute(select(*columns).where(t.claims.c.number.in_(part))):
                mine.setdefault(number, {})[n] = assertion
        if not mine:
            return {}
        carriers = self._carriers(db, sorted({one for claims in mine.values() for one in claims.values()}))
        against = self._against(db, sorted(mine))
        answer: dict[int, tuple[Assertion, ...]] = {}
        for member in members:
            claims = mine.get(member.number)
            if claims is None:
                continue
            made = []
            for n in range(max(claims) + 1):
                assertion = claims.get(n)
                if assertion is None:  # too little is said in it to be compared
                    lone = assertion_id(member.article, n)
                    made.append(Assertion(id=lone, carriers=(member.source,)))
                    continue
                sources, origins = carriers[assertion]
                made.append(
                    Assertion(
                        id=assertion,
                        carriers=sources,
                        independent_sources=origins,
                        opposites=tuple(against.get((member.number, n), ())[:SHOWN]),
                    )
                )
            answer[member.number] = tuple(made)
        return answer

    def _carriers(self, db: Connection, assertions: Sequence[str]) -> dict[str, tuple[tuple[str, ...], int]]:
        """For each assertion the outlets that carry it, first first, and how many origins they have."""
        found: dict[str, list[Any]] = {}
        groups: set[str] = set()
        for part in chunks(assertions):
            columns = (
                t.claims.c.assertion,
                t.placements.c.source,
                t.placements.c.text_group,
            )
            joined = select(*columns).join(t.placements, t.placements.c.number == t.claims.c.number)
            in_order = joined.order_by(t.placements.c.time, t.placements.c.article)
            for row in db.execute(in_order.where(t.claims.c.assertion.in_(part))):
                found.setdefault(row.assertion, []).append(row)
                groups.add(row.text_group)
        whose: dict[str, list[Member]] = {}
        names = [t.placements.c[name] for name in COLUMNS]
        for part in chunks(sorted(groups)):
            for row in db.execute(select(*names).where(t.placements.c.text_group.in_(part))):
                member = Member.of_row(tuple(row))
                whose.setdefault(member.text_group, []).append(member)
        origins = {group: group_origin(of)[0] for group, of in whose.items()}
        return {
            assertion: (
                tuple(dict.fromkeys(row.source for row in rows)),
                count_origins(origins[row.text_group] for row in rows),
            )
            for assertion, rows in found.items()
        }

    def _against(self, db: Connection, numbers: Sequence[int]) -> dict[tuple[int, int], list[Opposite]]:
        """For each claim of these articles those that stand against it, surest first."""
        pairs: list[tuple[tuple[int, int], tuple[int, int], str, float]] = []
        for part in chunks(numbers):
            either = or_(t.opposites.c.number.in_(part), t.opposites.c.other_number.in_(part))
            for row in db.execute(select(t.opposites).where(either)):
                one, other = (row.number, row.n), (row.other_number, row.other_n)
                pairs.append((one, other, row.relation, row.confidence))
                pairs.append((other, one, row.relation, row.confidence))
        wanted = set(numbers)
        pairs = [pair for pair in pairs if pair[0][0] in wanted]
        texts = self._texts(db, sorted({pair[1] for pair in pairs}))
        found: dict[tuple[int, int], dict[tuple[int, int], Opposite]] = {}
        for own, other, relation, confidence in pairs:
            if other in texts:
                row = texts[other]
                found.setdefault(own, {})[other] = Opposite(
                    relation=Relation(relation),
                    confidence=confidence,
                    article=row.article,
                    n=row.n,
                    speaker=row.shown,
                    cue=row.cue,
                    text=row.text,
                    source=row.source,
                    time=row.time,
                )
        return {
            own: sorted(others.values(), key=lambda one: (-one.confidence, one.time, one.article, one.n))
            for own, others in found.items()
        }

    def _texts(self, db: Connection, claims: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Any]:
        columns = (
            t.claims.c.number,
            t.claims.c.n,
            t.claims.c.shown,
            t.claims.c.cue,
            t.claims.c.text,
            t.placements.c.article,
            t.placements.c.source,
            t.placements.c.time,
        )
        joined = select(*columns).join(t.placements, t.placements.c.number == t.claims.c.number)
        found = {}
        for part in chunks(sorted({number for number, _ in claims})):
            for row in db.execute(joined.where(t.claims.c.number.in_(part))):
                found[row.number, row.n] = row
        return found


def _words(said: Said) -> tuple[object, ...]:
    """A claim as the book has it, terms apart, which follow from the text."""
    return (said.n, said.speaker, said.shown[:SHORT], said.cue[:SHORTEST], said.stance, said.plain, said.text)


def _last(speaker: str) -> str:
    return speaker.rpartition(" ")[2]


def _entered(row: Any) -> Entered:
    number, n, minute, assertion, speaker, stance, plain, terms = row
    of_words = frozenset(np.frombuffer(terms, dtype="<u4").tolist())
    # How it is shown beside others is asked for where it is (see `_texts`).
    return Entered(number, n, minute, assertion, Said(n, speaker, "", "", stance, of_words, "", plain))


def _row(entered: Entered) -> dict[str, Any]:
    said = entered.said
    return {
        "number": entered.number,
        "n": entered.n,
        "assertion": entered.assertion,
        "speaker": said.speaker,
        "last_name": _last(said.speaker),
        "minute": entered.minute,
        "stance": said.stance,
        "plain": said.plain,
        "shown": said.shown[:SHORT],
        "cue": said.cue[:SHORTEST],
        "text": said.text,
        "terms": np.array(sorted(said.terms), dtype="<u4").tobytes(),
    }


def _opposed(new: Entered, others: Iterable[Entered]) -> dict[tuple[int, int, int, int], dict[str, Any]]:
    """The rows of the pairs in which one of the others stands against a new claim, by article and number of the earlier
    and the later."""
    found: dict[tuple[int, int, int, int], dict[str, Any]] = {}
    for other in others:
        how = opposition(new.said, other.said, same_article=other.number == new.number)
        if how is None or abs(other.minute - new.minute) > WINDOW:
            continue
        early, late = sorted((new, other), key=lambda one: one.place)
        found[early.number, early.n, late.number, late.n] = {
            "number": early.number,
            "n": early.n,
            "other_number": late.number,
            "other_n": late.n,
            "relation": how[0].value,
            "confidence": how[1],
        }
    return found
