"""The dateline of a wire story, "ISLAMABAD:" or "PARIS, Aug 20 (Reuters) –": no place is to be taken for a speaker."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.enrich.places import fold, gazetteer

MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
PLACE = r"[A-ZÀ-Þ][\w’'.\-]*(?:[ /-][A-ZÀ-Þa-z][\w’'.\-]*){0,3}"
DATELINE = re.compile(
    rf"""(?P<place>{PLACE})
    (?P<more>,\s+[A-Z][\w .]{{1,20}}?)?
    (?P<date>,?\s+(?:{MONTH}\s+\d{{1,2}}|\d{{1,2}}\s+{MONTH}))?
    (?P<agency>\s*[(\[](?:[A-Z]{{2,6}}|[A-Z][\w/ &.-]{{2,24}})[)\]])?
    \s*(?P<mark>:|—|–|--|-)\s+(?=["“‘'A-ZÀ-Þ\d])""",
    re.X,
)


def dateline(text: str, paragraphs: Sequence[tuple[int, int]]) -> tuple[int, int, int] | None:
    """Start of the dateline, end of its place, and end of it with its mark, in one of the first three paragraphs.

    A bare place before a colon counts only where a gazetteer knows it and a sentence follows: "Khan: we will" is none.
    """
    for start, end in paragraphs[:3]:
        match = DATELINE.match(text, start, min(end, start + 90))
        if match is None:
            continue
        place = match["place"]
        certain = bool(match["date"] or match["agency"])
        upper = place.isupper()
        known = _known(place)
        rest = text[match.end() : end]
        if match["mark"] == ":":
            ok = (certain or known) and (upper or len(rest.split()) > 12)
        else:
            ok = certain or (upper and (known or " " in match.group("mark") + " "))
            ok = ok and (upper or certain)
        if ok and len(rest.split()) >= 4:
            return start, match.end("place"), match.end()
    return None


def _known(place: str) -> bool:
    table = gazetteer()
    key = fold(place)
    return key in table.cities or key in table.countries or key in table.regions or key in table.states


def masked(text: str, line: tuple[int, int, int] | None) -> str:
    """The text with its dateline blanked, every offset as it was."""
    if line is None:
        return text
    start, _, end = line
    return text[:start] + " " * (end - start) + text[end:]
