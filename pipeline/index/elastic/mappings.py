"""The templates in ``mappings/``: how they are read, and what they are called under a prefix of one's own.

The files are as Elasticsearch takes them, and can be put there by hand; in them the prefix is ``wire``. An index is
called ``wire-articles-000001``; searches go to the alias ``wire-articles``, writes to ``wire-articles-write``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

PREFIX = "wire"
"""The prefix in the files, and unless set otherwise on the server."""

_PACKAGE = Path(__file__).parents[2]
_PLACES = (_PACKAGE / "mappings", _PACKAGE.parent / "mappings")
"""In an installed package, and in a working copy."""


class Part(StrEnum):
    """What has an index template: the indices of the port, that of alerts, and that of how things stand."""

    ARTICLES = "articles"
    CLAIMS = "claims"
    ALERTS = "alerts"
    OPERATIONS = "operations"


PLAIN = (Part.ALERTS, Part.OPERATIONS)
"""Those whose documents are only what is searched in them, without a record of ours."""


@dataclass(frozen=True, slots=True)
class Templates:
    """The bodies to put to the server, by the names they get there."""

    components: Mapping[str, dict[str, Any]]
    indices: Mapping[str, dict[str, Any]]


def folder() -> Path:
    """Where the files are."""
    return next(place for place in _PLACES if (place / "templates").is_dir())


def load(prefix: str = PREFIX) -> Templates:
    """The templates for this prefix."""

    def named(name: str) -> str:
        return prefix + name.removeprefix(PREFIX) if name.startswith(f"{PREFIX}-") else name

    components = {named(f"{PREFIX}-{stem}"): body for stem, body in _read("components").items()}
    indices = {}
    for stem, body in _read("templates").items():
        patterns = [named(pattern) for pattern in body["index_patterns"]]
        composed_of = [named(component) for component in body["composed_of"]]
        indices[named(f"{PREFIX}-{stem}")] = body | {"index_patterns": patterns, "composed_of": composed_of}
    return Templates(components, indices)


def alias(prefix: str, part: Part) -> str:
    """The alias that is searched."""
    return f"{prefix}-{part}"


def write_alias(prefix: str, part: Part) -> str:
    """The alias that is written to. It has one index, except while there is none."""
    return f"{prefix}-{part}-write"


def index_name(prefix: str, part: Part, number: int) -> str:
    """The name of the ``number``-th index of its kind, from 1."""
    return f"{prefix}-{part}-{number:06d}"


@cache
def _read(kind: str) -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((folder() / kind).glob("*.json"))}


@cache
def languages() -> Mapping[str, str]:
    """The languages (ISO 639) that have an analyzer of their own, each with its name."""
    local = _read("templates")[Part.ARTICLES]["template"]["mappings"]["properties"]["local"]["properties"]
    return {language: field["analyzer"] for language, field in local.items()}
