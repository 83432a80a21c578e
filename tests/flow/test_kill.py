"""A worker that is killed at any moment loses nothing, doubles nothing, and leaves what an undisturbed run leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.demo import Newsroom
from pipeline.fetch import Archive
from pipeline.flow import utc_now
from pipeline.index import Kind, open_index
from pipeline.ledger import open_ledger
from pipeline.records import Document, Feed, Placement, feed_id, to_json
from pipeline.settings import Settings, load_settings
from pipeline.stories.register import Register
from tests.support.recorded_wire import RecordedWire, wire_available

KILLS = 50
SEED = 20261123


@contextmanager
def a_wire() -> Iterator[RecordedWire | Newsroom]:
    """The recorded wire; the demo's newsroom where it is absent."""
    wire = RecordedWire() if wire_available() else Newsroom(slow=0.1)
    with wire:
        yield wire


def environment(wire: RecordedWire | Newsroom, folder: Path) -> dict[str, str]:
    return os.environ | {
        "WIREWATCH_DATA": str(folder),
        "WIREWATCH_ALLOW_HOSTS": ",".join(wire.hosts),
        "WIREWATCH_HOST_DELAY": "0",
        # Few things in hand at once, so that every stage is cut into many pieces for the kills to fall between.
        "WIREWATCH_CONCURRENCY": "2",
        "WIREWATCH_BATCH": "5",
        # Enrichment is a pure function of the body: without it the test spends its time on what can go wrong.
        "WIREWATCH_ENRICH": "false",
    }


def begin(wire: RecordedWire | Newsroom, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline", "run", "--once", "--quiet"]
    return subprocess.Popen(command, env=environment(wire, folder), stderr=subprocess.PIPE)


def subscribe(wire: RecordedWire | Newsroom, folder: Path) -> Settings:
    settings = load_settings(folder, enrich=False)
    ledger = open_ledger(settings.ledger_at)
    for feed in wire.feeds:
        if feed.works:
            ledger.add_feed(Feed(id=feed_id(feed.url), url=feed.url, added=utc_now(), source=feed.title))
    ledger.close()
    return settings


def finish(wire: RecordedWire | Newsroom, folder: Path) -> None:
    process = begin(wire, folder)
    _, errors = process.communicate(timeout=280)
    assert process.returncode == 0, errors.decode()


def without_the_order(placement: Placement, names: dict[str, str]) -> Placement:
    """A placement without what depends on which article came first: a story is named by its least article, and
    carriers have no times, which are the clock's where the source gives none."""
    long_ago = datetime.min.replace(tzinfo=UTC)
    carriers = sorted(
        (replace(carrier, time=long_ago, minutes=0) for carrier in placement.carriers), key=lambda one: one.article
    )
    return replace(placement, story=names[placement.story], merged=(), minutes=0, carriers=tuple(carriers))


def outcome(settings: Settings) -> End:
    """The documents without the clock's and the archive's share in them, and the items by state."""
    index, ledger = open_index(settings), open_ledger(settings.ledger_at)
    documents: dict[str, bytes] = {}
    found = {key: document for key in index.ids() if (document := index.get(key)) is not None}
    assert Register(ledger).owed() == 0
    names: dict[str, str] = {}
    for key, document in sorted(found.items()):
        names.setdefault(document.placement.story, key)
    for key, document in found.items():
        assert isinstance(document, Document)
        assert document.placement == Register(ledger).placements([key])[key].placement
        article = replace(
            document.article, first_seen=utc_now().min.replace(tzinfo=document.article.first_seen.tzinfo), location=None
        )
        placement = without_the_order(document.placement, names)
        documents[key] = to_json(replace(document, article=article, placement=placement, indexed=None))
    assert index.check() == []
    assert index.count(Kind.ARTICLES) == len(documents)
    counts = ledger.counts()
    index.close()
    ledger.close()
    return documents, counts


End = tuple[dict[str, bytes], dict[str, int]]


def differences(found: End, expected: End) -> list[str]:
    """What differs between two end states, in a few words each."""
    said = [f"counts {found[1]} and not {expected[1]}"] if found[1] != expected[1] else []
    for key in sorted(found[0].keys() | expected[0].keys()):
        ours, theirs = found[0].get(key), expected[0].get(key)
        if ours is None or theirs is None:
            said.append(f"{key} is {'missing' if ours is None else 'too many'}: {(ours or theirs or b'')[:200]!r}")
        elif ours != theirs:
            at = next(n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
            said.append(f"{key} differs: {ours[at - 60 : at + 60]!r} and not {theirs[at - 60 : at + 60]!r}")
    return said


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_fifty_kills_change_nothing_in_the_end(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with a_wire() as wire:
        undisturbed = subscribe(wire, tmp_path / "undisturbed")
        finish(wire, undisturbed.data)
        expected, counts = outcome(undisturbed)
        assert len(expected) > 30

        disturbed, kills, round_ = subscribe(wire, tmp_path / "disturbed-0"), 0, 0
        while kills < KILLS:
            before = len(wire.requests)
            process = begin(wire, disturbed.data)
            wanted = chance.randint(1, 12)
            while process.poll() is None and len(wire.requests) < before + wanted:
                time.sleep(0.002)
            time.sleep(chance.uniform(0.0, 0.6))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
            if process.returncode == 0:  # it was done before it could be killed: look, and begin anew
                assert differences(outcome(disturbed), (expected, counts)) == []
                round_ += 1
                disturbed = subscribe(wire, tmp_path / f"disturbed-{round_}")
        finish(wire, disturbed.data)
        assert differences(outcome(disturbed), (expected, counts)) == []

        archive = Archive(disturbed.archive_folder, disturbed.warc_size)
        index = open_index(disturbed)
        for key in index.ids():
            document = index.get(key)
            assert document is not None
            if document.article.location is not None:
                assert archive.read(document.article.location).status == 200


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_resident_run_ends_cleanly_when_told_to(name: signal.Signals, tmp_path: Path) -> None:
    with a_wire() as wire:
        settings = subscribe(wire, tmp_path)
        command = [sys.executable, "-m", "pipeline", "run"]
        process = subprocess.Popen(command, env=environment(wire, tmp_path), stderr=subprocess.PIPE)
        while len(wire.requests) < 40 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(name)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors.decode()
        ledger = open_ledger(settings.ledger_at)
        owed = ledger.owed(utc_now())
        assert owed["fetch"]["in_hand"] == owed["index"]["in_hand"] == 0
        assert open_index(settings).check() == []


@pytest.mark.slow
def test_two_workers_on_one_folder_do_everything_once(tmp_path: Path) -> None:
    with a_wire() as wire:
        settings = subscribe(wire, tmp_path)
        for worker in [begin(wire, tmp_path), begin(wire, tmp_path)]:
            _, errors = worker.communicate(timeout=280)
            assert worker.returncode == 0, errors.decode()
        finish(wire, tmp_path)  # what one of them left while the other had it in hand
        documents, counts = outcome(settings)
        assert counts["seen"] == counts["fetched"] == counts["quarantined"] == 0
        assert counts["indexed"] == len(documents) > 30
        asked = [seen.url for seen in wire.requests if not seen.path.endswith("/robots.txt")]
        assert len(asked) == len(set(asked))
