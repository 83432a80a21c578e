"""Versions of an article: whether a text was really changed, and which sentences and which claims the change is about.

Pure. A page is never twice the same bytes; what counts as a change is one of its headline or its body after white
space, quotes, dashes, case and the page's own clocks ("Updated 3 minutes ago") are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from pipeline.enrich.passage import Passage
from pipeline.records import Article, Claim, ClaimChange, Difference, Document, SentenceChange, digest
from pipeline.stories.text import folded, words

_SIGNS = (
    *(("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("«", '"'), ("»", '"')),
    *(("–", "-"), ("—", "-"), ("‑", "-"), ("…", "...")),
)
_CLOCK = re.compile(
    r"""^\W*(?:
        (?:last\s+)?(?:updated|modified|published|posted|aktualisiert|stand|actualizado|mis\s+à\s+jour)\b.{0,80}\d.{0,40}
      | (?:an?|\d+)\s+(?:second|minute|min|hour|hr|day|week)s?\s+ago\W*
      | \d+\s+min(?:ute)?s?\s+read\W*
      | \d{1,2}[:.]\d{2}(?:\s*[ap]\.?m\.?)?(?:\s+[A-Z]{2,4})?\W*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_AGO = re.compile(
    r"\(?\b(?:updated|published|posted)?\s*(?:an?|\d+)\s+(?:seconds?|minutes?|mins?|hours?|hrs?)\s+ago\b\)?", re.I
)
_ALTERED = 0.5
"""Share of words that two sentences have in common from which one is the other, altered."""
_SAME_CLAIM = 0.6
"""The same for what two claims say."""
_MOST = 400
"""Sentences compared; what lies beyond is a live page's."""
_SHOWN = 600
"""Characters of a sentence or claim that a difference keeps."""


def normal(text: str) -> str:
    """A text as it is compared: without white space, quotes' and dashes' shapes, case and clocks."""
    if not text.isascii():
        for shape, plain in _SIGNS:  # passes in C, a tenth of one `str.translate`
            text = text.replace(shape, plain)
    lines = text.split("\n")
    if "ago" in text.casefold():
        lines = [_AGO.sub(" ", line) if "ago" in line.casefold() else line for line in lines]
    return "\n".join(" ".join(line.split()).casefold() for line in lines if line.strip() and not _CLOCK.match(line))


def fingerprint(article: Article) -> str:
    """The same for two pages of which one says nothing that the other does not."""
    return digest("version", normal(article.title), normal(article.body))


def difference(before: Document, after: Document) -> Difference:
    """What a new version changed."""
    title = before.article.title
    return Difference(
        title=title if normal(title) != normal(after.article.title) else None,
        sentences=sentence_changes(before.article.body, after.article.body),
        claims=claim_changes(before.enriched.claims, after.enriched.claims),
    )


def sentence_changes(before: str, after: str) -> tuple[SentenceChange, ...]:
    """The sentences that came, went or were altered, in the order of the text."""
    old, new = _sentences(before), _sentences(after)
    found: list[SentenceChange] = []
    matcher = SequenceMatcher(None, [normal(s) for s in old], [normal(s) for s in new], autojunk=False)
    moved = {normal(s) for s in new} & {normal(s) for s in old}
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        gone = [s for s in old[i:j] if normal(s) not in moved]
        come = [s for s in new[k:m] if normal(s) not in moved]
        for sentence in gone:
            likest = max(come, key=lambda other: _common(sentence, other), default=None)
            if likest is not None and _common(sentence, likest) >= _ALTERED:
                come.remove(likest)
                found.append(SentenceChange(before=sentence[:_SHOWN], after=likest[:_SHOWN]))
            else:
                found.append(SentenceChange(before=sentence[:_SHOWN], after=None))
        found.extend(SentenceChange(before=None, after=sentence[:_SHOWN]) for sentence in come)
    return tuple(found)


def claim_changes(before: Sequence[Claim], after: Sequence[Claim]) -> tuple[ClaimChange, ...]:
    """The claims that came, went or were altered: those that went first, then the others in the order of the text."""
    pairs = sorted(
        (
            (-likeness, i, j)
            for i, old in enumerate(before)
            for j, new in enumerate(after)
            if (likeness := _common(old.content.text, new.content.text)) >= _SAME_CLAIM
        ),
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in pairs:
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    gone = [
        ClaimChange(what=(_kind(old) + "-dropped",), before=said(old), after=None)
        for i, old in enumerate(before)
        if i not in partner
    ]
    rest: list[tuple[int, ClaimChange]] = []
    for i, j in partner.items():
        what = _alterations(before[i], after[j])
        if what:
            rest.append((j, ClaimChange(what=what, before=said(before[i]), after=said(after[j]))))
    rest.extend(
        (j, ClaimChange(what=(_kind(new) + "-added",), before=None, after=said(new)))
        for j, new in enumerate(after)
        if j not in taken
    )
    return (*gone, *(change for _, change in sorted(rest, key=lambda pair: pair[0])))


def said(claim: Claim) -> str:
    """Who said what, in one line."""
    who = "(nobody named)" if claim.speaker is None else claim.speaker.name or claim.speaker.text
    cue = claim.cue.text if claim.cue else ""
    return f"{who} {'not ' if claim.negated else ''}{cue}".strip()[:120] + f": {claim.content.text[:_SHOWN]}"


def _kind(claim: Claim) -> str:
    if _denies(claim):
        return "denial"
    return "quote" if claim.form in ("direct", "mixed") else "claim"


def _denies(claim: Claim) -> bool:
    return claim.cue is not None and claim.cue.cls == "deny"


def _alterations(old: Claim, new: Claim) -> tuple[str, ...]:
    what: list[str] = []
    was, now = old.speaker, new.speaker
    named_before, named_now = bool(was and was.name), bool(now and now.name)
    if was is not None and now is not None:
        if named_before and (now.anonymous or (now.kind == "anonymous" and not named_now)):
            what.append("speaker-made-anonymous")
        elif named_now and (was.anonymous or (was.kind == "anonymous" and not named_before)):
            what.append("speaker-named")
        elif _other(was.name or was.text, now.name or now.text):
            what.append("speaker-changed")
    elif (was is None) != (now is None):
        what.append("speaker-changed")
    if old.form != new.form and {"indirect"} & {old.form, new.form}:
        what.append("quote-paraphrased" if new.form == "indirect" else "quote-made-direct")
    if _denies(old) != _denies(new):
        what.append("denial-added" if _denies(new) else "denial-dropped")
    elif old.cue is not None and new.cue is not None and old.cue.cls != new.cue.cls:
        what.append("cue-changed")
    if old.negated != new.negated:
        what.append("negation-changed")
    if bool(old.hedge) != bool(new.hedge):
        what.append("hedge-added" if new.hedge else "hedge-dropped")
    if words(old.content.text) != words(new.content.text):
        what.append("wording-changed")
    return tuple(what)


def _other(a: str, b: str) -> bool:
    """Whether two names are of two speakers: one that is part of the other ("Mr Khan", "Imran Khan") is not."""
    first, second = set(words(a)), set(words(b))
    shared = first & second - {"the", "mr", "mrs", "ms", "dr", "a", "an", "of"}
    return not shared and folded(a) != folded(b)


def _common(a: str, b: str) -> float:
    """The share of their words that two texts have in common, 0 to 1 (Dice)."""
    first, second = set(words(a)), set(words(b))
    return 2 * len(first & second) / (len(first) + len(second)) if first or second else 1.0


def _sentences(text: str) -> list[str]:
    passage = Passage(text)
    return [
        line for start, end in passage.sentences[:_MOST] if not _CLOCK.match(line := " ".join(text[start:end].split()))
    ]
