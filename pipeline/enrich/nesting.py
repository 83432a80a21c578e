"""A claim whose tail the flat tagger took for a claim beside it: "said that she met him and told him that ..."."""

from __future__ import annotations

import re

from pipeline.enrich.cues import AUXILIARIES, IRREGULAR
from pipeline.enrich.drafts import Draft
from pipeline.enrich.grammar import OBJECT_PRONOUNS, Grammar
from pipeline.enrich.passage import Passage

JOINT = re.compile(r"(?P<more>[^.;:“”\"]{0,60}?)\s*\b(?P<joint>wherein|whereby|where|and)\s*$")


def absorb_tails(passage: Passage, grammar: Grammar, drafts: list[Draft]) -> None:
    """Let the content of "said that ..." run over the attributions that its own clause goes on with.

    The second verb belongs to the reported clause where a relative joins it ("wherein the latter urged"), where it is
    in the pluperfect and the first cue is not ("said that he had called and had urged"), or where it matches the tense
    of the clause's own verb and addresses somebody named there ("that she called Khan on Monday and told him").
    """
    by_sentence: dict[int, list[Draft]] = {}
    for draft in drafts:
        by_sentence.setdefault(passage.sentence_at(draft.anchor), []).append(draft)
    for group in by_sentence.values():
        if len(group) < 2:
            continue
        group.sort(key=lambda draft: draft.anchor)
        for at in range(len(group) - 2, -1, -1):
            _absorb(passage, grammar, group[at], group[at + 1])


def _absorb(passage: Passage, grammar: Grammar, outer: Draft, inner: Draft) -> None:
    text = passage.text
    if outer.cue is None or inner.cue is None or not inner.content:
        return
    start, end = outer.content[-1]
    if outer.cue[0] > start or text[outer.content[0][0] : outer.content[0][0] + 5].lower() != "that ":
        return
    shared = inner.source is None or inner.source[0] < end
    begin = inner.cue[0] if shared or inner.source is None else min(inner.cue[0], inner.source[0])
    if not end <= begin <= end + 90 or inner.end <= end:
        return
    match = JOINT.fullmatch(text[end:begin])
    if match is None:
        return
    if match["joint"] == "and":
        if not shared:
            return
        subject = _own_subject(passage, grammar, outer, inner, bool(match["more"].strip(" ,")))
        if subject is None:
            return
        inner.source, inner.borrowed = subject, False
    outer.content = (*outer.content[:-1], (start, max(end, inner.end)))


def _own_subject(passage: Passage, grammar: Grammar, outer: Draft, inner: Draft, more: bool) -> tuple[int, int] | None:
    """The subject of the reported clause, where the second verb goes with the clause's verb and not with the cue."""
    text = passage.text
    assert outer.cue is not None
    assert inner.cue is not None
    outer_words = text[slice(*outer.cue)].lower().split()
    inner_words = text[slice(*inner.cue)].lower().split()
    start = outer.content[0][0]
    tokens = passage.tokens_in(start, inner.cue[0])
    verb = next(
        (
            token.lower
            for token in tokens[1:]
            if token.lower in AUXILIARIES or token.lower.endswith("ed") or token.lower in IRREGULAR
        ),
        "",
    )
    perfect = inner_words[0] in ("had", "has", "have")
    if perfect:
        parallel = outer_words[0] not in ("had", "has", "have") and verb == inner_words[0]
    else:
        behind = passage.tokens_in(inner.cue[1], inner.cue[1] + 12)
        addresses = bool(behind) and behind[0].lower in OBJECT_PRONOUNS
        parallel = verb not in AUXILIARIES and verb != "" and (more or addresses)
    if not parallel:
        return None
    return grammar.clause_subject(tokens, len(tokens))
