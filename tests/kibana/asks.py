"""What Kibana asks of Elasticsearch for a saved object: for tests, since Kibana itself cannot run in them.

Only the operations that ``scripts/kibana.py`` makes are known here; any other is a KeyError, not a silent pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: to which alias, what, which fields it names, and where the figures stand in the answer."""

    what: str
    index: str
    body: Json
    fields: frozenset[str]


def asks(each: Mapping[str, Any]) -> Iterator[Ask]:
    """The requests of a saved object."""
    views = {reference["name"]: reference["id"] for reference in each["references"]}
    attributes = each["attributes"]
    title = f"{each['type']} {attributes['title']}"
    match each["type"]:
        case "lens":
            state = attributes["state"]
            for key, layer in state["datasourceStates"]["formBased"]["layers"].items():
                index = views[f"indexpattern-datasource-layer-{key}"]
                yield Ask(title, index, of_layer(layer, state["query"]), fields_of(layer))
        case "search":
            source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
            sort = [{name: {"order": order, "unmapped_type": "boolean"}} for name, order in attributes["sort"]]
            shown = frozenset([*attributes["columns"], *(name for name, _ in attributes["sort"])])
            body = {
                "query": query(source["query"]),
                "sort": sort,
                "size": 500,
                "fields": sorted(shown),
                "highlight": {"fields": {"*": {}}},
            }
            yield Ask(title, views[source["indexRefName"]], body, shown)
        case "map":
            for layer in json.loads(attributes["layerListJSON"]):
                source = layer["sourceDescriptor"]
                if source["type"] == "ES_GEO_GRID":
                    grid = {"geotile_grid": {"field": source["geoField"], "precision": 4, "size": 10_000}}
                    centre = {"centre": {"geo_centroid": {"field": source["geoField"]}}}
                    body = {"size": 0, "aggs": {"grid": grid | {"aggs": centre}}}
                    yield Ask(title, views[source["indexPatternRefName"]], body, frozenset([source["geoField"]]))
        case "dashboard":
            controls = json.loads(attributes.get("controlGroupInput", {}).get("panelsJSON", "{}"))
            for key, control in controls.items():
                name = control["explicitInput"]["fieldName"]
                body = {"size": 0, "aggs": {"suggestions": {"terms": {"field": name, "size": 10}}}}
                index = views[f"controlGroup_{key}:optionsListDataView"]
                yield Ask(f"{title}: control {name}", index, body, frozenset([name]))


def query(given: Mapping[str, str]) -> Json:
    """A query of Kibana's in the language that all of ours are in."""
    assert given["language"] == "lucene", given
    if not given["query"]:
        return {"match_all": {}}
    return {"query_string": {"query": given["query"], "analyze_wildcard": True, "time_zone": "UTC"}}


def fields_of(layer: Mapping[str, Any]) -> frozenset[str]:
    named = {column["sourceField"] for column in layer["columns"].values()} - {"___records___"}
    sorted_by = {c["params"]["sortField"] for c in layer["columns"].values() if "sortField" in c.get("params", {})}
    return frozenset(named | sorted_by)


def of_layer(layer: Mapping[str, Any], asked: Mapping[str, str]) -> Json:
    """The aggregation of a layer: its buckets one in the other in their order, the metrics in the innermost."""
    columns: Mapping[str, Any] = layer["columns"]
    metrics = {key: _metric(columns[key]) for key in layer["columnOrder"] if not columns[key]["isBucketed"]}
    inner = {key: body for key, body in metrics.items() if body}
    for key in reversed(layer["columnOrder"]):
        column = columns[key]
        if column["isBucketed"]:
            bucket = _bucket(column, columns)
            # Elasticsearch orders the values of a bucket by a metric of that very bucket.
            by = column["params"].get("orderBy", {}).get("columnId")
            own = {by: metrics[by]} if by and metrics.get(by) else {}
            inner = {key: bucket | ({"aggs": own | inner} if own or inner else {})}
    return {"size": 0, "track_total_hits": True, "query": query(asked), "aggs": inner}


def _bucket(column: Mapping[str, Any], columns: Mapping[str, Any]) -> Json:
    params = column["params"]
    match column["operationType"]:
        case "terms":
            by = params["orderBy"]["columnId"]
            key = "_count" if _is_plain_count(columns[by]) else by
            return {
                "terms": {
                    "field": column["sourceField"],
                    "size": params["size"],
                    "order": {key: params["orderDirection"]},
                }
            }
        case "date_histogram":
            # Kibana makes "auto" a fixed width by the span that is shown: three hours where that is a week.
            return {"date_histogram": {"field": column["sourceField"], "fixed_interval": "3h", "min_doc_count": 1}}
        case other:
            raise KeyError(other)


def _metric(column: Mapping[str, Any]) -> Json:
    name, params = column["sourceField"], column.get("params", {})
    body: Json
    match column["operationType"]:
        case "count":
            if "filter" not in column:
                return {}
            return {"filter": query(column["filter"])}
        case "unique_count":
            body = {"cardinality": {"field": name}}
        case "percentile":
            body = {"percentiles": {"field": name, "percents": [params["percentile"]]}}
        case "max" | "min" | "sum" | "avg" as operation:
            body = {operation: {"field": name}}
        case "last_value":
            newest = [{params["sortField"]: {"order": "desc"}}]
            body = {"top_hits": {"size": 1, "sort": newest, "_source": False, "docvalue_fields": [name]}}
        case other:
            raise KeyError(other)
    if "filter" in column:
        return {"filter": query(column["filter"]), "aggs": {"value": body}}
    return body


def _is_plain_count(column: Mapping[str, Any]) -> bool:
    return column["operationType"] == "count" and "filter" not in column


def figures(answer: Any) -> Iterator[float]:
    """Every figure in an answer's aggregations: counts of buckets, values of metrics, hits found."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            if key in {"doc_count", "value"} and isinstance(value, int | float):
                yield value
            elif key == "values" and isinstance(value, dict):
                yield from (figure for figure in value.values() if figure is not None)
            elif key == "hits" and isinstance(value, list):
                yield float(len(value))
            else:
                yield from figures(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from figures(value)
