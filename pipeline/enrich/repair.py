"""From the tagger's raw attributions to drafts: broken links mended, stray parts joined to their neighbours.

The tagger links each span to the head of its attribution; where a link fails, an attribution lacks its source or its
content, or has two sources. Here each part goes where grammar puts it: the source next to the cue, the content that
touches them, else the clause behind the cue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.enrich.cues import classify, lexicon, verb_lemma
from pipeline.enrich.drafts import Draft, Span, Taken
from pipeline.enrich.grammar import Grammar
from pipeline.enrich.passage import Passage
from pipeline.enrich.quotes import Quotations

if TYPE_CHECKING:
    from pipeline.enrich.tagger import Attribution

PASSIVE = re.compile(r"\b(?:is|are|was|were|been|being)\b(?!\s+\w+ing\b)")
TIME_ONLY = re.compile(
    r"(?:(?:on|in|at|late|early|last|this|next|the|a|morning|night|evening|afternoon|week|month|year|ago|later|earlier|"
    r"yesterday|today|interview|statement|conference|news|reporters|to|\w+day|\d+|January|February|March|April|May|June|July|"
    r"August|September|October|November|December)[\s,]*)+",
    re.I,
)
GAP = re.compile(r"[\s,:;—–-]{0,4}(?:that\s)?[\s\"“]{0,4}")


def drafts_of(
    passage: Passage, quotations: Quotations, grammar: Grammar, attributions: Sequence[Attribution]
) -> list[Draft]:
    """A draft for each attribution that can be made whole. Indirect contents that nobody is said to say are dropped."""
    text = passage.text
    whole: list[Draft] = []
    bare: list[Draft] = []  # source and cue, or one of them, without a content
    orphans: list[Span] = []  # contents without source and cue
    for each in attributions:
        content = tuple(
            sorted(
                span
                for raw in each.content
                if (span := _trim(text, raw)) and not TIME_ONLY.fullmatch(text, span[0], span[1])
            )
        )
        cues = [span for raw in each.cue if (span := _trim(text, raw))]
        cue = max(cues, key=lambda span: span[1] - span[0]) if cues else None
        sources = [span for raw in each.source if (span := _trim(text, raw))]
        source = _nearest(passage, sources, cue or (content[0] if content else None))
        if cue is not None:
            cue = _last_verb(text, cue)
        if source is not None:
            source = _without_who(text, source)
        if not content and cue is None:
            continue
        if not content:
            bare.append(Draft(source, cue, ()))
        elif cue is None and source is None:
            orphans += content
        else:
            whole.append(Draft(source, cue, content))
    taken = Taken(len(text))
    for draft in whole:
        taken.take(draft.content)
    for draft in bare:
        _complete(passage, quotations, draft, taken, orphans)
        if draft.content:
            whole.append(draft)
            taken.take(draft.content)
    for draft in whole:
        if draft.source is None and draft.cue is not None:
            _take_subject(text, draft)
        if draft.source is None and draft.cue is not None:
            draft.source = _subject(passage, grammar, draft)
    for span in orphans:
        quote = quotations.covering(span[0])
        if quote is not None and not quote.single and span[1] - span[0] > 20:
            whole.append(Draft(None, None, (span,), "orphan"))
    return whole


def _trim(text: str, span: Span) -> Span | None:
    start, end = max(0, span[0]), min(len(text), span[1])
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if end > start else None


def _last_verb(text: str, cue: Span) -> Span:
    """ "asked not to be named, said": behind a comma stands the cue alone."""
    match = re.search(r",\s+((?:(?:also|has|had|have|later)\s+)?(\w+))$", text[cue[0] : cue[1]])
    if match is None or verb_lemma(match.group(2)) not in lexicon().report:
        return cue
    return cue[0] + match.start(1), cue[1]


def _without_who(text: str, source: Span) -> Span:
    """A source that breaks off behind a relative pronoun ends before it."""
    match = re.search(r",?\s+who$", text[source[0] : source[1]])
    return (source[0], source[0] + match.start()) if match is not None and match.start() > 0 else source


def _nearest(passage: Passage, sources: list[Span], to: Span | None) -> Span | None:
    """The source next to the cue; one in the cue's own sentence first."""
    if not sources or to is None:
        return sources[0] if sources else None
    here = passage.sentence_at(to[0])

    def cost(span: Span) -> tuple[bool, int]:
        gap = to[0] - span[1] if span[1] <= to[0] else span[0] - to[1]
        return passage.sentence_at(span[0]) != here, abs(gap)

    return min(sources, key=cost)


def _complete(passage: Passage, quotations: Quotations, draft: Draft, taken: Taken, orphans: list[Span]) -> None:
    """Give a content to a source and a cue: a stray one that touches them, a quotation, else the clause."""
    text = passage.text
    cue = draft.cue
    assert cue is not None
    low = min(cue[0], draft.source[0]) if draft.source and draft.source[1] <= cue[1] + 60 else cue[0]
    high = max(cue[1], draft.source[1]) if draft.source and draft.source[0] >= cue[0] else cue[1]
    for span in orphans:
        touching = None
        if 0 <= span[0] - high <= 10:
            touching = GAP.fullmatch(text[high : span[0]])
        elif 0 <= low - span[1] <= 10:
            touching = GAP.fullmatch(text[span[1] : low])
        if touching is not None:
            draft.content = (span,)
            orphans.remove(span)
            return
    _, cls = classify(text[cue[0] : cue[1]])
    inside = re.search(r"\bto\s+\w+.*$", text[cue[0] : cue[1]])
    if cls == "decline" and inside is not None:
        draft.content = ((cue[0] + inside.start(), cue[1]),)
        return
    start, end = passage.sentences[passage.sentence_at(cue[0])]
    if draft.source is None:
        return
    tail = _clipped(text, high, end, taken)
    if tail is not None:
        draft.content = (tail,)
        return
    head = _clipped(text, start, low, taken)
    if head is not None and text[:low].rstrip().endswith((",", "”", '"')):
        draft.content = (head,)
        return
    if text[high : high + 2].strip() == ":" or text[cue[0] : cue[1]].endswith(":"):
        quote = next((q for q in quotations.within(high, min(len(text), high + 6)) if q.start >= high), None)
        if quote is not None and taken.free(quote.start, quote.end):
            draft.content = ((quote.start, quote.end),)


def _clipped(text: str, start: int, end: int, taken: Taken) -> Span | None:
    """The range without blanks and marks at its edges, if it has three words and no other content touches it."""
    while start < end and (text[start].isspace() or text[start] in ",;:.—–"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;:!?—–"):
        end -= 1
    if end - start < 4 or len(text[start:end].split()) < 3:
        return None
    if TIME_ONLY.fullmatch(text, start, end):
        return None
    if taken.free(start, end):
        return start, end
    # Up to where somebody else's words begin: "said as much on Thursday, arguing that ...".
    first = taken.first(start, end)
    comma = text.rfind(",", start, first)
    end = comma if comma > start else first
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;:"):
        end -= 1
    return (start, end) if comma > start and len(text[start:end].split()) >= 2 else None


def _take_subject(text: str, draft: Draft) -> None:
    """A short piece of content right before a plain reporting verb is who says it: "Gavaza | has said | that"."""
    assert draft.cue is not None
    first, *rest = draft.content
    words = text[slice(*draft.cue)].split()
    plain = bool(words) and verb_lemma(words[-1].lower()) in lexicon().report
    if not rest or not plain or PASSIVE.search(text, *draft.cue) or draft.cue[1] > rest[0][0]:
        return
    if first[1] <= draft.cue[0] <= first[1] + 1 and len(text[slice(*first)].split()) <= 6:
        draft.source, draft.content = first, tuple(rest)


def _subject(passage: Passage, grammar: Grammar, draft: Draft) -> Span | None:
    """The subject that stands right before the cue, where no other attribution has taken it."""
    cue = draft.cue
    assert cue is not None
    words = passage.text[cue[0] : cue[1]].lower()
    if re.search(r"\w+ing\b", words.split()[0] if words.split() else "") or " by " in words:
        return None
    start, _ = passage.sentences[passage.sentence_at(cue[0])]
    if words.startswith("according to"):
        return None
    tokens = passage.tokens_in(start, cue[0] + 1)
    if not tokens or tokens[-1].start != cue[0]:
        return None
    span, shared = grammar.subject_before(tokens, len(tokens) - 1)
    if span is None:
        return None
    subject = passage.text[slice(*span)].lower().split()
    if subject[0] in ("it", "said", "says", "say") or PASSIVE.search(words):
        return None
    if shared and not words.split()[0].endswith(("ed", "d", "id", "ote", "ave")):
        return None
    if any(s < span[1] and e > span[0] for s, e in draft.content):
        return None
    return span
