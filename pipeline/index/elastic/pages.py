"""Pages of hits: by offset, and by cursor as far as anyone goes.

Elasticsearch gives the first 10,000 hits of a search by offset. Further on, one goes from the last hit of the page
before (``search_after``), within a point in time (PIT), which is opened when a second page is asked for and closed with
the last: most searches have only one. A cursor carries both; where its point in time is gone it goes on in a new one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from pipeline.errors import RequestError
from pipeline.index.base import Kind, SearchRequest, Sort
from pipeline.index.fields import COLLAPSED
from pipeline.index.request import collapsed_page, cursor_mark, cursor_place

WINDOW = 10_000
"""Hits that Elasticsearch gives at most from one search (``index.max_result_window``)."""
KEEP = "5m"
"""How long the server keeps a point in time for the next page."""
STEP = 1_000
"""Hits of one request of those that go through everything."""


class Page:
    """One page of a search. After ``ask``: ``total``, ``hits``, and the ``cursor`` for the next; ``folded`` is how many
    others a hit stands for, by id."""

    def __init__(
        self, client: Elasticsearch, index: str, request: SearchRequest, query: dict[str, Any], *, by_score: bool
    ) -> None:
        self.client, self.index, self.request, self.query = client, index, request, query
        self.word = "score" if by_score else "time"
        order = "asc" if request.sort is Sort.OLDEST else "desc"
        # Times are told apart by the id, scores too: without, pages would overlap.
        tie = ("id",) if request.kind is Kind.ARTICLES else ("article", "n")
        if by_score:
            self.sort = [{"_score": "desc"}, *({name: "asc"} for name in tie)]
        else:
            self.sort = [{"time": order}, *({name: order} for name in tie)]
        self.total = 0
        self.hits: list[dict[str, Any]] = []
        self.folded: dict[str, int] = {}
        self.cursor: str | None = None

    def ask(self, aggregations: dict[str, Any]) -> Mapping[str, Any]:
        """Search, and return the answer for its aggregations. Raises RequestError for a cursor that is none."""
        request = self.request
        if request.after:
            pit, after = self._read(request.after)
            return self._go_on(pit, after, aggregations)
        if request.offset + request.limit < WINDOW:
            answer = self._search(aggregations, size=request.limit + 1, from_=request.offset)
            self._take(answer, None)
            return answer
        return self._far(aggregations)

    def _far(self, aggregations: dict[str, Any]) -> Mapping[str, Any]:
        """A page beyond the window: hits are passed over until it is reached."""
        skip = self.request.offset
        answer = self._search(aggregations, size=0)
        self.total = answer["hits"]["total"]["value"]
        if skip >= self.total:
            return answer
        pit = self._open()
        after: list[Any] | None = None
        while skip:
            passed = self._search({}, size=min(skip, WINDOW), pit=pit, after=after, source=False)["hits"]["hits"]
            if not passed:
                break
            after, skip, pit = passed[-1]["sort"], skip - len(passed), pit
        rest = self._search({}, size=self.request.limit + 1, pit=pit, after=after)
        self._take(rest, pit)
        return answer

    def _go_on(self, pit: str | None, after: list[Any], aggregations: dict[str, Any]) -> Mapping[str, Any]:
        try:
            pit = pit or self._open()
            answer = self._search(aggregations, size=self.request.limit + 1, pit=pit, after=after)
        except NotFoundError as error:
            if "search_context_missing" not in str(error.body):
                raise
            pit = self._open()
            answer = self._search(aggregations, size=self.request.limit + 1, pit=pit, after=after)
        self._take(answer, answer.get("pit_id", pit))
        return answer

    def _search(
        self,
        aggregations: dict[str, Any],
        *,
        size: int,
        from_: int = 0,
        pit: str | None = None,
        after: list[Any] | None = None,
        source: bool = True,
    ) -> Mapping[str, Any]:
        # One more than the page shows whether there is a next one, and cannot exceed the window.
        answer = self.client.search(
            query=self.query,
            sort=self.sort,
            size=min(size, WINDOW),
            source=source,  # whole: the server takes longer to leave parts of it out than to send them
            track_total_hits=True,
            index=None if pit else self.index,
            pit={"id": pit, "keep_alive": KEEP} if pit else None,
            aggs=aggregations or None,
            search_after=after,
            from_=from_ or None,
        )
        body: dict[str, Any] = answer.body
        return body

    def _take(self, answer: Mapping[str, Any], pit: str | None) -> None:
        limit = self.request.limit
        found = answer["hits"]["hits"]
        self.total = answer["hits"]["total"]["value"]
        self.hits = found[:limit]
        # Where limit + 1 could not be asked for, a full page is taken to have a next one.
        if self.hits and (len(found) > limit or limit >= WINDOW == len(found)):
            after = self.hits[-1]["sort"][: len(self.sort)]  # within a point in time the server may add one of its own
            place = json.dumps([pit, after], separators=(",", ":")).encode()
            text = base64.urlsafe_b64encode(place).decode().rstrip("=")
            self.cursor = f"{self.word}:{cursor_mark(self.request)}:{text}"
        elif pit:
            with contextlib.suppress(NotFoundError):
                self.client.close_point_in_time(id=pit)

    def _read(self, cursor: str) -> tuple[str | None, list[Any]]:
        text = cursor_place(self.request, self.word, r"([0-9A-Za-z_-]+)").group(1)
        try:
            pit, after = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if not isinstance(after, list) or len(after) != len(self.sort) or not isinstance(pit, str | None):
                raise ValueError
        except (ValueError, TypeError, binascii.Error):
            raise RequestError(self.request.query, "after", "this is no cursor that a search gave") from None
        return pit, after

    def _open(self) -> str:
        return str(self.client.open_point_in_time(index=self.index, keep_alive=KEEP)["id"])


class CollapsedPage(Page):
    """A page with one hit a story, or of claims one an assertion.

    Elasticsearch's own ``collapse`` makes one group of all that have no story, and takes no ``search_after``; so the
    matches are gone through by their column of stories, and only those of the page are fetched.
    """

    def ask(self, aggregations: dict[str, Any]) -> Mapping[str, Any]:
        name = COLLAPSED[self.request.kind]
        answer: Mapping[str, Any] = {}
        groups: list[str | None] = []

        def look(reach: int) -> Sequence[str | None]:
            nonlocal answer, groups
            answer = self._columns(name, reach, aggregations)
            groups = [hit.get("fields", {}).get(name, [None])[0] for hit in answer["hits"]["hits"]]
            return groups

        shown, self.cursor = collapsed_page(self.request, self.word, look)
        self.total = answer["hits"]["total"]["value"]
        if shown:
            self._fetch(name, {answer["hits"]["hits"][place]["_id"]: groups[place] for place in shown})
        return answer

    def _columns(self, name: str, size: int, aggregations: dict[str, Any]) -> Mapping[str, Any]:
        answer = self.client.search(
            index=self.index,
            query=self.query,
            sort=self.sort,
            size=size,
            source=False,
            docvalue_fields=[{"field": name}],
            track_total_hits=True,
            aggs=aggregations or None,
        )
        body: dict[str, Any] = answer.body
        return body

    def _fetch(self, name: str, groups: Mapping[str, str | None]) -> None:
        """Get the hits of a page in their order, and how many matches each stands for."""
        known = sorted({group for group in groups.values() if group})
        answer = self.client.search(
            index=self.index,
            query={
                "bool": {
                    "must": [self.query],
                    "filter": [{"bool": {"should": [{"terms": {"id": [*groups]}}, {"terms": {name: known}}]}}],
                }
            },
            post_filter={"terms": {"id": [*groups]}},
            sort=self.sort,
            size=len(groups),
            track_total_hits=False,
            aggs={"groups": {"terms": {"field": name, "size": max(1, len(known))}}},
        )
        self.hits = answer["hits"]["hits"]
        counts = {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["groups"]["buckets"]}
        self.folded = {id_: counts.get(group, 1) - 1 for id_, group in groups.items()}


def every(
    client: Elasticsearch,
    index: str,
    query: dict[str, Any],
    sort: list[Any],
    *,
    source: bool | list[str],
    shard: str | None = None,
) -> Iterator[dict[str, Any]]:
    """All hits of a query, in order, however many, as of one point in time; with ``_version``. ``shard`` asks only one
    of the index's shards, by number."""
    preference = None if shard is None else f"_shards:{shard}"
    pit = str(client.open_point_in_time(index=index, keep_alive=KEEP, preference=preference)["id"])
    after: list[Any] | None = None
    try:
        while True:
            answer = client.search(
                pit={"id": pit, "keep_alive": KEEP},
                query=query,
                sort=sort,
                size=STEP,
                source=bool(source),
                source_includes=source if isinstance(source, list) else None,
                version=True,
                track_total_hits=False,
                search_after=after,
            )
            pit = answer.get("pit_id", pit)
            hits = answer["hits"]["hits"]
            yield from hits
            if len(hits) < STEP:
                return
            after = hits[-1]["sort"]
    finally:
        with contextlib.suppress(NotFoundError):
            client.close_point_in_time(id=pit)
