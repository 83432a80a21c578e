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
# Months as news pages write them outside English, in the case that stands between day and year: German, Dutch, French,
# Spanish, Portuguese, Italian, Danish, Norwegian, Swedish, Turkish, Polish, Czech, Indonesian, Russian, Ukrainian.
_MONTHS = tuple(
    frozenset(names.split())
    for names in (
        "januar jänner januari janvier enero janeiro gennaio ocak stycznia ledna januari января січня jan",
        "februar feber februari février febrero fevereiro febbraio şubat lutego února februari февраля лютого feb",
        "märz maart mars marzo março marts mart marca března maret марта березня mär",
        "april avril abril aprile nisan kwietnia dubna апреля квітня apr",
        "mai mei mayo maio maggio maj mayıs maja května мая травня",
        "juni juin junio junho giugno haziran czerwca června июня червня jun",
        "juli juillet julio julho luglio temmuz lipca července июля липня jul",
        "august augustus août agosto ağustos sierpnia srpna agustus augusti августа серпня aug",
        "september septembre septiembre setembro settembre eylül września září сентября вересня sep sept",
        "oktober octobre octubre outubro ottobre ekim października října октября жовтня okt",
        "november novembre noviembre novembro kasım listopada listopadu ноября листопада nov",
        "dezember december décembre diciembre dezembro dicembre desember aralık grudnia prosince декабря грудня dez",
    )
)
_NUMBERS = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
# "01. April 2025, 15:25", "3 de mayo de 2025 a las 10:05", "1er août 2025 à 9h30"
_NAMED = re.compile(
    r"\b(?P<day>\d{1,2})(?:\.|er|º)?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,12})\.?,?\s+(?:del?\s+)?(?P<year>\d{4})\b"
    r"(?:[,\s|–-]*(?:um|à|às|a\s+las|alle|ore|kl\.?|om|saat|pukul|godz\.?|в|о)?\s*(?P<hour>\d{1,2})\s?[:.h]\s?(?P<minute>\d{2})\b)?",
    re.IGNORECASE,
)
# "2026年1月29日 18時40分", "2026년 1월 29일 18:40", "2026.01.29 18:40"
_YEAR_FIRST = re.compile(
    r"(?<!\d)(?P<year>\d{4})\s?[年년./]\s?(?P<month>\d{1,2})\s?[月월./]\s?(?P<day>\d{1,2})(?:日|일|\.)?(?!\d)"
    r"(?:[\s(（,]*[月火水木金土日월화수목금토일]?[)）]?\s*(?P<hour>\d{1,2})\s?[:時点시]\s?(?P<minute>\d{2}))?"
)
_NUMERIC = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[,\s|–-]*(\d{1,2})[:.](\d{2}))?")


def find(text: str) -> Stamp | None:
    """The first full date inside a short text that readers see ("Posted: October 29, 2026 20:30 IST"): month by its
    name, ISO, day.month.year, or year first as in East Asia. ``None`` where there is none."""
    if len(text) > 200:
        return None
    match = _WRITTEN.search(text)
    if match is not None:
        return read(re.sub(r"[()|]|(?<=\d)(?:st|nd|rd|th)\b", " ", match[0]))
    match = _NUMERIC.search(text)
    if match is None:
        return _named(text)
    day, month, year, hour, minute = match.groups()
    clock = f" {int(hour):02d}:{minute}" if hour else ""
    return read(f"{year}-{int(month):02d}-{int(day):02d}{clock}")


def _named(text: str) -> Stamp | None:
    """A date with its month in another language, or with the year first."""
    for match in (*_NAMED.finditer(text), *_YEAR_FIRST.finditer(text)):
        named = match["month"]
        month = int(named) if named.isdigit() else _NUMBERS.get(named.lower())
        if month is not None:
            clock = f" {int(match['hour']):02d}:{match['minute']}" if match["hour"] else ""
            return read(f"{match['year']}-{month:02d}-{int(match['day']):02d}{clock}")
    return None


def without(text: str) -> str:
    """A short text without the dates in it and the names of weekdays."""
    for pattern in (_WRITTEN, _NUMERIC, _NAMED, _YEAR_FIRST):
        text = pattern.sub("", text)
    return re.sub(r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", "", text)
