"""When something was said: date words in a stretch of text, and the days that they mean beside the article's date.

The words are found by pattern; what a single day's words mean is dateparser's to say (``PREFER_DATES_FROM: past``,
since news tells what was said); spans of days ("last week", "the past four days", "in March") are reckoned here.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import lru_cache

from pipeline.records import When

MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
SHORT = r"Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?"
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
PART = r"(?:\s+(?:morning|afternoon|evening|night|lunchtime|midday))?"
NUMBER = (
    r"(?:\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|few|a few|couple of|"
    r"a couple of)"
)
UNIT = r"(?:minute|hour|day|night|week|month|year|decade)s?"
MONTH = rf"(?:{MONTHS}|{SHORT})"

PATTERN = re.compile(
    rf"""
    (?P<absolute>
        \b(?:(?:{DAYS}),?\s+)?(?:\d{{1,2}}(?:st|nd|rd|th)?\s+{MONTH}(?![a-z])(?:,?\s+\d{{4}})?
        |{MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?!\d)(?:,?\s+\d{{4}})?)
        |\b\d{{4}}-\d{{2}}-\d{{2}}\b
    )
    |(?P<month>\b(?:(?:early|late|mid)[- ])?(?:last\s+|this\s+)?(?:{MONTHS})\b(?:\s+(?:of\s+)?(?:19|20)\d{{2}}\b)?)
    |(?P<weekday>\b(?:(?:early|late|earlier|later)\s+(?:on\s+)?)?
        (?:(?:last|this|next|the\s+previous|the\s+following)\s+)?(?:{DAYS})\b{PART})
    |(?P<day>\b(?:the\s+day\s+before\s+yesterday|yesterday|today|tonight|tomorrow)\b{PART}
        |\bthis\s+(?:morning|afternoon|evening)\b|\blast\s+night\b|\bovernight\b|\b(?:earlier|later)\s+(?:in\s+the\s+day|today)\b
        |\bon\s+the\s+same\s+day\b)
    |(?P<ago>\b{NUMBER}\s+{UNIT}\s+(?:ago|earlier)\b)
    |(?P<past>\b(?:(?:over|during|in|for|within)\s+)?(?:the\s+)?(?:past|last)\s+(?:{NUMBER}\s+)?{UNIT}\b)
    |(?P<period>\b(?:(?:earlier|later)\s+)?(?:this|last|next|the\s+previous)\s+(?:week|weekend|month|year|spring|summer|autumn|fall|winter)\b)
    |(?P<year>\b(?:in|since|back\s+in)\s+(?:early\s+|late\s+|mid-?)?(?:19|20)\d{{2}}\b)
    """,
    re.I | re.X,
)
# What every date expression has in it: looking for these first saves the pattern on most sentences.
HINTS = (
    "day", "night", "week", "month", "year", "ago", "earlier", "this ", "last ", "past ", "19", "20", "jan", "feb",
    "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "morrow", "next ",
)  # fmt: skip
WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip


def date_words(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """The date expressions that begin in the range: start, end, kind."""
    stretch = text[start:end].lower()
    if not any(hint in stretch for hint in HINTS):
        return []
    found = []
    for match in PATTERN.finditer(text, start, end):
        kind = match.lastgroup or ""
        words = match.group()
        if kind == "month" and not _is_month(text, match):
            continue
        lead = len(words) - len(words.lstrip())
        found.append((match.start() + lead, match.end(), kind))
    return found


def _is_month(text: str, match: re.Match[str]) -> bool:
    """ "May" and "March" are also a verb and a noun: as months they follow "in", "last", "since" or precede a year."""
    words = match.group()
    if not re.search(rf"\b(?:{MONTHS})\b", words):
        return False  # case matters: "may", "march"
    if words in ("May", "March", "August", "April", "June"):
        return bool(
            re.search(
                r"\b(?:in|since|until|by|of|from|before|after|during|and|to)\s+$", text[: match.start()][-9:], re.I
            )
        )
    return True


def when(text: str, start: int, end: int, kind: str, published: datetime | None) -> When:
    """The words with the days they mean; without an article's date, only a date written in full means any."""
    words = " ".join(text[start:end].split())
    earliest, latest = _days(words.lower(), kind, published.date() if published else None)
    return When(
        start=start,
        end=end,
        text=text[start:end],
        earliest=earliest.isoformat() if earliest else None,
        latest=latest.isoformat() if latest else None,
    )


@lru_cache(maxsize=4096)
def _days(words: str, kind: str, base: date | None) -> tuple[date | None, date | None]:
    try:
        return _reckon(words, kind, base)
    except (ValueError, OverflowError):
        return None, None


def _reckon(words: str, kind: str, base: date | None) -> tuple[date | None, date | None]:
    year = re.search(r"\b(?:19|20)\d{2}\b", words)
    if kind == "year" and year:
        at = int(year.group())
        return date(at, 1, 1), date(at, 12, 31)
    if kind == "month" and year:
        return _month(_month_number(words), int(year.group()))
    if kind == "absolute" and year:
        return _parsed(words, base or date(2000, 1, 1))
    if base is None:
        return None, None
    if kind == "month":
        month = _month_number(words)
        return _month(month, base.year if month <= base.month else base.year - 1)
    if kind == "absolute":
        return _parsed(words, base)
    if kind == "weekday":
        return _weekday(words, base)
    if kind == "day":
        return _day(words, base)
    if kind == "period":
        return _period(words, base)
    number = _number(words)
    unit = re.search(r"(minute|hour|day|night|week|month|year|decade)", words)
    if unit is None:
        return None, None
    if kind == "ago":
        if number is None:
            return None, None
        return _parsed(f"{number} {unit.group()}s ago", base)
    # "the past four days", "the last week": a span that ends on the article's day.
    if number is None:
        if re.search(r"few|several|couple", words) or unit.group().startswith(("minute", "hour")):
            return None, None
        number = 1
        if words.startswith("last ") and unit.group() in ("week", "month", "year", "night"):
            return _period("last " + unit.group(), base)
    start, _ = _parsed(f"{number} {unit.group()}s ago", base)
    return (start, base) if start else (None, None)


def _parsed(words: str, base: date) -> tuple[date | None, date | None]:
    import dateparser

    found = dateparser.parse(
        words.replace("sept.", "sep"),
        languages=["en"],
        settings={
            "RELATIVE_BASE": datetime(base.year, base.month, base.day, 23, 59),  # noqa: DTZ001 - a day, not an instant
            "PREFER_DATES_FROM": "past",
        },
    )
    return (found.date(), found.date()) if found else (None, None)


def _month_number(words: str) -> int:
    names = MONTHS.lower().split("|")
    return next(number for number, name in enumerate(names, 1) if name in words)


def _month(number: int, year: int) -> tuple[date, date]:
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])


def _weekday(words: str, base: date) -> tuple[date, date]:
    number = next(n for n, name in enumerate(DAYS.lower().split("|")) if name in words)
    back = (base.weekday() - number) % 7
    day = base - timedelta(days=back)
    if re.search(r"\b(?:next|the following)\b", words):
        day = base + timedelta(days=(number - base.weekday()) % 7 or 7)
    elif re.search(r"\b(?:last|the previous)\b", words) and back == 0:
        day = base - timedelta(days=7)
    elif re.search(r"\bthis\b", words):
        day = base - timedelta(days=base.weekday()) + timedelta(days=number)
    return day, day


def _day(words: str, base: date) -> tuple[date | None, date | None]:
    if "before yesterday" in words:
        back = 2
    elif "yesterday" in words or "last night" in words:
        back = 1
    elif "overnight" in words:
        return base - timedelta(days=1), base
    elif "tomorrow" in words:
        back = -1
    elif "same day" in words:
        return None, None
    else:
        back = 0
    day = base - timedelta(days=back)
    return day, day


def _period(words: str, base: date) -> tuple[date | None, date | None]:
    back = 1 if re.search(r"\b(?:last|previous)\b", words) else -1 if "next" in words else 0
    if "weekend" in words:
        saturday = base - timedelta(days=(base.weekday() - 5) % 7 or (0 if base.weekday() == 5 else 7))
        saturday = base - timedelta(days=(base.weekday() + 2) % 7) if back else saturday
        return saturday, saturday + timedelta(days=1)
    if "week" in words:
        monday = base - timedelta(days=base.weekday() + 7 * back)
        return (monday, min(monday + timedelta(days=6), base)) if back == 0 else (monday, monday + timedelta(days=6))
    if "night" in words:
        return base - timedelta(days=1), base - timedelta(days=1)
    if "month" in words:
        month, year = base.month - back, base.year
        year, month = (year - 1, month + 12) if month < 1 else (year + 1, month - 12) if month > 12 else (year, month)
        first, last = _month(month, year)
        return (first, min(last, base)) if back == 0 else (first, last)
    if "year" in words:
        first, last = date(base.year - back, 1, 1), date(base.year - back, 12, 31)
        return (first, min(last, base)) if back == 0 else (first, last)
    return None, None  # seasons differ by hemisphere


def _number(words: str) -> int | None:
    for word in words.split():
        if word.isdigit():
            return int(word)
        if word in WORDS:
            return WORDS[word]
    return None
