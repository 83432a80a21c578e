"""What an alert says of a match: the sentence or claim with the words marked, who spoke, and which clause held why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from pipeline.alerts.conditions import Conditions
from pipeline.alerts.matcher import Match
from pipeline.alerts.view import View
from pipeline.enrich.passage import Passage
from pipeline.index import analysis
from pipeline.index.base import Kind
from pipeline.index.fields import Field, Type, article_values, claim_values, strings
from pipeline.index.highlight import Matcher as Finder
from pipeline.index.highlight import finder
from pipeline.index.query import (
    Exists,
    Fuzzy,
    Leaf,
    Pattern,
    Phrase,
    Range,
    Wild,
    Word,
    parse,
    positive,
    targets,
)
from pipeline.records import (
    Alert,
    AlertClaim,
    Claim,
    Document,
    Excerpt,
    Reason,
    alert_id,
)

SENTENCES = 2
"""Sentences of the body that an alert shows: the two that say most."""
CLAIMS = 3
MATCHED = 5
"""Different words or values shown for one clause."""
LONGEST = 600
"""Characters of an excerpt; a sentence of news has 130, one in a thousand more than this."""

Words = Word | Phrase | Pattern | Fuzzy
Span = tuple[int, int]

_conditions = {kind: Conditions(kind) for kind in Kind}


def alert_of(match: Match, now: datetime) -> Alert:
    """The alert for a match."""
    document, rule = match.document, match.rule
    article, placement = document.article, document.placement
    why: list[Reason] = []
    excerpts: list[Excerpt] = []
    shown: list[int] = list(match.claims[:CLAIMS])
    if rule.query is not None:
        view = View(Kind.ARTICLES, article_values(document))
        held = list(_held(rule.query, view, now))
        why += _reasons(held, view)
        excerpts += _article_excerpts(document, held)
        if rule.claims is None:
            shown = _claims_in(document, excerpts)
    if rule.claims is not None:
        values = list(claim_values(document))
        for n in match.claims[:CLAIMS]:
            view = View(Kind.CLAIMS, values[n])
            held = list(_held(rule.claims, view, now))
            why += [reason for reason in _reasons(held, view) if reason not in why]
            excerpts.append(_claim_excerpt(document, document.enriched.claims[n], held))
    return Alert(
        id=alert_id(rule.name, placement.story or article.id, article.version),
        rule=rule.name,
        severity=rule.severity,
        story=placement.story or article.id,
        version=article.version,
        article=article.id,
        headline=article.title,
        source=article.source,
        url=article.url,
        published=article.published,
        updated=article.updated,
        first_seen=article.first_seen,
        indexed=document.indexed,
        fired=now,
        status=placement.status,
        status_at=placement.status_at,
        note=placement.status_note,
        excerpts=tuple(dict.fromkeys(excerpts)),
        claims=tuple(_claim(n, document.enriched.claims[n]) for n in shown),
        why=tuple(why),
        carriers=carriers(document),
        independent_sources=placement.independent_sources,
    )


def carriers(document: Document) -> tuple[str, ...]:
    """The outlets that carry a document's story, first first."""
    names = [carrier.source for carrier in document.placement.carriers] or [document.article.source]
    return tuple(dict.fromkeys(name for name in names if name))


# -- which clauses held


def _held(query: str, view: View, now: datetime) -> Iterator[Leaf]:
    """The clauses of a query that make this view match, each once."""
    conditions = _conditions[view.kind]
    for leaf in dict.fromkeys(_leaves(query, view.kind, now)):
        if conditions.test(leaf)(view):
            yield leaf


def _leaves(query: str, kind: Kind, now: datetime) -> tuple[Leaf, ...]:
    return tuple(positive(parse(query, kind, now=now).tree)) if "now" in query else _lasting_leaves(query, kind)


@lru_cache(maxsize=4_096)
def _lasting_leaves(query: str, kind: Kind) -> tuple[Leaf, ...]:
    return tuple(positive(parse(query, kind).tree))


def _reasons(held: Iterable[Leaf], view: View) -> list[Reason]:
    found = []
    for leaf in held:
        if isinstance(leaf, Range | Exists):
            found.append(Reason(clause=described(leaf), field=leaf.field.base, matched=_values(leaf.field, view)))
        elif isinstance(leaf, Words):
            for field, _ in targets(leaf.field, view.kind):
                if _conditions[view.kind].test(_in_field(leaf, field))(view):
                    found.append(Reason(clause=described(leaf), field=field.base, matched=_matched(leaf, field, view)))
    return found


def _in_field(leaf: Words, field: Field) -> Words:
    match leaf:
        case Word(_, text):
            return Word(field, text)
        case Phrase(_, text, slop):
            return Phrase(field, text, slop)
        case Pattern(_, parts):
            return Pattern(field, parts)
        case Fuzzy(_, text, distance):
            return Fuzzy(field, text, distance)


def _matched(leaf: Words, field: Field, view: View) -> tuple[str, ...]:
    """The words as written, or the values, that a clause matched in a field."""
    if field.type is Type.TEXT:
        text = str(view.values.get(field.base, ""))
        spans = _spans(text, [finder(leaf, field)])
        return tuple(dict.fromkeys(text[start:end] for start, end in spans))[:MATCHED]
    if field.type is Type.NAME:
        found = finder(leaf, field)
        texts = strings(view.values.get(field.base))
        return tuple(text for text in texts if any(found(analysis.forms(text))))[:MATCHED] or _values(field, view)
    return _values(field, view)


def _values(field: Field, view: View) -> tuple[str, ...]:
    value = view.values.get(field.base)
    several = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(_plain(one) for one in several)[:MATCHED]


def _plain(value: str | int | bool | datetime) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value).lower() if isinstance(value, bool) else str(value)


def described(leaf: Leaf) -> str:
    """A clause as one would write it."""
    match leaf:
        case Word(field, text):
            said = text if text.isalnum() else f'"{text}"'
        case Phrase(field, text, slop):
            said = f'"{text}"' + (f"~{slop}" if slop else "")
        case Pattern(field, parts):
            said = "".join(part.value if isinstance(part, Wild) else part for part in parts)
        case Fuzzy(field, text, distance):
            said = f"{text}~{distance}"
        case Range(field, low, high):
            ends = [end.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(end, datetime) else end for end in (low, high)]
            if isinstance(low, int) and high == low + 1:
                said = str(low)
            else:
                said = f"[{'*' if ends[0] is None else ends[0]} TO {'*' if ends[1] is None else ends[1]}}}"
        case Exists(field):
            return f"_exists_:{field.name}"
        case _:
            return "*:*"
    return said if field is None else f"{field.name}:{said}"


# -- the words that are shown


def _finders(held: Iterable[Leaf], kind: Kind, wanted: set[str]) -> list[Finder]:
    """What finds the clauses' words in running text, for those of the wanted fields."""
    return [
        finder(leaf, field)
        for leaf in held
        if isinstance(leaf, Words)
        for field, _ in targets(leaf.field, kind)
        if field.base in wanted and field.type in {Type.TEXT, Type.NAME}
    ]


def _spans(text: str, finders: Iterable[Finder]) -> list[Span]:
    """Where the finders' words stand in a text, in order."""
    words = analysis.forms(text)
    found = {span for find in finders for span in find(words)}
    if not found:
        return []
    places = analysis.places(text, max(last for _, last in found))
    return sorted({(places[first][0], places[last - 1][1]) for first, last in found})


def _article_excerpts(document: Document, held: list[Leaf]) -> list[Excerpt]:
    article = document.article
    found = []
    title = _spans(article.title, _finders(held, Kind.ARTICLES, {"title"}))
    if title:
        found.append(_excerpt("title", article.title, 0, len(article.title), title))
    by_clause = [_spans(article.body, [find]) for find in _finders(held, Kind.ARTICLES, {"body"})]
    if not any(by_clause):
        return found
    passage = Passage(article.body)
    clauses: dict[int, set[int]] = {}
    marks: dict[int, list[Span]] = {}
    for clause, spans in enumerate(by_clause):
        for span in spans:
            sentence = passage.sentence_at(span[0])
            clauses.setdefault(sentence, set()).add(clause)
            marks.setdefault(sentence, []).append(span)
    # Best says most of the rule's clauses, then most of their words, then comes first.
    best = sorted(marks, key=lambda number: (-len(clauses[number]), -len(marks[number]), number))[:SENTENCES]
    sentences = passage.sentences
    return found + [_excerpt("body", article.body, *sentences[at], sorted(set(marks[at]))) for at in sorted(best)]


def _claim_excerpt(document: Document, claim: Claim, held: list[Leaf]) -> Excerpt:
    """The claim's words in the body, from its first to its last; its content alone where they lie far apart."""
    body = document.article.body
    parts = [*claim.content.spans]
    parts += [(part.start, part.end) for part in (claim.speaker, claim.cue) if part is not None]
    start, end = min(low for low, _ in parts), max(high for _, high in parts)
    finders = _finders(held, Kind.CLAIMS, {"content", "speaker", "speaker_text", "cue", "role", "entity", "hedge"})
    if end - start <= LONGEST and " ".join(body[low:high] for low, high in claim.content.spans) == claim.content.text:
        text = body[start:end]
        return _excerpt("claim", text, 0, len(text), _spans(text, finders))
    text = claim.content.text
    return _excerpt("claim", text, 0, len(text), _spans(text, finders))


def _excerpt(field: str, text: str, start: int, end: int, spans: list[Span]) -> Excerpt:
    """A part of a text on one line, cut to a length that can be read, with the marks within it."""
    if end - start > LONGEST and spans:
        start = max(start, min(spans[0][0] - LONGEST // 3, end - LONGEST))
    end = min(end, start + LONGEST)
    shown = "".join(" " if letter.isspace() else letter for letter in text[start:end])
    marks = tuple((low - start, min(high, end) - start) for low, high in spans if start <= low < end)
    return Excerpt(field=field, text=shown, marks=marks)


def _claims_in(document: Document, excerpts: list[Excerpt]) -> list[int]:
    """The claims that stand in the sentences shown."""
    shown = [excerpt.text for excerpt in excerpts if excerpt.field == "body"]
    found = []
    for n, claim in enumerate(document.enriched.claims):
        start, end = claim.content.spans[0] if claim.content.spans else (0, 0)
        words = " ".join(document.article.body[start:end].split())
        if claim.parent is None and words and any(words in " ".join(text.split()) for text in shown):
            found.append(n)
    return found[:CLAIMS]


def _claim(n: int, claim: Claim) -> AlertClaim:
    speaker, cue = claim.speaker, claim.cue
    return AlertClaim(
        n=n,
        content=claim.content.text,
        speaker=(speaker.name or speaker.text) if speaker else None,
        role=speaker.role if speaker else None,
        anonymous=bool(speaker and speaker.anonymous),
        reason=speaker.reason if speaker else None,
        cue=cue.text if cue else None,
        cue_class=cue.cls if cue else None,
        negated=claim.negated,
        form=claim.form,
    )
