"""From attributions to claims: spans repaired, missed ones added, claims inside claims found, each described."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.enrich.anonymity import reason
from pipeline.enrich.cues import classify, is_negated
from pipeline.enrich.drafts import ByParagraph, Draft, Span
from pipeline.enrich.entities import Named
from pipeline.enrich.grammar import Grammar
from pipeline.enrich.hedges import hedge
from pipeline.enrich.missed import add_missed
from pipeline.enrich.nesting import absorb_tails
from pipeline.enrich.passage import Passage
from pipeline.enrich.quotes import Quotations
from pipeline.enrich.repair import drafts_of
from pipeline.enrich.speakers import Speakers
from pipeline.enrich.trim import trim
from pipeline.enrich.when import date_words, when
from pipeline.records import Claim, Content, Cue, When

if TYPE_CHECKING:
    from pipeline.enrich.tagger import Attribution

PARTICIPLE = re.compile(r"(?:and\s+)?\w+ing\b|\w*\s?\w+ing\b", re.I)
# A content shorter than this many words holds no claim of its own worth the risk. 2026-11-23.
LEAST_WORDS_TO_NEST = 5


def build(
    passage: Passage,
    named: Named,
    attributions: Sequence[Attribution],
    published: datetime | None,
) -> tuple[Claim, ...]:
    """The claims of a document, in order of where each content begins, outer before inner."""
    quotations = Quotations(passage.text, passage.paragraphs)
    grammar = Grammar(passage, quotations, named)
    drafts = drafts_of(passage, quotations, grammar, attributions)
    drafts = trim(passage, quotations, drafts)
    drafts = add_missed(passage, quotations, named, grammar, drafts)
    absorb_tails(passage, grammar, drafts)
    drafts = _without_reasons(passage, drafts)
    drafts = _with_inner(passage, grammar, drafts)
    for draft in drafts:
        draft.content = _in_order(draft.content)
    _nest(drafts)
    _borrow_sources(passage, drafts)
    speakers = Speakers(passage, quotations, named, drafts).resolve()
    near = ByParagraph(passage, drafts)
    claims = []
    for index, draft in enumerate(drafts):
        cue = _cue(passage.text, draft.cue)
        form = quotations.form(draft.content) if draft.content else "indirect"
        around = _around(passage, draft)
        negated = cue is not None and _negated(passage, draft, cue)
        body = " ".join(passage.text[start:end] for start, end in draft.content)
        names = dict.fromkeys(
            named.entities[at].name
            for start, end in draft.content
            for at in named.within(start, end)
            if named.entities[at].label not in ("DATE", "MONEY")
        )
        claims.append(
            Claim(
                speaker=speakers[index],
                cue=cue,
                content=Content(text=body, spans=draft.content),
                form=form,
                negated=negated,
                hedge=hedge(
                    passage.text, draft.cue, around, draft.content[0] if form == "indirect" and draft.content else None
                ),
                parent=draft.parent,
                when=_when(passage, draft, drafts, near, published),
                entities=tuple(names),
            )
        )
    return tuple(claims)


def _in_order(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans by their start, those that overlap joined."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _without_reasons(passage: Passage, drafts: list[Draft]) -> list[Draft]:
    """The drafts but those that only say why a source is unnamed; their source goes to the claim beside them."""
    kept = [draft for draft in drafts if not _is_reason(passage, draft)]
    if len(kept) == len(drafts):
        return drafts
    for gone in drafts:
        if gone.source is None or gone in kept:
            continue
        here = passage.sentence_at(gone.anchor)
        for draft in kept:
            if draft.source is None and draft.cue and passage.sentence_at(draft.anchor) == here:
                draft.source = gone.source
                break
    return kept


def _is_reason(passage: Passage, draft: Draft) -> bool:
    """Whether the attribution is no more than why a source goes unnamed: "who declined to be named"."""
    if draft.cue is None:
        return False
    start, end = passage.sentences[passage.sentence_at(draft.cue[0])]
    why = reason(passage.text, start, end)
    return why is not None and why[0] <= draft.cue[0] < why[1] and draft.end <= why[1]


def _with_inner(passage: Passage, grammar: Grammar, drafts: list[Draft]) -> list[Draft]:
    """Add the claims that the grammar finds inside contents, where no draft has that cue yet."""
    cued = {offset for draft in drafts if draft.cue for offset in range(*draft.cue)}
    added: list[Draft] = []
    seen: set[Span] = set()
    for draft in drafts:
        for start, end in draft.content:
            if len(passage.text[start:end].split()) < LEAST_WORDS_TO_NEST:
                continue
            for first in range(passage.sentence_at(start), passage.sentence_at(max(start, end - 1)) + 1):
                low, high = passage.sentences[first]
                low, high = max(low, start), min(high, end)
                for inner in grammar.drafts(low, high, "inner"):
                    assert inner.cue is not None
                    if inner.cue[0] in cued or inner.cue[1] - 1 in cued or inner.cue in seen:
                        continue
                    if _repeats(draft, inner):
                        continue
                    seen.add(inner.cue)
                    added.append(inner)
    return drafts + added


def _repeats(outer: Draft, inner: Draft) -> bool:
    """Whether the inner one covers nearly all of the outer content with the same source: the same claim twice."""
    return outer.source is not None and inner.source == outer.source


def _nest(drafts: list[Draft]) -> None:
    """Order the drafts and point each to the smallest one whose content holds it."""
    drafts.sort(key=lambda draft: (min(draft.start, draft.anchor), draft.start - draft.end))
    drafts.sort(key=lambda draft: (draft.start, -draft.end))
    window: list[int] = []
    for index, draft in enumerate(drafts):
        window = [other for other in window if drafts[other].end > draft.start]
        holders = [other for other in window if drafts[other].holds(draft)]
        if holders:
            draft.parent = min(holders, key=lambda other: drafts[other].end - drafts[other].start)
        window.append(index)
        if len(window) > 200:
            window = window[-200:]


def _borrow_sources(passage: Passage, drafts: list[Draft]) -> None:
    """ ", adding that" has the subject of the attribution before it in the sentence."""
    by_anchor = sorted(range(len(drafts)), key=lambda i: drafts[i].anchor)
    for place, index in enumerate(by_anchor):
        draft = drafts[index]
        if draft.source is not None or draft.cue is None or place == 0:
            continue
        start, end = draft.cue
        words = passage.text[start:end].lower().split()
        before = passage.text[max(0, start - 6) : start].rstrip()
        linked = any(word.endswith("ing") for word in words[:3]) or before.endswith((" and", ",", " but"))
        if not linked or "according" in words:
            continue
        for other in reversed(by_anchor[max(0, place - 3) : place]):
            known = drafts[other]
            same = passage.sentence_at(known.anchor) == passage.sentence_at(start)
            if same and known.source is not None and known.parent == draft.parent:
                draft.source, draft.borrowed = known.source, True
                break


def _cue(text: str, span: Span | None) -> Cue | None:
    if span is None:
        return None
    lemma, cls = classify(text[span[0] : span[1]])
    return Cue(start=span[0], end=span[1], text=text[span[0] : span[1]], lemma=lemma, cls=cls)


def _around(passage: Passage, draft: Draft) -> Span | None:
    """The words right before the cue, to its source or five words back, outside any content."""
    if draft.cue is None:
        return None
    start = passage.sentences[passage.sentence_at(draft.cue[0])][0]
    tokens = passage.tokens_in(start, draft.cue[0])[-5:]
    low = tokens[0].start if tokens else draft.cue[0]
    if draft.source is not None and draft.source[1] <= draft.cue[0]:
        low = max(low, draft.source[1])
    for span in draft.content:
        if span[1] <= draft.cue[0]:
            low = max(low, span[1])
    return (low, draft.cue[0]) if low < draft.cue[0] else None


def _negated(passage: Passage, draft: Draft, cue: Cue) -> bool:
    if is_negated(cue.text, cue.cls):
        return True
    around = _around(passage, draft)
    if around is None:
        return False
    words = passage.text[around[0] : around[1]]
    if not re.search(
        r"\b(?:not|never|n['’]t|no)\s*(?:\w+ly\s+|yet\s+|immediately\s+)?$|n['’]t\s*(?:\w+ly\s+)?$",
        words.rstrip() + " ",
    ):
        return False
    return is_negated(words, cue.cls) or bool(re.search(r"\bno\s*$", words.rstrip()))


def _when(
    passage: Passage, draft: Draft, drafts: list[Draft], near: ByParagraph, published: datetime | None
) -> When | None:
    """The date words in the clause that attributes: its sentence less all contents that do not hold the clause."""
    at = draft.anchor
    start, end = passage.sentences[passage.sentence_at(at)]
    if draft.parent is not None:
        for low, high in drafts[draft.parent].content:
            if low <= at < high:
                start, end = max(start, low), min(end, high)
    words = date_words(passage.text, start, end)
    if not words:
        return None
    cue = draft.cue or draft.source or draft.content[0]
    others = [span for each in near.near(at) for span in each.content if span[0] < end and span[1] > start]
    free = [
        (low, high, kind) for low, high, kind in words
        if not any(s <= low < e and not s <= at < e for s, e in others)
    ]  # fmt: skip
    if draft.source is not None:
        inside = [word for word in free if draft.source[0] <= word[0] < draft.source[1]]
        free = [word for word in free if word not in inside]
    if not free:
        return None
    low, high, kind = min(free, key=lambda word: min(abs(word[0] - cue[1]), abs(cue[0] - word[1])))
    return when(passage.text, low, high, kind, published)
