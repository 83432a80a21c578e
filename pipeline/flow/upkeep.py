"""What has to be looked after now and then, whoever drives the pipeline: leases, leftovers, quarantine, age, volume."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime

from pipeline.alerts.operations import tell_moods
from pipeline.errors import LedgerError, WirewatchError
from pipeline.flow.kept import sweep
from pipeline.flow.shift import Shift
from pipeline.ledger import Ledger
from pipeline.retention import prune_daily
from pipeline.settings import HOUR, Settings


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, and how things stand. ``problems`` are sentences for a person."""

    leases: int
    swept: int
    retried: int
    pruned: int
    quarantined: int
    failing: int
    problems: tuple[str, ...]


def look_after(settings: Settings, ledger: Ledger, now: datetime) -> Report:
    """Give back what dead workers had in hand, remove what nobody needs, give quarantine the chances that are due to
    it, prune once a day where a limit of age is set, and note and tell what a person should know.

    Notes on feeds, quarantine and retention stand in ``wirewatch status`` until they no longer hold.

    Raises LedgerError.
    """
    dead = ledger.release_dead()
    leases = ledger.release_expired(now)
    swept = sweep(settings.claims_folder, ledger)
    retried = ledger.retry_waited(now)
    problems: list[str] = []
    pruned, fault = _prune(settings, ledger, now)
    if fault is not None:
        problems.append(fault)
    quarantined = 0
    for stage, code, count in ledger.quarantine_reasons():
        quarantined += count
        problems.append(f"{count} in quarantine at {stage}: {code}")
    failing = [feed for feed in ledger.feeds() if feed.failures >= 3]
    problems.extend(f"{feed.url} failed {feed.failures} times in a row: {feed.reason}" for feed in failing)
    told = tell_moods(ledger, settings.operations_channels, now)
    problems.extend(alert.headline for alert in told)
    ledger.note("quarantine", _number(quarantined, "item waits", "items wait", "for a decision"), now)
    ledger.note("failing feeds", _number(len(failing), "feed fails", "feeds fail", "again and again"), now)
    ledger.note("retention", fault, now)
    return Report(len(dead) + leases, swept, retried, pruned, quarantined, len(failing), tuple(problems))


async def keep_looking_after(shift: Shift) -> None:
    """Look after all of it once an hour, for ever."""
    while True:
        await asyncio.sleep(HOUR)
        with contextlib.suppress(LedgerError):  # the stages meet the same error, and report it
            await asyncio.to_thread(look_after, shift.settings, shift.ledger, shift.clock())
            shift.to_deliver.set()


def _number(count: int, one: str, more: str, what: str) -> str | None:
    return f"{count} {one if count == 1 else more} {what}" if count else None


def _prune(settings: Settings, ledger: Ledger, now: datetime) -> tuple[int, str | None]:
    """How many articles went for their age, and what kept the others from it."""
    try:
        pruned = prune_daily(settings, ledger, now)
    except LedgerError:
        raise
    except WirewatchError as error:  # the index or the archive: what is left to do of it is done the next time
        return 0, str(error)
    return (0 if pruned is None else pruned.articles), None
