"""What every scheduler has to get through: 240 articles from loopback feeds, with faults, and processes killed amid."""

from __future__ import annotations

import json
import signal
from collections import Counter
from contextlib import closing
from pathlib import Path

from pipeline.flow import utc_now
from pipeline.index import Kind, open_index
from pipeline.ledger import Ledger, open_ledger
from pipeline.records import Feed, feed_id
from pipeline.settings import Settings, load_settings
from tests.support.airflow import AirflowHost
from tests.support.press import Press
from tests.support.server import ScriptedServer


def settings_for(folder: Path, server: ScriptedServer, **more: str) -> tuple[Settings, dict[str, str]]:
    """The settings of this process, and the same for Airflow's environment."""
    given: dict[str, str] = {
        "allow_hosts": ",".join(server.hosts),
        "host_delay": "0",
        "per_host": "4",
        "min_interval": "5",
        "max_interval": "60",
        "alert_on_baseline": "true",
        "enrich": "false",  # a pure function of the body, and not what can go wrong here
        **more,
    }
    environment = {f"WIREWATCH_{name.upper()}": value for name, value in given.items()}
    return load_settings(folder, **given), environment | {"WIREWATCH_DATA": str(folder)}


def subscribe(settings: Settings, press: Press) -> None:
    settings.rules_folder.mkdir(parents=True)
    (settings.rules_folder / "rules.yaml").write_text(RULES)
    with closing(open_ledger(settings.ledger_at)) as ledger:
        for url in press.feeds:
            ledger.add_feed(Feed(id=feed_id(url), url=url, added=utc_now()))


RULES = "- {name: strikes, query: 'title:strike', channels: [log]}\n"
"""Fires for the articles of one feed."""


def told(settings: Settings) -> Counter[str]:
    """How often each article was alerted to."""
    lines = (settings.data / "alerts.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["headline"] for line in lines)


def done(ledger: Ledger, articles: int) -> bool:
    counts = ledger.counts()
    return counts["indexed"] == articles and not counts["seen"] and not counts["fetched"]


def get_through(airflow: AirflowHost, settings: Settings, press: Press, victims: tuple[str, ...]) -> None:
    """Wait until all is done, killing parts of Airflow in the middle, and look at what has come of it."""
    with closing(open_ledger(settings.ledger_at)) as ledger:
        airflow.wait_for("eleven feeds polled", lambda: sum(ledger.counts().values()) == 220)
        failing = [feed.url for feed in ledger.feeds() if feed.failures]
        assert failing == [press.feeds[-1]]

        # In the middle of the first batch, with all of their processes, the tasks among them.
        airflow.wait_for("some pages fetched", lambda: ledger.counts()["fetched"] + ledger.counts()["indexed"] > 30)
        for victim in victims:
            airflow.end(victim, signal.SIGKILL)
        assert ledger.counts()["indexed"] < 220, "it was too quick to be killed in the middle"
        for victim in victims:
            airflow.begin(victim)
        airflow.wait_for("the first batch done", lambda: done(ledger, 220) or done(ledger, 240))

        if not done(ledger, 240):  # the schedule would come to it by itself, within two minutes
            airflow.airflow("dags", "trigger", "wire_poll")
        airflow.wait_for("the failing feed read, and all of its articles done", lambda: done(ledger, 240))
        airflow.wait_for(
            "the last run told what became of its articles",
            lambda: not airflow.ask("SELECT 1 FROM dag_run WHERE dag_id = 'wire_ingest' AND state = 'running'"),
        )
        with closing(open_index(settings)) as index:
            assert index.count(Kind.ARTICLES) == 240
            assert index.check() == []
            documents = [document for key in index.ids() if (document := index.get(key)) is not None]
        assert Counter(document.article.body_source for document in documents) == {"page": 239, "feed": 1}
        assert {document.article.url for document in documents} == set(press.links)
        assert ledger.owed(utc_now())["index"] == {"now": 0, "later": 0, "in_hand": 0}
        assert not list(settings.claims_folder.glob("*")), "what was kept for the batches is gone with them"
    asked = Counter(seen.url for seen in press.server.requests if "/news/" in seen.path)
    assert set(asked) == set(press.links)
    assert max(asked.values()) <= 2, "once, and once more for what the kill had cost"
    alerts = told(settings)
    assert len(alerts) == press.EACH, alerts
    assert set(alerts.values()) == {1}, alerts
    assert airflow.ask("SELECT dag_id, run_id FROM dag_run WHERE state = 'failed'") == []
