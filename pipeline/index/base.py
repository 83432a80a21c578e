"""The port of the index: what an adapter must do, what it is asked, and what it answers.

Two adapters are meant to stand behind it, tantivy (``embedded.py``) and Elasticsearch. Both are handed the same flat
values (``fields.py``), the same terms (``analysis.py``) and the same validated query tree (``query.py``), and both pass
``tests/conformance/test_index.py``; so the same query gives the same hits on either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pipeline.records import Document, Hit, to_dict


class Kind(StrEnum):
    """Which of the two indices is meant."""

    ARTICLES = "articles"
    CLAIMS = "claims"


class Sort(StrEnum):
    """The order of the hits. Times are compared to the second; ties are broken by id, so that paging is stable."""

    SCORE = "score"
    NEWEST = "newest"
    OLDEST = "oldest"


class Interval(StrEnum):
    """The width of a histogram's buckets, cut at UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search. The query's syntax is described in ``pipeline.index.query``; an empty one means everything."""

    query: str = ""
    kind: Kind = Kind.ARTICLES
    since: datetime | None = None
    """Inclusive; compared with ``time``, which is ``published``, or ``first_seen`` where there is none."""
    until: datetime | None = None
    """Exclusive."""
    sources: tuple[str, ...] = ()
    """Only from these outlets: whole names, as the ``source`` facet gives them; case and accents do not matter."""
    sort: Sort = Sort.SCORE
    """A query that scores nothing (empty, ranges only) is sorted newest first even under ``score``."""
    limit: int = 20
    offset: int = 0
    """Hits to skip. Dear when large: page with ``after``."""
    after: str | None = None
    """The ``next_cursor`` of the page before, for the same query, kind, sources and sort; ``offset`` then must be 0.
    Times are left out of the comparison, because "the last seven days" moves with the clock."""
    facets: tuple[str, ...] = ()
    facet_size: int = 10
    histogram: Interval | None = None
    highlight: bool = False
    collapse: bool = False
    """One hit a story, of claims one an assertion (``fields.COLLAPSED``): the first in the order asked for, with
    ``Hit.folded`` others behind it. What has neither stands by itself. Total, facets and histogram count all. Only the
    first 10,000 matches are looked through, and a page's cursor counts hits, so that news may shift pages."""
    now: datetime | None = None
    """What ``now`` in a date stands for; the clock where it is ``None``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search found. ``total`` counts all matches, exactly."""

    total: int
    hits: tuple[Hit, ...] = ()
    facets: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """For each facet asked for, its values as written with the number of hits, most first, ties by value."""
    histogram: tuple[tuple[datetime, int], ...] = ()
    """Starts of the buckets that hold anything, oldest first, with the number of hits by ``time``."""
    next_cursor: str | None = None
    """For the next page; ``None`` where this one was the last."""
    hints: tuple[str, ...] = ()
    """Remarks for the user on a query that is valid but may not mean what was meant."""


def result_to_dict(result: SearchResult) -> dict[str, Any]:
    """A result as plain JSON types, as ``search --json`` and the page's ``/search.json`` give it (docs/output.md)."""
    return {
        "total": result.total,
        "next": result.next_cursor,
        "facets": {
            name: [{"value": value, "count": count} for value, count in found] for name, found in result.facets.items()
        },
        "histogram": [{"from": start.isoformat(), "count": count} for start, count in result.histogram],
        "hints": list(result.hints),
        "hits": [
            {
                "id": hit.id,
                "score": round(hit.score, 4),
                "folded": hit.folded,
                "highlights": to_dict(hit)["highlights"],
                **hit.record,
            }
            for hit in result.hits
        ],
    }


class Index(Protocol):
    """Articles and their claims, searchable.

    Anything raised is one of: QueryError (a query that cannot be used, with the position), of which RequestError is
    the kind for a facet, cursor, limit or time that cannot, with the name of the request's field;
    IndexUnavailableError (full disk, read-only folder, server down: try later, nothing is lost); IndexDamagedError
    (cannot be read, or made by another version: replay from the archive).

    ``Hit.record`` is ``to_dict(document)`` for an article; for a claim it is the flat values of
    ``fields.claim_values`` as plain JSON with the claim's own record under ``claim``.
    """

    def upsert(self, documents: Sequence[Document]) -> None:
        """Put documents in, each with its claims in place of what was there under its article's id.

        All or nothing, and durable on return: what was upserted survives ``kill -9``. An upsert that is killed, or
        raises, either leaves nothing of itself or is finished by whoever writes next; doing it again changes nothing.
        A document whose ``article.version`` is below that of the one in the index is passed over; the same version
        replaces. Of two with one id in a batch the higher version counts, of equals the later. ``Document.indexed``
        is stored as given.

        A document that the index will not take, whatever is tried, is named by DocumentsRefusedError when all others
        of the batch are in.
        """
        ...

    def delete(self, ids: Iterable[str]) -> None:
        """Take out articles, with their claims, by article id. An id that is not there is no error."""
        ...

    def get(self, article_id: str) -> Document | None:
        """The document exactly as upserted, by its article's id, or by a prefix of at least 6 characters that only
        one has. ``None`` where there is none, or more than one."""
        ...

    def find(self, prefix: str, limit: int = 10) -> tuple[str, ...]:
        """Ids of articles that begin with this prefix, in order, at most ``limit``."""
        ...

    def search(self, request: SearchRequest) -> SearchResult:
        """The hits for a request. Sees all upserts that returned before it, by any process."""
        ...

    def count(self, kind: Kind) -> int:
        """How many articles or claims there are."""
        ...

    def ids(self) -> Iterator[str]:
        """The ids of all articles, in order."""
        ...

    def clear(self) -> None:
        """Take everything out. Also how a damaged index, or one of another version, is made usable again."""
        ...

    def check(self) -> list[str]:
        """Reads everything, writers waiting, and says in sentences what is wrong; an empty list: nothing is."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Afterwards nothing else may be called."""
        ...
