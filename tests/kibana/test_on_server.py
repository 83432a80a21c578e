"""Kibana's saved objects on a real Elasticsearch: each one's query and aggregation, with data in.

Kibana itself cannot run here. ``asks`` stands in for it: it makes of a saved object the request that Kibana would send.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from pipeline.index import open_index, upkeep_of
from pipeline.index.elastic import mappings
from pipeline.index.elastic.mappings import PREFIX, alias
from pipeline.settings import Settings
from tests.conformance.wire import WIRE, at, document, entity
from tests.conftest import own_prefix
from tests.kibana.asks import Ask, asks, figures
from tests.kibana.test_objects import OBJECTS
from tests.support.elastic import ElasticServer

ASKS = [ask for each in OBJECTS for ask in asks(each)]
NOW = datetime(2026, 8, 25, 12, 0, tzinfo=UTC)

WITH_ALL = document(
    "everything",
    "Central bank of Kashmir opens in Srinagar",
    "The State Bank said that it would open in Srinagar.",
    published=at("2026-08-22T08:00:00"),
    indexed=at("2026-08-22T08:00:40"),
    entities=(
        entity("State Bank", "ORG"),
        entity("Asha Rao", "PERSON"),
        replace(entity("Srinagar", "GPE"), latitude=34.08, longitude=74.79, geonames=1255634, country="IN"),
    ),
)
ALERT: dict[str, Any] = {
    "id": "a1e7000000000000001",
    "rule": "Kashmir",
    "severity": "high",
    "headline": "Kashmir talks collapse",
    "matched": "the talks over Kashmir had collapsed",
    "why": "body has the word kashmir",
    "source": "Reuters",
    "state": "delivered",
    "fired": "2026-08-20T10:06:00Z",
}
ROWS: list[dict[str, Any]] = [
    {"kind": "owed", "name": "fetch", "count": 3},
    {"kind": "owed", "name": "index", "count": 0},
    {"kind": "quarantine", "name": "extract: timeout", "count": 2},
    {
        "kind": "failing",
        "name": "The Hindu",
        "feed": "f1",
        "count": 4,
        "reason": "503",
        "since": NOW - timedelta(days=1),
    },
    {"kind": "note", "name": "index", "count": 1, "reason": "waiting: it does not answer in time", "since": NOW},
]


@pytest.fixture(scope="module")
def prefix(elasticsearch: ElasticServer) -> Iterator[str]:
    """Indices with articles, claims, an alert and a report in them."""
    with own_prefix(elasticsearch) as prefix:
        fill(elasticsearch, prefix)
        yield prefix


def fill(elasticsearch: ElasticServer, prefix: str) -> None:
    settings = Settings(index=elasticsearch.url, index_prefix=prefix)
    upkeep = upkeep_of(settings)
    upkeep.init()
    index = open_index(settings)
    index.upsert([*WIRE.values(), WITH_ALL])
    index.close()
    upkeep.client.index(index=alias(prefix, mappings.Part.ALERTS), document=ALERT, id=ALERT["id"], refresh=True)
    upkeep.report(ROWS, NOW)
    upkeep.client.close()


@pytest.fixture(scope="module")
def client(elasticsearch: ElasticServer) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch.url, request_timeout=60) as client:
        yield client


def properties(part: str) -> dict[str, Any]:
    templates = mappings.load()
    found: dict[str, Any] = {}
    for name in templates.indices[part]["composed_of"]:
        found |= templates.components[name]["template"].get("mappings", {}).get("properties", {})
    return found | templates.indices[part]["template"]["mappings"]["properties"]


def mapped(part: str, name: str) -> dict[str, Any] | None:
    """The mapping of a field, or of a sub-field as in ``source.raw``."""
    whole = properties(part)
    if name in whole:
        return dict(whole[name])
    base, _, sub = name.rpartition(".")
    found = whole.get(base, {}).get("fields", {}).get(sub)
    return dict(found) if found else None


@pytest.mark.parametrize("each", [o for o in OBJECTS if o["type"] == "index-pattern"], ids=lambda each: each["id"])
def test_a_data_view_is_of_an_alias_that_index_init_makes_and_of_its_time(each: dict[str, Any]) -> None:
    assert each["attributes"]["title"] in {alias(PREFIX, part) for part in mappings.Part}
    field = mapped(each["attributes"]["title"], each["attributes"]["timeFieldName"])
    assert field is not None
    assert field["type"] == "date"


@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.what)
def test_every_field_that_is_named_is_in_the_mapping(ask: Ask) -> None:
    assert [name for name in ask.fields if mapped(ask.index, name) is None] == []


@pytest.mark.parametrize("ask", ASKS, ids=lambda ask: ask.what)
def test_what_it_asks_finds_something(ask: Ask, client: Elasticsearch, prefix: str) -> None:
    index = prefix + ask.index.removeprefix(PREFIX)
    answer = client.search(index=index, **ask.body).body
    assert answer["_shards"]["failed"] == 0
    if ask.body.get("aggs"):
        found = list(figures(answer["aggregations"]))
    elif "size" in ask.body and ask.body["size"] == 0:
        found = [answer["hits"]["total"]["value"]]
    else:
        found = [float(len(answer["hits"]["hits"]))]
    assert found, "the answer holds no figure"
    assert any(figure > 0 for figure in found)


def test_a_report_takes_out_what_no_longer_holds_and_keeps_the_history(
    elasticsearch: ElasticServer, elastic_prefix: str
) -> None:
    prefix = elastic_prefix
    upkeep = upkeep_of(Settings(index=elasticsearch.url, index_prefix=prefix))
    upkeep.init()
    upkeep.report(ROWS, NOW)
    later = NOW + timedelta(minutes=1)
    upkeep.report([{"kind": "owed", "name": "fetch", "count": 1}, ROWS[2] | {"count": 5}], later)
    hits = upkeep.client.search(index=alias(prefix, mappings.Part.OPERATIONS), size=100)["hits"]["hits"]
    kept = sorted((hit["_source"]["kind"], hit["_source"]["name"], hit["_source"]["count"]) for hit in hits)
    assert kept == [
        ("owed", "fetch", 1),
        ("owed", "fetch", 3),
        ("owed", "index", 0),
        ("quarantine", "extract: timeout", 5),
    ]
    upkeep.report([], NOW + timedelta(days=31))
    assert upkeep.client.count(index=alias(prefix, mappings.Part.OPERATIONS))["count"] == 0
    upkeep.client.close()
