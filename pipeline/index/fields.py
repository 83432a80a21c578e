"""The fields of the two indices: names, types and facets, and the flat values that a document gives for them.

This is the one source for the tantivy schema, the Elasticsearch mapping and the query parser. The types:

``text``     running text in English analysis (``analysis.py``); its sub-field ``<name>.exact`` is not stemmed
``name``     names, searched by word, not stemmed; its sub-field ``<name>.keyword`` is the whole name
``keyword``  codes, ids and addresses, searched whole
``date``     to the second
``integer``, ``boolean``

Names and keywords are compared without case and accents; a facet gives them as written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from pipeline.index.analysis import scrub, tidy
from pipeline.index.base import Kind
from pipeline.records import Assertion, Document, Relation, Status

Value = str | int | bool | datetime | list[str] | list[int]

SCHEMA_VERSION = 2
"""Raised with every change to fields, types or analysis; an index of another version has to be rebuilt by replay."""

MAX_KEYWORD_BYTES = 8_191
"""Longer names and codes are cut at a character (2026-11-23). Below Lucene's limit of 32,766 and tantivy's of 65,530
bytes a term, with room for what folding may add ("ﷺ" becomes several letters)."""


class Type(StrEnum):
    TEXT = "text"
    NAME = "name"
    KEYWORD = "keyword"
    DATE = "date"
    INTEGER = "integer"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Field:
    """A field. ``facet`` says whether its values can be counted; ``sub`` is ``exact`` or ``keyword`` in a sub-field."""

    name: str
    type: Type
    facet: bool = False
    sub: str | None = None

    @property
    def base(self) -> str:
        """The name without the sub-field."""
        return self.name.removesuffix(f".{self.sub}") if self.sub else self.name


def _fields(**types: tuple[Type, str] | Type) -> dict[str, Field]:
    fields = {}
    for name, given in types.items():
        name = name.rstrip("_")
        type_, facet = (given, "") if isinstance(given, Type) else given
        fields[name] = Field(name, type_, facet == "facet")
        if type_ is Type.TEXT:
            fields[f"{name}.exact"] = Field(f"{name}.exact", Type.TEXT, sub="exact")
        if type_ is Type.NAME:
            fields[f"{name}.keyword"] = Field(f"{name}.keyword", Type.KEYWORD, sub="keyword")
    return fields


_CLASSES = ("say", "deny", "confirm", "accuse", "warn", "promise", "demand", "ask", "decline", "believe")

FIELDS: Mapping[Kind, Mapping[str, Field]] = {
    Kind.ARTICLES: _fields(
        id=Type.KEYWORD,
        url=Type.KEYWORD,
        title=Type.TEXT,
        body=Type.TEXT,
        source=(Type.NAME, "facet"),
        feed=Type.KEYWORD,
        guid=Type.KEYWORD,
        author=(Type.NAME, "facet"),
        language=(Type.KEYWORD, "facet"),
        section=(Type.NAME, "facet"),
        tag=(Type.NAME, "facet"),
        published=Type.DATE,
        updated=Type.DATE,
        first_seen=Type.DATE,
        indexed=Type.DATE,
        time=Type.DATE,  # published, else first_seen: what searches sort and filter by
        dateline=(Type.NAME, "facet"),  # its place
        agency=(Type.NAME, "facet"),
        body_source=(Type.KEYWORD, "facet"),
        baseline=(Type.BOOLEAN, "facet"),
        version=Type.INTEGER,
        versions=Type.INTEGER,  # how many there have been
        status=(Type.KEYWORD, "facet"),  # current, updated, corrected, …
        status_at=Type.DATE,
        story=(Type.KEYWORD, "facet"),
        origin=(Type.NAME, "facet"),  # whose text it is
        copy_of=Type.KEYWORD,  # the first article with this text, where this one is not it
        carriers=(Type.NAME, "facet"),  # outlets that carry the story
        independent_sources=Type.INTEGER,  # origins among them
        minutes=Type.INTEGER,  # after the story's first article
        entity=(Type.NAME, "facet"),  # all names but dates and sums of money
        person=(Type.NAME, "facet"),
        org=(Type.NAME, "facet"),
        place=(Type.NAME, "facet"),  # GPE, LOC, FAC
        norp=(Type.NAME, "facet"),
        geonames=Type.INTEGER,
        country=(Type.KEYWORD, "facet"),
        speaker=(Type.NAME, "facet"),  # resolved names only
        cue=(Type.KEYWORD, "facet"),  # classes of its claims' cues
        claims=Type.INTEGER,  # how many
        lag=Type.INTEGER,  # whole seconds from published to indexed
    ),
    Kind.CLAIMS: _fields(
        id=Type.KEYWORD,
        article=Type.KEYWORD,
        n=Type.INTEGER,
        speaker=(Type.NAME, "facet"),  # resolved name, else as written
        speaker_text=Type.NAME,
        named=(Type.BOOLEAN, "facet"),
        anonymous=(Type.BOOLEAN, "facet"),
        kind=(Type.KEYWORD, "facet"),
        role=(Type.NAME, "facet"),
        reason=Type.NAME,
        cue=Type.NAME,
        lemma=(Type.KEYWORD, "facet"),
        class_=(Type.KEYWORD, "facet"),
        content=Type.TEXT,
        form=(Type.KEYWORD, "facet"),
        negated=(Type.BOOLEAN, "facet"),
        hedge=Type.NAME,
        parent=Type.INTEGER,
        entity=(Type.NAME, "facet"),
        when=Type.DATE,
        title=Type.TEXT,
        source=(Type.NAME, "facet"),
        url=Type.KEYWORD,
        language=(Type.KEYWORD, "facet"),
        published=Type.DATE,
        first_seen=Type.DATE,
        indexed=Type.DATE,
        time=Type.DATE,
        version=Type.INTEGER,
        status=(Type.KEYWORD, "facet"),  # of the article
        story=(Type.KEYWORD, "facet"),
        origin=(Type.NAME, "facet"),
        assertion=(Type.KEYWORD, "facet"),  # the same for all claims by one speaker of one content
        carriers=(Type.NAME, "facet"),  # outlets with this assertion
        independent_sources=Type.INTEGER,  # origins among them
        reversal=Type.KEYWORD,  # ids of claims in which the same speaker says the opposite
        contradiction=Type.KEYWORD,  # ids of claims in which another says the opposite
    ),
}

CLOSED: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    Kind.ARTICLES: {
        "body_source": ("page", "feed"),
        "status": tuple(status.value for status in Status),
        "cue": _CLASSES,
    },
    Kind.CLAIMS: {
        "class": _CLASSES,
        "form": ("direct", "indirect", "mixed"),
        "kind": ("person", "organisation", "government", "anonymous", "collective", "document"),
        "status": tuple(status.value for status in Status),
    },
}
"""Fields that hold one of a few codes (``records.py`` lists them), so that any other in a query is a mistake."""

DEFAULTS: Mapping[Kind, tuple[tuple[str, float], ...]] = {
    # A word in a headline says more of what a piece is about than one in its body; 2 is the customary weight.
    Kind.ARTICLES: (("title", 2.0), ("body", 1.0)),
    Kind.CLAIMS: (("content", 1.0), ("speaker", 1.0)),
}
"""What a word without a field is sought in, with the weight of each."""

ALIASES: Mapping[Kind, Mapping[str, str]] = {
    Kind.ARTICLES: {"date": "time", "by": "author", "text": "body", "lang": "language"},
    Kind.CLAIMS: {"date": "time", "by": "speaker", "text": "content", "lang": "language"},
}


COLLAPSED: Mapping[Kind, str] = {Kind.ARTICLES: "story", Kind.CLAIMS: "assertion"}
"""What hits share that a collapsed search shows as one: outlets carry each other's stories, and each other's quotes."""


def facets(kind: Kind) -> tuple[str, ...]:
    """The names of the fields whose values can be counted."""
    return tuple(field.name for field in FIELDS[kind].values() if field.facet)


def article_values(document: Document) -> dict[str, Value]:
    """The flat values of an article for its index. A field without a value is left out."""
    article, enriched, placement = document.article, document.enriched, document.placement
    labels: dict[str, list[str]] = {}
    for entity in enriched.entities:
        labels.setdefault(entity.label, []).append(entity.name)
    names = [entity.name for entity in enriched.entities if entity.label not in {"DATE", "MONEY"}]
    speakers = [claim.speaker.name for claim in enriched.claims if claim.speaker and claim.speaker.name]
    return _present(
        {
            "id": article.id,
            "url": article.url,
            "title": article.title,
            "body": article.body,
            "source": article.source,
            "feed": article.feed,
            "guid": article.guid,
            "author": article.authors,
            "language": article.language or enriched.language,
            "section": article.section,
            "tag": article.tags,
            "published": article.published,
            "updated": article.updated,
            "first_seen": article.first_seen,
            "indexed": document.indexed,
            "time": article.published or article.first_seen,
            "dateline": article.dateline.place if article.dateline else None,
            "agency": article.dateline.agency if article.dateline else None,
            "body_source": article.body_source,
            "baseline": article.baseline,
            "version": article.version,
            "versions": placement.versions,
            "status": placement.status.value,
            "status_at": placement.status_at,
            "story": placement.story,
            "origin": placement.origin,
            "copy_of": placement.copy_of,
            "carriers": [carrier.source for carrier in placement.carriers],
            "independent_sources": placement.independent_sources,
            "minutes": placement.minutes,
            "entity": names,
            "person": labels.get("PERSON"),
            "org": labels.get("ORG"),
            "place": [entity.name for entity in enriched.entities if entity.label in {"GPE", "LOC", "FAC"}],
            "norp": labels.get("NORP"),
            "geonames": [entity.geonames for entity in enriched.entities if entity.geonames is not None],
            "country": [entity.country for entity in enriched.entities if entity.country],
            "speaker": speakers,
            "cue": [claim.cue.cls for claim in enriched.claims if claim.cue],
            "claims": len(enriched.claims),
            "lag": _seconds(article.published, document.indexed),
        }
    )


def claim_id(article: str, n: int) -> str:
    """The id of the ``n``-th claim (from 0) of an article."""
    return f"{article}-{n}"


def claim_values(document: Document) -> Iterator[dict[str, Value]]:
    """The flat values of each claim of a document for the index of claims."""
    article, enriched, placement = document.article, document.enriched, document.placement
    shared = _present(
        {
            "article": article.id,
            "title": article.title,
            "source": article.source,
            "url": article.url,
            "language": article.language or enriched.language,
            "published": article.published,
            "first_seen": article.first_seen,
            "indexed": document.indexed,
            "time": article.published or article.first_seen,
            "version": article.version,
            "status": placement.status.value,
            "story": placement.story,
            "origin": placement.origin,
        }
    )
    for n, claim in enumerate(enriched.claims):
        speaker, cue = claim.speaker, claim.cue
        assertion = assertion_of(document, n)
        own = _present(
            {
                "id": claim_id(article.id, n),
                "n": n,
                "speaker": (speaker.name or speaker.text) if speaker else None,
                "speaker_text": speaker.text if speaker else None,
                "named": bool(speaker and speaker.name),
                "anonymous": bool(speaker and speaker.anonymous),
                "kind": speaker.kind if speaker else None,
                "role": speaker.role if speaker else None,
                "reason": speaker.reason if speaker else None,
                "cue": cue.text if cue else None,
                "lemma": cue.lemma if cue else None,
                "class": cue.cls if cue else None,
                "content": claim.content.text,
                "form": claim.form,
                "negated": claim.negated,
                "hedge": claim.hedge,
                "parent": claim.parent,
                "entity": claim.entities,
                "when": _day(claim.when.earliest) if claim.when and claim.when.earliest else None,
                "assertion": assertion.id if assertion else None,
                "carriers": assertion.carriers if assertion else (article.source,),
                "independent_sources": assertion.independent_sources if assertion else 1,
                "reversal": _opposites(assertion, Relation.REVERSAL),
                "contradiction": _opposites(assertion, Relation.CONTRADICTION),
            }
        )
        yield own | shared


def assertion_of(document: Document, n: int) -> Assertion | None:
    """What the ``n``-th claim of a document is across articles; ``None`` where that is not known yet."""
    assertions = document.placement.assertions
    return assertions[n] if n < len(assertions) else None


def _opposites(assertion: Assertion | None, relation: Relation) -> list[str]:
    """The ids of the claims that stand against an assertion in this way."""
    found = assertion.opposites if assertion else ()
    return [claim_id(opposite.article, opposite.n) for opposite in found if opposite.relation is relation]


def claim_record(document: Document, values: Mapping[str, Value]) -> dict[str, Any]:
    """What ``Hit.record`` holds for a claim: its flat values, its own record under ``claim``, and the claims that stand
    against it, with their texts, under ``opposites``. As ``to_json`` and ``to_dict`` take it."""
    n = values["n"]
    assert isinstance(n, int)
    assertion = assertion_of(document, n)
    against = list(assertion.opposites) if assertion else []
    return {**values, "claim": document.enriched.claims[n], "opposites": against}


_RUNNING = {"title", "body", "content"}


def _seconds(earlier: datetime | None, later: datetime | None) -> int | None:
    """The time between; ``None`` where one is missing, or a source has published in the future."""
    if earlier is None or later is None or later < earlier:
        return None
    return int((later - earlier).total_seconds())


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text[:10]), datetime.min.time(), UTC)
    except ValueError:
        return None


def _present(values: dict[str, Any]) -> dict[str, Value]:
    """Without what is missing or empty; names tidied, sequences without repeats; times to the second."""
    present: dict[str, Value] = {}
    for name, value in values.items():
        if isinstance(value, (list, tuple)):
            tidied = (cut(tidy(item)) if isinstance(item, str) else item for item in value)
            value = list(dict.fromkeys(item for item in tidied if item not in (None, "")))
        elif isinstance(value, str) and name not in _RUNNING:
            value = cut(tidy(value))
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(microsecond=0)
        if value is not None and value != "" and value != []:
            present[name] = value
    return present


def cut(text: str, limit: int = MAX_KEYWORD_BYTES) -> str:
    """The text cut to at most ``limit`` bytes of UTF-8, never within a character."""
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")


def scrub_document(document: Document) -> Document:
    """The document with U+FFFD for each half of a surrogate pair, which no encoding has room for."""
    return msgspec.convert(_scrubbed(msgspec.to_builtins(document)), Document)


def _scrubbed(plain: Any) -> Any:
    if isinstance(plain, str):
        return scrub(plain)
    if isinstance(plain, dict):
        return {key: _scrubbed(value) for key, value in plain.items()}
    return [_scrubbed(value) for value in plain] if isinstance(plain, (list, tuple)) else plain


def strings(value: Value | None) -> Iterable[str]:
    """A value's strings, whether it is one or many."""
    if isinstance(value, str):
        return (value,)
    return (item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
