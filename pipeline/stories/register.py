"""The register of stories, in the ledger's database: places articles, and knows which documents say less than it does.

An article is placed in one transaction, before it is indexed; asked again after a crash, the register answers the
same. What a new article changes for others of its story (their carriers, how many sources) is owed to the index, and
paid by ``refresh`` without anything being extracted or enriched again. Several workers may share one register: who
places waits for who is placing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from pipeline.ledger import Ledger
from pipeline.ledger import story_tables as t
from pipeline.ledger.access import chunks
from pipeline.records import Article, Difference, Document, Location, Placement, Status, Version, from_json, to_json
from pipeline.stories import joining
from pipeline.stories.assertions import said
from pipeline.stories.claims import ClaimBook
from pipeline.stories.joining import Table, chosen, join, same_article
from pipeline.stories.placing import COLUMNS, Member, place
from pipeline.stories.traits import Likeness, Traits, number_of, title_key
from pipeline.stories.versions import fingerprint

WINDOW = timedelta(days=14)
"""How long an article is found by others. Copies come within a week, and a story goes on with what is new in it."""
POSTINGS = 20
"""Articles looked up under one key, newest first: what is filed under more says too little."""
CANDIDATES = 16
"""Articles that a new one is compared with."""
CLAIMS_AN_ARTICLE = 5
"""Claims that weigh as much in a write of the index as an article does (2026-11-26)."""
_SWEEPS = 4096
"""Parts of the key space, of which each batch clears one of what has left the window."""
_LOCK = 7_157_411


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a document was put: its place and version, and the revision of its story that they are from."""

    placement: Placement
    version: int
    revision: int


class Register:
    """The stories of one ledger. Raises LedgerError as the ledger does."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._claims = ClaimBook(ledger)

    # -- placing -----------------------------------------------------------------------------------------------------

    def reworded(self, drafts: Sequence[tuple[Document, Traits]]) -> dict[str, Location | None]:
        """The ids of those articles that come in other words from another page than they are known from, and where
        that page lies. Their difference is wanted by :meth:`place`, or to be told that they were only read again."""
        with self._ledger.reading() as db:
            known = self._members(db, [of.number for _, of in drafts])
            changed = [
                document.article
                for document, of in drafts
                if (member := known.get(of.number)) is not None and _is_new_version(member, document.article, of)
            ]
            pages = self._pages(db, [article.id for article in changed])
        return {article.id: page for article in changed if not _is_there(page := pages.get(article.id), article)}

    def read_otherwise(self, documents: Sequence[Document]) -> list[str]:
        """The ids of those articles that are known in other words, or with other claims."""
        of_number = {number_of(document.article.id): document for document in documents}
        with self._ledger.reading() as db:
            known = self._members(db, sorted(of_number))
            otherwise = self._claims.otherwise(db, {number: said(of_number[number]) for number in known})
        return [
            of_number[number].article.id
            for number, member in known.items()
            if number in otherwise or member.fingerprint != fingerprint(of_number[number].article)
        ]

    def place(
        self,
        drafts: Sequence[tuple[Document, Traits]],
        now: datetime,
        differences: Mapping[str, Difference] | None = None,
        reread: Collection[str] = (),
    ) -> dict[str, Placed | str]:
        """Place articles, by id. Where one turns out to be another article, that one's id stands in its place.

        ``differences`` are those of the :meth:`reworded` ones from their version before; ``reread`` are those of them
        whose page before says the same by now, so that only the extractor is new.
        """
        if not drafts:
            return {}
        answer: dict[str, Placed | str] = {}
        ordered = sorted(drafts, key=lambda draft: (draft[1].time, draft[0].article.id))
        with self._ledger.writing() as db:
            self._ledger.take_turns(db, _LOCK)
            known = self._members(db, [of.number for _, of in ordered])
            new = [
                (document, of)
                for document, of in ordered
                if (member := known.get(of.number)) is None or _is_reworded(member, document.article, of)
            ]
            if new:
                again = self._reread(db, new, known, reread)
                self._place_new(db, new, known, now, differences or {}, again, answer)
            placed = {of.number for _, of in new}
            self._enter_otherwise(db, [(document, of) for document, of in ordered if of.number not in placed])
            self._sweep(db, now)
            kept = [(document, of) for document, of in ordered if document.article.id not in answer]
            answer.update(self._placed(db, [document.article.id for document, _ in kept]))
        return answer

    def _place_new(
        self,
        db: Connection,
        new: Sequence[tuple[Document, Traits]],
        known: dict[int, Member],
        now: datetime,
        differences: Mapping[str, Difference],
        reread: Collection[int],
        answer: dict[str, Placed | str],
    ) -> None:
        near = self._near(db, [(of, document.article.first_seen) for document, of in new])
        wanted = {number for numbers in near.values() for number in numbers}
        members = known | self._members(db, sorted(wanted - known.keys()))
        table = Table(members, self._likeness(db, sorted(members)), self._begun(db, members.values()))
        fresh: list[tuple[Document, Traits]] = []
        first_versions: list[dict[str, Any]] = []
        for document, of in new:
            article = document.article
            table.likeness[of.number] = Likeness.unpack(of.packed)
            candidates = [number for number in near[of.number] if number in table.members and number != of.number]
            before = known.get(of.number)
            member = _member(document, of, before, now, reread=of.number in reread)
            if before is None:
                twin = same_article(member, candidates, table)
                if twin is not None:
                    answer[article.id] = twin.article
                    continue
            joining.begin(of.number, member, table, now)
            join(member, candidates, table)
            fresh.append((document, of))
            if before is None or member.version != before.version:
                first_versions.append(_version_row(member, article, now, differences.get(article.id)))
            elif article.location is not None:  # the page has taken the place of the feed's text, or was read again
                this = and_(t.versions.c.article == article.id, t.versions.c.number == member.version)
                place = {"warc_file": article.location.file, "warc_offset": article.location.offset}
                db.execute(update(t.versions).where(this).values(**place))
        self._write(db, table, fresh, now)
        others = self._claims.enter(db, fresh, {of.number: table.members[of.number].story for _, of in fresh})
        self.touch(db, {member.story for member in self._members(db, sorted(others)).values()})
        if first_versions:
            db.execute(self._ledger.insert(t.versions).on_conflict_do_nothing(), first_versions)

    def _enter_otherwise(self, db: Connection, drafts: Sequence[tuple[Document, Traits]]) -> None:
        """Put the claims of articles into the book that another model has read in the same words: what is said of a
        claim goes by its place among its article's."""
        otherwise = self._claims.otherwise(db, {of.number: of.said for _, of in drafts})
        if otherwise:
            members = self._members(db, sorted(otherwise))
            stories = {number: member.story for number, member in members.items()}
            again = [(document, of) for document, of in drafts if of.number in stories]
            others = self._claims.enter(db, again, stories)
            self.touch(db, {member.story for member in self._members(db, sorted(others)).values()})

    def _reread(
        self,
        db: Connection,
        drafts: Sequence[tuple[Document, Traits]],
        known: Mapping[int, Member],
        told: Collection[str],
    ) -> set[int]:
        """Those that come in other words though their publisher has changed nothing: a better extractor has read them
        again, as we were ``told``, or as their place in the archive shows."""
        otherwise = {
            of.number: document.article
            for document, of in drafts
            if (member := known.get(of.number)) is not None and member.fingerprint != of.fingerprint
        }
        pages = self._pages(db, [article.id for article in otherwise.values()])
        return {
            number
            for number, article in otherwise.items()
            if article.id in told or _is_there(pages.get(article.id), article)
        }

    def _pages(self, db: Connection, articles: Iterable[str]) -> dict[str, Location | None]:
        """Where in the archive the newest versions of these articles lie."""
        v = t.versions.c
        found: dict[str, Location | None] = {}
        for part in chunks(sorted(articles)):
            rows = select(v.article, v.warc_file, v.warc_offset).where(v.article.in_(part)).order_by(v.number)
            for article, file, offset in db.execute(rows):  # the newest last
                found[article] = Location(file=file, offset=offset) if file else None
        return found

    def _near(self, db: Connection, wanted: Sequence[tuple[Traits, datetime]]) -> dict[int, list[int]]:
        """For each article those that are filed under some of the same keys, here and in the batch, likeliest first."""
        found: dict[int, list[tuple[int, int]]] = {}
        for of, seen in wanted:
            filed = (of.number, _minute(seen))
            for key in of.keys:
                found.setdefault(key, []).append(filed)
        since = min(_minute(seen) for _, seen in wanted) - _minutes(WINDOW)
        for keys in chunks(sorted(found)):
            for key, minute, number in _filed(db, keys, since):
                found[key].append((number, minute))
        return {of.number: chosen(of, found, CANDIDATES) for of, _ in wanted}

    def _members(self, db: Connection, numbers: Sequence[int]) -> dict[int, Member]:
        columns = [t.placements.c[name] for name in COLUMNS]
        found: dict[int, Member] = {}
        for part in chunks(numbers):
            for row in db.execute(select(*columns).where(t.placements.c.number.in_(part))).all():
                member = Member.of_row(tuple(row))
                found[member.number] = member
        return found

    def _likeness(self, db: Connection, numbers: Sequence[int]) -> dict[int, Likeness]:
        columns = (t.placements.c.number, t.placements.c.likeness)
        return {
            number: Likeness.unpack(packed)
            for part in chunks(numbers)
            for number, packed in db.execute(select(*columns).where(t.placements.c.number.in_(part))).all()
        }

    def _begun(self, db: Connection, members: Iterable[Member]) -> dict[str, datetime]:
        columns = (t.stories.c.id, t.stories.c.created)
        found: dict[str, datetime] = {}
        for part in chunks(sorted({member.story for member in members})):
            found.update(
                (story, created) for story, created in db.execute(select(*columns).where(t.stories.c.id.in_(part)))
            )
        return found

    def _write(self, db: Connection, table: Table, fresh: Sequence[tuple[Document, Traits]], now: datetime) -> None:
        packed = {of.number: of.packed for _, of in fresh}
        before = self._begun(db, table.members.values())  # stories that others may know; the rest leave no trace
        merged = [
            {"gone": gone, "kept": joining.end(table.merged, gone)} for gone in sorted(table.merged) if gone in before
        ]
        _lead_on(db, t.placements.c.story, merged)
        _lead_on(db, t.stories.c.leads_to, merged)
        regrouped = [{"gone": gone, "kept": joining.end(table.regrouped, gone)} for gone in sorted(table.regrouped)]
        _lead_on(db, t.placements.c.text_group, regrouped)
        rows = []
        for number in sorted(table.changed):
            member = table.members[number]
            member.story, member.text_group = table.story(member), table.group(member)
            row = {name: getattr(member, name) for name in COLUMNS} | {"status": member.status.value}
            if number in packed:
                rows.append(row | {"likeness": packed[number]})
            else:
                marked = {name: row[name] for name in ("status", "status_at", "status_note")}
                db.execute(update(t.placements).where(t.placements.c.number == number).values(**marked))
        if rows:
            insert = self._ledger.insert(t.placements)
            taken = {name: insert.excluded[name] for name in rows[0] if name != "number"}
            db.execute(insert.on_conflict_do_update(index_elements=[t.placements.c.number], set_=taken), rows)
        touched = {table.story(table.members[number]) for number in table.changed}
        made = [
            {"id": story, "created": now, "revision": 0, "owed": False} for story in sorted(touched - before.keys())
        ]
        if made:
            db.execute(self._ledger.insert(t.stories).on_conflict_do_nothing(), made)
        if merged:
            ended = update(t.stories).where(t.stories.c.id == bindparam("gone"))
            db.execute(ended.values(leads_to=bindparam("kept"), owed=False), merged)
        with_fresh = {table.story(table.members[of.number]) for _, of in fresh}
        self.touch(db, with_fresh, alone=True)
        self.touch(db, touched - with_fresh)
        _file(
            db,
            self._ledger.insert(t.story_keys).on_conflict_do_nothing(),
            sorted(
                (key, minute, of.number)
                for of, minute in ((of, _minute(document.article.first_seen)) for document, of in fresh)
                for key in of.keys
            ),
        )

    def touch(self, db: Connection, stories: Iterable[str], *, alone: bool = False) -> None:
        """Say that the documents of these stories say less than is known; with ``alone``, not of a story whose only
        article is on its way to the index."""
        several = (
            select(func.count()).where(t.placements.c.story == t.stories.c.id).correlate(t.stories).scalar_subquery()
            > 1
        )
        owed = case((several, True), else_=t.stories.c.owed) if alone else True
        for part in chunks(sorted(stories)):
            these = t.stories.c.id.in_(part)
            db.execute(update(t.stories).where(these).values(revision=t.stories.c.revision + 1, owed=owed))

    def _placed(self, db: Connection, articles: Sequence[str]) -> dict[str, Placed]:
        """Where these articles stand now."""
        own = self._members(db, [number_of(article) for article in articles])
        stories = sorted({member.story for member in own.values()})
        members: dict[str, list[Member]] = {story: [] for story in stories}
        merged: dict[str, list[str]] = {}
        revisions: dict[str, int] = {}
        columns = [t.placements.c[name] for name in COLUMNS]
        for part in chunks(stories):
            for row in db.execute(select(*columns).where(t.placements.c.story.in_(part))):
                member = Member.of_row(tuple(row))
                members[member.story].append(member)
            for gone, kept in db.execute(
                select(t.stories.c.id, t.stories.c.leads_to).where(t.stories.c.leads_to.in_(part))
            ):
                merged.setdefault(kept, []).append(gone)
            of_part = select(t.stories.c.id, t.stories.c.revision).where(t.stories.c.id.in_(part))
            revisions.update((story, revision) for story, revision in db.execute(of_part))
        assertions = self._claims.of(db, list(own.values()))
        answer: dict[str, Placed] = {}
        for member in own.values():
            of_story = members[member.story]
            me = next(other for other in of_story if other.number == member.number)
            placement = place(me, of_story, merged.get(member.story, ()), assertions.get(member.number, ()))
            answer[member.article] = Placed(placement, member.version, revisions[member.story])
        return answer

    # -- what the index is owed ----------------------------------------------------------------------------------------

    def indexed(self, placed: Iterable[Placed]) -> None:
        """Documents with these placements are in the index. Where a story has moved on meanwhile, it is owed again:
        whoever moved it may have found nothing of them there."""
        used = {one.placement.story: one.revision for one in placed}
        if not used:
            return
        with self._ledger.reading() as db:
            columns = (t.stories.c.id, t.stories.c.revision, t.stories.c.leads_to)
            moved = {
                leads_to or story
                for part in chunks(sorted(used))
                for story, revision, leads_to in db.execute(select(*columns).where(t.stories.c.id.in_(part)))
                if leads_to is not None or revision > used[story]
            }
        if moved:
            with self._ledger.writing() as db:
                for part in chunks(sorted(moved)):
                    db.execute(update(t.stories).where(t.stories.c.id.in_(part)).values(owed=True))

    def claim_owed(self, now: datetime, limit: int, owner: str, lease: float) -> list[str]:
        """Take in hand stories whose documents in the index say less than is known: one in any case, and more as long
        as they have up to ``limit`` articles together, or fewer with their claims."""
        free = or_(t.stories.c.lease_until.is_(None), t.stories.c.lease_until <= now)
        owed_now = select(t.stories.c.id).where(t.stories.c.owed.is_(True), free).order_by(t.stories.c.id)
        with self._ledger.reading() as db:  # most often there is none, and a reader holds nobody up
            if db.execute(owed_now.limit(1)).first() is None:
                return []
        with self._ledger.writing() as db:
            found = list(db.execute(owed_now.limit(limit).with_for_update(skip_locked=True)).scalars())
            stories = _first_of(found, self._sizes(db, found), limit)
            until = now + timedelta(seconds=lease)
            for part in chunks(stories):
                taken = update(t.stories).where(t.stories.c.id.in_(part))
                db.execute(taken.values(lease_owner=owner, lease_until=until))
        return stories

    def _sizes(self, db: Connection, stories: Sequence[str]) -> dict[str, int]:
        """How many articles these stories have, their claims counted in as articles by what they weigh; stories that
        have none are left out."""
        of = t.placements.c.story
        articles = select(of, func.count()).group_by(of)
        claims = select(of, func.count()).join(t.claims, t.claims.c.number == t.placements.c.number).group_by(of)
        sizes: Counter[str] = Counter()
        for part in chunks(stories):
            for story, count in db.execute(articles.where(of.in_(part))):
                sizes[story] += count
            for story, count in db.execute(claims.where(of.in_(part))):
                sizes[story] += count // CLAIMS_AN_ARTICLE
        return sizes

    def all_owed(self) -> list[str]:
        """All stories whose documents say less than is known, in hand or not."""
        with self._ledger.reading() as db:
            return list(
                db.execute(select(t.stories.c.id).where(t.stories.c.owed.is_(True)).order_by(t.stories.c.id)).scalars()
            )

    def standing(self, stories: Sequence[str]) -> dict[str, Placed]:
        """The articles of these stories, by id, as they stand now."""
        with self._ledger.reading() as db:
            articles = [
                article
                for part in chunks(stories)
                for article in db.execute(
                    select(t.placements.c.article).where(t.placements.c.story.in_(part))
                ).scalars()
            ]
            return self._placed(db, articles)

    def refreshed(self, revisions: Mapping[str, int], owner: str) -> None:
        """The index says what was known of these stories at these revisions. What came later stays owed."""
        rows = [{"this": story, "used": revision, "mine": owner} for story, revision in sorted(revisions.items())]
        if not rows:
            return
        mine = and_(t.stories.c.id == bindparam("this"), t.stories.c.lease_owner == bindparam("mine"))
        paid = case((t.stories.c.revision > bindparam("used"), True), else_=False)
        with self._ledger.writing() as db:
            db.execute(update(t.stories).where(mine).values(owed=paid, lease_owner=None, lease_until=None), rows)

    def let_go(self, stories: Sequence[str], owner: str) -> None:
        """Give back stories that were taken in hand and not refreshed."""
        with self._ledger.writing() as db:
            for part in chunks(stories):
                mine = and_(t.stories.c.id.in_(part), t.stories.c.lease_owner == owner)
                db.execute(update(t.stories).where(mine).values(lease_owner=None, lease_until=None))

    def owed(self) -> int:
        """How many stories have documents that say less than is known."""
        with self._ledger.reading() as db:
            return int(db.execute(select(func.count()).where(t.stories.c.owed.is_(True))).scalar() or 0)

    # -- asking and marking --------------------------------------------------------------------------------------------

    def placement(self, article: str) -> Placed | None:
        """Where an article stands; ``None`` where it was never placed."""
        with self._ledger.reading() as db:
            return self._placed(db, [article]).get(article)

    def placements(self, articles: Sequence[str]) -> dict[str, Placed]:
        """Where these articles stand, by id; those that were never placed are left out."""
        with self._ledger.reading() as db:
            return self._placed(db, articles)

    def story(self, story: str) -> str:
        """The id that a story has now: its own, or that of the one which it turned out to be."""
        with self._ledger.reading() as db:
            return db.execute(select(t.stories.c.leads_to).where(t.stories.c.id == story)).scalar() or story

    def versions(self, article: str) -> list[Version]:
        """The versions of an article, first first."""
        with self._ledger.reading() as db:
            rows = db.execute(select(t.versions).where(t.versions.c.article == article).order_by(t.versions.c.number))
            return [
                Version(
                    number=row.number,
                    at=row.at,
                    title=row.title,
                    location=Location(file=row.warc_file, offset=row.warc_offset) if row.warc_file else None,
                    difference=from_json(row.difference, Difference) if row.difference else None,
                )
                for row in rows
            ]

    def mark(self, article: str, status: Status, at: datetime, note: str) -> bool:
        """Write down what became of an article, where that is worse than what is known. Its documents are then owed."""
        number = number_of(article)
        with self._ledger.writing() as db:
            member = self._members(db, [number]).get(number)
            if member is None or not joining.worse(status, member.status):
                return False
            values = {"status": status.value, "status_at": at, "status_note": note}
            db.execute(update(t.placements).where(t.placements.c.number == number).values(**values))
            self.touch(db, [member.story])
        return True

    # -- the machinery -------------------------------------------------------------------------------------------------

    def _sweep(self, db: Connection, now: datetime) -> None:
        """Clear a part of the key space of what has left the window; over some thousand batches, all of it."""
        tag = random.choice((0, 1 << 33, 1 << 34))
        low = tag + random.randrange(_SWEEPS // 4) * ((1 << 32) // (_SWEEPS // 4))
        part = and_(t.story_keys.c.key >= low, t.story_keys.c.key < low + (1 << 32) // (_SWEEPS // 4))
        db.execute(delete(t.story_keys).where(part, t.story_keys.c.minute < _minute(now) - _minutes(WINDOW)))


def _first_of(stories: Sequence[str], sizes: Mapping[str, int], limit: int) -> list[str]:
    """The first of these stories, and those behind it as long as they have up to ``limit`` articles together."""
    together = accumulate(sizes.get(story, 0) for story in stories)
    return [
        story for n, (story, articles) in enumerate(zip(stories, together, strict=True)) if not n or articles <= limit
    ]


def _is_there(page: Location | None, article: Article) -> bool:
    """Whether an article was read from this page in the archive."""
    return page is not None and page == article.location


def _is_new_version(member: Member, article: Article, of: Traits) -> bool:
    """Whether a known article came in other words of its publisher's."""
    return member.fingerprint != of.fingerprint and member.body_source == "page" and article.body_source == "page"


def _is_reworded(member: Member, article: Article, of: Traits) -> bool:
    """Whether what is known of an article is to be replaced: by a new version, or the feed's text by the page's."""
    return member.fingerprint != of.fingerprint and (article.body_source == "page" or member.body_source == "feed")


def _member(document: Document, of: Traits, before: Member | None, now: datetime, *, reread: bool) -> Member:
    """The row of an article: new, or in new words, its publisher's or those of an extractor that ``reread`` it."""
    article, notice = document.article, of.notice
    next_version = before is not None and not reread and _is_new_version(before, article, of)
    version = 1 if before is None else before.version + 1 if next_version else before.version
    kills = None
    status = notice.status
    if notice.kills is not None:
        kills = title_key(notice.kills)
        if before is not None and kills == before.title_key:
            kills = None  # the article itself, under a new headline
        else:
            status = Status.CURRENT  # the notice stands; what it speaks of does not
    elif status is Status.CURRENT and next_version:
        status = Status.UPDATED
    if before is not None and joining.worse(before.status, status) and before.status is not Status.VANISHED:
        status = before.status
    note, at = notice.note if status is notice.status or kills is not None else None, None
    if before is not None and status is before.status:
        note = note or before.status_note
    if status is not Status.CURRENT:
        kept = before is not None and status is before.status and not next_version
        at = before.status_at if before is not None and kept else article.updated or (now if next_version else of.time)
    return Member(
        number=of.number,
        article=article.id,
        story=before.story if before else joining.new_story(article.id),
        text_group=before.text_group if before else article.id,
        time=of.time if before is None else min(before.time, of.time),
        seen=before.seen if before else article.first_seen,
        source=article.source,
        url=article.url,
        title=article.title[:300],
        title_key=of.title_key,
        origin=of.origin.name,
        origin_from=of.origin.read_from,
        weak=of.origin.weak,
        body_source=article.body_source,
        fingerprint=of.fingerprint,
        version=version,
        update_number=notice.update,
        kills=kills,
        status=status,
        status_at=at,
        status_note=note,
    )


def _version_row(member: Member, article: Article, now: datetime, difference: Difference | None) -> dict[str, Any]:
    location = article.location
    return {
        "article": member.article,
        "number": member.version,
        "at": member.seen if member.version == 1 else now,
        "fingerprint": member.fingerprint,
        "title": article.title[:300],
        "warc_file": location.file if location else None,
        "warc_offset": location.offset if location else None,
        "difference": to_json(difference).decode() if difference is not None else None,
    }


def _lead_on(db: Connection, column: Column[str], ends: Sequence[dict[str, str]]) -> None:
    """Put what a story or group of copies leads to in its place, wherever it is named; in one statement for all, since
    each costs SQLAlchemy more than the database."""
    if ends:
        these = update(column.table).where(column == bindparam("gone"))
        db.execute(these.values({column.name: bindparam("kept")}), ends)


def _filed(db: Connection, keys: Sequence[int], since: int) -> Sequence[Any]:
    """(key, minute, number) of the newest articles under each of these keys.

    The text of one key's part is repeated for all: SQLAlchemy needs a third of a second to put hundreds together.
    """
    part, constants, names = _lookup(db.dialect)
    given = constants | {"since": since}
    if names is None:
        text = " UNION ALL ".join(part.replace("%(key)s", f"%(key_{n})s") for n in range(len(keys)))
        return db.exec_driver_sql(text, given | {f"key_{n}": key for n, key in enumerate(keys)}).all()
    values = tuple(key if name == "key" else given[name] for key in keys for name in names)
    return db.exec_driver_sql(" UNION ALL ".join([part] * len(keys)), values).all()


@cache
def _lookup(dialect: Dialect) -> tuple[str, dict[str, Any], tuple[str, ...] | None]:
    """The query for the newest articles under one key, its constants, and the order of its parameters where it has
    one."""
    newest = (
        select(t.story_keys.c.key, t.story_keys.c.minute, t.story_keys.c.number)
        .where(t.story_keys.c.key == bindparam("key"), t.story_keys.c.minute >= bindparam("since"))
        .order_by(t.story_keys.c.minute.desc())
        .limit(POSTINGS)
        .subquery()
    )
    compiled: Any = select(newest).compile(dialect=dialect)
    return str(compiled), dict(compiled.params), tuple(compiled.positiontup) if compiled.positional else None


def _file(db: Connection, insert: Any, rows: Sequence[tuple[int, int, int]]) -> None:
    """File articles under their keys: (key, minute, number), the order of the table's columns. Handed to the driver as
    they are: there are some thirty an article, and SQLAlchemy would look at each value."""
    if not rows:
        return
    names = [column.name for column in t.story_keys.columns]
    compiled: Any = insert.compile(dialect=db.dialect, column_keys=names)
    if compiled.positional:
        db.exec_driver_sql(str(compiled), list(rows))
    else:
        db.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in rows])


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // 60)


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
