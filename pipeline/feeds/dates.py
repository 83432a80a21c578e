"""Dates as feeds write them, read into aware UTC datetimes; what cannot be read is ``None``, never now.

Feeds promise RFC 822 (RSS) or RFC 3339 (Atom, JSON Feed, Dublin Core) and send whatever their template printed. The two
standards are read here, with the names of time zones that newsrooms use; feedparser's own reading, dateutil and
dateparser follow in that order for the rest.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from dateutil import parser as dateutil_parser

EARLIEST_YEAR: Final = 1990
"""No feed is older than the web; what says 1970 or 0001 is an unset field."""
LATEST_YEAR: Final = 2099

_HOUR = 60
# Minutes east of UTC. Where a name has more than one meaning, the one that wires use: CST and EST are American (RFC
# 822 says so), IST is India, BST is Britain.
_ZONES: Final[dict[str, int]] = {
    **dict.fromkeys(("UT", "UTC", "GMT", "Z", "WET", "ZULU"), 0),
    "AST": -4 * _HOUR,
    "ADT": -3 * _HOUR,
    "EST": -5 * _HOUR,
    "EDT": -4 * _HOUR,
    "ET": -5 * _HOUR,
    "CST": -6 * _HOUR,
    "CDT": -5 * _HOUR,
    "CT": -6 * _HOUR,
    "MST": -7 * _HOUR,
    "MDT": -6 * _HOUR,
    "PST": -8 * _HOUR,
    "PDT": -7 * _HOUR,
    "PT": -8 * _HOUR,
    "AKST": -9 * _HOUR,
    "AKDT": -8 * _HOUR,
    "HST": -10 * _HOUR,
    "NST": -3 * _HOUR - 30,
    "NDT": -2 * _HOUR - 30,
    "BRT": -3 * _HOUR,
    "ART": -3 * _HOUR,
    "CLT": -4 * _HOUR,
    "COT": -5 * _HOUR,
    "PET": -5 * _HOUR,
    "BST": _HOUR,
    "WEST": _HOUR,
    "CET": _HOUR,
    "MET": _HOUR,
    "CEST": 2 * _HOUR,
    "MEST": 2 * _HOUR,
    "MEZ": _HOUR,
    "MESZ": 2 * _HOUR,
    "EET": 2 * _HOUR,
    "EEST": 3 * _HOUR,
    "TRT": 3 * _HOUR,
    "MSK": 3 * _HOUR,
    "WAT": _HOUR,
    "CAT": 2 * _HOUR,
    "SAST": 2 * _HOUR,
    "EAT": 3 * _HOUR,
    "IRST": 3 * _HOUR + 30,
    "GST": 4 * _HOUR,
    "AFT": 4 * _HOUR + 30,
    "PKT": 5 * _HOUR,
    "UZT": 5 * _HOUR,
    "IST": 5 * _HOUR + 30,
    "SLST": 5 * _HOUR + 30,
    "NPT": 5 * _HOUR + 45,
    "BDT": 6 * _HOUR,
    "MMT": 6 * _HOUR + 30,
    "ICT": 7 * _HOUR,
    "WIB": 7 * _HOUR,
    "WITA": 8 * _HOUR,
    "WIT": 9 * _HOUR,
    "SGT": 8 * _HOUR,
    "HKT": 8 * _HOUR,
    "MYT": 8 * _HOUR,
    "PHT": 8 * _HOUR,
    "PHST": 8 * _HOUR,
    "AWST": 8 * _HOUR,
    "JST": 9 * _HOUR,
    "KST": 9 * _HOUR,
    "ACST": 9 * _HOUR + 30,
    "ACDT": 10 * _HOUR + 30,
    "AEST": 10 * _HOUR,
    "AEDT": 11 * _HOUR,
    "NZST": 12 * _HOUR,
    "NZDT": 13 * _HOUR,
}
_DATEUTIL_ZONES: Final = {name: minutes * 60 for name, minutes in _ZONES.items()}

_ZONE = r"(?P<zone>Z|(?:UTC|GMT)?\s*[+-]\d{1,2}:?\d{2}|(?:UTC|GMT)?\s*[+-]\d{1,2}|[A-Za-z]{2,5})?"
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:(?:[T_ ]\s*|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?\s*"
    + _ZONE
    + r")?",
    re.IGNORECASE,
)
_RFC822 = re.compile(
    r"(?:[A-Za-z]{3,9}\.?\s*,?\s*)?(?P<day>\d{1,2})[\s-]+(?P<name>[A-Za-z]{3,9})\.?[\s-]+(?P<year>\d{4}|\d{2}),?"
    r"(?:\s+(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d+))?)?\s*"
    + _ZONE
    + r"(?:\s*\([^)]*\))?)?",
    re.IGNORECASE,
)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
    for name in [names]
}
_YEAR = re.compile(r"\d{4}")
_TOO_LONG: Final = 100


def read_date(text: str | None, feedparsers: time.struct_time | None = None) -> datetime | None:
    """The moment that the text names, in UTC, or ``None`` where there is none to read.

    ``feedparsers`` is what feedparser made of the same text; it is taken where neither standard fits, since it reads
    any unknown time zone as UTC. A date without a zone is UTC, one without a time of day is its midnight. Years before
    1990 and after 2099 are not dates. Dates in other languages are read by :func:`read_foreign_date`.
    """
    if not text or len(text) > _TOO_LONG:
        return None
    text = " ".join(text.split())
    for pattern in (_ISO, _RFC822):
        found = pattern.fullmatch(text)
        if found is not None:
            moment = _assemble(found)
            if moment is not None:
                return moment
    if feedparsers is not None:
        try:
            return _plausible(datetime(*feedparsers[:6], tzinfo=UTC))
        except ValueError:
            pass
    return _by_dateutil(text)


def read_foreign_date(text: str | None, languages: Sequence[str] = ()) -> datetime | None:
    """The date in a text with month names in another language, or ``None``. Some milliseconds a call: a last resort.

    ``languages`` are ISO 639-1 codes to try first. Only a full date counts; "yesterday" and "10:30" give ``None``.
    """
    if not text or len(text) > _TOO_LONG or not _YEAR.search(text):
        return None
    return _by_dateparser(" ".join(text.split()), tuple(languages))


def _assemble(found: re.Match[str]) -> datetime | None:
    parts = found.groupdict()
    name = parts.get("name")
    month = _MONTHS.get(name[:3].lower()) if name is not None else int(parts["month"])
    if month is None:
        return None
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 1900 if year >= 90 else 2000
    minutes = _offset(parts["zone"])
    if minutes is None:
        return None
    try:
        day = datetime(year, month, int(parts["day"]), tzinfo=UTC)
        hour, minute, second = (int(parts[key] or 0) for key in ("hour", "minute", "second"))
        if hour > 24 or minute > 59 or second > 60:
            return None
        micros = int(((parts["fraction"] or "") + "000000")[:6])
        # 24:00 and the leap second are written, and mean the moment after.
        moment = day + timedelta(hours=hour, minutes=minute - minutes, seconds=second, microseconds=micros)
    except (ValueError, OverflowError):
        return None
    return _plausible(moment)


def _offset(zone: str | None) -> int | None:
    """Minutes east of UTC; a zone that nobody knows is UTC, as feedparser has it; an impossible one is ``None``."""
    if not zone:
        return 0
    zone = zone.upper().replace(" ", "")
    numeric = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}?):?(\d{2})?", zone)
    if numeric is None:
        return _ZONES.get(zone, 0)
    sign, hours, minutes = numeric.groups()
    total = int(hours) * 60 + int(minutes or 0)
    if total > 15 * _HOUR:
        return None
    return -total if sign == "-" else total


def _plausible(moment: datetime) -> datetime | None:
    return moment if EARLIEST_YEAR <= moment.year <= LATEST_YEAR else None


def _by_dateutil(text: str) -> datetime | None:
    # Read over two different defaults: what differs was not in the text, and a date that we made up is no date.
    readings = []
    for default in (datetime(2004, 2, 28), datetime(2011, 7, 15)):  # noqa: DTZ001 - a pattern for absent parts
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                readings.append(dateutil_parser.parse(text, default=default, tzinfos=_DATEUTIL_ZONES))
        except (ValueError, OverflowError, TypeError, AttributeError, ArithmeticError):
            return None
    first, second = readings
    if first != second:
        return None
    try:
        aware = first if first.tzinfo is not None else first.replace(tzinfo=UTC)
        return _plausible(aware.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def _by_dateparser(text: str, languages: tuple[str, ...]) -> datetime | None:
    import dateparser  # late: half a second that a run without foreign dates need not spend (2026-11-23)

    settings = {
        "PARSERS": ["absolute-time"],  # "2 hours ago" is not a date that a source wrote
        "REQUIRE_PARTS": ["day", "month", "year"],
        "RETURN_AS_TIMEZONE_AWARE": True,
        "TIMEZONE": "UTC",
        "TO_TIMEZONE": "UTC",
        "DATE_ORDER": "DMY",
    }
    for tried in (list(languages), None):
        if tried == []:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                moment = dateparser.parse(text, languages=tried, settings=settings)
        except Exception:  # noqa: BLE001 - dateparser raises many kinds over garbage; the answer is then "no date"
            continue
        if moment is not None:
            return _plausible(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
    return None
