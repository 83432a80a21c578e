"""Upkeep: what is given back, swept away, and told of; and which articles a replay makes again."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import FeedError, SettingsError
from pipeline.flow import utc_now
from pipeline.flow.upkeep import look_after
from pipeline.ledger import Again, Indexed, Ledger, Owed, Quarantined, claims_of, open_ledger, round_of
from pipeline.records import Feed
from pipeline.replay import Selection, count, owe_again
from pipeline.settings import load_settings
from tests.support.ledgers import ME, NOW, OTHER, make_feed, make_sighting, with_items


def indexed(ledger: Ledger, *links: str) -> None:
    with_items(ledger, *links)
    taken = ledger.claim_items(Owed.FETCH, NOW, 100, ME, 60)
    ledger.apply([Indexed(item.id, item.id, NOW) for item in taken], NOW, ME)
    ledger.release(ME)


def test_expired_leases_and_what_was_kept_for_ended_batches_go_and_what_is_held_stays(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    held, ended = claims_of(round_of("held"))[0], claims_of(round_of("ended"))[0]
    with closing(open_ledger(settings.ledger_at)) as ledger:
        with_items(ledger, "http://a.org/1", "http://b.org/1")
        one, two = ledger.claim_items(Owed.FETCH, utc_now(), 2, round_of("x"), 60)
        ledger.hand_over(round_of("x"), held, utc_now(), 600, items=[one.id])
        ledger.hand_over(round_of("x"), ended, utc_now() - timedelta(hours=1), 600, items=[two.id])
        for claim in (held, ended):
            (settings.claims_folder / claim.replace(":", "_")).mkdir(parents=True)
        report = look_after(settings, ledger, utc_now())
        assert (report.leases, report.swept) == (1, 1)
        assert ledger.holds([held, ended]) == {held}
        assert [folder.name for folder in settings.claims_folder.iterdir()] == [held.replace(":", "_")]


def test_quarantine_and_failing_feeds_are_told_of_until_they_are_no_more(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    with closing(open_ledger(settings.ledger_at)) as ledger:
        with_items(ledger, "http://a.org/1")
        (item,) = ledger.claim_items(Owed.FETCH, NOW, 1, ME, 60)
        ledger.apply([Quarantined(item.id, "fetch", "http-404", "HTTP 404")], NOW, ME)
        failing = Feed(id="f" * 20, url="http://failing.org/f", added=NOW, failures=5, reason="HTTP 503")
        ledger.add_feed(failing)
        report = look_after(settings, ledger, NOW)
        assert (report.quarantined, report.failing) == (1, 1)
        assert any("http-404" in problem for problem in report.problems)
        assert any("HTTP 503" in problem for problem in report.problems)
        assert {key for key, _, _ in ledger.notes()} == {"quarantine", "failing feeds"}
        ledger.drop_quarantined(None)
        ledger.remove_feed(failing.id)
        look_after(settings, ledger, NOW)
        assert ledger.notes() == []


def test_quarantine_gets_another_chance_and_the_old_goes_where_a_limit_is_set(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, keep_days=60)
    with closing(open_ledger(settings.ledger_at)) as ledger:
        indexed(ledger, "http://a.org/1")
        ledger.store_poll([make_sighting("http://a.org/2", make_feed())], lambda _: make_feed())
        (item,) = ledger.claim_items(Owed.FETCH, NOW, 1, ME, 60)
        ledger.apply([Quarantined(item.id, "fetch", "http-404", "HTTP 404")], NOW, ME)
        report = look_after(settings, ledger, NOW + timedelta(days=61))
        assert (report.retried, report.pruned, report.quarantined) == (1, 1, 0)
        assert (ledger.counts()["pruned"], ledger.counts()["seen"]) == (1, 1)
        assert look_after(settings, ledger, NOW + timedelta(days=61, hours=1)).pruned == 0


def test_what_keeps_a_prune_from_being_done_is_noted_until_it_is(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, keep_days=60)
    with closing(open_ledger(settings.ledger_at)) as ledger:
        later = NOW + timedelta(days=61)
        indexed(ledger, "http://a.org/1")
        settings.index_folder.parent.mkdir(parents=True, exist_ok=True)
        settings.index_folder.write_text("no folder")
        report = look_after(settings, ledger, later)
        assert report.pruned == 0
        assert any(str(settings.index_folder) in problem for problem in report.problems)
        assert [key for key, _, _ in ledger.notes()] == ["retention"]
        settings.index_folder.unlink()
        assert look_after(settings, ledger, later).pruned == 1
        assert ledger.notes() == []


def test_a_replay_owes_the_articles_of_a_feed_and_a_time_again_and_no_others(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "ledger.sqlite")) as ledger:
        indexed(ledger, "http://a.org/1", "http://b.org/1")
        other = make_feed("http://other.org/feed")
        ledger.add_feed(other)
        late = NOW + timedelta(days=1)
        ledger.store_poll([make_sighting("http://c.org/1", other, late)], lambda _: other)
        taken = ledger.claim_items(Owed.FETCH, late, 10, ME, 60)
        ledger.apply([Indexed(item.id, item.id, late) for item in taken], late, ME)
        ledger.release(ME)

        assert count(ledger, Selection()) == 3
        of_other = Selection.of(ledger, other.url, None, None)
        assert count(ledger, of_other) == 1
        early = Selection.of(ledger, None, None, "2026-11-24")
        assert count(ledger, early) == 2
        assert owe_again(ledger, of_other, Again.EXTRACT) == 1
        (item,) = ledger.claim_items(Owed.INDEX, utc_now(), 10, OTHER, 60)
        assert item.url == "http://c.org/1"
        assert item.indexed == late
        assert owe_again(ledger, early, Again.FETCH) == 2
        assert len(ledger.claim_items(Owed.FETCH, utc_now(), 10, OTHER, 60)) == 2


def test_what_is_to_be_asked_for_later_still_is_after_it_was_extracted_again(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "ledger.sqlite")) as ledger:
        indexed(ledger, "http://a.org/1")
        (item,) = ledger.indexed_items()
        later = utc_now() + timedelta(hours=6)
        ledger.owe_fetch(item.id, later)
        assert owe_again(ledger, Selection(), Again.EXTRACT) == 1
        (again,) = ledger.claim_items(Owed.INDEX, utc_now(), 1, ME, 60)
        ledger.apply([Indexed(again.id, item.id, NOW)], utc_now(), ME)
        assert ledger.next_due(Owed.FETCH) == later


def test_a_selection_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with closing(open_ledger(tmp_path / "ledger.sqlite")) as ledger:
        with pytest.raises(FeedError, match="no such feed"):
            Selection.of(ledger, "http://nowhere.org/feed", None, None)
        with pytest.raises(SettingsError, match="since: 'tomorrow' is no date"):
            Selection.of(ledger, None, "tomorrow", None)
