"""What a resident worker tells over HTTP: that it lives, that it can work, and figures that add up."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.demo import Newsroom
from pipeline.errors import SettingsError
from pipeline.flow import Flow
from pipeline.metrics import registry_for
from tests.flow.test_flow import NOW, Desk, make_desk

Figures = dict[tuple[str, tuple[str, ...]], float]


def free_place() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


async def get(place: str, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{place}{path}") as response:
        return response.status, await response.text()


async def figures(place: str) -> Figures:
    """All samples by name and the values of their labels, sorted."""
    status, text = await get(place, "/metrics")
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def settled(desk: Desk, wanted: int) -> None:
    """Wait until every story has its outcome."""
    while True:
        counts = desk.ledger.counts()
        owed = desk.ledger.owed(NOW)
        done = sum(counts.values()) - counts["seen"] - counts["fetched"]
        if done == wanted and not any(stage["in_hand"] for stage in owed.values()):
            return
        await asyncio.sleep(0.1)


def test_outcomes_add_up_to_what_was_sent_over_two_editions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.metrics.KEEP", 0.0)

    async def scenario() -> None:
        flow = Flow(desk.settings, desk.ledger, desk.index)
        running = asyncio.create_task(flow.run())
        sent = len(room.articles)
        await asyncio.wait_for(settled(desk, sent), 200)
        first = await figures(place)
        for feed in desk.ledger.feeds():
            desk.ledger.touch_feed(feed.id, feed.added)
        room.advance()
        await asyncio.wait_for(settled(desk, len(room.articles)), 200)
        second = await figures(place)
        assert await get(place, "/healthz") == (200, "ok\n")
        assert await get(place, "/readyz") == (200, "ready\n")
        desk.ledger.note("index", "waiting: the disk is full", NOW)
        status, text = await get(place, "/readyz")
        assert (status, "the disk is full" in text) == (503, True)
        flow.stop()
        await running
        assert len(room.articles) > sent
        for seen, were_sent in ((first, sent), (second, len(room.articles))):
            outcomes = {labels[0]: value for (name, labels), value in seen.items() if name == "wirewatch_stories"}
            assert outcomes.pop("open") == 0
            assert sum(outcomes.values()) == were_sent
            assert seen["wirewatch_ledger_up", ()] == 1
            assert seen["wirewatch_feeds", ("failing",)] == seen["wirewatch_feeds_failing", ("not-a-feed",)] == 1
        for what in ("poll", "fetch", "make"):
            count = second["wirewatch_took_seconds_count", (what,)]
            assert second["wirewatch_took_seconds_bucket", ("+Inf", what)] == count > 0
        assert second["wirewatch_events_total", ("polled",)] == second["wirewatch_took_seconds_count", ("poll",)]

    place = free_place()
    with Newsroom(NOW, slow=0.0) as room:
        desk = make_desk(tmp_path, room.hosts, listen=place)
        desk.add(*(feed.url for feed in room.feeds))
        asyncio.run(scenario())


def test_a_place_that_is_taken_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        desk = make_desk(tmp_path, (), listen=place)
        with pytest.raises(SettingsError, match=f"'listen': {place}"):
            asyncio.run(Flow(desk.settings, desk.ledger, desk.index).run())


@pytest.mark.parametrize("place", ["9464", "localhost", "localhost:", ":80", "localhost:0", "localhost:99999", "a:b"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(SettingsError, match="must be host:port"):
        make_desk(tmp_path, (), listen=place)


def test_the_dashboard_asks_for_figures_that_there_are(tmp_path: Path) -> None:
    desk = make_desk(tmp_path, ())
    shift = Flow(desk.settings, desk.ledger, desk.index).shift
    shift.tally.took("poll", 0.2)
    shift.tally.add("polled")
    told = generate_latest(registry_for(shift)).decode()
    named = {sample.split("{")[0].split(" ")[0] for sample in told.splitlines()} | {
        line.split(" ")[2] for line in told.splitlines() if line.startswith("# TYPE")
    }
    dashboard = (Path(__file__).parents[2] / "ops" / "grafana-dashboard.json").read_text()
    asked = set(re.findall(r"wirewatch_\w+", dashboard))
    assert len(asked) > 8
    assert asked <= named
