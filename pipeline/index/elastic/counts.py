"""Facets and histograms as Elasticsearch's aggregations, and what comes back of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.index.base import SearchRequest
from pipeline.index.fields import FIELDS, Type

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPARE = 1_000
"""Values beyond those asked for that each shard counts, so that counts over several shards are exact in practice."""


def aggregations(request: SearchRequest) -> dict[str, Any]:
    """What to ask for beside the hits."""
    asked: dict[str, Any] = {}
    for name in request.facets:
        coded = FIELDS[request.kind][name].type not in {Type.NAME, Type.KEYWORD}
        size = request.facet_size
        # `raw` is as written; the field itself, and its `keyword`, are folded.
        asked[f"facet:{name}"] = {
            "terms": {"field": name if coded else f"{name}.raw", "size": size, "shard_size": size + _SPARE}
        }
    if request.histogram is not None:
        asked["histogram"] = {
            "date_histogram": {"field": "time", "calendar_interval": request.histogram.value, "min_doc_count": 1}
        }
    return asked


def facets_of(request: SearchRequest, answer: Mapping[str, Any]) -> dict[str, tuple[tuple[str, int], ...]]:
    """The facets in an answer. Elasticsearch orders as the port does: most first, ties by value."""
    return {
        name: tuple(
            (str(bucket.get("key_as_string", bucket["key"])), int(bucket["doc_count"]))
            for bucket in answer["aggregations"][f"facet:{name}"]["buckets"]
        )
        for name in request.facets
    }


def histogram_of(request: SearchRequest, answer: Mapping[str, Any]) -> tuple[tuple[datetime, int], ...]:
    if request.histogram is None:
        return ()
    return tuple(
        (_EPOCH + timedelta(milliseconds=bucket["key"]), int(bucket["doc_count"]))
        for bucket in answer["aggregations"]["histogram"]["buckets"]
    )
