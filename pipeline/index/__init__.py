"""The index: articles and claims, searchable. ``open_index`` gives the adapter that the settings name.

``base`` is the port, ``fields`` the fields of both indices, ``analysis`` how text becomes terms, ``query`` the query
language, ``highlight`` the marking of matches; these are shared by every adapter. ``embedded`` is tantivy, ``elastic``
Elasticsearch.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from pipeline.index.base import Index, Interval, Kind, SearchRequest, SearchResult, Sort, result_to_dict
from pipeline.index.dates import read_when
from pipeline.index.embedded import EmbeddedIndex, discard
from pipeline.index.fields import SCHEMA_VERSION, facets
from pipeline.index.query import Parsed, parse
from pipeline.index.rebuild import mend, rebuilding_in
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.index.elastic.upkeep import Upkeep

__all__ = [
    "SCHEMA_VERSION",
    "Index",
    "Interval",
    "Kind",
    "Parsed",
    "SearchRequest",
    "SearchResult",
    "Sort",
    "discard_index",
    "facets",
    "open_index",
    "parse",
    "read_when",
    "rebuilding",
    "result_to_dict",
    "upkeep_of",
]


def open_index(settings: Settings) -> Index:
    """The index of this data folder; an empty one is made where there is none.

    With Elasticsearch, nothing is sent yet, and nothing made: see ``wirewatch index init``.

    Raises IndexDamagedError (see :func:`discard_index`), IndexUnavailableError or SettingsError.
    """
    if settings.index != "embedded":
        return _elastic(settings)
    mend(settings.index_folder)
    return EmbeddedIndex(settings.index_folder)


def rebuilding(settings: Settings) -> AbstractContextManager[Index]:
    """An empty index to fill, which takes the place of this data folder's index when the block is left without error.

    Searches go to the old one until then. The caller sees to it that nobody writes to that one meanwhile.
    """
    if settings.index != "embedded":
        return upkeep_of(settings).rebuilding()
    return rebuilding_in(settings.index_folder)


def discard_index(settings: Settings) -> None:
    """Remove the index in whatever state it is, so that ``open_index`` makes an empty one: the first step of a rebuild.

    Raises IndexUnavailableError where that cannot be done now.
    """
    if settings.index != "embedded":
        return upkeep_of(settings).replace_by_empty()
    return discard(settings.index_folder)


def upkeep_of(settings: Settings) -> Upkeep:
    """What sets up, compares and migrates the indices on the Elasticsearch of these settings. Raises SettingsError."""
    from pipeline.index.elastic.connection import connect
    from pipeline.index.elastic.upkeep import Upkeep

    return Upkeep(connect(settings), settings.index_prefix, settings.index)


def _elastic(settings: Settings) -> Index:
    # Not above: the client takes a third of a second to import, which the embedded index has no use for.
    from pipeline.index.elastic.connection import connect
    from pipeline.index.elastic.index import ElasticIndex

    return ElasticIndex(connect(settings), settings.index_prefix, settings.index)
