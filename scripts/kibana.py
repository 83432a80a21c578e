"""Writes ``mappings/kibana.ndjson``: Kibana's data views, saved searches, visualisations and dashboards.

What a dashboard shows is said below in a few words a panel, and comes out as the saved objects that Kibana imports
(Stack Management → Saved Objects, or ``POST /api/saved_objects/_import``). Ids are fixed, so that importing anew
replaces what was there. Queries are Lucene's, as everywhere in Wirewatch. Run by ``make kibana``; a test holds that the
file is what comes out here, and runs every query and aggregation in it on a real Elasticsearch.

The versions in the objects are those from which Kibana 9 migrates them when it takes them in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "mappings" / "kibana.ndjson"

CORE_VERSION = "8.8.0"
TYPE_VERSIONS = {"index-pattern": "8.0.0", "search": "8.0.0", "lens": "8.9.0", "map": "8.4.0", "dashboard": "8.9.0"}

Json = dict[str, Any]

# -- the pieces ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """A data view: an alias that is searched, and the field that the time picker goes by."""

    id: str
    name: str
    time: str


ARTICLES = View("wire-articles", "Wirewatch articles", "time")
CLAIMS = View("wire-claims", "Wirewatch claims", "time")
ALERTS = View("wire-alerts", "Wirewatch alerts", "fired")
OPERATIONS = View("wire-operations", "Wirewatch operations", "time")


@dataclass(frozen=True, slots=True)
class Panel:
    """What stands on a dashboard: an object, and its size on Kibana's grid of 48 columns."""

    type: str
    id: str
    attributes: Json
    references: list[Json]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a visualisation's data: a bucket or a metric."""

    id: str
    body: Json = field(default_factory=dict)

    @property
    def bucket(self) -> bool:
        return bool(self.body["isBucketed"])


def lucene(query: str = "") -> Json:
    return {"query": query, "language": "lucene"}


def top(
    name: str, label: str, *, size: int = 10, by: str = "count", other: bool = False, kind: str = "string"
) -> Column:
    """The values of a field that the metric ``by`` makes the largest, ``other`` for one more that sums up the rest."""
    params: Json = {
        "size": size,
        "orderBy": {"type": "column", "columnId": by},
        "orderDirection": "desc",
        "otherBucket": other,
        "missingBucket": False,
        "parentFormat": {"id": "terms"},
    }
    return _column(name.removesuffix(".raw"), label, kind, "terms", name, bucketed=True, scale="ordinal", params=params)


def over_time(name: str) -> Column:
    """Buckets of time, as wide as suits the span that is shown."""
    params = {"interval": "auto", "includeEmptyRows": True, "dropPartials": False}
    return _column("when", "Time", "date", "date_histogram", name, bucketed=True, scale="interval", params=params)


def count(label: str = "Count", *, only: str = "") -> Column:
    """How many documents; ``only`` those that a query finds."""
    extra = {"filter": lucene(only)} if only else {}
    return _column("count", label, "number", "count", "___records___", params={"emptyAsNull": False}, **extra)


def unique(name: str, label: str) -> Column:
    return _column("unique", label, "number", "unique_count", name, params={"emptyAsNull": False})


def metric(operation: str, name: str, label: str, *, only: str = "", kind: str = "number", **params: Any) -> Column:
    """``max``, ``min``, ``sum``, ``average`` or ``percentile`` of a field."""
    extra: Json = {"filter": lucene(only)} if only else {}
    id_ = "_".join(str(part) for part in (operation, name, *params.values()))
    return _column(id_, label, kind, operation, name, params={"emptyAsNull": True} | params, **extra)


def last(name: str, label: str, *, by: str = "time", kind: str = "string") -> Column:
    """The newest document's value of a field."""
    params = {"sortField": by, "showArrayValues": False}
    extra: Json = {"filter": lucene(f"_exists_:{name}")}
    return _column(f"last_{name.removesuffix('.raw')}", label, kind, "last_value", name, params=params, **extra)


def _column(
    id_: str,
    label: str,
    kind: str,
    operation: str,
    name: str,
    *,
    bucketed: bool = False,
    scale: str = "ratio",
    **rest: Any,
) -> Column:
    body = {
        "label": label,
        "customLabel": True,
        "dataType": kind,
        "operationType": operation,
        "sourceField": name,
        "isBucketed": bucketed,
        "scale": scale,
    }
    return Column(id_, body | rest)


# -- visualisations --------------------------------------------------------------------------------------------------


def lens(
    id_: str,
    title: str,
    view: View,
    kind: str,
    columns: Sequence[Column],
    visualization: Json,
    *,
    query: str = "",
    width: int,
    height: int,
    about: str = "",
) -> Panel:
    """A Lens visualisation of one layer. Buckets come before metrics, as Lens wants them."""
    ordered = [c for c in columns if c.bucket] + [c for c in columns if not c.bucket]
    layer = {
        "columns": {column.id: column.body for column in ordered},
        "columnOrder": [column.id for column in ordered],
        "incompleteColumns": {},
        "sampling": 1,
        "ignoreGlobalFilters": False,
    }
    attributes = {
        "title": title,
        "description": about,
        "visualizationType": kind,
        "state": {
            "datasourceStates": {"formBased": {"layers": {"layer": layer}}},
            "visualization": visualization,
            "query": lucene(query),
            "filters": [],
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }
    references = [{"type": "index-pattern", "id": view.id, "name": "indexpattern-datasource-layer-layer"}]
    return Panel("lens", id_, attributes, references, width, height)


def chart(id_: str, title: str, view: View, series: str, x: Column, y: Sequence[Column], **rest: Any) -> Panel:
    """An xy chart: ``series`` is Lens's name for its shape; ``split`` cuts it by one more bucket."""
    split: Column | None = rest.pop("split", None)
    layer: Json = {
        "layerId": "layer",
        "layerType": "data",
        "seriesType": series,
        "xAccessor": x.id,
        "accessors": [column.id for column in y],
    }
    if split is not None:
        layer["splitAccessor"] = split.id
    visualization = {
        "preferredSeriesType": series,
        "layers": [layer],
        "legend": {"isVisible": split is not None or len(y) > 1, "position": "right", "shouldTruncate": True},
        "valueLabels": "hide",
        "fittingFunction": "None",
        "axisTitlesVisibilitySettings": {"x": False, "yLeft": False, "yRight": False},
    }
    # Elasticsearch nests buckets in this order. Over time the split stands outside: the same lines run all through.
    buckets = [x] if split is None else [split, x] if x.body["operationType"] == "date_histogram" else [x, split]
    return lens(id_, title, view, "lnsXY", [*buckets, *y], visualization, **rest)


def bars(id_: str, title: str, view: View, name: str, label: str, *, size: int = 10, **rest: Any) -> Panel:
    """The most frequent values of a field, the longest bar on top."""
    rest = {"width": 16, "height": 14} | rest
    return chart(id_, title, view, "bar_horizontal", top(name, label, size=size), [count()], **rest)


def number(id_: str, title: str, view: View, column: Column, *, query: str = "", width: int = 8) -> Panel:
    visualization = {"layerId": "layer", "layerType": "data", "metricAccessor": column.id}
    return lens(id_, title, view, "lnsMetric", [column], visualization, query=query, width=width, height=6)


def donut(id_: str, title: str, view: View, bucket: Column, *, width: int = 16, height: int = 14) -> Panel:
    layer = {
        "layerId": "layer",
        "layerType": "data",
        "primaryGroups": [bucket.id],
        "metrics": ["count"],
        "numberDisplay": "percent",
        "categoryDisplay": "default",
        "legendDisplay": "default",
        "nestedLegend": False,
    }
    visualization = {"shape": "donut", "layers": [layer]}
    return lens(id_, title, view, "lnsPie", [bucket, count()], visualization, width=width, height=height)


def table(id_: str, title: str, view: View, columns: Sequence[Column], **rest: Any) -> Panel:
    visualization = {
        "layerId": "layer",
        "layerType": "data",
        "columns": [{"columnId": column.id, "isTransposed": False} for column in columns],
        "paging": {"size": 10, "enabled": True},
        "rowHeight": "auto",
    }
    rest = {"width": 24, "height": 14} | rest
    return lens(id_, title, view, "lnsDatatable", columns, visualization, **rest)


def found(id_: str, title: str, view: View, columns: Sequence[str], *, query: str = "", about: str = "") -> Panel:
    """A saved search: documents, newest first."""
    source = {
        "query": lucene(query),
        "filter": [],
        "indexRefName": "kibanaSavedObjectMeta.searchSourceJSON.index",
        "highlightAll": True,
        "version": True,
    }
    attributes = {
        "title": title,
        "description": about,
        "columns": list(columns),
        "sort": [[view.time, "desc"]],
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "timeRestore": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _text(source)},
    }
    references = [{"type": "index-pattern", "id": view.id, "name": "kibanaSavedObjectMeta.searchSourceJSON.index"}]
    return Panel("search", id_, attributes, references, 48, 20)


def places(id_: str, title: str, view: View, geo: str, label: str) -> Panel:
    """A map with a circle for each cluster of documents' places. Its base map is Elastic's map service."""
    base = {
        "id": "base",
        "type": "EMS_VECTOR_TILE",
        "label": None,
        "alpha": 1,
        "visible": True,
        "minZoom": 0,
        "maxZoom": 24,
        "includeInFitToBounds": True,
        "style": {"type": "EMS_VECTOR_TILE", "color": ""},
        "sourceDescriptor": {"type": "EMS_TMS", "isAutoSelect": True, "lightModeDefault": "road_map_desaturated"},
    }
    grid = {
        "id": "places",
        "type": "GEOJSON_VECTOR",
        "label": label,
        "alpha": 0.8,
        "visible": True,
        "minZoom": 0,
        "maxZoom": 24,
        "includeInFitToBounds": True,
        "joins": [],
        "sourceDescriptor": {
            "type": "ES_GEO_GRID",
            "id": "places-source",
            "geoField": geo,
            "requestType": "point",
            "resolution": "COARSE",
            "metrics": [{"type": "count"}],
            "applyGlobalQuery": True,
            "applyGlobalTime": True,
            "applyForceRefresh": True,
            "indexPatternRefName": "layer_1_source_index_pattern",
        },
        "style": {
            "type": "VECTOR",
            "isTimeAware": True,
            "properties": {
                "icon": {"type": "STATIC", "options": {"value": "marker"}},
                "symbolizeAs": {"options": {"value": "circle"}},
                "fillColor": _by_count(color="Blues", colorCategory="palette_0", type="ORDINAL"),
                "lineColor": {"type": "STATIC", "options": {"color": "#3d3d3d"}},
                "lineWidth": {"type": "STATIC", "options": {"size": 1}},
                "iconSize": _by_count(minSize=6, maxSize=28),
            },
        },
    }
    state = {
        "zoom": 1.6,
        "center": {"lon": 20, "lat": 20},
        "timeFilters": {"from": "now-7d", "to": "now"},
        "refreshConfig": {"isPaused": True, "interval": 60000},
        "query": lucene(),
        "filters": [],
        "settings": {"autoFitToDataBounds": False},
    }
    attributes = {
        "title": title,
        "description": "",
        "mapStateJSON": _text(state),
        "layerListJSON": _text([base, grid]),
        "uiStateJSON": _text({"isLayerTOCOpen": False, "openTOCDetails": []}),
    }
    references = [{"type": "index-pattern", "id": view.id, "name": "layer_1_source_index_pattern"}]
    return Panel("map", id_, attributes, references, 32, 14)


def _by_count(**options: Any) -> Json:
    meta = {"field": {"name": "doc_count", "origin": "source"}, "fieldMetaOptions": {"isEnabled": True, "sigma": 3}}
    return {"type": "DYNAMIC", "options": options | meta}


# -- dashboards ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Control:
    """A list above a dashboard in which values of a field can be chosen."""

    view: View
    field: str
    title: str


def dashboard(
    id_: str, title: str, about: str, panels: Iterable[Panel], *, controls: Sequence[Control] = (), span: str = "now-7d"
) -> Json:
    """A dashboard. Panels stand from left to right, row below row, in the order given."""
    placed: list[Json] = []
    references: list[Json] = []
    x = y = tallest = 0
    for n, panel in enumerate(panels, 1):
        if x + panel.width > 48:
            x, y, tallest = 0, y + tallest, 0
        key = f"p{n}"
        placed.append(
            {
                "type": panel.type,
                "panelIndex": key,
                "panelRefName": f"panel_{key}",
                "gridData": {"x": x, "y": y, "w": panel.width, "h": panel.height, "i": key},
                "embeddableConfig": {"enhancements": {}},
            }
        )
        references.append({"type": panel.type, "id": panel.id, "name": f"{key}:panel_{key}"})
        x, tallest = x + panel.width, max(tallest, panel.height)
    attributes: Json = {
        "title": title,
        "description": about,
        "version": 1,
        "timeRestore": True,
        "timeFrom": span,
        "timeTo": "now",
        "refreshInterval": {"pause": False, "value": 60000},
        "optionsJSON": _text({"useMargins": True, "syncColors": True, "syncTooltips": False, "hidePanelTitles": False}),
        "panelsJSON": _text(placed),
        "kibanaSavedObjectMeta": {"searchSourceJSON": _text({"query": lucene(), "filter": []})},
    }
    if controls:
        listed = {}
        for n, control in enumerate(controls):
            key = f"c{n + 1}"
            listed[key] = {
                "type": "optionsListControl",
                "order": n,
                "grow": True,
                "width": "medium",
                "explicitInput": {"id": key, "fieldName": control.field, "title": control.title, "enhancements": {}},
            }
            name = f"controlGroup_{key}:optionsListDataView"
            references.append({"type": "index-pattern", "id": control.view.id, "name": name})
        attributes["controlGroupInput"] = {
            "controlStyle": "oneLine",
            "chainingSystem": "HIERARCHICAL",
            "panelsJSON": _text(listed),
            "ignoreParentSettingsJSON": _text(
                {"ignoreFilters": False, "ignoreQuery": False, "ignoreTimerange": False, "ignoreValidations": False}
            ),
        }
    return _object("dashboard", id_, attributes, references)


def _object(type_: str, id_: str, attributes: Json, references: list[Json]) -> Json:
    return {
        "type": type_,
        "id": id_,
        "attributes": attributes,
        "references": references,
        "managed": False,
        "coreMigrationVersion": CORE_VERSION,
        "typeMigrationVersion": TYPE_VERSIONS[type_],
    }


def _text(value: Any) -> str:
    """JSON inside of JSON, as Kibana keeps some attributes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# -- what there is ---------------------------------------------------------------------------------------------------

KASHMIR = found(
    "wire-kashmir",
    "Kashmir",
    ARTICLES,
    ("title", "source", "place", "speaker", "independent_sources"),
    query="kashmir",
    about="Articles that speak of Kashmir, newest first",
)
ANONYMOUS = found(
    "wire-anonymous",
    "Anonymous sources",
    CLAIMS,
    ("speaker", "role", "reason", "cue", "content", "source", "title"),
    query="anonymous:true",
    about="What unnamed speakers say, who carries it, and why they are not named",
)
DENIALS = found(
    "wire-denials",
    "Denials",
    CLAIMS,
    ("speaker", "cue", "content", "source", "title"),
    query="class:deny",
    about="Who denies what",
)
LATEST_ARTICLES = found(
    "wire-latest-articles", "Latest articles", ARTICLES, ("title", "source", "origin", "person", "place", "status")
)
LATEST_CLAIMS = found(
    "wire-latest-claims", "Latest claims", CLAIMS, ("speaker", "class", "content", "anonymous", "source", "title")
)
LATEST_ALERTS = found(
    "wire-latest-alerts", "Latest alerts", ALERTS, ("severity", "rule", "headline", "matched", "why", "source", "state")
)

NEWSROOM = (
    number("wire-articles-count", "Articles", ARTICLES, count("Articles")),
    number("wire-stories-count", "Stories", ARTICLES, unique("story.raw", "Stories")),
    number("wire-sources-count", "Sources", ARTICLES, unique("source.raw", "Sources")),
    number("wire-claims-count", "Claims", CLAIMS, count("Claims")),
    number(
        "wire-corrected-count",
        "Corrected or withdrawn",
        ARTICLES,
        count("Articles"),
        query="NOT status:(current OR updated)",
        width=16,
    ),
    chart(
        "wire-volume",
        "Volume by source",
        ARTICLES,
        "bar_stacked",
        over_time("time"),
        [count("Articles")],
        split=top("source.raw", "Source", size=9, other=True),
        width=48,
        height=12,
    ),
    bars("wire-people", "People", ARTICLES, "person.raw", "Person"),
    bars("wire-organisations", "Organisations", ARTICLES, "org.raw", "Organisation"),
    bars("wire-places", "Places", ARTICLES, "place.raw", "Place"),
    places("wire-map", "Where the news is", ARTICLES, "geo", "Articles that name a place"),
    donut("wire-languages", "Languages", ARTICLES, top("language.raw", "Language", size=8, other=True)),
    LATEST_ARTICLES,
)

SPEAKING = (
    chart(
        "wire-speakers",
        "Who speaks, and how",
        CLAIMS,
        "bar_horizontal_stacked",
        top("speaker.raw", "Speaker", size=15),
        [count("Claims")],
        split=top("class.raw", "Class of the cue", size=10),
        query="named:true",
        width=24,
        height=18,
    ),
    chart(
        "wire-cues",
        "Cues over time",
        CLAIMS,
        "bar_stacked",
        over_time("time"),
        [count("Claims")],
        split=top("class.raw", "Class of the cue", size=10),
        width=24,
        height=18,
    ),
    chart(
        "wire-unnamed",
        "Share of anonymous claims by outlet",
        CLAIMS,
        "bar_horizontal_percentage_stacked",
        top("source.raw", "Outlet", size=15),
        [count("Claims")],
        split=top("anonymous", "Anonymous", size=2, kind="boolean"),
        width=24,
        height=16,
    ),
    table(
        "wire-about",
        "Claims about",
        CLAIMS,
        [top("entity.raw", "About", size=15), top("speaker.raw", "Speaker", size=5), count("Claims")],
        about="Who speaks of whom and what; choose an entity above to see the claims about it",
        height=16,
    ),
    chart(
        "wire-denied",
        "Denials and confirmations over time",
        CLAIMS,
        "line",
        over_time("time"),
        [count("Claims")],
        split=top("class.raw", "Class of the cue", size=2),
        query="class:(deny OR confirm)",
        width=24,
        height=12,
    ),
    bars("wire-kinds", "Kinds of speaker", CLAIMS, "kind.raw", "Kind", width=24, height=12),
    LATEST_CLAIMS,
)

RUNNING = (
    chart(
        "wire-lag",
        "From published to indexed, in seconds",
        ARTICLES,
        "line",
        over_time("indexed"),
        [
            metric("percentile", "lag", "Half of the articles", percentile=50),
            metric("percentile", "lag", "95 of 100", percentile=95),
        ],
        query="baseline:false",
        width=24,
        height=13,
    ),
    chart(
        "wire-owed",
        "What is owed, by stage",
        OPERATIONS,
        "area",
        over_time("time"),
        [metric("max", "count", "Owed")],
        split=top("name.raw", "Stage", size=5, by="max_count"),
        query="kind:owed",
        width=24,
        height=13,
    ),
    table(
        "wire-quarantine",
        "Quarantine",
        OPERATIONS,
        [
            top("name.raw", "Stage and reason", size=20, by="max_count"),
            metric("max", "count", "Items"),
        ],
        query="kind:quarantine",
    ),
    table(
        "wire-quiet",
        "Feeds that fail or have gone quiet, and other notices",
        OPERATIONS,
        [
            top("name.raw", "What", size=30, by="max_count"),
            metric("max", "count", "Failures in a row"),
            last("reason.raw", "Why"),
            last("since", "Since", kind="date"),
        ],
        query="kind:(failing OR note)",
    ),
    chart(
        "wire-alerts-fired",
        "Alerts by rule",
        ALERTS,
        "bar_stacked",
        over_time("fired"),
        [count("Alerts")],
        split=top("rule.raw", "Rule", size=9, other=True),
        width=24,
        height=13,
    ),
    donut("wire-alerts-state", "What became of them", ALERTS, top("state.raw", "State", size=6), width=24, height=13),
    LATEST_ALERTS,
)


def objects() -> list[Json]:
    """All saved objects, what is referred to before what refers to it."""
    views = [
        _object("index-pattern", view.id, {"title": view.id, "name": view.name, "timeFieldName": view.time}, [])
        for view in (ARTICLES, CLAIMS, ALERTS, OPERATIONS)
    ]
    panels = {panel.id: panel for panel in (KASHMIR, ANONYMOUS, DENIALS, *NEWSROOM, *SPEAKING, *RUNNING)}
    boards = [
        dashboard(
            "wire-newsroom",
            "Newsroom",
            "What comes in: volume by source, who and where the news is about, the latest articles",
            NEWSROOM,
            controls=[Control(ARTICLES, "source.raw", "Source"), Control(ARTICLES, "entity.raw", "About")],
        ),
        dashboard(
            "wire-speaking",
            "Claims",
            "Who says what, how, and whether they are named",
            SPEAKING,
            controls=[
                Control(CLAIMS, "entity.raw", "About"),
                Control(CLAIMS, "speaker.raw", "Speaker"),
                Control(CLAIMS, "source.raw", "Outlet"),
            ],
        ),
        dashboard(
            "wire-running",
            "Operations",
            "Whether the pipeline keeps up: lag, what is owed, quarantine, quiet feeds, alerts",
            RUNNING,
            span="now-24h",
        ),
    ]
    return [*views, *(_object(p.type, p.id, p.attributes, p.references) for p in panels.values()), *boards]


def text() -> str:
    """The file's text: one object a line."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects())


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
    print(f"{len(objects())} objects in {OUT}")
