"""What every database under the ledger must do: one suite, run on SQLite and on PostgreSQL."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipeline.ledger import (
    Duplicate,
    FellBack,
    Fetched,
    Indexed,
    ItemState,
    Ledger,
    Owed,
    Quarantined,
    Retry,
    Skipped,
    claims_of,
    round_of,
    this_worker,
)
from pipeline.ledger.hosts import IN_HAND_PER_HOST
from pipeline.records import Feed, Location, feed_id
from pipeline.urls import host
from tests.support.ledgers import LATER, ME, NOW, OTHER, make_feed, make_sighting, with_items


def test_a_feed_comes_back_as_it_was_stored(ledger: Ledger) -> None:
    feed = Feed(
        id=feed_id("http://e.org/f"),
        url="http://e.org/f",
        added=NOW,
        etag='W/"a b"',
        last_modified="Mon, 23 Nov 2026 12:00:00 GMT",
        next_poll=LATER,
        failures=3,
        reason="HTTP 503",
        baseline=False,
    )
    assert ledger.add_feed(feed)
    assert ledger.feeds() == [feed]


def test_a_feed_is_not_added_twice_under_one_address(ledger: Ledger) -> None:
    assert ledger.add_feed(make_feed())
    assert not ledger.add_feed(make_feed())
    assert len(ledger.feeds()) == 1


def test_a_feed_is_found_by_address_by_id_and_by_prefix(ledger: Ledger) -> None:
    feed = make_feed()
    ledger.add_feed(feed)
    for key in (feed.url, feed.id, feed.id[:6], "HTTP://EXAMPLE.ORG/feed#top"):
        assert ledger.find_feeds(key) == [feed]
    assert ledger.find_feeds("http://elsewhere.org/feed") == []


def test_feeds_that_are_due_go_to_one_worker_only(ledger: Ledger) -> None:
    due, never, later = (make_feed(f"http://e.org/{n}") for n in range(3))
    ledger.add_feed(Feed(**_values(due, next_poll=NOW)))
    ledger.add_feed(Feed(**_values(never, next_poll=None)))
    ledger.add_feed(Feed(**_values(later, next_poll=LATER)))
    taken = ledger.claim_feeds(NOW, 10, ME, 60)
    assert [feed.id for feed in taken] == [never.id, due.id]
    assert ledger.claim_feeds(NOW, 10, OTHER, 60) == []
    assert len(ledger.claim_feeds(NOW + timedelta(seconds=60), 10, OTHER, 60)) == 2  # the lease ran out


def test_a_poll_counts_only_entries_not_seen_before(ledger: Ledger) -> None:
    feed = with_items(ledger, "http://e.org/1", "http://e.org/2")
    again = [make_sighting(f"http://e.org/{n}", feed) for n in (2, 3)]
    told = []

    def settle(new: int) -> Feed:
        told.append(new)
        return Feed(**_values(feed, polls=7))

    assert ledger.store_poll(again, settle) == 1
    assert told == [1]
    assert ledger.feeds()[0].polls == 7
    assert ledger.counts()["seen"] == 3


def test_two_feeds_that_announce_one_link_make_one_item(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    second = make_feed("http://example.org/second")
    ledger.add_feed(second)
    ledger.store_poll([make_sighting("http://E.org/1?utm_source=rss#top", second)], lambda new: second)
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    assert len(ledger.sightings(item.id)) == 2


def test_an_entry_without_a_link_is_owed_to_the_index_at_once(ledger: Ledger) -> None:
    with_items(ledger, "")
    assert ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60) == []
    (item,) = ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)
    assert item.body_reason == "the entry has no link"


def test_an_item_goes_from_seen_to_fetched_to_indexed(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    assert (item.state, item.owed) == (ItemState.SEEN, Owed.FETCH)
    place = Location(file="a.warc.gz", offset=77)
    assert ledger.apply([Fetched(item.id, place)], NOW, ME) == 1
    (item,) = ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)
    assert (item.state, item.location) == (ItemState.FETCHED, place)
    ledger.apply([Indexed(item.id, "article", NOW)], NOW, ME)
    done = ledger.item(item.id)
    assert done is not None
    assert (done.state, done.owed, done.article, done.indexed) == (ItemState.INDEXED, None, "article", NOW)
    assert ledger.item("article") == done
    assert [found.id for found in ledger.indexed_items()] == [item.id]


def test_a_result_is_refused_when_the_lease_has_gone_to_another_worker(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    assert ledger.claim_items(Owed.FETCH, NOW, 10, OTHER, 60) == []
    ledger.claim_items(Owed.FETCH, NOW + timedelta(seconds=61), 10, OTHER, 60)
    assert ledger.apply([Fetched(item.id, Location(file="mine", offset=0))], NOW, ME) == 0
    assert ledger.apply([Fetched(item.id, Location(file="theirs", offset=0))], NOW, OTHER) == 1
    found = ledger.item(item.id)
    assert found is not None
    assert found.location == Location(file="theirs", offset=0)


def test_a_renewed_lease_is_not_given_away(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.renew(ME, NOW + timedelta(seconds=50), 60, items=[item.id])
    assert ledger.claim_items(Owed.FETCH, NOW + timedelta(seconds=61), 10, OTHER, 60) == []


def test_only_what_is_really_in_hand_is_kept(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1", "http://f.org/2")
    kept, forgotten = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.renew(ME, NOW + timedelta(seconds=50), 60, items=[kept.id])
    taken = ledger.claim_items(Owed.FETCH, NOW + timedelta(seconds=61), 10, OTHER, 60)
    assert [item.id for item in taken] == [forgotten.id]


def test_what_a_worker_lets_go_of_is_free_at_once(ledger: Ledger) -> None:
    feed = with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.claim_feeds(NOW, 10, ME, 60)
    ledger.let_go(OTHER, items=[item.id], feeds=[feed.id])
    assert ledger.claim_items(Owed.FETCH, NOW, 10, OTHER, 60) == []
    ledger.let_go(ME, items=[item.id], feeds=[feed.id])
    assert len(ledger.claim_items(Owed.FETCH, NOW, 10, OTHER, 60)) == 1
    assert len(ledger.claim_feeds(NOW, 10, OTHER, 60)) == 1


def test_the_work_of_a_dead_process_is_owed_again_at_once(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1", "http://f.org/2")
    child = subprocess.run(
        [sys.executable, "-c", "from pipeline.ledger import this_worker; print(this_worker())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead = child.stdout.strip()
    ledger.claim_items(Owed.FETCH, NOW, 1, dead, 3600)
    ledger.claim_items(Owed.FETCH, NOW, 1, this_worker(), 3600)
    assert ledger.release_dead() == [dead]
    assert len(ledger.claim_items(Owed.FETCH, NOW, 10, OTHER, 60)) == 1


def test_hosts_that_the_caller_has_enough_of_are_passed_over(ledger: Ledger) -> None:
    with_items(ledger, "http://slow.org/1", "http://slow.org/2", "http://quick.org/1")
    taken = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60, busy={"slow.org": IN_HAND_PER_HOST})
    assert [item.host for item in taken] == ["quick.org"]


def test_a_failed_fetch_lets_the_feeds_text_stand_in_and_is_tried_again_later(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.apply([FellBack(item.id, "http-403", "HTTP 403", LATER)], NOW, ME)
    (item,) = ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)
    assert (item.body_reason, item.fetches) == ("HTTP 403", 1)
    ledger.apply([Indexed(item.id, "a", NOW)], NOW, ME)
    assert ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60) == []
    (item,) = ledger.claim_items(Owed.FETCH, LATER, 10, ME, 60)
    assert item.state is ItemState.INDEXED
    ledger.apply([Fetched(item.id, Location(file="f", offset=1))], LATER, ME)
    (item,) = ledger.claim_items(Owed.INDEX, LATER, 10, ME, 60)
    assert (item.state, item.body_reason, item.fetches) == (ItemState.INDEXED, None, 0)


def test_a_retry_counts_its_attempts_and_waits(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    item = next(iter(ledger.claim_items(Owed.FETCH, LATER, 10, ME, 60)))
    ledger.apply([Retry(item.id, Owed.FETCH, LATER + timedelta(hours=1), "timeout", "no answer")], LATER, ME)
    assert ledger.claim_items(Owed.FETCH, LATER, 10, ME, 60) == []
    assert ledger.owed(LATER) == {
        "fetch": {"now": 0, "later": 1, "in_hand": 0},
        "index": {"now": 0, "later": 0, "in_hand": 0},
    }
    assert ledger.next_due(Owed.FETCH) == LATER + timedelta(hours=1)
    (item,) = ledger.claim_items(Owed.FETCH, LATER + timedelta(hours=1), 10, ME, 60)
    assert (item.fetches, item.reason) == (1, "no answer")


def test_changes_of_all_kinds_are_written_together(ledger: Ledger) -> None:
    with_items(ledger, *(f"http://e.org/{n}" for n in range(6)))
    items = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    changes = [
        Fetched(items[0].id, Location(file="a", offset=1)),
        Retry(items[1].id, Owed.FETCH, LATER, "timeout", "slow"),
        Retry(items[2].id, Owed.INDEX, LATER, "crash", "died"),
        Fetched(items[3].id, Location(file="b", offset=2)),
        Indexed(items[4].id, "article", NOW),
        Quarantined(items[5].id, "fetch", "http-500", "HTTP 500"),
    ]
    assert ledger.apply(changes, NOW, ME) == 6
    found = [ledger.item(item.id) for item in items]
    assert [item.state.value for item in found if item] == [
        "fetched",
        "seen",
        "seen",
        "fetched",
        "indexed",
        "quarantined",
    ]
    assert [(item.fetches, item.attempts) for item in found[1:3] if item] == [(1, 0), (0, 1)]
    assert [item.location.file for item in found if item and item.location] == ["a", "b"]


def test_quarantine_keeps_stage_and_reason_and_gives_back_or_drops(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1", "http://e.org/2", "http://e.org/3")
    one, two, three = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.apply(
        [
            Quarantined(one.id, "fetch", "http-500", "HTTP 500"),
            Quarantined(two.id, "extract", "timeout", "took more than 60 s"),
            Skipped(three.id, "video", "the page is a video"),
        ],
        NOW,
        ME,
    )
    assert ledger.quarantine_reasons() == [("extract", "timeout", 1), ("fetch", "http-500", 1)]
    assert {item.id for item in ledger.quarantined()} == {one.id, two.id}
    assert ledger.retry_quarantined([one.id, three.id], NOW) == 1
    assert [item.id for item in ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)] == [one.id]
    assert ledger.drop_quarantined(None) == 1
    assert ledger.counts() == {
        "seen": 1,
        "fetched": 0,
        "indexed": 0,
        "duplicate": 0,
        "skipped": 1,
        "quarantined": 0,
        "dropped": 1,
        "pruned": 0,
    }


def test_quarantine_is_tried_again_after_a_day_four_and_sixteen_and_then_never(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    failed = NOW
    for days in (1, 4, 16):
        (item,) = ledger.claim_items(Owed.FETCH, failed, 10, ME, 60)
        ledger.apply([Quarantined(item.id, "fetch", "http-404", "HTTP 404")], failed, ME)
        assert ledger.retry_waited(failed + timedelta(days=days, seconds=-1)) == 0
        failed += timedelta(days=days)
        assert ledger.retry_waited(failed) == 1
        assert ledger.quarantined() == []
    (item,) = ledger.claim_items(Owed.FETCH, failed, 10, ME, 60)
    ledger.apply([Quarantined(item.id, "fetch", "http-404", "HTTP 404")], failed, ME)
    assert ledger.retry_waited(failed + timedelta(days=365)) == 0
    # A person's word counts anew.
    assert ledger.retry_quarantined([item.id], failed) == 1
    ledger.claim_items(Owed.FETCH, failed, 10, ME, 60)
    ledger.apply([Quarantined(item.id, "fetch", "http-404", "HTTP 404")], failed, ME)
    assert ledger.retry_waited(failed + timedelta(days=1)) == 1


def test_a_page_that_broke_the_extractor_is_tried_again_too_while_the_feeds_text_stands_in(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.apply([FellBack(item.id, "timeout", "took too long", None, "extract")], NOW, ME)
    ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)
    ledger.apply([Indexed(item.id, "a", NOW)], NOW, ME)
    assert ledger.retry_waited(NOW + timedelta(hours=23)) == 0
    assert ledger.retry_waited(NOW + timedelta(days=1)) == 1
    (item,) = ledger.claim_items(Owed.INDEX, NOW + timedelta(days=1), 10, ME, 60)
    assert (item.state, item.body_reason) == (ItemState.INDEXED, None)


def test_an_item_that_failed_in_extraction_goes_back_to_extraction(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.apply([Quarantined(item.id, "extract", "timeout", "slow")], NOW, ME)
    ledger.retry_quarantined(None, NOW)
    assert [found.id for found in ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)] == [item.id]


def test_a_story_whose_page_broke_the_extractor_is_indexed_and_lies_in_quarantine(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    place = Location(file="f", offset=1)
    ledger.apply([Fetched(item.id, place)], NOW, ME)
    ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)
    ledger.apply([FellBack(item.id, "timeout", "took too long", None, "extract")], NOW, ME)
    (item,) = ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)
    assert item.body_reason == "took too long"
    assert ledger.quarantined() == []
    ledger.apply([Indexed(item.id, "a", NOW)], NOW, ME)
    assert [found.id for found in ledger.quarantined()] == [item.id]
    assert ledger.quarantine_reasons() == [("extract", "timeout", 1)]
    assert (ledger.counts()["indexed"], ledger.counts()["quarantined"]) == (1, 0)
    assert ledger.retry_quarantined([item.id], NOW) == 1
    (item,) = ledger.claim_items(Owed.INDEX, NOW, 10, ME, 60)
    assert (item.state, item.body_reason, item.location) == (ItemState.INDEXED, None, place)
    ledger.apply([Indexed(item.id, "a", NOW)], NOW, ME)
    assert ledger.quarantined() == []


def test_a_feed_that_moves_to_where_another_is_polled_is_that_feed(ledger: Ledger) -> None:
    kept, moved = make_feed("http://e.org/new"), make_feed("http://e.org/old")
    ledger.add_feed(kept)
    ledger.add_feed(moved)
    ledger.store_poll([make_sighting("http://e.org/1", moved)], lambda new: replace(moved, url=kept.url))
    assert [feed.id for feed in ledger.feeds()] == [kept.id]
    assert ledger.counts()["seen"] == 1


def test_the_first_item_keeps_the_article_also_after_a_crash(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1", "http://e.org/2")
    one, two = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    assert ledger.own([("article", one.id)]) == {one.id}
    assert ledger.own([("article", two.id)]) == set()
    assert ledger.own([("article", one.id)]) == {one.id}
    ledger.apply([Indexed(one.id, "article", NOW), Duplicate(two.id, "article")], NOW, ME)
    assert [item.id for item in ledger.carriers("article")] == [one.id, two.id]


def test_notes_keep_the_time_since_when_they_hold(ledger: Ledger) -> None:
    ledger.note("index", "waiting: disk full", NOW)
    ledger.note("index", "waiting: still full", LATER)
    assert ledger.notes() == [("index", "waiting: still full", NOW)]
    ledger.note("index", None, LATER)
    assert ledger.notes() == []


def test_volume_counts_new_entries_by_feed_and_day_without_baselines(ledger: Ledger) -> None:
    feed = with_items(ledger, "http://e.org/1", "http://e.org/2")
    tomorrow = NOW + timedelta(days=1)
    old = replace(make_sighting("http://e.org/old", feed), baseline=True)
    ledger.store_poll([make_sighting("http://e.org/3", feed, tomorrow), old], lambda new: feed)
    assert ledger.volume(NOW, tomorrow) == {feed.id: {"2026-11-23": 2}}
    assert ledger.volume(NOW, LATER + timedelta(days=1)) == {feed.id: {"2026-11-23": 2, "2026-11-24": 1}}


def test_a_batch_stays_with_its_claim_from_stage_to_stage_and_goes_with_the_last(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1", "http://e.org/2")
    round_ = round_of("a run")
    claim = claims_of(round_)[0]
    taken = ledger.claim_items(Owed.FETCH, NOW, 10, round_, 60)
    ledger.hand_over(round_, claim, NOW, 600, items=[item.id for item in taken])
    assert [item.id for item in ledger.held_items(claim, Owed.FETCH, NOW)] == [item.id for item in taken]
    one, two = taken
    fetched = Fetched(one.id, Location(file="a.warc.gz", offset=7))
    assert ledger.apply([fetched, FellBack(two.id, "http-404", "HTTP 404", LATER)], NOW, claim, keep=600) == 2
    assert ledger.held_items(claim, Owed.FETCH, NOW) == []
    assert ledger.claim_items(Owed.INDEX, NOW, 10, OTHER, 60) == []
    assert {item.id for item in ledger.held_items(claim, Owed.INDEX, NOW)} == {one.id, two.id}
    ledger.apply([Indexed(one.id, "article", NOW)], NOW, claim, keep=600)
    assert [item.id for item in ledger.held_items(claim, Owed.INDEX, NOW)] == [two.id]
    assert {state: count for state, count in ledger.round_counts(round_).items() if count} == {
        "fetched": 1,
        "indexed": 1,
    }
    assert ledger.holds([claim, "claim:none-00"]) == {claim}
    ledger.release(round_, *claims_of(round_))
    assert ledger.holds([claim]) == set()
    assert [item.id for item in ledger.claim_items(Owed.INDEX, NOW, 10, OTHER, 60)] == [two.id]


def test_a_claim_is_no_process_that_could_be_dead(ledger: Ledger) -> None:
    with_items(ledger, "http://e.org/1")
    ledger.claim_items(Owed.FETCH, NOW, 10, round_of("a run"), 60)
    assert ledger.release_dead() == []
    assert ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60) == []


def test_a_claim_that_is_extended_is_not_given_away_and_expires_when_nobody_does(ledger: Ledger) -> None:
    feed = with_items(ledger, "http://e.org/1")
    claim = claims_of(round_of("a run"))[3]
    ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    ledger.claim_feeds(NOW, 10, ME, 60)
    (item,) = [item.id for item in ledger.claim_items(Owed.FETCH, NOW + timedelta(seconds=61), 10, ME, 60)]
    ledger.hand_over(ME, claim, NOW, 100, items=[item], feeds=[feed.id])
    assert ledger.extend(claim, NOW + timedelta(seconds=90), 100) == 2
    assert [held.id for held in ledger.held_feeds(claim)] == [feed.id]
    assert ledger.claim_items(Owed.FETCH, NOW + timedelta(seconds=180), 10, OTHER, 60) == []
    assert len(ledger.claim_items(Owed.FETCH, NOW + timedelta(seconds=191), 10, OTHER, 60)) == 1
    assert ledger.extend(claim, NOW + timedelta(seconds=192), 100) == 1


def test_text_that_a_database_could_choke_on_comes_back_as_it_was(ledger: Ledger) -> None:
    feed = make_feed()
    ledger.add_feed(feed)
    odd = "a quote ' a percent %s a colon :name a backslash \\ a zero \x00 and \U0001f4f0"
    ledger.store_poll([replace(make_sighting("http://e.org/1", feed), title=odd)], lambda new: feed)
    (item,) = ledger.claim_items(Owed.FETCH, NOW, 10, ME, 60)
    assert item.sighting.title == odd


def test_one_host_never_fills_the_hands(ledger: Ledger) -> None:
    with_items(ledger, *(f"http://big.org/{n:02}" for n in range(50)), "http://small.org/1")
    taken = Counter(item.host for item in ledger.claim_items(Owed.FETCH, NOW, 20, ME, 60))
    assert taken == {"big.org": IN_HAND_PER_HOST, "small.org": 1}
    assert ledger.claim_items(Owed.FETCH, NOW, 20, ME, 60, busy=taken) == []
    assert len(ledger.claim_items(Owed.FETCH, NOW, 20, ME, 60, busy={"big.org": IN_HAND_PER_HOST - 1})) == 1


def test_feeds_of_one_host_never_fill_the_hands(ledger: Ledger) -> None:
    for number in range(50):
        ledger.add_feed(make_feed(f"http://big.org/{number:02}"))
    ledger.add_feed(make_feed("http://small.org/1"))
    taken = ledger.claim_feeds(NOW, 20, ME, 60)
    assert Counter(host(one.url) for one in taken) == {"big.org": IN_HAND_PER_HOST, "small.org": 1}


def test_a_host_is_asked_by_one_worker_at_a_time(ledger: Ledger) -> None:
    with_items(ledger, *(f"http://big.org/{n:02}" for n in range(20)), "http://small.org/1")
    ledger.add_feed(make_feed("http://big.org/feed"))
    assert len(ledger.claim_items(Owed.FETCH, NOW, 5, ME, 60)) == 5
    assert [item.host for item in ledger.claim_items(Owed.FETCH, NOW, 20, OTHER, 60)] == ["small.org"]
    assert [one.url for one in ledger.claim_feeds(NOW, 20, OTHER, 60)] == ["http://example.org/feed"]
    ledger.release(ME)
    assert len(ledger.claim_items(Owed.FETCH, NOW, 20, OTHER, 60)) == IN_HAND_PER_HOST
    assert [one.url for one in ledger.claim_feeds(NOW, 20, OTHER, 60)] == ["http://big.org/feed"]


def test_a_host_that_wants_to_be_left_alone_is_left_alone_by_all(ledger: Ledger) -> None:
    with_items(ledger, "http://tired.org/1")
    ledger.add_feed(make_feed("http://tired.org/feed"))
    ledger.hold_host("tired.org", NOW + timedelta(hours=2))
    ledger.hold_host("tired.org", NOW + timedelta(hours=1))  # the longer wish counts
    for worker in (ME, OTHER):
        assert ledger.claim_items(Owed.FETCH, NOW + timedelta(minutes=90), 10, worker, 60) == []
        assert not any("tired" in one.url for one in ledger.claim_feeds(NOW + timedelta(minutes=90), 10, worker, 60))
    later = NOW + timedelta(hours=2)
    assert len(ledger.claim_items(Owed.FETCH, later, 10, OTHER, 60)) == 1
    assert any("tired" in one.url for one in ledger.claim_feeds(later, 10, OTHER, 60))


def test_the_migrations_and_the_tables_agree(ledger: Ledger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from pipeline.ledger.tables import metadata

    with ledger._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


OPEN = """
import pathlib, sys
from datetime import UTC, datetime
from pipeline.ledger import Owed, open_ledger
ledger = open_ledger(sys.argv[1] if "://" in sys.argv[1] else pathlib.Path(sys.argv[1]))
"""


def begin(place: Path | str, program: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OPEN + program, str(place), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_that_open_one_new_ledger_at_once_all_succeed(place: Path | str) -> None:
    racers = [begin(place, "print(ledger.counts()['seen'])") for _ in range(4)]
    assert [racer.communicate()[0].strip() for racer in racers] == ["0"] * 4


def test_workers_that_claim_at_once_share_everything_out_without_overlap(ledger: Ledger, place: Path | str) -> None:
    with_items(ledger, *(f"http://e.org/{n}" for n in range(200)))
    program = """
now = datetime(2026, 11, 23, 12, tzinfo=UTC)
while taken := ledger.claim_items(Owed.FETCH, now, 7, sys.argv[2], 600):
    print("\\n".join(item.id for item in taken))
"""
    workers = [begin(place, program, f"w:{n}:0") for n in range(3)]
    taken = [line for worker in workers for line in worker.communicate()[0].split()]
    assert len(taken) == 200
    assert len(set(taken)) == 200


def _values(feed: Feed, **changes: object) -> dict[str, object]:
    from dataclasses import fields

    return {f.name: getattr(feed, f.name) for f in fields(feed)} | changes
