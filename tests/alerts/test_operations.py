"""What Wirewatch tells of itself goes out as alerts do, and once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.alerts.message import body, title
from pipeline.alerts.operations import tell_failure, tell_moods
from pipeline.alerts.rules import OPERATIONS, FaultyError, rule_from
from pipeline.ledger import Ledger, open_ledger
from tests.support.ledgers import make_feed, make_sighting

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
SILENCE = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHANNELS = ("log",)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(open_ledger(tmp_path / "ledger.sqlite")) as opened:
        yield opened


def watched(ledger: Ledger) -> None:
    """A source that brought two entries an hour for weeks, and nothing from one moment on."""
    feed = replace(make_feed(), added=BEGIN, source="The Jhelum Observer")
    ledger.add_feed(feed)
    times = [SILENCE - timedelta(minutes=30 * n + 1) for n in range(2 * 24 * 35)]
    ledger.store_poll([make_sighting(f"http://e.org/{n}", feed, at) for n, at in enumerate(times)], lambda _: feed)


def come_back(ledger: Ledger, at: datetime) -> None:
    feed = ledger.feeds()[0]
    times = [at - timedelta(minutes=30 * n + 1) for n in range(12)]
    ledger.store_poll([make_sighting(f"http://e.org/b{n}", feed, t) for n, t in enumerate(times)], lambda _: feed)


def test_a_source_gone_quiet_is_told_of_once_and_once_more_when_it_is_back(ledger: Ledger) -> None:
    watched(ledger)
    assert tell_moods(ledger, CHANNELS, SILENCE + timedelta(minutes=5)) == []
    (quiet,) = tell_moods(ledger, CHANNELS, SILENCE + timedelta(hours=6, minutes=5))
    assert quiet.headline.startswith("The Jhelum Observer has gone quiet: 0 new in the last 6 hours, usually about 12")
    assert tell_moods(ledger, CHANNELS, SILENCE + timedelta(hours=7, minutes=5)) == []
    back = SILENCE + timedelta(hours=14)
    come_back(ledger, back)
    (usual,) = tell_moods(ledger, CHANNELS, back + timedelta(minutes=5))
    assert "is as usual again" in usual.headline
    assert tell_moods(ledger, CHANNELS, back + timedelta(minutes=6)) == []
    assert [told.alert.id for told in ledger.outbox.told()] == [usual.id, quiet.id]
    assert all([one.channel for one in told.deliveries] == ["log"] for told in ledger.outbox.told())


def test_two_who_look_at_once_tell_the_same(ledger: Ledger) -> None:
    watched(ledger)
    now = SILENCE + timedelta(hours=6, minutes=5)
    (one,) = tell_moods(ledger, CHANNELS, now)
    assert one.id not in {alert.id for alert in tell_moods(ledger, CHANNELS, now + timedelta(minutes=1))}
    assert len(ledger.outbox.told()) == 1


def test_the_silence_of_a_failing_feed_says_why(ledger: Ledger) -> None:
    watched(ledger)
    feed = replace(ledger.feeds()[0], failures=4, reason="HTTP 503")
    ledger.store_poll([], lambda _: feed)
    (quiet,) = tell_moods(ledger, CHANNELS, SILENCE + timedelta(hours=6, minutes=5))
    assert quiet.headline.endswith(f"({feed.url} fails: HTTP 503)")


def test_a_failed_task_is_told_of_once_in_a_while(ledger: Ledger) -> None:
    first = tell_failure(ledger, "wire_poll.poll", "failed: no space left", CHANNELS, SILENCE)
    assert first is not None
    assert (
        tell_failure(ledger, "wire_poll.poll", "failed: no space left", CHANNELS, SILENCE + timedelta(hours=1)) is None
    )
    assert tell_failure(ledger, "wire_ingest.fetch", "failed", CHANNELS, SILENCE) is not None
    assert tell_failure(ledger, "wire_poll.poll", "failed again", CHANNELS, SILENCE + timedelta(hours=7)) is not None
    assert title(OPERATIONS, [first]) == "[wirewatch] wire_poll.poll failed: no space left"
    assert "Why:" not in body(OPERATIONS, [first])


def test_no_rule_may_take_the_name_under_which_it_tells_of_itself() -> None:
    with pytest.raises(FaultyError, match="take another"):
        rule_from({"name": OPERATIONS, "query": "kashmir"})
