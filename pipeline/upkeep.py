"""What has to be looked after now and then, whoever drives the pipeline: leases, leftovers, quarantine, quiet feeds."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.alerts.operations import tell_moods
from pipeline.flow import utc_now
from pipeline.flow.tasks import sweep
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Feed
from pipeline.settings import Settings

QUIET_FACTOR = 4.0
"""A feed is quiet that has brought nothing for so many times the longest gap that is usual with it; a guess."""
QUIET_LEAST = timedelta(hours=12)
"""Nights and lunch breaks are not worth a notice."""
USUAL_DAYS = 28


@dataclass(frozen=True, slots=True)
class Report:
    """How things stand. ``problems`` are sentences for a person."""

    leases: int
    swept: int
    quarantined: int
    failing: int
    quiet: int
    problems: tuple[str, ...]


def look_after(settings: Settings) -> Report:
    """Give back what dead workers had in hand, remove what nobody needs, and note what a person should know.

    Notes on feeds and quarantine stand in ``wirewatch status`` until they no longer hold. Raises LedgerError.
    """
    now = utc_now()
    with closing(open_ledger(settings.ledger_at)) as ledger:
        dead = ledger.release_dead()
        leases = ledger.release_expired(now)
        swept = sweep(settings, ledger)
        problems: list[str] = []
        quarantined = 0
        for stage, code, count in ledger.quarantine_reasons():
            quarantined += count
            problems.append(f"{count} in quarantine at {stage}: {code}")
        failing = [feed for feed in ledger.feeds() if feed.failures >= 3]
        problems.extend(f"{feed.url} failed {feed.failures} times in a row: {feed.reason}" for feed in failing)
        quiet = quiet_feeds(ledger, now)
        for feed, since in quiet:
            hours = (now - since).total_seconds() / 3600
            problems.append(f"{feed.url} has brought nothing for {hours:.0f} hours, which is not usual with it")
        told = tell_moods(ledger, settings.operations_channels, now)
        problems.extend(alert.headline for alert in told)
        ledger.note("quarantine", f"{quarantined} items wait for a decision" if quarantined else None, now)
        ledger.note("failing feeds", f"{len(failing)} feeds fail again and again" if failing else None, now)
        ledger.note("quiet feeds", f"{len(quiet)} feeds are more quiet than usual" if quiet else None, now)
    return Report(len(dead) + leases, swept, quarantined, len(failing), len(quiet), tuple(problems))


def quiet_feeds(ledger: Ledger, now: datetime) -> list[tuple[Feed, datetime]]:
    """Feeds that bring nothing for much longer than is usual with them, and since when.

    What is usual is the mean time between new entries of the last four weeks; a feed with fewer than seven is never
    quiet: nothing is usual with it.
    """
    since = now - timedelta(days=USUAL_DAYS)
    volume = ledger.volume(since, now)
    quiet: list[tuple[Feed, datetime]] = []
    for feed in ledger.feeds():
        count = sum(volume.get(feed.id, {}).values())
        if feed.last_new is None or count < 7 or feed.failures:
            continue  # a feed that fails is told of as such
        known = now - max(since, feed.added)
        usual = max(QUIET_FACTOR * known / count, QUIET_LEAST)
        if now - feed.last_new > usual:
            quiet.append((feed, feed.last_new))
    return quiet
