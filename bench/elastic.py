"""How fast Elasticsearch is filled and searched through Wirewatch, beside its own client fed with what is ready.

The articles are those of ``bench.search``. Peer of the filling: ``helpers.streaming_bulk`` of the official client, with
its own chunk size, over dicts that were made before the clock runs: the same sources, ids and external versions. Ours
makes them from documents, sees to versions and looks for claims left over. Both end with a refresh. They take turns,
each into indices of its own that are new each time, and the best of each counts: the server's own work (merges,
compilation) would else decide. Peer of the searching: the raw client, with the query as Elasticsearch's own
``query_string``, the best 20, sources decoded.

    python -m bench.elastic [--articles 10000] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from bench.search import QUERIES, Newsroom, Question, kinds
from pipeline.index import open_index, upkeep_of
from pipeline.index.elastic.documents import article_source, claim_sources
from pipeline.records import Document
from pipeline.settings import Settings
from tests.support.elastic import ElasticServer, NotHadError

TARGET = 0.9
"""Our articles a second as a share of the peer's."""
TURNS = 3
ASKED = ("term", "phrase", "boolean", "range", "prefix", "with facets")


def actions(documents: list[Document], prefix: str) -> list[dict[str, Any]]:
    """What the peer is fed with."""
    made: list[dict[str, Any]] = []
    for document in documents:
        versioned = {"_version": document.article.version, "_version_type": "external_gte"}
        source = article_source(document)
        made.append({"_index": f"{prefix}-articles-write", "_id": document.article.id, "_source": source} | versioned)
        made += [
            {"_index": f"{prefix}-claims-write", "_id": claim["id"], "_source": claim} | versioned
            for claim in claim_sources(document)
        ]
    return made


def fill_by_peer(client: Elasticsearch, ready: list[dict[str, Any]], prefix: str) -> float:
    started = time.perf_counter()
    for ok, item in streaming_bulk(client, ready):
        assert ok, item
    client.indices.refresh(index=f"{prefix}-*")
    return time.perf_counter() - started


def fill(settings: Settings, documents: list[Document]) -> float:
    index = open_index(settings)
    started = time.perf_counter()
    index.upsert(documents)
    took = time.perf_counter() - started
    index.close()
    return took


def timed(ask: Callable[[Question], object], questions: list[Question]) -> dict[str, float]:
    for question in questions[:20]:
        ask(question)
    took = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        took.append((time.perf_counter() - started) * 1_000)
    return {"p50_ms": statistics.median(took), "p95_ms": statistics.quantiles(took, n=20)[18]}


def raw(client: Elasticsearch, prefix: str) -> Callable[[Question], int]:
    """Asks for the same with the client alone."""

    def ask(question: Question) -> int:
        request = question.request
        aggs = {name: {"terms": {"field": f"{name}.raw", "size": 10}} for name in request.facets}
        answer = client.search(
            index=f"{prefix}-articles",
            query={"query_string": {"query": request.query, "fields": ["title^2", "body"], "default_operator": "and"}},
            size=20,
            track_total_hits=True,
            aggs=aggs or None,
        )
        return int(answer["hits"]["total"]["value"])

    return ask


def measure(articles: int) -> dict[str, Any]:
    """Raises NotHadError."""
    room = Newsroom()
    documents = [room.article(n) for n in range(articles)]
    with tempfile.TemporaryDirectory() as folder, ElasticServer(heap="1g", quick=False) as server:
        client = Elasticsearch(server.url, request_timeout=120)
        seconds: dict[str, list[float]] = {"ours": [], "streaming_bulk": []}
        for prefix, who in _turns():
            settings = Settings(data=Path(folder), index=server.url, index_prefix=prefix)
            upkeep_of(settings).init()
            if who == "ours":
                seconds[who].append(fill(settings, documents))
                kept = settings
            else:
                seconds[who].append(fill_by_peer(client, actions(documents, prefix), prefix))
            if who != "ours" or prefix != f"ours{TURNS}":
                client.indices.delete(index=f"{prefix}-articles-000001,{prefix}-claims-000001")
        rates = {who: articles / min(took[1:]) for who, took in seconds.items()}
        client.indices.forcemerge(index=f"{kept.index_prefix}-*", max_num_segments=1)
        index = open_index(kept)
        makers = kinds(room, documents)
        searches = {}
        for name in ASKED:
            questions = [makers[name]() for _ in range(QUERIES)]
            searches[name] = {
                "ours": timed(lambda question: index.search(question.request), questions),
                "raw": timed(raw(client, kept.index_prefix), questions),
            }
        index.close()
        client.close()
    return {
        "articles_per_s": rates,
        "ratio": rates["ours"] / rates["streaming_bulk"],
        "seconds": seconds,
        "search": searches,
    }


def _turns() -> Iterator[tuple[str, str]]:
    """Prefix and who, in turns; the first of each warms the server up and does not count."""
    for turn in range(TURNS + 1):
        for who in ("peer", "ours"):
            yield f"{who}{turn}", "ours" if who == "ours" else "streaming_bulk"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        figures = measure(options.articles)
    except NotHadError as error:
        print(f"skipped: {error}")
        return 0
    if options.json:
        print(json.dumps(figures))
        return 0
    rates = figures["articles_per_s"]
    print(
        f"{options.articles:,} articles with three claims each into Elasticsearch: {rates['ours']:,.0f} a second, "
        f"streaming_bulk fed with ready dicts {rates['streaming_bulk']:,.0f}: {figures['ratio']:.2f} times"
        + ("" if figures["ratio"] >= TARGET else f"  below {TARGET}")
    )
    print(f"\n{'milliseconds':<14}{'p50':>8}{'p95':>8}{'raw p50':>9}{'raw p95':>9}")
    for name, pair in figures["search"].items():
        ours, theirs = pair["ours"], pair["raw"]
        print(f"{name:<14}{ours['p50_ms']:>8.1f}{ours['p95_ms']:>8.1f}{theirs['p50_ms']:>9.1f}{theirs['p95_ms']:>9.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
