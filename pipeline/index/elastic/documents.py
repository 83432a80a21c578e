"""A document as Elasticsearch keeps it, and back.

Beside the fields that are searched, ``record`` holds the whole, so that what comes back is exactly what went in and an
index can be filled from another. Title and body stand there as ``null`` where the searched fields already hold them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline.index.elastic.mappings import languages
from pipeline.index.fields import Value, article_values, claim_record, claim_values
from pipeline.records import Document, to_dict

_TEXTS = ("title", "body")
_RUNNING = {"title", "content"}

WANTED = {"articles": ["record", *_TEXTS], "claims": ["*"]}
"""What of a document's source is needed to give it back, by kind."""


def article_source(document: Document) -> dict[str, Any]:
    """The source of an article's own document."""
    values = article_values(document)
    source = {name: _plain(value) for name, value in values.items()}
    record = to_dict(document)
    for name in _TEXTS:
        text = values.get(name)
        if isinstance(text, str):
            # Composed, so that the server's folding finds its accents.
            source[name] = text if text.isascii() else unicodedata.normalize("NFC", text)
            if source[name] == record["article"][name]:
                record["article"][name] = None
    places = {
        (entity.latitude, entity.longitude): None
        for entity in document.enriched.entities
        if entity.latitude is not None and entity.longitude is not None and abs(entity.latitude) <= 90
    }
    if places:
        source["geo"] = [{"lat": latitude, "lon": longitude} for latitude, longitude in places]
    language = str(values.get("language", "")).lower().partition("-")[0]
    if language in languages():
        source["local"] = {language: [source[name] for name in _TEXTS if name in source]}
    source["record"] = record
    return source


def claim_sources(document: Document) -> Iterator[dict[str, Any]]:
    """The sources of its claims."""
    for values in claim_values(document):
        whole = to_dict(claim_record(document, values))
        source: dict[str, Any] = {}
        record = {name: part for name, part in whole.items() if name not in values}
        for name in values:
            source[name] = value = whole[name]
            if name in _RUNNING and not value.isascii():
                source[name] = unicodedata.normalize("NFC", value)
                if source[name] != value:
                    record[name] = value
        yield source | {"record": record}


def article_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """``to_dict(document)`` from an article's source."""
    record: dict[str, Any] = source["record"]
    for name in _TEXTS:
        if record["article"][name] is None:
            record["article"][name] = source[name]
    return record


def claim_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """``to_dict(claim_record(…))`` from a claim's source."""
    more: dict[str, Any] = source["record"]
    return {name: value for name, value in source.items() if name != "record"} | more


def _plain(value: Value) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
