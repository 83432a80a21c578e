"""What the ledger makes of matches: told once, remembered, held back, grouped, and never told again once acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pipeline.alerts.timing import Throttle, judge, read_digest, read_quiet_hours
from pipeline.ledger import (
    AlertState,
    DeliveryState,
    Fired,
    Hold,
    Ledger,
    Parcel,
    StoryNow,
    Verdict,
    Waiting,
    open_ledger,
)
from pipeline.records import Alert, AlertKind, Status, alert_id

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ME, OTHER = "here:1:1", "there:2:2"


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


def an_alert(rule: str = "kashmir", story: str = "s1", version: int = 1, article: str = "a1", **more: object) -> Alert:
    fields = {
        "id": alert_id(rule, story, version),
        "rule": rule,
        "severity": "high",
        "story": story,
        "version": version,
        "article": article,
        "headline": f"Headline of {article}",
        "source": "Meridian",
        "url": f"https://wire.example/{article}",
        "first_seen": NOW,
        "fired": NOW,
    } | more
    return Alert(**fields)  # type: ignore[arg-type]


def fired(alert: Alert, *, channels: tuple[str, ...] = ("desk",), **more: object) -> Fired:
    return Fired(alert=alert, channels=channels, **more)  # type: ignore[arg-type]


def story(
    name: str = "s1",
    *,
    merged: tuple[str, ...] = (),
    carriers: tuple[str, ...] = ("Meridian",),
    sources: int = 1,
    notice: Alert | None = None,
) -> StoryNow:
    return StoryNow(story=name, merged=merged, carriers=carriers, independent_sources=sources, notice=notice)


def notice(status: Status, article: str = "a1", version: int = 2, at: datetime = NOW) -> Alert:
    return an_alert(
        rule="", article=article, version=version, kind=AlertKind.NOTICE, status=status, status_at=at, id=""
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def record(ledger: Ledger, *matches: Fired, stories: tuple[StoryNow, ...] = (story(),), now: datetime = NOW) -> None:
    ledger.apply([], now, ME, also=lambda db: ledger.outbox.record(db, matches, stories, now))


def at_once(_: Waiting) -> Verdict:
    return Verdict.SEND


def claim(ledger: Ledger, now: datetime = NOW, owner: str = ME, how: object = at_once) -> list[Parcel]:
    return ledger.outbox.claim(now, owner, 60.0, how)  # type: ignore[arg-type]


def states(ledger: Ledger) -> dict[str, AlertState]:
    return {told.alert.id: told.state for told in ledger.outbox.told()}


# -- once, and not again


def test_a_match_is_owed_to_each_of_its_channels_once(ledger: Ledger) -> None:
    for _ in range(3):
        record(ledger, fired(an_alert(), channels=("desk", "log")))
    parcels = claim(ledger)
    assert [(parcel.channel, parcel.key) for parcel in parcels] == [("desk", an_alert().id), ("log", an_alert().id)]
    assert claim(ledger) == []


def test_ten_copies_of_a_story_make_one_alert_that_counts_its_carriers(ledger: Ledger) -> None:
    names: tuple[str, ...] = ()
    for n in range(10):
        names += (f"Outlet {n}",)
        record(ledger, fired(an_alert(article=f"a{n}")), stories=(story(carriers=names),))
    (parcel,) = claim(ledger)
    assert (parcel.alerts[0].article, parcel.alerts[0].carriers) == ("a0", names)


def test_a_new_version_alerts_only_where_the_rule_asks(ledger: Ledger) -> None:
    for rule, once in (("once", True), ("each", False)):
        record(ledger, fired(an_alert(rule), once=once))
        record(ledger, fired(an_alert(rule, version=2), once=once))
    assert sorted((parcel.rule, parcel.alerts[0].version) for parcel in claim(ledger)) == [
        ("each", 1),
        ("each", 2),
        ("once", 1),
    ]
    assert states(ledger)[alert_id("once", "s1", 2)] is AlertState.THROTTLED


def test_a_copys_own_new_version_is_no_new_version_of_the_story(ledger: Ledger) -> None:
    def each(version: int, article: str) -> Fired:
        return fired(an_alert("each", version=version, article=article), once=False, copy=article != "a1")

    record(ledger, each(1, "a1"))
    record(ledger, each(2, "copy"))
    record(ledger, each(3, "copy"))
    assert [parcel.alerts[0].version for parcel in claim(ledger)] == [1]
    record(ledger, each(2, "a1"))
    assert [(parcel.alerts[0].version, parcel.alerts[0].article) for parcel in claim(ledger)] == [(2, "a1")]
    record(ledger, each(1, "late copy"))
    assert claim(ledger) == []


def test_a_copy_speaks_for_a_story_of_which_nothing_was_told(ledger: Ledger) -> None:
    record(ledger, fired(an_alert("each"), once=False, silent=True))
    record(ledger, fired(an_alert("each", version=2, article="copy"), once=False, copy=True))
    assert [parcel.alerts[0].article for parcel in claim(ledger)] == ["copy"]


def test_a_story_that_turns_out_to_be_another_does_not_alert_again(ledger: Ledger) -> None:
    record(ledger, fired(an_alert()))
    record(ledger, fired(an_alert(story="s2", article="a2")), stories=(story("s2", merged=("s1",)),))
    assert len(claim(ledger)) == 1


def test_what_was_there_at_a_feeds_first_poll_is_remembered_and_not_told(ledger: Ledger) -> None:
    record(ledger, fired(an_alert(), silent=True))
    record(ledger, fired(an_alert()))  # the same article, replayed or bumped
    record(ledger, fired(an_alert(version=2)))
    assert claim(ledger) == []
    record(ledger, fired(an_alert(rule="each", article="a1"), silent=True, once=False))
    record(ledger, fired(an_alert(rule="each", version=2), once=False))
    assert [parcel.alerts[0].version for parcel in claim(ledger)] == [2]


def test_what_one_feed_had_before_us_is_news_when_another_brings_it(ledger: Ledger) -> None:
    record(ledger, fired(an_alert(), silent=True))
    record(ledger, fired(an_alert(article="a2")))
    assert [parcel.alerts[0].article for parcel in claim(ledger)] == ["a2"]


def test_a_story_alerts_when_it_comes_to_have_sources_enough(ledger: Ledger) -> None:
    record(ledger, fired(an_alert(), need=3))
    record(ledger, stories=(story(carriers=("A", "B"), sources=2),))
    assert (claim(ledger), states(ledger)[an_alert().id]) == ([], AlertState.WAITING)
    record(ledger, stories=(story(carriers=("A", "B", "C"), sources=3),), now=later(hours=5))
    (parcel,) = claim(ledger, later(hours=5))
    assert (parcel.alerts[0].independent_sources, parcel.alerts[0].fired) == (3, later(hours=5))


# -- corrections


def test_everyone_who_was_alerted_is_told_of_a_correction_and_once(ledger: Ledger) -> None:
    record(ledger, fired(an_alert(), channels=("desk", "log")), fired(an_alert("other"), channels=("mail",)))
    for parcel in claim(ledger):
        ledger.outbox.sent(parcel, NOW)
    corrected = notice(Status.CORRECTED)
    for _ in range(3):
        record(ledger, stories=(story(notice=corrected),), now=later(hours=1))
    copy = notice(Status.CORRECTED, article="a7", version=5, at=later(hours=2))
    record(ledger, stories=(story(notice=copy),), now=later(hours=2))
    found = claim(ledger, later(hours=2))
    assert sorted((parcel.rule, parcel.channel) for parcel in found) == [
        ("kashmir", "desk"),
        ("kashmir", "log"),
        ("other", "mail"),
    ]
    assert {parcel.alerts[0].status for parcel in found} == {Status.CORRECTED}
    assert {parcel.alerts[0].severity for parcel in found} == {"high"}


def test_a_second_correction_of_the_same_article_is_told_too(ledger: Ledger) -> None:
    record(ledger, fired(an_alert()))
    record(ledger, stories=(story(notice=notice(Status.CORRECTED)),))
    record(ledger, stories=(story(notice=notice(Status.CORRECTED, version=3, at=later(hours=3))),))
    record(ledger, stories=(story(notice=notice(Status.WITHDRAWN, version=3, at=later(hours=4))),))
    assert len(claim(ledger)) == 4


def test_nobody_is_told_of_a_correction_who_was_not_alerted(ledger: Ledger) -> None:
    record(ledger, fired(an_alert(), silent=True), fired(an_alert("few"), need=2))
    record(ledger, stories=(story(notice=notice(Status.WITHDRAWN)),))
    assert claim(ledger) == []


def test_one_carriers_page_that_is_gone_does_not_concern_the_others_alert(ledger: Ledger) -> None:
    record(ledger, fired(an_alert()))
    record(ledger, stories=(story(notice=notice(Status.VANISHED, article="a9")),))
    assert len(claim(ledger)) == 1
    record(ledger, stories=(story(notice=notice(Status.VANISHED)),))
    assert len(claim(ledger)) == 1


def test_an_alert_that_says_the_correction_itself_needs_no_notice_beside_it(ledger: Ledger) -> None:
    record(ledger, fired(an_alert(), once=False))
    again = an_alert(version=2, status=Status.CORRECTED, status_at=NOW)
    record(ledger, fired(again, once=False), stories=(story(notice=notice(Status.CORRECTED)),))
    assert [parcel.alerts[0].kind for parcel in claim(ledger)] == [AlertKind.MATCH, AlertKind.MATCH]


# -- delivery


def test_what_was_acknowledged_is_never_sent_again(ledger: Ledger) -> None:
    record(ledger, fired(an_alert()))
    (parcel,) = claim(ledger)
    (again,) = claim(ledger, later(seconds=61), OTHER)  # its lease ran out, and another has it now
    assert (again.key, again.attempt) == (parcel.key, 2)
    ledger.outbox.sent(parcel, later(seconds=62))  # and yet the first was taken
    ledger.outbox.failed(again, OTHER, "HTTP 500", later(seconds=63))
    assert claim(ledger, later(days=1)) == []
    assert ledger.outbox.counts()["sent"] == 1


def test_an_attempt_whose_end_is_not_known_is_made_again_under_the_same_key(ledger: Ledger) -> None:
    record(ledger, fired(an_alert()))
    (first,) = claim(ledger)
    assert claim(ledger, later(seconds=30), OTHER) == []
    (second,) = claim(ledger, later(seconds=61), OTHER)
    assert (second.key, second.first_attempt) == (first.key, first.first_attempt)


def test_a_failure_that_comes_late_takes_nothing_from_who_has_it_now(ledger: Ledger) -> None:
    record(ledger, fired(an_alert()))
    (first,) = claim(ledger)
    claim(ledger, later(seconds=61), OTHER)
    ledger.outbox.failed(first, ME, "no answer", None)
    assert ledger.outbox.counts()["undeliverable"] == 0


def test_what_is_undeliverable_can_be_tried_again_under_the_same_key(ledger: Ledger) -> None:
    record(ledger, fired(an_alert()))
    (parcel,) = claim(ledger)
    ledger.outbox.failed(parcel, ME, "no such host", None)
    assert claim(ledger, later(days=9)) == []
    (told,) = ledger.outbox.told(state=DeliveryState.UNDELIVERABLE)
    assert told.deliveries[0].reason == "no such host"
    assert ledger.outbox.retry([told.alert.id], later(days=9)) == 1
    (again,) = claim(ledger, later(days=9))
    assert (again.key, again.attempt, again.first_attempt) == (parcel.key, 1, later(days=9))


def test_a_dead_workers_messages_are_let_go(ledger: Ledger) -> None:
    import os
    import socket

    record(ledger, fired(an_alert()))
    claim(ledger, owner=f"{socket.gethostname()}:{os.getpid()}:1")  # this process did not begin at tick 1
    ledger.release_dead()
    assert len(claim(ledger, later(seconds=1), OTHER)) == 1


def test_a_busy_channel_delays_no_other(ledger: Ledger) -> None:
    record(ledger, fired(an_alert(), channels=("slow", "desk")))
    assert [parcel.channel for parcel in ledger.outbox.claim(NOW, ME, 60.0, at_once, ["slow"])] == ["desk"]


DAILY = partial(judge, throttle=Throttle(), digest=read_digest("daily at 18:00"), quiet=None)
EVERY_30 = partial(judge, throttle=Throttle(once=False, minutes=30), digest=None, quiet=None)
QUIET = partial(judge, throttle=Throttle(), digest=None, quiet=read_quiet_hours("11:00-14:00"))


def deal(ledger: Ledger, how: object, now: datetime) -> list[Parcel]:
    """Send everything that goes out by then."""
    parcels = claim(ledger, now, how=lambda waiting: how(waiting, now=now))  # type: ignore[operator]
    for parcel in parcels:
        ledger.outbox.sent(parcel, now)
    return parcels


def test_a_digest_gathers_what_comes_until_its_time_and_sends_it_as_one(ledger: Ledger) -> None:
    for n in range(3):
        record(ledger, fired(an_alert(story=f"s{n}")), stories=(story(f"s{n}"),))
        assert deal(ledger, DAILY, later(hours=n)) == []
    (parcel,) = deal(ledger, DAILY, later(hours=6))
    assert [alert.story for alert in parcel.alerts] == ["s0", "s1", "s2"]
    assert deal(ledger, DAILY, later(hours=30)) == []


def test_what_is_held_hides_nothing_that_can_go_out_now(ledger: Ledger) -> None:
    matches = [fired(an_alert("daily", story=f"s{n}")) for n in range(450)]
    record(ledger, *matches, stories=tuple(story(f"s{n}") for n in range(450)))
    record(ledger, fired(an_alert("now", story="s0", fired=later(seconds=1))), now=later(seconds=1))

    def how(waiting: Waiting, now: datetime) -> Verdict | Hold:
        return DAILY(waiting, now=now) if waiting.rule == "daily" else Verdict.SEND

    assert [parcel.rule for parcel in deal(ledger, how, later(seconds=2))] == ["now"]


def test_a_digest_that_failed_goes_out_again_with_the_same_alerts_under_the_same_key(ledger: Ledger) -> None:
    for n in range(2):
        record(ledger, fired(an_alert(story=f"s{n}")), stories=(story(f"s{n}"),))
    deal(ledger, DAILY, NOW)
    (first,) = claim(ledger, later(hours=6), how=lambda waiting: DAILY(waiting, now=later(hours=6)))
    ledger.outbox.failed(first, ME, "HTTP 500", later(hours=7))
    late = an_alert(story="s9", fired=later(hours=6, minutes=30))
    record(ledger, fired(late), stories=(story("s9"),))
    (again,) = deal(ledger, DAILY, later(hours=7))
    assert (again.key, again.alerts) == (first.key, first.alerts)


def test_a_throttle_lets_one_message_out_and_then_all_that_waited(ledger: Ledger) -> None:
    for n in range(4):
        record(ledger, fired(an_alert(story=f"s{n}"), once=False), stories=(story(f"s{n}"),))
    (first,) = deal(ledger, EVERY_30, NOW)
    assert len(first.alerts) == 1
    assert deal(ledger, EVERY_30, later(minutes=29)) == []
    (rest,) = deal(ledger, EVERY_30, later(minutes=30))
    assert len(rest.alerts) == 3


def test_quiet_hours_hold_everything_until_they_are_over(ledger: Ledger) -> None:
    for n in range(2):
        record(ledger, fired(an_alert(story=f"s{n}")), stories=(story(f"s{n}"),))
    assert deal(ledger, QUIET, NOW) == []
    (parcel,) = deal(ledger, QUIET, later(hours=2))
    assert len(parcel.alerts) == 2


def test_a_silenced_rule_sends_nothing_and_says_so(ledger: Ledger) -> None:
    ledger.outbox.silence("kashmir", later(hours=2))
    record(ledger, fired(an_alert()), fired(an_alert("other")))
    assert [parcel.rule for parcel in deal(ledger, EVERY_30, NOW)] == ["other"]
    assert ledger.outbox.silences(NOW) == {"kashmir": later(hours=2)}
    assert ledger.outbox.counts()["silenced"] == 1
    record(ledger, fired(an_alert(story="s2"), once=False), stories=(story("s2"),), now=later(hours=3))
    assert [parcel.rule for parcel in deal(ledger, EVERY_30, later(hours=3))] == ["kashmir"]


def test_a_notice_waits_for_no_digest(ledger: Ledger) -> None:
    waiting = Waiting(
        rule="r", channel="c", kind=AlertKind.NOTICE, fired=NOW, held=None, attempts=0, last=NOW, silenced=None
    )
    assert DAILY(waiting, now=NOW) is Verdict.SEND
    assert EVERY_30(waiting, now=NOW) is Verdict.SEND
