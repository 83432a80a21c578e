"""When an alert may be sent: throttles, digests and quiet hours, as rules write them. Pure, on aware times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.ledger.telling import Hold, Verdict, Waiting
from pipeline.records import AlertKind

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_UTC = ZoneInfo("UTC")
ONCE, VERSIONS = "once per story", "every version"


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often a rule may speak.

    ``once``: of each story once, whatever becomes of it (the default). Otherwise every new version counts, and with
    ``minutes`` the rule sends at most one message in that time: what comes between waits, and goes out together.
    """

    once: bool = True
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """When a rule's alerts go out together: each full hour, each day at a time, or each week on a day at a time."""

    at: time = time(0)
    zone: ZoneInfo = _UTC
    weekday: int | None = None
    hourly: bool = False

    def next(self, after: datetime) -> datetime:
        """The first time of sending behind ``after``, in UTC."""
        if self.hourly:
            return after.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        day = after.astimezone(self.zone).date()
        for ahead in range(9):
            at = datetime.combine(day + timedelta(days=ahead), self.at, self.zone)
            if at.astimezone(UTC) > after and self.weekday in (None, at.weekday()):
                return at.astimezone(UTC)
        raise AssertionError("every weekday comes within nine days")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours of the day, in a zone, in which nothing is sent; they may lie across midnight."""

    start: time
    end: time
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours that ``now`` lies in will be over, in UTC; ``None`` where it lies in none."""
        local = now.astimezone(self.zone)
        clock = local.time()
        across = self.start > self.end
        if not (self.start <= clock or clock < self.end if across else self.start <= clock < self.end):
            return None
        day = local.date() + timedelta(days=1 if clock >= self.end else 0)
        return max(datetime.combine(day, self.end, self.zone).astimezone(UTC), now + timedelta(seconds=1))


def judge(
    waiting: Waiting, throttle: Throttle, digest: Digest | None, quiet: QuietHours | None, now: datetime
) -> Verdict | Hold:
    """Whether a delivery that is due goes out now.

    Quiet hours hold everything; a notice is held by nothing else. What a digest or a throttle has held goes out when
    that time has come.
    """
    if waiting.attempts == 0 and waiting.silenced is not None and waiting.silenced > now:
        return Verdict.SILENCE
    hours = quiet.until(now) if quiet else None
    if hours is not None:
        return Hold(hours, waiting.held or "quiet")
    if waiting.attempts or waiting.kind is not AlertKind.MATCH:
        return Verdict.SEND
    if digest is not None:
        together = digest.next(waiting.fired)
        return Hold(together, "digest") if together > now else Verdict.SEND
    if throttle.minutes and waiting.last is not None:
        free = waiting.last + timedelta(minutes=throttle.minutes)
        if free > now:
            return Hold(free, "throttle")
    return Verdict.SEND


def read_throttle(text: str) -> Throttle:
    """``once per story``, ``every version`` or ``every 30 minutes``. Raises ValueError."""
    if text == ONCE:
        return Throttle()
    if text == VERSIONS:
        return Throttle(once=False)
    found = re.fullmatch(r"every ([1-9][0-9]{0,5}) minutes?", text)
    if found is None:
        raise ValueError(f"{text!r} is neither '{ONCE}', '{VERSIONS}' nor 'every 30 minutes'")
    return Throttle(once=False, minutes=int(found[1]))


def read_digest(text: str) -> Digest:
    """``hourly``, ``daily at 08:00 Europe/Paris`` or ``weekly on monday at 08:00``; without a zone, UTC.

    Raises ValueError.
    """
    if text == "hourly":
        return Digest(hourly=True)
    found = re.fullmatch(r"(?:daily|weekly on (\w+)) at (\S+)(?: (\S+))?", text)
    if found is None or (found[1] is not None and found[1].lower() not in DAYS):
        raise ValueError(f"{text!r} is neither 'hourly', 'daily at 08:00 Europe/Paris' nor 'weekly on monday at 08:00'")
    weekday = None if found[1] is None else DAYS.index(found[1].lower())
    return Digest(_clock(found[2]), _zone(found[3]), weekday)


def read_quiet_hours(text: str) -> QuietHours:
    """``22:00-07:00 Asia/Kolkata``; without a zone, UTC. Raises ValueError."""
    found = re.fullmatch(r"(\d\d:\d\d) ?[-–] ?(\d\d:\d\d)(?: (\S+))?", text)
    if found is None:
        raise ValueError(f"{text!r} is not of the form '22:00-07:00 Asia/Kolkata'")
    start, end = _clock(found[1]), _clock(found[2])
    if start == end:
        raise ValueError(f"{text!r} begins where it ends: it would be quiet always or never")
    return QuietHours(start, end, _zone(found[3]))


def _clock(text: str) -> time:
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day from 00:00 to 23:59")
    return time(int(found[1]), int(found[2]))


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one as Europe/Paris or Asia/Kolkata") from None
