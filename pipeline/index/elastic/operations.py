"""How the pipeline stands, put beside what it has indexed: what Kibana's Operations board reads.

What is owed is kept as a history, one document a stage and minute. Everything else is one document a thing that holds
now (a reason for quarantine, a feed that fails, a note for the operator), written anew each time and taken out when it
no longer holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from pipeline.index.elastic import connection
from pipeline.index.elastic.mappings import Part, alias, write_alias
from pipeline.index.fields import cut
from pipeline.records import digest

HISTORY = timedelta(days=30)
"""How long the history of what was owed is kept: a month's rhythm can be seen in it (2026-11-25)."""
SWEPT = 10_000
"""Documents taken out at once at most; what is left goes the next time."""


def report(client: Elasticsearch, prefix: str, where: str, rows: Iterable[Mapping[str, Any]], now: datetime) -> int:
    """Write down how things stand now, and take out what no longer holds. Returns how many documents were written.

    A row has ``kind`` and ``name``, and where they apply ``feed``, ``count``, ``reason`` and ``since``; those of kind
    ``owed`` are history. Workers may report at the same time: what they write is the same.

    Raises IndexUnavailableError.
    """
    documents = [_document(row, now) for row in rows]
    index = write_alias(prefix, Part.OPERATIONS)
    actions = ({"_index": index, "_id": document["id"], "_source": document} for document in documents)
    with connection.errors(where):
        for ok, item in streaming_bulk(client, actions, raise_on_error=False):
            if not ok:
                ((_, told),) = item.items()
                raise connection.unavailable(where, told["status"], connection.cause(told.get("error", {})))
        _sweep(client, prefix, now)
    return len(documents)


def _document(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The row as Elasticsearch keeps it. History has its minute in the id, what holds now only its name."""
    own = [row["kind"], row["name"], row.get("feed", "")]
    if row["kind"] == "owed":
        own.append(now.strftime("%Y-%m-%dT%H:%M"))
    values = dict(row) | {"id": digest("operations", *own), "time": now}
    return {
        name: cut(value) if isinstance(value, str) else value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def _sweep(client: Elasticsearch, prefix: str, now: datetime) -> None:
    index = alias(prefix, Part.OPERATIONS)
    client.indices.refresh(index=index)
    history = {"term": {"kind": "owed"}}
    over = {"bool": {"filter": [history, {"range": {"time": {"lt": (now - HISTORY).isoformat()}}}]}}
    past = {"bool": {"must_not": [history], "filter": [{"range": {"time": {"lt": now.isoformat()}}}]}}
    query = {"bool": {"should": [over, past], "minimum_should_match": 1}}
    found = client.search(index=index, query=query, size=SWEPT, source=False)["hits"]["hits"]
    gone = ({"_op_type": "delete", "_index": hit["_index"], "_id": hit["_id"]} for hit in found)
    for _ in streaming_bulk(client, gone, raise_on_error=False):
        pass
    if found:
        client.indices.refresh(index=index)
