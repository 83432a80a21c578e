"""A page that fills memory ends the process that reads it, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.flow.test_flow import ITEM, html, make_desk, rss, xml
from tests.support.server import ScriptedServer


def test_a_page_that_takes_too_much_memory_costs_only_itself(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        greedy = "<html><title>Greedy</title><body>" + "<p>x" * 1_240_000
        links = [ITEM.format(link=server.url(path), text="Boats.") for path in ("/greedy", "/ferry")]
        server.on("/feed", xml(rss(*links)))
        server.on("/greedy", html(greedy))
        server.on("/ferry", html())
        desk = make_desk(tmp_path, server.hosts, page_memory=256 * 1024**2)
        desk.add(server.url("/feed"))
        assert desk.pass_once().counts["indexed"] == 2
        articles = {url.rpartition("/")[2]: document.article for url, document in desk.documents().items()}
        assert (articles["greedy"].body_source, articles["ferry"].body_source) == ("feed", "page")
        assert articles["greedy"].body_reason == "extraction took more than 256 MB of memory"
        (item,) = desk.ledger.quarantined()
        assert (item.stage, item.code) == ("extract", "memory")
