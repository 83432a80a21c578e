"""Where a content begins and ends: cut at the sentence, at an addressee, at marks that belong to nobody's words."""

from __future__ import annotations

import re

from pipeline.enrich.cues import classify
from pipeline.enrich.drafts import Draft, Span
from pipeline.enrich.passage import Passage
from pipeline.enrich.quotes import Quotations

# "made three phone calls to": a call, but no call for anything.
PHONE_CALL = re.compile(r"\b(?:phone|telephone|video)\s+calls?\b", re.I)
# Where it was said is no part of what was said.
VENUE = re.compile(
    r"\s+(?:in|during|at)\s+(?:a|an|his|her|its|their|the)\s+(?:[\w-]+\s+){0,2}(?:statement|interview|speech|tweet|letter|email|"
    r"e-mail|op-ed|news conference|press conference|filing|blog post|post)\b(?!-)[^,;“”\"]{0,40}$",
    re.I,
)
IT_PASSIVE = re.compile(
    r"\b(?:is|was|were|are|has been|had been|been)\b(?:\s+\w+ly)?\s+(?!not\b)\w+(?:ed|en|id|ought|nown|stood)\b", re.I
)


def trim(passage: Passage, quotations: Quotations, drafts: list[Draft]) -> list[Draft]:
    """The drafts with their contents cut; those that have none left are dropped."""
    kept = []
    for draft in drafts:
        pieces: list[Span] = []
        for span in draft.content:
            piece = _cut(passage, quotations, draft, span)
            if piece is not None:
                pieces.append(piece)
        draft.content = _near_the_cue(passage, quotations, draft, pieces)
        if not draft.content:
            continue
        if draft.cue is not None and PHONE_CALL.search(passage.text, *draft.cue):
            continue
        if draft.source is not None and passage.text[slice(*draft.source)].lower() == "it" and draft.cue is not None:
            words = passage.text[slice(*draft.cue)]
            if " worth " in f" {words} ":
                continue  # "it is worth noting that" is the writer's own remark
            if IT_PASSIVE.search(words):
                draft.source = None
        kept.append(draft)
    return kept


def _near_the_cue(passage: Passage, quotations: Quotations, draft: Draft, pieces: list[Span]) -> tuple[Span, ...]:
    """The pieces but those without quotation marks in another sentence than the cue: wrong links, nearly always."""
    if draft.cue is None or len(pieces) < 2:
        return tuple(pieces)
    here = passage.sentence_at(draft.cue[0])
    kept = [piece for piece in pieces if passage.sentence_at(piece[0]) == here or quotations.form([piece]) == "direct"]
    return tuple(kept or pieces)


def _cut(passage: Passage, quotations: Quotations, draft: Draft, span: Span) -> Span | None:
    text = passage.text
    start, end = span
    while start < end and (text[start].isspace() or text[start] in ",;:."):
        start += 1
    quote = quotations.covering(start)
    quoted = quote is not None and quote.start <= start + 1
    if not quoted:
        if draft.cue is not None and draft.cue[1] <= start:
            start = _behind_addressee(passage, draft, start, end)
        sentence_end = passage.sentences[passage.sentence_at(start)][1]
        if sentence_end < end and not _speech(passage, draft, span):
            # A quotation inside it may run over sentences: he said that "it was bad. It was very bad".
            inner = quotations.covering(sentence_end - 1)
            over = inner is not None and not inner.single and inner.start >= start and inner.end > sentence_end
            end = min(end, inner.end) if over and inner is not None else sentence_end
            while end > start and text[end - 1] in " .!?":
                end -= 1
        match = VENUE.search(passage.text, start, end)
        if match is not None and len(passage.text[start : match.start()].split()) >= 2:
            end = match.start()
    return (start, end) if end - start > 1 else None


def _speech(passage: Passage, draft: Draft, span: Span) -> bool:
    """Whether the content may run over sentences: a transcript's turn, or what a colon announces."""
    if draft.cue is None:
        return True
    cue = passage.text[slice(*draft.cue)]
    return cue.rstrip().endswith(":") or passage.text[draft.cue[1] : draft.cue[1] + 1] == ":"


def _behind_addressee(passage: Passage, draft: Draft, start: int, end: int) -> int:
    """Behind "him" or "the newspaper" of "told him that": whom somebody tells is no part of what he tells."""
    assert draft.cue is not None
    lemma, _ = classify(passage.text[slice(*draft.cue)])
    if lemma not in ("tell", "inform", "assure", "remind", "warn", "notify", "advise", "brief"):
        return start
    head = passage.text[start : min(end, start + 60)]
    match = re.match(r"(?:him|her|them|me|us|(?:the|a|an)\s+\w+|[a-z]+s|[A-Z]\w+)(?:\s+[A-Z]\w+)*\s+(?=that\s)", head)
    return start + match.end() if match else start
