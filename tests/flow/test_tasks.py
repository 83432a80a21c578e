"""The flow in tasks: rounds, batches and claims; any task begun again; the same end as a resident run's."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.demo import Newsroom
from pipeline.flow import tasks, utc_now
from pipeline.flow.kept import Kept, kept_claims, sweep
from pipeline.ledger import Again, Ledger, Owed, open_ledger
from pipeline.records import Article, Document, Feed, feed_id
from pipeline.replay import Selection, owe_again
from pipeline.settings import Settings, load_settings
from tests.flow.test_kill import End, differences, finish, outcome, subscribe

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STAGES: tuple[Callable[[Settings, str], dict[str, int]], ...] = (
    tasks.fetch,
    tasks.extract,
    tasks.enrich,
    tasks.index,
)


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom(NOW, slow=0.1) as room:
        yield room


def settings_in(folder: Path, room: Newsroom, **more: object) -> Settings:
    subscribe(room, folder)
    return load_settings(folder, allow_hosts=room.hosts, host_delay=0.0, per_host=8, enrich=False, **more)


def poll_all(settings: Settings) -> None:
    for batch in tasks.plan(settings, "polls"):
        tasks.poll(settings, batch.claim)
    tasks.finish(settings, "polls")


def ledger_of(settings: Settings) -> closing[Ledger]:
    return closing(open_ledger(settings.ledger_at))


@pytest.fixture(scope="module")
def expected(newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> End:
    """What a run of one pass makes of the same wire."""
    settings = subscribe(newsroom, tmp_path_factory.mktemp("run"))
    finish(newsroom, settings.data)
    return outcome(settings)


def test_a_round_of_tasks_ends_as_one_pass_of_a_run_does(tmp_path: Path, newsroom: Newsroom, expected: End) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    batches = tasks.claim(settings, "first", size=20)
    assert len(batches) > 1
    for batch in batches:
        for stage in STAGES:
            stage(settings, batch.claim)
    counts = tasks.finish(settings, "first")
    with ledger_of(settings) as ledger:
        assert counts == {state: count for state, count in ledger.counts().items() if count}
    assert differences(outcome(settings), expected) == []


def test_a_batch_in_one_task_ends_the_same(tmp_path: Path, newsroom: Newsroom, expected: End) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    for batch in tasks.claim(settings, "first"):
        tasks.ingest(settings, batch.claim)
    tasks.finish(settings, "first")
    assert differences(outcome(settings), expected) == []


def test_every_task_done_twice_changes_nothing_and_asks_for_no_page_again(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    for stage in STAGES:
        stage(settings, batch.claim)
        before = len(newsroom.requests)
        again = stage(settings, batch.claim)
        assert len(newsroom.requests) == before
        assert "fetched" not in again
        assert "indexed" not in again
    documents, counts = outcome(settings)
    assert counts["seen"] == counts["fetched"] == 0
    assert counts["indexed"] == len(documents)


def test_a_round_that_is_claimed_again_gives_back_what_it_had(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    first = tasks.plan(settings, "polls", shards=3)
    assert tasks.plan(settings, "polls", shards=3) == first
    assert tasks.plan(settings, "another round") == []
    poll_all(settings)
    claimed = tasks.claim(settings, "first", size=10)
    assert tasks.claim(settings, "first", size=10) == claimed
    everything = tasks.claim(settings, "first", size=1000)
    assert tasks.claim(settings, "second") == []
    tasks.finish(settings, "first")
    assert [batch.count for batch in tasks.claim(settings, "second", size=1000)] == [everything[0].count]


def test_one_hosts_feeds_and_pages_go_into_one_batch(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    with ledger_of(settings) as ledger:
        for host in range(5):
            for number in range(4):
                url = f"http://h{host}.example/{number}"
                ledger.add_feed(Feed(id=feed_id(url), url=url, added=utc_now()))
        batches = tasks.plan(settings, "polls", shards=3)
        hosts = [{feed.url.split("/")[2] for feed in ledger.held_feeds(batch.claim)} for batch in batches]
    assert sorted(len(part) for part in hosts) == [1, 2, 2]
    assert sum(len(part) for part in hosts) == len(set.union(*hosts))
    assert sorted(batch.count for batch in batches) == [4, 8, 8]


def test_a_host_with_much_to_fetch_does_not_crowd_out_the_others(tmp_path: Path) -> None:
    from tests.support.ledgers import with_items

    settings = load_settings(tmp_path)
    with ledger_of(settings) as ledger:
        with_items(
            ledger, *(f"http://big.example/{n}" for n in range(100)), *(f"http://h{n}.example/1" for n in range(20))
        )
        batches = tasks.claim(settings, "first", size=10, most=4)
        held = {batch.claim: ledger.held_items(batch.claim, Owed.FETCH, utc_now()) for batch in batches}
        hosts = [[item.host for item in items] for items in held.values()]
        assert sum(part.count("big.example") for part in hosts) == 10
        assert sum(map(len, hosts)) == 30
        assert ledger.owed(utc_now())["fetch"] == {"now": 90, "later": 0, "in_hand": 30}


def test_a_claim_outlives_the_process_that_made_it_and_not_its_lease(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    with ledger_of(settings) as ledger:
        assert ledger.release_dead() == []
        assert ledger.claim_items(Owed.FETCH, utc_now(), 10, "another", 60) == []
        expired = utc_now() + timedelta(seconds=settings.claim_lease + 1)
        taken = ledger.claim_items(Owed.FETCH, expired, 10, "another", 60)
        assert len(taken) == 10
        left = ledger.held_items(batch.claim, Owed.FETCH, utc_now())
        assert not {item.id for item in taken} & {item.id for item in left}


def test_a_batch_whose_lease_went_to_another_leaves_what_that_one_has_alone(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    tasks.fetch(settings, batch.claim)
    tasks.extract(settings, batch.claim)
    with ledger_of(settings) as ledger:
        expired = utc_now() + timedelta(seconds=settings.claim_lease + 1)
        taken = {item.id for item in ledger.claim_items(Owed.INDEX, expired, 5, "another", 6000)}
        tasks.enrich(settings, batch.claim)
        tasks.index(settings, batch.claim)
        for item in taken:
            found = ledger.item(item)
            assert found is not None
            assert found.indexed is None


def test_what_was_kept_is_made_again_where_it_is_lost_or_damaged(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    tasks.fetch(settings, batch.claim)
    tasks.extract(settings, batch.claim)
    articles = sorted(settings.claims_folder.rglob("*.article"))
    articles[0].unlink()
    articles[1].write_bytes(articles[1].read_bytes()[:100])
    articles[2].write_bytes(b"")
    tasks.enrich(settings, batch.claim)
    documents = sorted(settings.claims_folder.rglob("*.document"))
    documents[0].unlink()
    documents[1].write_bytes(b'{"article": 1}')
    tasks.index(settings, batch.claim)
    _, counts = outcome(settings)
    assert counts["fetched"] == counts["seen"] == 0


def test_a_batch_that_is_only_to_be_enriched_again_needs_no_archive(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    tasks.ingest(settings, batch.claim)
    tasks.finish(settings, "first")
    with ledger_of(settings) as ledger:
        meant = owe_again(ledger, Selection(), Again.ENRICH)
    shutil.rmtree(settings.archive_folder)
    (batch,) = tasks.claim(settings, "again", size=1000)
    assert batch.count == meant > 10
    pages = tasks.extract(settings, batch.claim)["extracted"]
    assert tasks.enrich(settings, batch.claim)["enriched"] == pages
    assert tasks.index(settings, batch.claim)["indexed"] == pages == meant
    tasks.finish(settings, "again")


def test_what_is_kept_goes_with_its_round_and_orphans_are_swept(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    tasks.fetch(settings, batch.claim)
    tasks.extract(settings, batch.claim)
    orphan = settings.claims_folder / "claim_0123456789ab-00"
    orphan.mkdir()
    with ledger_of(settings) as ledger:
        assert sweep(settings.claims_folder, ledger) == 1
        assert kept_claims(settings.claims_folder) == [batch.claim]
        tasks.finish(settings, "first")
        assert kept_claims(settings.claims_folder) == []


def test_kept_parts_come_back_as_they_were(tmp_path: Path, newsroom: Newsroom) -> None:
    settings = settings_in(tmp_path, newsroom)
    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    for stage in STAGES[:3]:
        stage(settings, batch.claim)
    kept = Kept(settings.claims_folder, batch.claim)
    for file in settings.claims_folder.rglob("*.document"):
        document, article = kept.get(file.stem, Document), kept.get(file.stem, Article)
        assert document is not None
        assert article is not None
        assert document.article.body == article.body


@pytest.mark.slow
def test_tasks_killed_at_any_moment_and_begun_again_end_as_an_undisturbed_run(
    tmp_path: Path, newsroom: Newsroom, expected: End
) -> None:
    settings = settings_in(tmp_path, newsroom)
    environment = os.environ | {
        "WIREWATCH_DATA": str(settings.data),
        "WIREWATCH_ALLOW_HOSTS": ",".join(newsroom.hosts),
        "WIREWATCH_HOST_DELAY": "0",
        "WIREWATCH_CONCURRENCY": "2",
        "WIREWATCH_BATCH": "3",
        "WIREWATCH_ENRICH": "false",
    }

    def progress() -> tuple[int, int, int]:
        kept = sum(1 for file in settings.claims_folder.rglob("*") if file.is_file())
        return len(newsroom.requests), kept, ledger.counts()["indexed"]

    def until_done(*arguments: str) -> int:
        """Run a task, killing it twice as soon as it has done something. Returns how often it was killed."""
        kills = 0
        while True:
            before = progress()
            command = [sys.executable, "-m", "pipeline", "task", *arguments, "--json"]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            while kills < 2 and process.poll() is None and progress() == before:
                time.sleep(0.005)
            if kills < 2 and process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            _, errors = process.communicate()
            if process.returncode != -signal.SIGKILL:
                assert process.returncode == 0, errors.decode()
                return kills

    poll_all(settings)
    (batch,) = tasks.claim(settings, "first", size=1000)
    with ledger_of(settings) as ledger:
        kills = [until_done(stage, batch.claim) for stage in ("fetch", "extract", "enrich", "index")]
    assert min(kills) >= 1, kills
    counts = tasks.finish(settings, "first")
    assert "seen" not in counts
    assert "fetched" not in counts
    assert differences(outcome(settings), expected) == []


def test_a_feed_whose_poll_is_stored_while_the_next_are_looked_for_is_not_polled_again(tmp_path: Path) -> None:
    """The look and the end of a poll cross: what the look saw as held is done by the time that it returns."""
    from pipeline.flow.batch import BatchShift

    settings = load_settings(tmp_path)
    with ledger_of(settings) as ledger:
        for url in ("http://a.example/1", "http://b.example/1"):
            ledger.add_feed(Feed(id=feed_id(url), url=url, added=utc_now()))
        (batch,) = tasks.plan(settings, "polls", shards=1)
        look = ledger.held_feeds
        shift = BatchShift(settings, ledger, batch.claim)

        async def crossing() -> None:
            first, second = await shift.claim_feeds(utc_now(), 10, {})

            def slow_look(claim: str) -> list[Feed]:
                found = look(claim)
                ledger.store_poll([], lambda _: first)
                shift.polled(first)
                return found

            ledger.held_feeds = slow_look  # type: ignore[method-assign]
            assert await shift.claim_feeds(utc_now(), 10, {}) == []
            assert second.id in {feed.id for feed in look(batch.claim)}

        asyncio.run(crossing())
        shift.close()
