"""Reads the dates that pages carry: ISO 8601 in its many misspellings, RFC 822, epoch numbers, and plain English ones.

Machine-readable forms only (JSON-LD, meta tags, ``time`` elements) plus what dateutil can read strictly. A date that
cannot be read is ``None``, never now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from dateutil import parser as dateutil_parser

# ISO 8601 as it is met on pages: "T", a blank or nothing between date and time, seconds and fraction optional, the
# offset with or without colon and blank before it. A trailing zone in brackets ("[Europe/Berlin]") says nothing new.
_ISO = re.compile(
    r"""^\s*(\d{4})-?(\d{2})-?(\d{2})
        (?:[T\s-]*[T\s]\s*(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?
           \s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?(?::\d{2})?)?)?
        \s*(?:\[[^\]]*\])?\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
_EPOCH = re.compile(r"^\s*(\d{10})(\d{3})?(?:\.\d+)?\s*$")

# Names of zones that newsrooms write, in hours from UTC. Ambiguous ones (IST, CST, BST) are read as news writes them
# most: India, US Central, British Summer.
_ZONES = {
    "UT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "TRT": 3, "SAST": 2, "EAT": 3, "WAT": 1, "CAT": 2, "GST": 4, "PKT": 5, "IST": 5.5, "NPT": 5.75, "ICT": 7, "WIB": 7,
    "SGT": 8, "HKT": 8, "PHT": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13, "EDT": -4, "EST": -5, "ET": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8,
    "AKST": -9, "HST": -10, "BRT": -3, "ART": -3,
}  # fmt: skip
_ZONE_OFFSETS = {name: int(hours * 3600) for name, hours in _ZONES.items()}

_FIRST_YEAR, _LAST_YEAR = 1900, 2100


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date as a page gave it: the time in UTC, and how much of it was written.

    ``zoned`` is false where no offset was written (then UTC was assumed), ``timed`` where only a day was.
    """

    time: datetime
    zoned: bool
    timed: bool


def read(text: object) -> Stamp | None:
    """The date that ``text`` holds, or ``None``. Never raises. Numbers are seconds or milliseconds since 1970."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int | float):
        text = f"{text:.0f}"
    if not isinstance(text, str) or not 8 <= len(text.strip()) <= 80:
        return None
    try:
        stamp = _iso(text) or _epoch(text) or _written(text)
    except (ValueError, OverflowError, TypeError):
        return None
    return stamp if stamp is not None and _FIRST_YEAR <= stamp.time.year <= _LAST_YEAR else None


def _iso(text: str) -> Stamp | None:
    match = _ISO.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if hour is None:
        return Stamp(datetime(int(year), int(month), int(day), tzinfo=UTC), zoned=False, timed=False)
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    days = 0
    if hour == "24":  # ISO 8601 lets midnight be the end of a day
        hour, days = "0", 1
    local = datetime(
        int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59), micro, tzinfo=_offset(zone)
    ) + timedelta(days=days)
    return Stamp(local.astimezone(UTC), zoned=zone is not None, timed=True)


def _offset(zone: str | None) -> timezone:
    if zone is None or zone.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = zone[1:].replace(":", "")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0))
    return timezone(-away if zone[0] == "-" else away)


def _epoch(text: str) -> Stamp | None:
    match = _EPOCH.match(text)
    if match is None:
        return None
    return Stamp(datetime.fromtimestamp(int(match[1]), UTC), zoned=True, timed=True)


def _written(text: str) -> Stamp | None:
    """RFC 822, "Apr 28, 2024 10:00 AM EDT", "Fri Apr 28 19:20:36 CEST 2023"; strict, so prose is refused."""
    if not re.search(r"\d{4}", text):
        return None
    # A default far from both ends of a month shows which parts were really written.
    first = dateutil_parser.parse(text, default=datetime(1, 1, 2, 3, 4), tzinfos=_ZONE_OFFSETS)  # noqa: DTZ001
    second = dateutil_parser.parse(text, default=datetime(3, 5, 7, 8, 9), tzinfos=_ZONE_OFFSETS)  # noqa: DTZ001
    if (first.year, first.month, first.day) != (second.year, second.month, second.day):
        return None
    if (first.hour, first.minute) != (second.hour, second.minute):
        return Stamp(datetime(first.year, first.month, first.day, tzinfo=UTC), zoned=False, timed=False)
    if first.tzinfo is None:
        return Stamp(first.replace(tzinfo=UTC), zoned=False, timed=True)
    return Stamp(first.astimezone(UTC), zoned=True, timed=True)


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_CLOCK = r"(?:[,\s|–-]*(?:at\s+)?\d{1,2}[:.]\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?(?:\s*\(?[A-Z]{2,4}\)?\b)?)?"
_WRITTEN = re.compile(
    rf"(?i:\b(?:{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH},?\s+\d{{4}}))(?i:{_CLOCK})"
    rf"|\b\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}})?(?:\s*(?:Z|[+-]\d{{2}}:?\d{{2}}))?)?"
)
_NUMERIC = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[,\s|–-]*(\d{1,2})[:.](\d{2}))?")


def find(text: str) -> Stamp | None:
    """The first full date inside a short text that readers see ("Posted: October 29, 2026 20:30 IST"): month by its
    English name, ISO, or day.month.year. ``None`` where there is none."""
    if len(text) > 200:
        return None
    match = _WRITTEN.search(text)
    if match is not None:
        return read(re.sub(r"[()|]|(?<=\d)(?:st|nd|rd|th)\b", " ", match[0]))
    match = _NUMERIC.search(text)
    if match is None:
        return None
    day, month, year, hour, minute = match.groups()
    clock = f" {int(hour):02d}:{minute}" if hour else ""
    return read(f"{year}-{int(month):02d}-{int(day):02d}{clock}")


def without(text: str) -> str:
    """A short text without the dates in it and the names of weekdays."""
    text = _NUMERIC.sub("", _WRITTEN.sub("", text))
    return re.sub(r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", "", text)
