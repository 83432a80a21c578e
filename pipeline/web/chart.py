"""What the little charts are drawn from: a histogram of times with bars to click and drag over, and sparklines.

Only numbers are made here; templates draw them as SVG, whose attributes no style policy forbids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dateutil.relativedelta import relativedelta

from pipeline.index import Interval

BARS: Final = 60
"""Most bars of a histogram: on a phone each is then 5 pixels wide, the least that a finger's drag can tell apart."""
WIDTH, HEIGHT = 600.0, 72.0
"""The histogram's own units; it is stretched to the room there is."""
DAYS: Final = Interval.DAY
"""How hits are counted at first."""
FINE: Final = timedelta(days=14)
"""A shorter span of time is counted by the hour."""
OUTLIERS: Final = 0.02
"""Share of the hits that may be left of the chart, where the rest then fills it: pages misdate themselves."""

_STEPS: Final = (
    ("hour", relativedelta(hours=1)),
    ("3 hours", relativedelta(hours=3)),
    ("6 hours", relativedelta(hours=6)),
    ("12 hours", relativedelta(hours=12)),
    ("day", relativedelta(days=1)),
    ("week", relativedelta(days=7)),
    ("month", relativedelta(months=1)),
    ("quarter", relativedelta(months=3)),
    ("year", relativedelta(years=1)),
    ("decade", relativedelta(years=10)),
    ("200 years", relativedelta(years=200)),  # 50 of them hold every date there is
)

Counts = Sequence[tuple[datetime, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: what it counts, and where it is drawn."""

    start: datetime
    end: datetime
    count: int
    x: float
    y: float
    width: float
    height: float

    @property
    def since(self) -> str:
        """Its start, as an address has it."""
        return _written(self.start)

    @property
    def until(self) -> str:
        """Its end, exclusive, as an address has it: with the time of day, since a bare day would mean its end."""
        return f"{self.end:%Y-%m-%dT%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Bars without gaps in time, oldest first. ``step`` is the width of one in words, ``before`` counts the hits that
    are too old to be drawn."""

    bars: tuple[Bar, ...]
    step: str
    before: int = 0

    @property
    def words(self) -> str:
        """What a bar stands for."""
        return f"Every {self.step}" if self.step[0].isdigit() else f"By {self.step}"


def wanted(counts: Counts) -> Interval | None:
    """The finer interval to count by, where days are too coarse for so short a span; ``None`` where days will do."""
    return Interval.HOUR if counts and counts[-1][0] - counts[0][0] < FINE else None


def histogram(counts: Counts) -> Histogram | None:
    """Draw counts by hour or day, oldest first, as the index gives them; ``None`` where there is nothing to draw."""
    counts, before = _without_outliers(counts)
    if not counts:
        return None
    hourly = any(start.hour for start, _ in counts)
    for name, step in _STEPS if hourly else _STEPS[4:]:
        start = _floor(counts[0][0], name)
        edges = [start]
        while edges[-1] <= counts[-1][0] and len(edges) <= BARS + 1:
            edges.append(_later(edges[-1], step))
        if edges[-1] > counts[-1][0] and len(edges) <= BARS + 1:
            return Histogram(bars=_bars(counts, edges), step=name, before=before)
    raise AssertionError("the last step holds every date there is")


def _bars(counts: Counts, edges: list[datetime]) -> tuple[Bar, ...]:
    found = [0] * (len(edges) - 1)
    at = 0
    for start, count in counts:
        while start >= edges[at + 1]:
            at += 1
        found[at] += count
    most, width = max(found), WIDTH / len(found)
    bars = []
    for n, count in enumerate(found):
        height = max(2.0, HEIGHT * count / most) if count else 0.0
        bars.append(
            Bar(
                start=edges[n],
                end=edges[n + 1],
                count=count,
                x=round(n * width, 2),
                y=round(HEIGHT - height, 2),
                width=round(max(width - 1.5, width * 0.6), 2),
                height=round(height, 2),
            )
        )
    return tuple(bars)


def _without_outliers(counts: Counts) -> tuple[Counts, int]:
    """Without a few hits long before all others, if leaving them out makes the rest four times as wide."""
    total, left = sum(count for _, count in counts), 0
    for at, (start, count) in enumerate(counts):
        if left + count > total * OUTLIERS:
            span = counts[-1][0] - start + timedelta(days=1)
            if at and (counts[-1][0] - counts[0][0]) > 4 * span:
                return counts[at:], left
            return counts, 0
        left += count
    return counts, 0


def _floor(moment: datetime, step: str) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    match step:
        case "hour" | "3 hours" | "6 hours" | "12 hours":
            hours = int(step.split()[0]) if step[0].isdigit() else 1
            return midnight.replace(hour=moment.hour // hours * hours)
        case "week":
            return midnight - timedelta(days=min(midnight.weekday(), (midnight - _BEGINNING).days))
        case "month":
            return midnight.replace(day=1)
        case "quarter":
            return midnight.replace(month=(moment.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return midnight.replace(month=1, day=1)
        case "decade" | "200 years":
            years = 10 if step == "decade" else 200
            return midnight.replace(year=max(1, moment.year // years * years), month=1, day=1)
    return midnight


_BEGINNING = datetime.min.replace(tzinfo=UTC)


def _later(moment: datetime, step: relativedelta) -> datetime:
    try:
        later: datetime = moment + step
    except (OverflowError, ValueError):  # the calendar ends
        return datetime.max.replace(tzinfo=UTC)
    return later


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%Y-%m-%dT%H:%M}"


def sparkline(volume: Mapping[str, int], now: datetime, days: int = 14) -> list[tuple[date, int, float]]:
    """What a feed brought on each of the last days, the present one last: (day, count, height from 0 to 1)."""
    dates = [now.date() - timedelta(days=back) for back in range(days - 1, -1, -1)]
    counts = [volume.get(day.isoformat(), 0) for day in dates]
    most = max(*counts, 1)
    return [(day, count, round(count / most, 3)) for day, count in zip(dates, counts, strict=True)]
