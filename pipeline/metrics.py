"""How a resident worker does, for Prometheus: what the ledger holds, what this run has done, and how long things took.

What stories came to is counted in the ledger and nowhere else, where a story has exactly one state: so the outcomes add
up to what was seen, over any number of workers and restarts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.errors import LedgerError
from pipeline.flow.shift import Shift
from pipeline.ledger import ItemState, Owed
from pipeline.records import Feed, FeedState

KEEP: Final = 5.0
"""Seconds for which what was read from the ledger is used again: a scrape must cost little, however many ask."""

OPEN: Final = {ItemState.SEEN.value: "open", ItemState.FETCHED.value: "open"}
"""The states that are no outcome yet."""


def registry_for(shift: Shift) -> CollectorRegistry:
    """A registry of its own, so that several workers in one program do not mix."""
    registry = CollectorRegistry()
    registry.register(Standing(shift))
    return registry


class Standing(Collector):
    """Reads the ledger, and what the run has tallied, when asked."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._read: tuple[float, list[Metric]] | None = None

    def describe(self) -> Iterable[Metric]:
        return []  # else registering would read the ledger

    def collect(self) -> Iterable[Metric]:
        yield from self._from_ledger()
        yield from _from_run(self._shift)

    def _from_ledger(self) -> list[Metric]:
        if self._read is None or time.monotonic() - self._read[0] > KEEP:
            up = GaugeMetricFamily("wirewatch_ledger_up", "Whether the ledger can be read.")
            try:
                found = list(_read(self._shift))
                up.add_metric([], 1)
            except LedgerError:
                found = []
                up.add_metric([], 0)
            self._read = time.monotonic(), [up, *found]
        return self._read[1]


def _read(shift: Shift) -> Iterable[Metric]:
    ledger, now = shift.ledger, shift.clock()
    stories = GaugeMetricFamily(
        "wirewatch_stories",
        "Stories by outcome; each has exactly one. Open are those not yet done.",
        labels=["outcome"],
    )
    counted: dict[str, int] = {}
    for state, count in ledger.counts().items():
        outcome = OPEN.get(state, state)
        counted[outcome] = counted.get(outcome, 0) + count
    for outcome, count in counted.items():
        stories.add_metric([outcome], count)
    yield stories

    owed = GaugeMetricFamily("wirewatch_owed", "Stories owed a stage, by when.", labels=["stage", "when"])
    for stage, counts in ledger.owed(now).items():
        for when, count in counts.items():
            owed.add_metric([stage, when], count)
    yield owed

    lag = GaugeMetricFamily(
        "wirewatch_lag_seconds", "How long the oldest work that is due has waited.", labels=["stage"]
    )
    feeds = ledger.feeds()
    lag.add_metric(["poll"], max((_late(feed.next_poll, now) for feed in feeds), default=0.0))
    for stage in Owed:
        lag.add_metric([stage.value], _late(ledger.next_due(stage), now))
    yield lag
    yield from _about_feeds(feeds)

    pushed = GaugeMetricFamily("wirewatch_subscriptions", "Feeds that name a hub, by what it does.", labels=["state"])
    states = Counter("lapsed" if one.has_lapsed(now) else one.state.value for one in ledger.subscriptions().values())
    for state, count in sorted(states.items()):
        pushed.add_metric([state], count)
    yield pushed

    quarantine = GaugeMetricFamily("wirewatch_quarantine", "What lies in quarantine.", labels=["stage", "code"])
    for stage_name, code, count in ledger.quarantine_reasons():
        quarantine.add_metric([stage_name, code], count)
    yield quarantine

    alerts = GaugeMetricFamily("wirewatch_alerts", "Alerts in the outbox, by what became of them.", labels=["outcome"])
    for outcome, count in ledger.outbox.counts().items():
        alerts.add_metric([outcome], count)
    yield alerts

    notes = GaugeMetricFamily("wirewatch_notes", "What an operator should know now.", labels=["about"])
    for key, _, _ in ledger.notes():
        notes.add_metric([key], 1)
    yield notes


def _about_feeds(feeds: Iterable[Feed]) -> Iterable[Metric]:
    states = dict.fromkeys(("ok", "failing", "gone", "new"), 0)
    codes: dict[str, int] = {}
    for feed in feeds:
        if feed.state is FeedState.GONE:
            states["gone"] += 1
        elif feed.failures:
            states["failing"] += 1
            codes[feed.code or "unknown"] = codes.get(feed.code or "unknown", 0) + 1
        else:
            states["new" if feed.last_polled is None else "ok"] += 1
    by_state = GaugeMetricFamily("wirewatch_feeds", "Feeds by state.", labels=["state"])
    for state, count in states.items():
        by_state.add_metric([state], count)
    yield by_state
    failing = GaugeMetricFamily("wirewatch_feeds_failing", "Feeds whose last poll failed, by why.", labels=["code"])
    for code, count in codes.items():
        failing.add_metric([code], count)
    yield failing


def _from_run(shift: Shift) -> Iterable[Metric]:
    events = CounterMetricFamily("wirewatch_events", "What this worker has done since it began.", labels=["event"])
    for event, count in sorted(shift.tally.counts.items()):
        events.add_metric([event], count)
    yield events
    took = HistogramMetricFamily(
        "wirewatch_took_seconds",
        "How long a poll and a fetch took, with the wait for the host's turn, and the making of a document, with that "
        "for a worker process.",
        labels=["what"],
    )
    for what, durations in sorted(shift.tally.durations.items()):
        buckets: list[tuple[str, float]] = [(f"{limit:g}", float(count)) for limit, count in durations.cumulative()]
        took.add_metric([what], [*buckets, ("+Inf", float(durations.count))], sum_value=durations.total)
    yield took


def _late(due: datetime | None, now: datetime) -> float:
    return 0.0 if due is None else max(0.0, (now - due).total_seconds())
