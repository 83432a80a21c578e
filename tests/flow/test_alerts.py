"""Alerts from the flow: told when an article is indexed, once, and not for what was there before us."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from pipeline.flow import utc_now
from pipeline.ledger import AlertState
from pipeline.replay import replay
from tests.flow.test_flow import PAGE, Desk, html, make_desk, rss, xml
from tests.support.server import Reply, ScriptedServer

ITEM = "<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{date}</pubDate><description>{text}</description></item>"
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
RULES = (
    "- {name: boats, query: ferry, channels: [log]}\n- {name: strike, query: '\"nine-day strike\"', channels: [log]}\n"
)


def item(link: str, title: str = "Ferry service resumes", text: str = "Boats sail.", date: str = DATE) -> str:
    return ITEM.format(link=link, title=title, text=text, date=date)


def desk_with(folder: Path, server: ScriptedServer, rules: str = RULES, **more: Any) -> Desk:
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "rules.yaml").write_text(rules)
    desk = make_desk(folder, server.hosts, **more)
    desk.add(server.url("/feed"))
    return desk


def told(folder: Path) -> list[tuple[str, str]]:
    """(rule, headline) of every alert that was delivered to the log, in order."""
    try:
        lines = (folder / "alerts.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [(line["rule"], line["headline"]) for line in map(json.loads, lines)]


def test_the_first_poll_is_silent_and_what_comes_later_is_told_once(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        old, new = item(server.url("/old"), "Ferry of old"), item(server.url("/new"), "Ferry anew")
        bumped = item(server.url("/old"), "Ferry of old", date="Wed, 25 Nov 2026 10:00:00 GMT")
        server.on("/feed", xml(rss(old)), then=xml(rss(bumped, new)))
        for name in ("/old", "/new"):
            server.on(name, Reply(status=404))
        desk = desk_with(tmp_path, server)
        desk.pass_once()
        assert told(tmp_path) == []
        assert [one.state for one in desk.ledger.outbox.told()] == [AlertState.BASELINE]
        for _ in range(3):
            desk.pass_once()
        assert told(tmp_path) == [("boats", "Ferry anew")]


def test_what_was_there_at_the_first_poll_is_told_where_that_is_asked_for(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/feed", xml(rss(item(server.url("/ferry")))))
        server.on("/ferry", html())
        desk = desk_with(tmp_path, server, alert_on_baseline=True)
        desk.pass_once()
        assert sorted(told(tmp_path)) == [("boats", "Ferry service resumes"), ("strike", "Ferry service resumes")]


def test_a_page_that_replaces_the_feeds_text_tells_what_is_new_in_it_and_nothing_twice(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/feed", xml(rss(item(server.url("/ferry")))))
        server.on("/ferry", Reply(status=503), then=html())
        desk = desk_with(tmp_path, server, alert_on_baseline=True)
        desk.pass_once()
        assert told(tmp_path) == [("boats", "Ferry service resumes")]
        (waiting,) = desk.ledger.indexed_items()
        desk.ledger.owe_fetch(waiting.id, utc_now())  # an hour has passed
        desk.pass_once()
        assert told(tmp_path) == [("boats", "Ferry service resumes"), ("strike", "Ferry service resumes")]


def test_a_bad_rule_stops_no_other_and_is_in_status(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/feed", xml(rss(item(server.url("/ferry")))))
        server.on("/ferry", html())
        desk = desk_with(tmp_path, server, RULES + "- {name: bad, query: 'ferry AND'}\n", alert_on_baseline=True)
        tally = desk.pass_once()
        assert len(told(tmp_path)) == tally.counts["alerts-sent"] == 2
        notes = {key: text for key, text, _ in desk.ledger.notes()}
        assert "rules.yaml, line 3: bad: query: AND needs something on both sides" in notes["rules"]
        (tmp_path / "rules" / "rules.yaml").write_text(RULES)
        desk.pass_once()
        assert "rules" not in {key for key, _, _ in desk.ledger.notes()}


def test_a_run_without_rules_begins_no_courier(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/feed", xml(rss(item(server.url("/ferry")))))
        server.on("/ferry", html(PAGE))
        desk = make_desk(tmp_path, server.hosts)
        desk.add(server.url("/feed"))
        desk.pass_once()
        assert desk.ledger.outbox.counts()["owed"] == 0
        assert not (tmp_path / "alerts.jsonl").exists()


def test_a_replay_tells_nothing_unless_it_is_asked_and_then_only_what_is_new(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/feed", xml(rss(item(server.url("/ferry")))))
        server.on("/ferry", html())
        desk = desk_with(tmp_path, server, RULES.splitlines()[0] + "\n", alert_on_baseline=True)
        desk.pass_once()
        assert told(tmp_path) == [("boats", "Ferry service resumes")]
        (tmp_path / "rules" / "rules.yaml").write_text(RULES)
        desk.index.close()
        asyncio.run(replay(desk.settings, desk.ledger))
        assert len(desk.ledger.outbox.told()) == 1
        asyncio.run(replay(desk.settings, desk.ledger, alert=True))
        assert sorted(one.alert.rule for one in desk.ledger.outbox.told()) == ["boats", "strike"]
        assert desk.ledger.outbox.counts()["owed"] == 1
