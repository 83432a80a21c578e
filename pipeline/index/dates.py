"""Dates as users write them in queries: whole or partial ISO dates, and date mathematics on now or on a date.

A date means a span of time: "2026-08" is a month, "2026-08-20" a day, "2026-08-20T10:15" a minute. The mathematics are
Elasticsearch's: ``now-7d``, ``now-1M/d``, ``2026-08-20||+1M``; units y, M, w, d, h, H, m, s; ``/d`` rounds down to the
day (and the span is then that day). A time without a zone is UTC. Beside a query, in options and addresses, dates are
written as ``read_when`` has it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from dateutil.relativedelta import relativedelta

from pipeline.errors import RequestError

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2})"
    r"(?:[T ](?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?)?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?"
)
_MATHS = re.compile(r"(?:[+-]\d{1,6}[yMwdhHms]|/[yMwdhHms])*")
_STEP = re.compile(r"([+-]\d{1,6}|/)([yMwdhHms])")
_UNITS = {
    "y": relativedelta(years=1),
    "M": relativedelta(months=1),
    "w": relativedelta(weeks=1),
    "d": relativedelta(days=1),
    "h": relativedelta(hours=1),
    "H": relativedelta(hours=1),
    "m": relativedelta(minutes=1),
    "s": relativedelta(seconds=1),
}


def span(text: str, now: datetime) -> tuple[datetime, datetime]:
    """The half-open span of time ``[start, end)`` that a date stands for.

    Raises ValueError with a reason that a user understands.
    """
    if text.startswith("now"):
        start, width, maths = now.astimezone(UTC).replace(microsecond=0), _UNITS["s"], text[3:]
    else:
        written, _, maths = text.partition("||")
        start, width = _written(written)
    if not _MATHS.fullmatch(maths):
        raise ValueError(f"{text!r} is not a date: after 'now' or '||' come steps like -7d, +1M or /d")
    try:
        for step, unit in _STEP.findall(maths):
            if step == "/":
                start, width = _floor(start, unit), _UNITS[unit]
            else:
                start += _UNITS[unit] * int(step)
        return start, _end(start, width)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999") from error


def read_when(text: str | None, now: datetime, *, end: bool = False) -> datetime | None:
    """A moment as typed beside a query: ``2026-11-23``, ``2026-11-23T10:00``, or 7d, 12h, 30m before now, UTC.

    ``end`` takes a bare day to its end, and the last day there is to the end of time. Raises RequestError.
    """
    if text is None:
        return None
    part = "until" if end else "since"
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    ago = re.fullmatch(r"([0-9]+)([mhdw])", text)
    try:
        if ago:
            return now - timedelta(**{units[ago[2]]: int(ago[1][:20])})
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise RequestError("", part, f"{text[:60]!r} lies outside the years 1 to 9999") from None
    except ValueError:
        raise RequestError(
            "", part, f"{text[:60]!r} is not a day (2026-11-23), a time (2026-11-23T10:00) or 7d, 12h, 30m"
        ) from None
    if end and len(text) == len("2026-11-23"):
        last = datetime.max.replace(tzinfo=UTC)
        return last if last - moment < timedelta(days=1) else moment + timedelta(days=1)
    return moment


def _end(start: datetime, width: relativedelta) -> datetime:
    """The end of a span; that of the last year, month or day there is lies where time ends."""
    try:
        return start + width
    except (OverflowError, ValueError):
        return datetime.max.replace(tzinfo=UTC)


def _written(text: str) -> tuple[datetime, relativedelta]:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a date: write 2026, 2026-08, 2026-08-20, 2026-08-20T10:15Z or now-7d")
    parts = match.groupdict()
    names = ("year", "month", "day", "hour", "minute", "second")
    numbers = [int(parts[name]) for name in names if parts[name] is not None]
    width = _UNITS["yMdhms"[len(numbers) - 1]]
    try:
        start = datetime(*(numbers + [1, 1, 1][len(numbers) : 3]), tzinfo=_zone(parts["zone"]))  # type: ignore[misc,arg-type]
        return start.astimezone(UTC), width
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a date: {error}") from error


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    assert text is not None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _floor(moment: datetime, unit: str) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0)
    if unit == "y":
        return midnight.replace(month=1, day=1)
    if unit == "M":
        return midnight.replace(day=1)
    if unit == "w":  # weeks begin on Monday, as in Elasticsearch
        return midnight - timedelta(days=midnight.weekday())
    if unit == "d":
        return midnight
    if unit == "m":
        return moment.replace(second=0)
    return moment.replace(minute=0, second=0) if unit in "hH" else moment
