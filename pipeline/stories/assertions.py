"""The same claim in several articles, and claims that stand against each other.

Pure, and from two claims alone. A claim is compared by its speaker (the resolved name, or an organisation or
government as written) and by the words of its content that carry meaning; what it says of them (says so, confirms,
denies) is its stance. Two claims of one speaker with near enough the same words and the same stance are one assertion.
The same words with the opposite stance are a reversal where the speaker is the same, a contradiction where not. Words
are all that is looked at, so both are guesses, and carry a confidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.enrich.words import words as word_set
from pipeline.records import Claim, Document, Relation, digest
from pipeline.stories.text import hashed, words

SAME = 0.6
"""Share of content words in common from which two claims of one speaker say the same thing."""
OPPOSED = 0.45
"""The same for claims that stand against each other: a denial is seldom in the words of what it denies."""
_FEWEST = 3
"""Content words that a claim needs to be compared at all: "It is true" is no assertion about anything."""
_FEWEST_SHARED = 3
_TEXT = 300
"""Characters of a claim that are shown beside another."""

_EMPTY = word_set("""
    a an the of to in on at by for from with and or but as that this these those it its he she they them his her their
    is are was were be been being has have had having do does did will would can could may might shall should must not
    no nor there which who whom whose what when where why how than then so such any all some into over under about
    after before between during only also very more most other one two new said says say told i we you our us my me
    your if because while until up out off again against further
""")
_NEGATIVE = re.compile(
    r"\b(?:no|not|never|none|neither|nor|nothing|nobody|denied|denies|false|baseless|untrue|fabricated|\w+n['’]t)\b",
    re.I,
)
_SUFFIX = re.compile(r"(?:ings?|ed|es|s|ly)$")
_TITLES = word_set("""
    mr mrs ms dr prof gen col maj capt sgt lt sir the president minister premier prime chief
""")


@dataclass(frozen=True, slots=True)
class Said:
    """A claim as it is compared with others."""

    n: int
    speaker: str
    """Folded; "" where nobody is named."""
    shown: str
    cue: str
    stance: int
    """1 where it is said or confirmed to be so, -1 where it is denied."""
    terms: frozenset[int]
    text: str
    plain: bool = True
    """False where the stance rests on a "no" or "not" somewhere in the words, and not on the cue."""


def said(document: Document) -> list[Said]:
    """The claims of a document that can be compared with others."""
    found: list[Said] = []
    for n, claim in enumerate(document.enriched.claims):
        one = _said(n, claim)
        if one is not None:
            found.append(one)
    return found


def _said(n: int, claim: Claim) -> Said | None:
    cls = claim.cue.cls if claim.cue else "say"
    if cls not in ("say", "deny", "confirm", "accuse", "believe", "warn", "promise"):
        return None  # a demand, a question and a refusal to speak say nothing that could be so or not
    terms = frozenset(
        hashed(_SUFFIX.sub("", word) if len(word) > 5 else word)
        for word in words(claim.content.text)
        if word not in _EMPTY and len(word) > 2 and not _NEGATIVE.fullmatch(word)
    )
    if len(terms) < _FEWEST:
        return None
    inner = bool(_NEGATIVE.search(claim.content.text))
    stance = -1 if (cls == "deny") != (claim.negated or (inner and cls != "deny")) else 1
    speaker = claim.speaker
    name = ""
    if speaker is not None and not speaker.anonymous:
        name = speaker.name or (speaker.text if speaker.kind in ("organisation", "government", "document") else "")
    return Said(
        n=n,
        speaker=speaker_key(name),
        shown=name or (speaker.text if speaker else ""),
        cue=claim.cue.text if claim.cue else "",
        stance=stance,
        terms=terms,
        text=claim.content.text[:_TEXT],
        plain=not inner,
    )


def speaker_key(name: str) -> str:
    """A speaker's name as it is compared: without case, accents, titles and the possessive."""
    kept = [word.removesuffix("'s") for word in words(name) if word not in _TITLES]
    return " ".join(kept)


def same_speaker(a: str, b: str) -> bool:
    """Whether two keys are one speaker's: the same, or the one is the other's last name."""
    if not a or not b:
        return False
    if a == b:
        return True
    shorter, longer = sorted((a.split(), b.split()), key=len)
    return len(shorter) < len(longer) and longer[-len(shorter) :] == shorter


def assertion_id(article: str, n: int) -> str:
    """The id of the assertion that begins with this claim."""
    return digest("assertion", article, str(n))


def likeness(a: frozenset[int], b: frozenset[int]) -> float:
    """The share of the shorter claim's words that the other has, less where it has many others: 0 to 1."""
    shared = len(a & b)
    if shared < _FEWEST_SHARED:
        return 0.0
    return 0.5 * shared / min(len(a), len(b)) + 0.5 * shared / max(len(a), len(b))


def is_same(a: Said, b: Said) -> bool:
    """Whether two claims are one assertion."""
    return same_speaker(a.speaker, b.speaker) and a.stance == b.stance and likeness(a.terms, b.terms) >= SAME


def opposition(a: Said, b: Said, same_article: bool = False) -> tuple[Relation, float] | None:
    """How two claims stand against each other, and how sure that is (0 to 1); ``None`` where they do not.

    Two claims in one article are a dispute that the article reports as such: only another speaker's denial counts, and
    only one by its cue.
    """
    if a.stance == b.stance or (same_article and not (a.plain and b.plain and a.speaker and b.speaker)):
        return None
    like = likeness(a.terms, b.terms)
    if like < OPPOSED:
        return None
    if same_speaker(a.speaker, b.speaker):
        if same_article:
            return None
        relation = Relation.REVERSAL
    elif a.speaker or b.speaker:
        relation = Relation.CONTRADICTION
    else:
        return None
    # A denial by its cue is surer than one by a "not" somewhere in the words.
    sure = like * (1.0 if a.plain and b.plain else 0.8)
    return relation, round(min(0.95, sure), 2)
