"""A ledger that moves from its file to a server: all of it, and only into an empty database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import LedgerError
from pipeline.ledger import Fetched, Ledger, Owed, Quarantined, open_ledger
from pipeline.ledger.copying import copy_ledger
from pipeline.ledger.tables import metadata
from pipeline.records import Location
from tests.support.ledgers import ME, NOW, OTHER, with_items
from tests.support.postgres import PostgresServer, unavailable


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if reason := unavailable():
        pytest.skip(reason)
    with PostgresServer() as opened:
        yield opened


def fill(ledger: Ledger) -> None:
    with_items(ledger, *(f"http://h{n}.org/1" for n in range(2500)))
    one, two, three = ledger.claim_items(Owed.FETCH, NOW, 3, ME, 60)
    ledger.own([("article", one.id)])
    ledger.apply(
        [Fetched(one.id, Location(file="a.warc.gz", offset=7)), Quarantined(two.id, "fetch", "http-404", "HTTP 404")],
        NOW,
        ME,
    )
    ledger.note("index", "waiting: disk full", NOW)
    assert three.id


def contents(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    with ledger._read() as db:
        return {table.name: sorted(map(tuple, db.execute(select(table))), key=repr) for table in metadata.sorted_tables}


def test_a_copied_ledger_holds_the_same_and_owes_what_was_in_hand(tmp_path: Path, server: PostgresServer) -> None:
    source, target = open_ledger(tmp_path / "ledger.sqlite"), open_ledger(server.url(server.database()))
    fill(source)
    counts = copy_ledger(source, target)
    assert (counts["feeds"], counts["items"], counts["sightings"], counts["notes"]) == (1, 2500, 2500, 1)
    source.release(ME)
    assert contents(target) == contents(source)
    assert len(target.claim_items(Owed.FETCH, NOW, 5000, OTHER, 60)) == 2498
    source.close()
    target.close()


def test_a_database_that_holds_a_ledger_is_not_copied_into(tmp_path: Path, server: PostgresServer) -> None:
    source, target = open_ledger(tmp_path / "ledger.sqlite"), open_ledger(server.url(server.database()))
    fill(source)
    with_items(target, "http://other.example/1")
    before = contents(target)
    with pytest.raises(LedgerError, match="copy into an empty database"):
        copy_ledger(source, target)
    assert contents(target) == before
    source.close()
    target.close()


def test_the_command_copies_the_folders_ledger_to_where_the_setting_says(
    tmp_path: Path, server: PostgresServer
) -> None:
    source = open_ledger(tmp_path / "ledger.sqlite")
    fill(source)
    source.close()
    url = server.url(server.database())
    command = [sys.executable, "-m", "pipeline", "ledger", "copy", "--data", str(tmp_path)]
    done = subprocess.run(command, env=os.environ | {"WIREWATCH_LEDGER": url}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2500 items" in done.stdout
    nowhere = subprocess.run(command, capture_output=True, text=True)
    assert (nowhere.returncode, "WIREWATCH_LEDGER" in nowhere.stderr) == (4, True)


def test_a_server_that_goes_and_comes_back_costs_the_ledger_nothing(server: PostgresServer) -> None:
    ledger = open_ledger(server.url(server.database()))
    with_items(ledger, "http://e.org/1")
    server.stop()
    with pytest.raises(LedgerError, match=r"127\.0\.0\.1"):
        ledger.counts()
    server.start()
    assert ledger.counts()["seen"] == 1
    ledger.close()


def test_a_database_that_is_anothers_is_refused_and_a_password_is_never_shown(server: PostgresServer) -> None:
    url = server.url(server.database())
    other = open_ledger(url)
    with other._write() as db:
        for table in reversed(metadata.sorted_tables):
            table.drop(db)
    other.close()
    with pytest.raises(LedgerError, match="not a Wirewatch ledger"):
        open_ledger(url)
    secret = url.replace("postgres@", "nobody:hunter2@").replace(str(server.port), "1")
    with pytest.raises(LedgerError) as refused:
        open_ledger(secret)
    assert "hunter2" not in str(refused.value)
    assert "***" in str(refused.value)


@pytest.mark.slow
def test_four_workers_share_one_ledger_on_a_server_and_one_is_killed(tmp_path: Path, server: PostgresServer) -> None:
    """Each claims, waits a moment and writes down; the killed one's share comes back when its lease has run out."""
    url = server.url(server.database())
    ledger = open_ledger(url)
    with_items(ledger, *(f"http://h{n}.org/1" for n in range(400)))
    program = """
import sys, time
from pipeline.flow import utc_now
from pipeline.ledger import Indexed, Owed, open_ledger
ledger, me, pause = open_ledger(sys.argv[1]), sys.argv[2], float(sys.argv[3])
while taken := ledger.claim_items(Owed.FETCH, utc_now(), 5, me, 600):
    print("took", flush=True)
    time.sleep(pause)
    print(ledger.apply([Indexed(item.id, item.id, utc_now()) for item in taken], utc_now(), me), flush=True)
"""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, url, f"elsewhere:{n}:0", pause], stdout=subprocess.PIPE, text=True
        )
        for n, pause in enumerate(("600", "0.02", "0.02", "0.02"))
    ]
    victim, *others = workers
    assert victim.stdout is not None
    assert victim.stdout.readline() == "took\n"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    written = [int(line) for worker in others for line in worker.communicate()[0].split() if line != "took"]
    assert sum(written) == ledger.counts()["indexed"] == 395
    assert len(ledger.claim_items(Owed.FETCH, NOW + timedelta(days=3650), 500, OTHER, 60)) == 5
    ledger.close()
