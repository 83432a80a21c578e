"""The DAGs run from end to end by ``dag.test()``, without a scheduler, on the loopback newsroom."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.demo import Newsroom
from pipeline.flow import utc_now
from pipeline.index import Kind, open_index
from pipeline.ledger import open_ledger
from pipeline.settings import load_settings
from tests.flow.test_kill import subscribe
from tests.support.airflow import DAGS, environment

RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
states = {}
for name, conf in json.loads(sys.argv[2]):
    run = bag.dags[name].test(run_conf=conf)
    states[name] = {f"{ti.task_id}[{ti.map_index}]": ti.state for ti in run.get_task_instances()} | {"": run.state}
print("STATES " + json.dumps(states))
"""


def run(home: Path, settings: dict[str, str], *dags: tuple[str, dict[str, object]]) -> dict[str, dict[str, str]]:
    """Run DAGs, one after the other; the states of their tasks, and their own under ""."""
    env = environment(home, 1, **settings)
    migrated = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=env, capture_output=True, text=True
    )
    assert migrated.returncode == 0, migrated.stderr[-3000:]
    command = [sys.executable, "-c", RUN, str(DAGS), json.dumps(dags)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=home)
    found = [line for line in done.stdout.splitlines() if line.startswith("STATES ")]
    assert found, done.stdout[-3000:] + done.stderr[-3000:]
    states: dict[str, dict[str, str]] = json.loads(found[0].removeprefix("STATES "))
    return states


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_poll_ingest_upkeep_and_replay_run_on_the_newsroom(tmp_path: Path) -> None:
    with Newsroom(datetime(2026, 11, 23, 12, tzinfo=UTC), slow=0.1) as room:
        folder = tmp_path / "data"
        subscribe(room, folder)
        settings = {
            "WIREWATCH_DATA": str(folder),
            "WIREWATCH_ALLOW_HOSTS": ",".join(room.hosts),
            "WIREWATCH_HOST_DELAY": "0",
        }
        states = run(
            tmp_path,
            settings,
            ("wire_poll", {}),
            ("wire_ingest", {}),
            ("wire_upkeep", {"daily": False}),
            ("wire_replay", {"from_stage": "extract", "dry_run": False, "feed": room.feeds[0].url}),
            ("wire_ingest", {}),
        )
        assert {name: found[""] for name, found in states.items()} == dict.fromkeys(states, "success")
        assert states["wire_poll"]["announce[-1]"] == "success"
        assert states["wire_poll"]["judge[-1]"] == states["wire_ingest"]["judge[-1]"] == "skipped"
        assert states["wire_ingest"]["batch.index[0]"] == "success"
        assert states["wire_upkeep"]["clean_airflow[-1]"] == "skipped"
        assert states["wire_replay"]["rebuild[-1]"] == "skipped"
        loaded = load_settings(folder)
        with closing(open_ledger(loaded.ledger_at)) as ledger, closing(open_index(loaded)) as index:
            counts = ledger.counts()
            assert counts["seen"] == counts["fetched"] == 0
            assert counts["indexed"] == index.count(Kind.ARTICLES) > 20
            assert index.count(Kind.CLAIMS) > 20
            assert not [key for key, _, _ in ledger.notes() if key.startswith("airflow")]


def test_a_task_that_fails_for_good_is_told_of_in_status_and_once_by_the_alert_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from pipeline.scheduling import clear_failures, tell_failure

    monkeypatch.setenv("WIREWATCH_DATA", str(tmp_path))
    task = SimpleNamespace(dag_id="wire_ingest", task_id="batch.index", run_id="manual", try_number=4)
    began = utc_now()
    tell_failure({"task_instance": task, "exception": RuntimeError("no space left on device")})
    tell_failure({"task_instance": task, "exception": RuntimeError("no space left on device")})
    with closing(open_ledger(load_settings().ledger_at)) as ledger:
        ((key, text, _),) = ledger.notes()
        assert key == "airflow: wire_ingest.batch.index"
        assert "no space left on device" in text
        (told,) = ledger.outbox.told()
        assert "no space left on device" in told.alert.headline
        assert {delivery.channel for delivery in told.deliveries} == {"log", "feed"}
        clear_failures({"dag_run": SimpleNamespace(dag_id="wire_ingest", start_date=began)})
        assert len(ledger.notes()) == 1, "this very run failed"
        clear_failures({"dag_run": SimpleNamespace(dag_id="wire_ingest", start_date=utc_now())})
        assert ledger.notes() == []
