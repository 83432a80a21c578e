"""Acronyms that a text defines in brackets, either way round: "Court of Justice (CoJ)", "CoJ (Court of Justice)"."""

from __future__ import annotations

import re

from pipeline.enrich.words import words

BRACKET = re.compile(r"\(\s*[\"“'‘]?([A-Z][A-Za-z&.\-]{1,9}[A-Z.][a-z]?|[A-Z]{2,10}s?)[\"”'’]?\s*\)")
REVERSE = re.compile(r"\b([A-Z][A-Z&]{1,9})\s+\(\s*((?:the\s+)?[A-Z][^()]{5,90})\)")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
SMALL = words("of the and for in on to a an de la le du des del da di al el et & y")


def defined(text: str) -> dict[str, tuple[int, int]]:
    """Each acronym with the offsets of its long form; the first definition counts. Linear in the text."""
    found: dict[str, tuple[int, int]] = {}
    for match in BRACKET.finditer(text):
        acronym = match.group(1)
        before = text[max(0, match.start() - 120) : match.start()]
        line = before.rsplit("\n", 1)[-1]
        span = _long_form(line, acronym)
        if span is not None:
            base = match.start() - len(line)
            found.setdefault(acronym.replace(".", ""), (base + span[0], base + span[1]))
    for match in REVERSE.finditer(text):
        words: list[str] = WORD.findall(match.group(2))
        if _spells(words, match.group(1)):
            start = match.start(2) + (4 if match.group(2).lower().startswith("the ") else 0)
            found.setdefault(match.group(1), (start, match.end(2)))
    return found


def _long_form(line: str, acronym: str) -> tuple[int, int] | None:
    """The shortest run of words at the end of the line whose capitals spell the acronym."""
    matches = list(WORD.finditer(line))
    if not matches or line[matches[-1].end() :].strip():
        return None
    for size in range(1, min(len(matches), 2 * len(acronym) + 3) + 1):
        run = matches[-size:]
        if run[0].group().lower() in SMALL or not run[0].group()[0].isupper():
            continue
        gaps = line[run[0].start() : run[-1].end()]
        if any(mark in gaps for mark in '.;:!?“”"'):
            return None
        if _spells([match.group() for match in run], acronym):
            return run[0].start(), run[-1].end()
    return None


def _spells(words: list[str], acronym: str) -> bool:
    """Whether initials spell the acronym, small words counted or not, inner capitals and hyphens as words."""
    wanted = [char.lower() for char in acronym if char.isalnum()]
    if acronym.endswith("s") and len(wanted) > 2 and not acronym.isupper():
        wanted = wanted[:-1]
    if len(wanted) < 2 or not words or words[0][0].lower() != wanted[0]:
        return False
    initials = [word[0].lower() for word in words]
    strong = [word[0].lower() for word in words if word.lower() not in SMALL]
    if wanted in (initials, strong):
        return True
    if len(words) == 1:
        return False
    # Letters from within words ("Tehreek-e-Taliban" TTP, "BioNTech" BNT): in order, each word its first.
    if not set(strong) <= set(wanted) or len(strong) < 2 or len(wanted) > len(strong) + 2:
        return False
    at = 0
    joined = " ".join(word.lower() for word in words)
    for letter in wanted:
        at = joined.find(letter, at)
        if at < 0:
            return False
        at += 1
    return True


WELL_KNOWN = {
    "UN": "United Nations", "UNSC": "United Nations Security Council", "EU": "European Union",
    "NATO": "North Atlantic Treaty Organization", "IMF": "International Monetary Fund",
    "WHO": "World Health Organization", "WTO": "World Trade Organization", "ICC": "International Criminal Court",
    "ICJ": "International Court of Justice", "IAEA": "International Atomic Energy Agency",
    "FBI": "Federal Bureau of Investigation", "CIA": "Central Intelligence Agency",
    "UNICEF": "UNICEF", "OPEC": "OPEC", "ASEAN": "ASEAN", "BBC": "BBC", "AFP": "AFP",
}  # fmt: skip
"""Acronyms that news leaves undefined. A document's own long form and definition come first."""
