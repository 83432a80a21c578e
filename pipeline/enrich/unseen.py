"""Names that the tagger did not see but that a speaker plainly bears: "negotiator Rosa Delgado said", "Benson said"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.enrich.entities import GOVERNING_WORDS
from pipeline.enrich.passage import Passage, Token
from pipeline.enrich.people import people
from pipeline.enrich.places import demonyms, fold
from pipeline.enrich.tagger import Attribution, Mention

BODY = re.compile(
    r"(?i)\b(?:ministry|department|party|university|council|commission|court|company|corp|inc|ltd|bank|group|union|"
    r"association|agency|committee|times|post|news|journal|institute|center|centre|office|board|police|army|house|"
    r"foundation|campaign|fund|network|television|radio|street|states|kingdom|republic|church|hospital|school|club)\b"
)


def names_of_speakers(
    passage: Passage, mentions: Sequence[Mention], attributions: Sequence[Attribution]
) -> list[Mention]:
    """The tagger's mentions and those that sources add, in order of their start."""
    taken = bytearray(len(passage.text))
    for mention in mentions:
        taken[mention.start : mention.end] = b"\1" * (min(mention.end, len(taken)) - mention.start)
    added: list[Mention] = []
    lone: list[Token] = []
    for attribution in attributions:
        for start, end in attribution.source:
            tokens = _core(passage.tokens_in(start, end))
            run = _name_run(tokens)
            if not run or taken.count(1, run[0].start, run[-1].end):
                continue
            if len(run) >= 2 and not BODY.search(" ".join(token.text for token in run)):
                added.append(Mention(run[0].start, run[-1].end, "PERSON", 0.5))
                taken[run[0].start : run[-1].end] = b"\1" * (run[-1].end - run[0].start)
            elif len(run) == 1:
                if run[0].text.isupper() and len(run[0].text) >= 3 and len(tokens) > 1:
                    added.append(Mention(run[0].start, run[0].end, "ORG", 0.5))
                elif len(tokens) == 1:
                    lone.append(run[0])
    known = {_last(passage.text, mention) for mention in [*mentions, *added] if mention.label == "PERSON"}
    added += [Mention(token.start, token.end, "PERSON", 0.5) for token in lone if token.lower in known]
    return sorted([*mentions, *added], key=lambda mention: (mention.start, -mention.end))


def _core(tokens: list[Token]) -> list[Token]:
    for at, token in enumerate(tokens):
        if at and (token.text in ",;(" or token.lower in ("of", "who", "from", "in", "at", "for", "with", "and")):
            return tokens[:at]
    return tokens


def _name_run(tokens: list[Token]) -> list[Token]:
    """The capitalised words at the end, titles and demonyms at their front left out."""
    run: list[Token] = []
    for token in reversed(tokens):
        if token.text[:1].isupper() and token.text.replace("-", "").replace("’", "").isalpha():
            run.insert(0, token)
        else:
            break
    table = people()
    while run and (
        run[0].lower in table.titles
        or run[0].lower in table.modifiers
        or fold(run[0].text) in demonyms()
        or run[0].lower in GOVERNING_WORDS
    ):
        run.pop(0)
    return run if len(run) <= 3 else []


def _last(text: str, mention: Mention) -> str:
    words = text[mention.start : mention.end].split()
    return words[-1].lower().strip(".,") if len(words) > 1 else ""
