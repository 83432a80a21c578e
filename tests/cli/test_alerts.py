"""``wirewatch alerts`` as its users meet it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli.terminal import FAILED, USAGE
from tests.cli.test_cli import Call, caller, records
from tests.flow.test_alerts import item
from tests.flow.test_flow import html, rss, xml
from tests.support.server import Reply, ScriptedServer

RULES = """\
- {name: boats, query: ferry, severity: high}
- {name: hook, query: strike, channels: [nowhere]}
"""
CHANNELS = "channels:\n  nowhere: {type: webhook, url: 'http://127.0.0.1:9/', secret: {env: NO_SUCH_SECRET}}\n"


@dataclass
class Folder:
    path: Path
    call: Call

    def rules(self, text: str) -> None:
        (self.path / "rules" / "rules.yaml").write_text(text)


@pytest.fixture(scope="module")
def alerted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A data folder whose second pass brought an article that both rules fire on; one channel cannot deliver."""
    path = tmp_path_factory.mktemp("data")
    (path / "rules").mkdir()
    with ScriptedServer() as server:
        server.on(
            "/feed", xml(rss(item(server.url("/old"), "Ferry of old"))), then=xml(rss(item(server.url("/ferry"))))
        )
        server.on("/old", Reply(status=404))
        server.on("/ferry", html())
        folder = Folder(path, caller(path, server.hosts))
        folder.rules(RULES)
        (path / "rules" / "channels.yaml").write_text(CHANNELS)
        assert folder.call("feeds", "add", server.url("/feed")).exit_code == 0
        for _ in range(2):
            ran = folder.call("run", "--once", "--quiet")
            assert ran.exit_code == 0, ran.output
            from pipeline.ledger import open_ledger

            ledger = open_ledger(path / "ledger.sqlite")
            for feed in ledger.feeds():
                ledger.touch_feed(feed.id, feed.added)
            ledger.close()
        yield folder


def test_check_says_that_all_is_well_and_which_secret_is_not_there(alerted: Folder) -> None:
    result = alerted.call("alerts", "check")
    assert result.exit_code == 0, result.output
    assert "2 rules and 1 channel" in result.output
    assert "NO_SUCH_SECRET is not there" in result.output


def test_check_names_file_line_and_reason_and_what_stays_in_force(alerted: Folder) -> None:
    alerted.rules(RULES.replace("query: ferry", "query: ferry AND"))
    try:
        result = alerted.call("alerts", "check", "--json")
        assert result.exit_code == FAILED
        (found,) = [json.loads(line) for line in result.stdout.splitlines()]
        assert found["faults"][0]["file"] == "rules.yaml"
        assert (found["faults"][0]["line"], found["faults"][0]["name"]) == (1, "boats")
        assert [kept["name"] for kept in found["last_good"]] == ["boats"]
        assert "rules.yaml, line 1: boats: query: AND needs" in alerted.call("alerts", "check").stderr
    finally:
        alerted.rules(RULES)


def test_list_shows_what_fired_and_what_became_of_it(alerted: Folder) -> None:
    found = records(alerted.call("alerts", "list", "--json"))
    states = {(one["alert"]["rule"], one["alert"]["headline"]): one["state"] for one in found}
    assert states == {
        ("boats", "Ferry service resumes"): "fired",
        ("hook", "Ferry service resumes"): "fired",
        ("boats", "Ferry of old"): "baseline",
    }
    shown = alerted.call("alerts", "list", "--rule", "boats").output
    assert "log sent" in shown
    assert "baseline" in shown
    assert len(records(alerted.call("alerts", "list", "--state", "owed", "--json"))) == 1
    assert alerted.call("alerts", "list", "--state", "lost").exit_code == USAGE


def test_explain_says_why_it_fired_and_why_it_was_not_delivered(alerted: Folder) -> None:
    ids = {
        one["alert"]["rule"]: one["alert"]["id"]
        for one in records(alerted.call("alerts", "list", "--state", "fired", "--json"))
    }
    shown = alerted.call("alerts", "explain", ids["boats"][:8]).output
    assert "why: ferry in title (Ferry); ferry in body (Ferry)" in shown
    assert "log: sent" in shown
    assert "NO_SUCH_SECRET is not set" in alerted.call("alerts", "explain", ids["hook"]).output
    missing = alerted.call("alerts", "explain", "0000000")
    assert (missing.exit_code, "no such alert" in missing.stderr) == (FAILED, True)


def test_a_rule_is_rehearsed_on_the_index_and_sends_nothing(alerted: Folder, tmp_path: Path) -> None:
    before = (alerted.path / "alerts.jsonl").read_bytes()
    count, alert = records(alerted.call("alerts", "test", "boats", "--json"))
    assert (count["count"], alert["headline"]) == (1, "Ferry service resumes")
    assert records(alerted.call("alerts", "test", "boats", "--baseline", "--json"))[0]["count"] == 2
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\nquery: '\"nine-day strike\"~1 OR nothing'\n")
    assert "mine would have fired 1 time" in alerted.call("alerts", "test", str(mine)).output
    mine.write_text("name: mine\nquery: 'titel:x'\n")
    assert "did you mean 'title'" in alerted.call("alerts", "test", str(mine)).stderr
    assert "there is no rule 'boots'" in alerted.call("alerts", "test", "boots").stderr
    assert (alerted.path / "alerts.jsonl").read_bytes() == before


def test_a_rule_is_silenced_for_a_while_and_speaks_again(alerted: Folder) -> None:
    assert "is silent until" in alerted.call("alerts", "silence", "boats", "--for", "2h").output
    assert "boats is silenced" in alerted.call("alerts", "list").output
    assert records(alerted.call("alerts", "silence", "boats", "--off", "--json")) == [{"rule": "boats", "until": None}]
    assert alerted.call("alerts", "silence", "boats", "--for", "soon").exit_code == USAGE
    assert alerted.call("alerts", "silence", "boots", "--for", "2h").exit_code == FAILED


def test_retry_wants_ids_or_all_and_counts(alerted: Folder) -> None:
    assert alerted.call("alerts", "retry").exit_code == USAGE
    assert records(alerted.call("alerts", "retry", "--all", "--json")) == [{"retried": 0}]


def test_status_counts_what_is_owed_and_sent(alerted: Folder) -> None:
    (status,) = records(alerted.call("status", "--json"))
    assert (status["alerts"]["sent"], status["alerts"]["owed"], status["alerts"]["baseline"]) == (2, 1, 1)
    assert "undeliverable" not in alerted.call("status").output
