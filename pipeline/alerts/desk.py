"""What the flow calls with each batch: keeps the rules in force, matches documents, and makes what the ledger records.

Rules are read again when a file of the folder changes. The ledger keeps the last good form of each, from which the
courier knows how to send, and what stays in force when a file breaks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection

from pipeline.alerts.explain import alert_of, carriers
from pipeline.alerts.files import Entry, Fault, made_rule, read_folder, settle, stamp
from pipeline.alerts.matcher import Match, Matcher
from pipeline.alerts.rules import FaultyError, Rule
from pipeline.ledger import Fired, Ledger, StoryNow
from pipeline.records import Alert, AlertKind, Document, Status
from pipeline.settings import Settings

log = structlog.get_logger("wirewatch")

LOOK = 1.0
"""Seconds between looks at the rules folder; a look costs a stat a file."""
TOLD = {Status.CORRECTED, Status.CLARIFIED, Status.WITHDRAWN, Status.KILLED, Status.VANISHED}
"""What those who were alerted to a story are told of."""
NOTE = "rules"
"""The key of the ledger's note about rules that are not as their files say."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a batch of documents came to."""

    fired: tuple[Fired, ...]
    stories: tuple[StoryNow, ...]


class Desk:
    """Matches the batches of one worker, which come from the stage that indexes and the one that refreshes stories."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings, self._ledger = settings, ledger
        self._stamp: object = None
        self._looked = 0.0
        self._matcher = Matcher(())
        self._lock = threading.Lock()
        self.rules: dict[str, Rule] = {}

    def refresh(self, now: datetime) -> None:
        """Read the rules where a file changed since they were last read; what is wrong goes into ``status``."""
        if self._stamp is not None and time.monotonic() - self._looked < LOOK:
            return
        folder = self._settings.rules_folder
        self._looked = time.monotonic()
        found = (folder.is_dir(), stamp(folder))
        if found == self._stamp:
            return
        self._stamp = found
        entries, faults = in_force(self._settings, self._ledger)
        rows = [asdict(entry) for entry in entries]
        if rows != self._ledger.outbox.rules():
            self._ledger.outbox.keep_rules(rows)
        self.rules = rules_of(entries)
        self._matcher = Matcher(self.rules.values())
        for fault in faults:
            log.warning("rule not as written", file=fault.file, line=fault.line, rule=fault.name, reason=fault.reason)
        self._ledger.note(NOTE, fault_note(entries, faults), now)

    def find(self, documents: Sequence[Document], now: datetime) -> Findings:
        """What these documents, just indexed, are to be told of, and how their stories stand."""
        with self._lock:
            return self._find(documents, now)

    def _find(self, documents: Sequence[Document], now: datetime) -> Findings:
        self.refresh(now)
        if not documents:
            return Findings((), ())
        fired = [self._fired(match, now) for match in self._matcher.match(documents, now)] if self.rules else []
        if self._matcher.failures:
            failures = "; ".join(f"{rule}: {error}" for rule, error in self._matcher.failures.items())
            self._ledger.note("alerts", f"rules that could not be matched: {failures}", now)
        return Findings(tuple(fired), tuple(_story(document, now) for document in documents))

    def _fired(self, match: Match, now: datetime) -> Fired:
        rule, article = match.rule, match.document.article
        return Fired(
            alert=alert_of(match, now),
            channels=rule.channels,
            once=rule.throttle.once,
            need=rule.min_sources,
            copy=match.document.placement.copy_of is not None,
            # What was there at a feed's first poll is no news; a later version of it is.
            silent=article.baseline and article.version == 1 and not self._settings.alert_on_baseline,
        )

    def recording(self, findings: Findings, now: datetime) -> Callable[[Connection], None]:
        """What writes the findings down, within the transaction in which the documents become indexed."""
        return lambda db: self._ledger.outbox.record(db, findings.fired, findings.stories, now)


def in_force(settings: Settings, ledger: Ledger) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """The rules and channels in force, by the files and by what was in force before; and what is wrong."""
    before = [Entry(**row) for row in ledger.outbox.rules()]
    if not before and not settings.rules_folder.is_dir():
        return (), ()
    return settle(read_folder(settings.rules_folder), before)


def rules_of(entries: Sequence[Entry]) -> dict[str, Rule]:
    """The rules among entries in force, by name. One that only an older Wirewatch could read is left out."""
    found = {}
    for entry in entries:
        if entry.kind == "rule":
            try:
                found[entry.name] = made_rule(entry)
            except FaultyError as error:
                log.warning("rule cannot be read any more", rule=entry.name, reason=str(error))
    return found


def fault_note(entries: Sequence[Entry], faults: Sequence[Fault]) -> str | None:
    """One line for ``status``; ``None`` where all is as the files say."""
    old = [entry for entry in entries if entry.fault is not None]
    if not faults and not old:
        return None
    first = str(faults[0]) if faults else f"{old[0].name}: {old[0].fault}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    kept = f"; {len(old)} in force as last good" if old else ""
    return f"{first}{more}{kept}; see `wirewatch alerts check`"


def _story(document: Document, now: datetime) -> StoryNow:
    placement, article = document.placement, document.article
    return StoryNow(
        story=placement.story or article.id,
        merged=placement.merged,
        carriers=carriers(document),
        independent_sources=placement.independent_sources,
        notice=_notice(document, now) if placement.status in TOLD else None,
    )


def _notice(document: Document, now: datetime) -> Alert:
    """What is told of a change of status; the ledger fills in whom it concerns."""
    article, placement = document.article, document.placement
    return Alert(
        id="",
        rule="",
        severity="",
        kind=AlertKind.NOTICE,
        story=placement.story or article.id,
        version=article.version,
        article=article.id,
        headline=article.title,
        source=article.source,
        url=article.url,
        published=article.published,
        updated=article.updated,
        first_seen=article.first_seen,
        indexed=document.indexed,
        fired=now,
        status=placement.status,
        status_at=placement.status_at,
        note=placement.status_note,
        carriers=carriers(document),
        independent_sources=placement.independent_sources,
    )
