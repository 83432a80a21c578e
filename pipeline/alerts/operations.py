"""What Wirewatch tells of itself: a source that has gone quiet or loud, and is as usual again; a task that has failed.

It goes out as alerts do, by the same outbox, and so once: each notice has an id that is made of what it is about and
since when. What was last told of a subject is read from the outbox, and nowhere else kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.alerts.rules import OPERATIONS
from pipeline.feeds.usual import WEEKS, WINDOW, Mood, Volume, volume
from pipeline.ledger import AlertState, Ledger
from pipeline.records import Alert, AlertKind, Feed, alert_id, digest

AGAIN = timedelta(hours=6)
"""A task that fails again and again is told of so often."""


def tell_moods(ledger: Ledger, channels: Sequence[str], now: datetime) -> list[Alert]:
    """Tell of the sources that have left their own usual volume, and of those that are back. Returns what is owed now.

    Raises LedgerError.
    """
    hours = ledger.volume_by_hour(now - timedelta(weeks=WEEKS, hours=WINDOW + 1), now)
    told_before = ledger.outbox.latest(OPERATIONS)
    sources: dict[str, list[Feed]] = {}
    for feed in ledger.feeds():
        sources.setdefault(feed.source or feed.title or feed.url, []).append(feed)
    told: list[Alert] = []
    for name, feeds in sorted(sources.items()):
        together: Counter[str] = Counter()
        for feed in feeds:
            together.update(hours.get(feed.id, {}))
        subject = digest("operations", "source", name)
        last = told_before.get(subject)
        before = Mood(last.note) if last is not None and last.note is not None else Mood.USUAL
        found = volume(together, min(feed.added for feed in feeds), now, before)
        if found is None or found.mood is before:
            continue
        alert = _alert(
            subject,
            f"{found.mood} {now.isoformat(timespec='hours')}",
            now,
            severity="info" if found.mood is Mood.USUAL else "high",
            headline=_sentence(name, found, feeds),
            source=name,
            url=feeds[0].site or feeds[0].url,
            note=found.mood.value,
        )
        told.append(alert)
    _owe(ledger, told, channels)
    return told


def tell_failure(ledger: Ledger, task: str, reason: str, channels: Sequence[str], now: datetime) -> Alert | None:
    """Tell that a task has failed for good, where its last failure was not told of within :data:`AGAIN`.

    Raises LedgerError.
    """
    subject = digest("operations", "task", task)
    last = ledger.outbox.latest(OPERATIONS).get(subject)
    if last is not None and now - last.fired < AGAIN:
        return None
    when = now.isoformat(timespec="seconds")
    alert = _alert(subject, when, now, severity="high", headline=f"{task} {reason}"[:500], source="Wirewatch")
    _owe(ledger, [alert], channels)
    return alert


def _alert(
    subject: str,
    what: str,
    now: datetime,
    *,
    severity: str,
    headline: str,
    source: str,
    url: str = "",
    note: str | None = None,
) -> Alert:
    """An alert of no article; ``subject`` and ``what`` make its id."""
    return Alert(
        id=alert_id(OPERATIONS, subject, 0, what),
        rule=OPERATIONS,
        severity=severity,
        kind=AlertKind.OPERATIONS,
        story=subject,
        version=0,
        article="",
        headline=headline,
        source=source,
        url=url,
        first_seen=now,
        fired=now,
        note=note,
    )


def _owe(ledger: Ledger, alerts: Sequence[Alert], channels: Sequence[str]) -> None:
    if alerts:
        with ledger.writing() as db:
            for alert in alerts:
                ledger.outbox.add(db, alert, AlertState.FIRED, 1, channels)


def _sentence(name: str, found: Volume, feeds: Sequence[Feed]) -> str:
    brought = f"{found.count} new in the last {WINDOW} hours, usually about {found.usual:.0f} at this time of the week"
    match found.mood:
        case Mood.USUAL:
            return f"{name} is as usual again: {brought}"
        case Mood.LOUD:
            return f"{name} has gone loud: {brought}"
        case Mood.QUIET:
            failing = next((feed for feed in feeds if feed.failures), None)
            why = f" ({failing.url} fails: {failing.reason})" if failing is not None else ""
            return f"{name} has gone quiet: {brought}{why}"
