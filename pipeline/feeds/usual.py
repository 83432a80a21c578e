"""Whether a source brings what is usual with it at this hour of this weekday: pure, so that it is tested with a table.

News has its hours: an outlet that brings thirty entries on a Tuesday morning may bring none on a Sunday night, and both
are as they should be. So the last hours are held against the same hours of the same weekday in the weeks before; of a
source that is not known for three weeks yet, against the same hours of the days before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final

WEEKS: Final = 4
"""How far back is looked."""
WINDOW: Final = 6
"""Hours that are held against each other: a lunch break is no silence, and half a day would be a late notice."""
_WEEKDAYS, _DAYS = 3, 5
"""Least number of the same weekdays, or of days, from which anything is usual."""
_BRINGS_SOMETHING: Final = 6.0
"""A source that usually brings less in these hours is silent every so often."""
_QUIET, _LOUD = 0.1, 4.0
"""Shares of what is usual beyond which a source is quiet, or loud. Guesses, on the side of silence: a notice that is
wrong twice is read by nobody (2026-11-26)."""
_MANY: Final = 20
"""Entries that a loud source brings at least."""


class Mood(StrEnum):
    """How a source is."""

    USUAL = "usual"
    QUIET = "quiet"
    LOUD = "loud"


@dataclass(frozen=True, slots=True)
class Volume:
    """What a source brought in the last hours, and in the same hours before."""

    count: int
    usual: float
    mood: Mood


def hour(moment: datetime) -> str:
    """The hour of a UTC time as the ledger counts by it: "2026-11-23T14"."""
    return moment.strftime("%Y-%m-%dT%H")


def volume(hours: Mapping[str, int], known: datetime, now: datetime, before: Mood = Mood.USUAL) -> Volume | None:
    """How a source is now, from its new entries by hour (UTC). ``None`` where nothing is usual with it yet.

    ``known`` is when it was subscribed to, ``before`` how it was when last asked: it takes more to be usual again than
    not to have left that, so that no source goes to and fro.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    weeks = [end - timedelta(weeks=n) for n in range(1, WEEKS + 1)]
    days = [end - timedelta(days=n) for n in range(1, 7 * WEEKS + 1)]
    earliest = known + timedelta(hours=WINDOW + 1)
    samples = [_brought(hours, day) for day in weeks if day >= earliest]
    if len(samples) < _WEEKDAYS:
        samples = [_brought(hours, day) for day in days if day >= earliest]
        if len(samples) < _DAYS:
            return None
    count, usual = _brought(hours, end), float(median(samples))
    return Volume(count, usual, _mood(count, usual, min(samples), max(samples), before))


def _mood(count: int, usual: float, least: int, most: int, before: Mood) -> Mood:
    if before is Mood.QUIET and count < usual / 2:
        return Mood.QUIET
    if before is Mood.LOUD and count > most * _LOUD / 2:
        return Mood.LOUD
    # What has been as silent before at this hour is no news, whatever is usual.
    if usual >= _BRINGS_SOMETHING and count <= usual * _QUIET and count < least:
        return Mood.QUIET
    if count >= _MANY and count > most * _LOUD:
        return Mood.LOUD
    return Mood.USUAL


def _brought(hours: Mapping[str, int], end: datetime) -> int:
    return sum(hours.get(hour(end - timedelta(hours=n)), 0) for n in range(1, WINDOW + 1))
