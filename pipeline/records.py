"""What flows through the pipeline: the records, their ids, and their JSON.

Every record is a frozen, slotted dataclass. Times are aware UTC datetimes; a time that is missing or cannot be read
is ``None``, never now. Offsets count characters of the text that they speak of, the end exclusive. Ids are
deterministic: the same input gives the same id on every machine.

The four times are never confused: ``published`` and ``updated`` are what the source says, ``first_seen`` is when we
saw the entry in a feed, ``indexed`` is when we finished.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class FeedState(StrEnum):
    """Whether a feed is polled. Nothing here is final: ``wirewatch feeds add`` revives a feed that is gone."""

    ACTIVE = "active"
    GONE = "gone"  # the server answered 410: polled once a day at most, in case it comes back


class Identity(StrEnum):
    """By what entries of a feed are known to be one article, where its links or GUIDs are not to be trusted. Whatever
    it is, pages with one canonical URL are one article, and so are one source's pages with one headline and one text.
    """

    AUTO = "auto"  # the GUID within its feed, or else the link
    URL = "url"  # the link: the feed's GUIDs are used again, or new at every poll
    GUID = "guid"  # the GUID, in all feeds of the source where it holds everywhere: the links change
    TITLE = "title"  # source and headline within a window: links and GUIDs change


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed that we poll, with what is needed to ask for it again politely."""

    id: str
    url: str
    added: datetime
    title: str = ""
    source: str = ""
    """The outlet's name as readers see it; the feed's title unless the user gave another."""
    site: str | None = None
    state: FeedState = FeedState.ACTIVE
    etag: str | None = None
    """Byte for byte as the server sent it, quotes and weakness mark included."""
    last_modified: str | None = None
    body_hash: str | None = None
    interval: float = 900.0
    """Seconds between polls, as adapted to the share of entries already seen."""
    next_poll: datetime | None = None
    """When the next poll falls due; ``None`` is at once."""
    last_polled: datetime | None = None
    last_success: datetime | None = None
    last_new: datetime | None = None
    """When a poll last brought an entry not seen before."""
    failures: int = 0
    """Failed polls in a row."""
    reason: str | None = None
    """Why the last poll failed, in words; ``None`` after a success."""
    code: str | None = None
    """The same as a stable word for counting: a code of ``pipeline.fetch`` or of ``FeedError``."""
    hub: str | None = None
    """The WebSub hub that the feed names, and ``topic``, the feed's address there."""
    topic: str | None = None
    polls: int = 0
    baseline: bool = True
    """True until the first successful poll, whose entries are what was there before us."""
    identity: Identity = Identity.AUTO
    """By what its entries are known to be one article; the user's choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One entry of one feed, as a poll saw it: the feed's own words, links made absolute."""

    id: str
    feed: str
    url: str
    first_seen: datetime
    guid: str | None = None
    title: str = ""
    text: str = ""
    """The feed's own text (the longer of summary and content), plain, one paragraph a line, blank lines between."""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    language: str | None = None
    image: str | None = None
    source: str = ""
    baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a record lies in the archive: a WARC file below the archive folder, and the byte offset of its record."""

    file: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One HTTP response, decoded from its transfer and content encodings but not from its charset."""

    url: str
    final_url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fetched: datetime
    location: Location | None = None
    moved_to: str | None = None
    """Where an unbroken chain of permanent redirects (301, 308) led; ``None`` where there was none."""

    def header(self, name: str) -> str | None:
        """The first header of that name, compared without case; ``None`` where there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dateline:
    """The opening of a wire story, "ISLAMABAD, Aug 20 (Reuters) –", parsed. ``text`` is as written."""

    text: str
    place: str | None = None
    date: str | None = None
    """ISO date, the year taken from the article's own; ``None`` where no day is written."""
    agency: str | None = None


class PageKind(StrEnum):
    """What a fetched page turned out to be. Only an ``ARTICLE`` is indexed as one."""

    ARTICLE = "article"
    VIDEO = "video"
    LIVE = "live"
    LOGIN = "login"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A news article: the body in paragraphs (blank lines between), and what the page and the feed say of it."""

    id: str
    url: str
    """Canonical URL."""
    title: str
    body: str
    first_seen: datetime
    source: str = ""
    feed: str = ""
    guid: str | None = None
    authors: tuple[str, ...] = ()
    dateline: Dateline | None = None
    published: datetime | None = None
    published_from: str | None = None
    """Where ``published`` was read: ``json-ld``, ``meta``, ``time``, ``page`` or ``feed``."""
    updated: datetime | None = None
    updated_from: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    image: str | None = None
    language: str | None = None
    """ISO 639-1 code; ``None`` where the text is too short to tell."""
    kind: PageKind = PageKind.ARTICLE
    body_source: str = "page"
    """``page``, or ``feed`` where the page could not be had and the feed's own text stands in."""
    body_reason: str | None = None
    """Why the feed's text stands in, in words; ``None`` when the page's own text is here."""
    baseline: bool = False
    version: int = 1
    location: Location | None = None
    credit: str | None = None
    """The line that says whose reporting it is ("With inputs from AFP"), where the page sets one apart."""
    notes: tuple[str, ...] = ()
    """Corrections and the like that the page sets apart, as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One mention of a named thing. ``name`` is the same for all mentions that the document joins into one."""

    start: int
    end: int
    text: str
    label: str
    """PERSON, ORG, GPE, LOC, FAC, NORP, EVENT, PRODUCT, DATE or MONEY."""
    name: str
    title: str | None = None
    """The title beside a person's name, as written ("US President")."""
    geonames: int | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2 code, for places and demonyms."""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks, as written, and who that is. ``name`` is ``None`` where the document does not honestly say."""

    start: int
    end: int
    text: str
    name: str | None = None
    kind: str = "person"
    """person, organisation, government, anonymous, collective or document."""
    anonymous: bool = False
    role: str | None = None
    reason: str | None = None
    """Why the speaker is not named, as written ("on the condition of anonymity")."""
    same_as: int | None = None
    """Index of the first claim of the document made by this same unnamed speaker; ``None`` for that first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """The words that attribute. ``cls`` (``class`` in JSON): say, deny, confirm, accuse, warn, promise, demand, ask,
    decline or believe."""

    start: int
    end: int
    text: str
    lemma: str
    cls: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is claimed: its spans in the body, in order, and their text joined by one space."""

    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When it was said: the words, and the day or span of days they mean (ISO dates), if that can be told."""

    start: int
    end: int
    text: str
    earliest: str | None = None
    latest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One attribution: who says what, how. ``parent`` is the index, in the document, of the claim around this one."""

    speaker: Speaker | None
    cue: Cue | None
    content: Content
    form: str
    """direct, indirect or mixed."""
    negated: bool = False
    hedge: str | None = None
    """The hedging word as written ("reportedly", "may have"), or ``None``."""
    parent: int | None = None
    when: When | None = None
    entities: tuple[str, ...] = ()
    """Names of the entities in the content, in order of first mention, without repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """What enrichment found in a text. ``note`` says why there are no claims, where the language is not covered."""

    language: str | None
    entities: tuple[Entity, ...] = ()
    claims: tuple[Claim, ...] = ()
    model: str = ""
    note: str | None = None


class Status(StrEnum):
    """What became of an article after it was published. A killed, withdrawn or vanished one must not be relied upon."""

    CURRENT = "current"
    UPDATED = "updated"
    """There is more of it: a later version with a real change, or the agency's "UPDATE 2-" that takes its place."""
    CORRECTED = "corrected"
    CLARIFIED = "clarified"
    WITHDRAWN = "withdrawn"
    """Taken back by its own publisher."""
    KILLED = "killed"
    """Taken back by the agency whose text it is, for all who carry it."""
    VANISHED = "vanished"
    """The page is gone (410, or 404 twice), and nobody says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceChange:
    """A sentence that came (``before`` is ``None``), went (``after`` is ``None``) or was altered between versions."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimChange:
    """A claim that came, went or was altered between versions. ``before`` and ``after`` are who said what, as text."""

    what: tuple[str, ...]
    """``quote-dropped``, ``quote-added``, ``claim-dropped``, ``claim-added``, ``denial-dropped``, ``denial-added``,
    ``speaker-made-anonymous``, ``speaker-named``, ``speaker-changed``, ``quote-paraphrased``, ``quote-made-direct``,
    ``wording-changed``, ``negation-changed``, ``cue-changed``, ``hedge-added``, ``hedge-dropped``."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a new version changed. ``title`` is the headline before, where it was changed."""

    title: str | None = None
    sentences: tuple[SentenceChange, ...] = ()
    claims: tuple[ClaimChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of an article, as it was seen at ``at`` and lies in the archive. ``difference`` is from the one
    before; ``None`` for the first."""

    number: int
    at: datetime
    title: str
    location: Location | None = None
    difference: Difference | None = None


class Relation(StrEnum):
    """How two claims stand against each other."""

    REVERSAL = "reversal"
    """The same speaker says the opposite later: denies what was confirmed, confirms what was denied."""
    CONTRADICTION = "contradiction"
    """Another speaker denies the same content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One article of a story: who carries it, and how long after the first."""

    article: str
    source: str
    url: str
    title: str
    time: datetime
    """``published``, or ``first_seen`` where the source gives no time."""
    minutes: int = 0
    """Whole minutes after the story's first article."""
    origin: str = ""
    copy_of: str | None = None
    """The id of the first article with this text; ``None`` for that one, and for an account of its own."""
    version: int = 1
    status: Status = Status.CURRENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Opposite:
    """A claim that stands against another: a machine's guess from two sentences, as sure as ``confidence`` (0 to 1)."""

    relation: Relation
    confidence: float
    article: str
    n: int
    """The claim's place in that article's claims."""
    speaker: str
    cue: str
    text: str
    source: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What one claim is across articles: the same speaker saying the same is one assertion, wherever it is carried."""

    id: str
    carriers: tuple[str, ...] = ()
    """The outlets that carry it, first first."""
    independent_sources: int = 1
    """Origins among them: ten copies of one wire's quote are one."""
    opposites: tuple[Opposite, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an article stands among all others: its story, whose text it is, who else carries it, what became of it."""

    story: str = ""
    """The story's id, which stays as the story grows; empty for a document that was not placed yet."""
    merged: tuple[str, ...] = ()
    """Ids of stories that turned out to be this one."""
    origin: str = ""
    """Whose text it is: the agency where the text or its copies say so, else the outlet that had it first."""
    origin_from: str = "outlet"
    """Where that was read: ``dateline``, ``byline``, ``credit``, ``content`` (it is a copy of what says so), or
    ``outlet`` where nothing says otherwise."""
    copy_of: str | None = None
    """The id of the first article with this text, where this is not the first."""
    minutes: int = 0
    """Whole minutes after the story's first article."""
    carriers: tuple[Carrier, ...] = ()
    """The story's articles, first first, this one among them."""
    independent_sources: int = 1
    """Origins among the carriers: what counts as so many sources."""
    versions: int = 1
    """How many versions of this article there have been."""
    status: Status = Status.CURRENT
    status_at: datetime | None = None
    """When it came to that, as far as is known."""
    status_note: str | None = None
    """Why, in the source's own words where it gives any."""
    assertions: tuple[Assertion, ...] = ()
    """One for each of the document's claims, in their order; empty where there are none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An article with what enrichment found in it, and its place among others: what the index holds. ``indexed`` is
    the first time it got there."""

    article: Article
    enriched: Enriched
    placement: Placement = Placement()
    indexed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One search result. ``highlights`` maps a field to fragments, matched words between ``\\x02`` and ``\\x03``;
    ``folded`` says how many other hits a collapsed search shows by this one."""

    id: str
    score: float
    record: dict[str, Any]
    highlights: dict[str, tuple[str, ...]] = field(default_factory=dict)
    folded: int = 0


class AlertKind(StrEnum):
    """What an alert tells."""

    MATCH = "match"
    NOTICE = "notice"
    """A story that an alert spoke of was corrected, withdrawn, or is gone."""
    OPERATIONS = "operations"
    """Wirewatch itself has something to tell: a source is not as usual, a task has failed. Of no article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Words that made a rule fire. ``field`` is title, body or claim; ``marks`` are offsets in ``text``."""

    field: str
    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One clause of a rule that held: the clause as one would write it, the field, and what it matched there."""

    clause: str
    field: str
    matched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertClaim:
    """The claim that a rule fired on, or that stands in the sentence it fired on."""

    n: int
    content: str
    speaker: str | None = None
    """The resolved name, else as written."""
    role: str | None = None
    anonymous: bool = False
    reason: str | None = None
    cue: str | None = None
    cue_class: str | None = None
    negated: bool = False
    form: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that somebody asked to be told. One for each rule, story and version, however many carry it."""

    id: str
    rule: str
    severity: str
    kind: AlertKind = AlertKind.MATCH
    story: str
    version: int
    article: str
    headline: str
    source: str
    url: str
    published: datetime | None = None
    updated: datetime | None = None
    first_seen: datetime
    indexed: datetime | None = None
    fired: datetime
    status: Status = Status.CURRENT
    status_at: datetime | None = None
    note: str | None = None
    """Why the status is what it is, in the source's words where there are any."""
    excerpts: tuple[Excerpt, ...] = ()
    claims: tuple[AlertClaim, ...] = ()
    why: tuple[Reason, ...] = ()
    carriers: tuple[str, ...] = ()
    """The outlets that carry the story, first first."""
    independent_sources: int = 1


def digest(*parts: str) -> str:
    """A deterministic id of 20 hexadecimal digits (80 bits) for the given strings, order and boundaries counted."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


def feed_id(url: str) -> str:
    """The id of the feed that was added under this URL. It stays when the feed moves."""
    return digest("feed", url)


def article_id(canonical_url: str) -> str:
    """The id of the article at this canonical URL (normalised by ``pipeline.urls.normalise``)."""
    return digest("article", canonical_url)


def alert_id(rule: str, story: str, version: int, what: str = "") -> str:
    """The id of an alert, and its idempotency key: the same rule, story and version give the same one. ``what`` is
    the status that a notice tells."""
    return digest("alert", rule, story, str(version), what)


def story_id(article: str) -> str:
    """The id of the story that begins with this article. It stays when earlier articles of it come to light."""
    return digest("story", article)


def to_dict(record: Any) -> dict[str, Any]:
    """A record as plain JSON types, keys in the order of the fields, ``Cue.cls`` as ``class``, times as ISO strings."""
    plain = msgspec.to_builtins(record)
    assert isinstance(plain, dict)
    _rename(plain, "cls", "class")
    return plain


# In JSON a quotation mark within a string has a backslash before it: with none, what ends in ``":`` is a key. So these
# may be changed in the bytes, in a fifth of the time that it takes in the decoded whole (2026-11-26).
_OURS, _TOLD = b'"cls":', b'"class":'


def to_json(record: Any) -> bytes:
    """A record, or a dictionary with records in it, as one line of UTF-8 JSON without the line end; names as in
    :func:`to_dict`. The same record gives the same bytes."""
    return msgspec.json.encode(record).replace(_OURS, _TOLD)


def from_json(line: bytes | str, kind: type[T]) -> T:
    """The record that :func:`to_json` wrote. Raises ``msgspec.ValidationError`` where the JSON is of another shape."""
    raw = line.encode() if isinstance(line, str) else line
    return msgspec.json.decode(raw.replace(_TOLD, _OURS), type=kind)


def whole_record(document: Document, sightings: Iterable[Sighting], versions: Iterable[Version]) -> dict[str, Any]:
    """All that is known of an article as plain JSON types: its document, how feeds announced it, and its versions."""
    history = {"sightings": [*map(to_dict, sightings)], "versions": [*map(to_dict, versions)]}
    return to_dict(document) | history


def _rename(node: Any, old: str, new: str) -> None:
    """Rename a key wherever it stands: ``class`` is a Python keyword and cannot be a field's name."""
    if isinstance(node, dict):
        if old in node:
            items = [(new if key == old else key, value) for key, value in node.items()]
            node.clear()
            node.update(items)
        for value in node.values():
            _rename(value, old, new)
    elif isinstance(node, list | tuple):
        for value in node:
            _rename(value, old, new)
