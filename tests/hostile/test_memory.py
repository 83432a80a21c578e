"""A page that fills memory ends the process that reads it, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.flow.test_flow import ITEM, html, make_desk, rss, xml
from tests.support.server import ScriptedServer


def test_a_page_that_takes_too_much_memory_costs_only_itself(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        greedy = "<html><title>Greedy</title><body>" + "<p>x" * 1_240_000
        ferries = [f"/ferry-{number}" for number in range(9)]  # what is not enriched is handed over eight at a time
        links = [ITEM.format(link=server.url(path), text="Boats.") for path in ("/greedy", *ferries)]
        server.on("/feed", xml(rss(*links)))
        server.on("/greedy", html(greedy))
        for path in ferries:
            server.on(path, html())
        desk = make_desk(tmp_path, server.hosts, page_memory=256 * 1024**2)
        desk.add(server.url("/feed"))
        counts = desk.pass_once().counts
        assert (counts["indexed"], counts["duplicates"]) == (2, 8)  # the nine are one page at nine addresses
        articles = {url.rpartition("/")[2]: document.article for url, document in desk.documents().items()}
        greedy_one = articles.pop("greedy")
        assert greedy_one.body_source == "feed"
        assert [article.body_source for article in articles.values()] == ["page"]
        assert greedy_one.body_reason == "extraction took more than 256 MB of memory"
        (item,) = desk.ledger.quarantined()
        assert (item.stage, item.code) == ("extract", "memory")
