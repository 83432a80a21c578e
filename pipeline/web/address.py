"""A search as the address of its page: what is in it, how it is written, and what it asks the index for.

``/?q=talks&in=claims&class=deny&from=7d&sort=newest``: the query, which index, filters by facet (each may be repeated),
times as the command line has them, order, and the place to go on from. All that a page shows follows from its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from pipeline.errors import QueryError, RequestError
from pipeline.index import Interval, Kind, Parsed, SearchRequest, Sort, facets, parse, read_when
from pipeline.index.fields import COLLAPSED, FIELDS, Type

FACETS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.ARTICLES: ("source", "speaker", "person", "org", "place", "cue", "origin", "status", "language"),
    Kind.CLAIMS: ("speaker", "class", "anonymous", "kind", "entity", "form", "source", "origin", "status", "language"),
}
"""What is counted beside the hits, in the order of the page."""

_SINGLE: Final = {
    "source",
    "language",
    "class",
    "kind",
    "form",
    "anonymous",
    "body_source",
    "status",
    "named",
    "origin",
    "story",
    "assertion",
}
"""Fields with one value a record: of several filters on one, any will do. Of the others all must hold."""

_TRANSLATED: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.CLAIMS: {"cue": "class", "person": "entity", "org": "entity", "place": "entity", "norp": "entity"},
    Kind.ARTICLES: {"class": "cue"},
}
"""Filters that go by another name in the other index."""

MAX_FILTERS: Final = 20
"""Filters in one address; nobody clicks more, and each is a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A search. ``since`` and ``until`` are as typed (``7d``, ``2026-11-23``)."""

    query: str = ""
    kind: Kind = Kind.ARTICLES
    filters: tuple[tuple[str, str], ...] = ()
    since: str = ""
    until: str = ""
    sort: Sort | None = None
    """``None`` is the best first where a query ranks, else the newest."""
    after: str = ""
    collapse: bool = True
    """One hit a story, of claims one an assertion; all where it is the hits of one story that are asked for."""

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]]) -> Address:
        """The search that a request's parameters mean; those that are no search's are passed over.

        Raises RequestError where one of them cannot be meant.
        """
        given: dict[str, str] = {}
        filters: dict[tuple[str, str], None] = {}
        pairs = list(parameters)
        kind = _kind(dict(pairs).get("in", ""))
        countable = set(facets(kind))
        for name, value in pairs:
            if name in countable and value.strip():
                filters[name, value.strip()] = None
            else:
                given.setdefault(name, value)
        if len(filters) > MAX_FILTERS:
            raise RequestError("", "filter", f"there are more than {MAX_FILTERS} filters; take some off")
        return cls(
            query=given.get("q", "").strip(),
            kind=kind,
            filters=tuple(filters),
            since=given.get("from", "").strip(),
            until=given.get("to", "").strip(),
            sort=_sort(given.get("sort", "")),
            after=given.get("after", ""),
            collapse=_collapse(given.get("collapse", "")),
        )

    def url(self, path: str = "/") -> str:
        """The address, what is as usual left out."""
        pairs = [
            ("q", self.query),
            ("in", "" if self.kind is Kind.ARTICLES else self.kind.value),
            *self.filters,
            ("from", self.since),
            ("to", self.until),
            ("sort", self.sort.value if self.sort else ""),
            ("collapse", "" if self.collapse else "no"),
            ("after", self.after),
        ]
        written = urlencode([(name, value) for name, value in pairs if value])
        return f"{path}?{written}" if written else path

    def narrowed(self, name: str, value: str) -> Address:
        """The same with one filter more, from its first page."""
        return replace(self, filters=(*(f for f in self.filters if f != (name, value)), (name, value)), after="")

    def widened(self, name: str, value: str) -> Address:
        """The same with one filter less."""
        return replace(self, filters=tuple(f for f in self.filters if f != (name, value)), after="")

    def within(self, since: str, until: str) -> Address:
        """The same within other times."""
        return replace(self, since=since, until=until, after="")

    @property
    def collapses(self) -> bool:
        """Whether this search shows one hit for several."""
        one = COLLAPSED[self.kind]
        return self.collapse and not any(name in (one, "story") for name, _ in self.filters)

    def collapsed(self, collapse: bool) -> Address:
        """The same with one hit a story, or with each."""
        return replace(self, collapse=collapse, after="")

    def story(self, story: str) -> Address:
        """All of its hits that are of one story, or of one assertion."""
        return self.narrowed(COLLAPSED[self.kind], story)

    def sorted(self, sort: Sort | None) -> Address:
        return replace(self, sort=sort, after="")

    def turned(self, kind: Kind) -> Address:
        """The same search in the other index, with the filters that it has too."""
        known, names = set(facets(kind)), _TRANSLATED[kind]
        kept = [(names.get(name, name), value) for name, value in self.filters]
        filters = tuple(dict.fromkeys(pair for pair in kept if pair[0] in known))
        return replace(self, kind=kind, filters=filters, after="")

    def page(self, cursor: str) -> Address:
        return replace(self, after=cursor)

    def composed(self) -> str:
        """Query and filters as one query, which the command line and a rule take as it stands."""
        clauses = [_clause(self.kind, name, values) for name, values in _grouped(self.filters)]
        if self.query:
            clauses.insert(0, f"({self.query})" if clauses else self.query)
        return " AND ".join(clauses)

    def parsed(self, now: datetime | None = None) -> Parsed:
        """The whole query, checked. Raises QueryError with a position in the user's own part of it, or RequestError
        where a filter or time is at fault."""
        parse(self.query, self.kind, now=now)
        for name, values in _grouped(self.filters):
            try:
                parse(_clause(self.kind, name, values), self.kind, now=now)
            except QueryError as error:
                raise RequestError("", "filter", f"the filter {name}: {error.reason}") from error
        return parse(self.composed(), self.kind, now=now)

    def request(
        self, now: datetime, *, limit: int, facets: tuple[str, ...] = (), histogram: Interval | None = None
    ) -> SearchRequest:
        """What the index is asked. Raises RequestError for a time that cannot be read."""
        return SearchRequest(
            query=self.composed(),
            kind=self.kind,
            since=read_when(self.since or None, now),
            until=read_when(self.until or None, now, end=True),
            sort=self.sort or Sort.SCORE,
            limit=limit,
            after=self.after or None,
            facets=facets,
            facet_size=18,
            histogram=histogram,
            highlight=True,
            collapse=self.collapses,
            now=now,
        )


def quoted(value: str) -> str:
    """A value between quotation marks, with what would end it or be taken as a sign escaped."""
    return '"' + "".join("\\" + char if char in '\\"“”' else char for char in value) + '"'


def clause(kind: Kind, name: str, value: str) -> str:
    """The query for one whole value of a facet."""
    field = FIELDS[kind][name]
    return f"{name}{'.keyword' if field.type is Type.NAME else ''}:{quoted(value)}"


def _clause(kind: Kind, name: str, values: list[str]) -> str:
    written = [clause(kind, name, value) for value in values]
    if len(written) == 1:
        return written[0]
    return "(" + (" OR " if name in _SINGLE else " AND ").join(written) + ")"


def _grouped(filters: tuple[tuple[str, str], ...]) -> list[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for name, value in filters:
        groups.setdefault(name, []).append(value)
    return list(groups.items())


def _kind(text: str) -> Kind:
    try:
        return Kind(text) if text else Kind.ARTICLES
    except ValueError:
        raise RequestError("", "in", f"in is 'articles' or 'claims', not {text[:40]!r}") from None


def _collapse(text: str) -> bool:
    if text not in ("", "yes", "no"):
        raise RequestError("", "collapse", f"collapse is 'yes' or 'no', not {text[:40]!r}")
    return text != "no"


def _sort(text: str) -> Sort | None:
    try:
        return Sort(text) if text else None
    except ValueError:
        raise RequestError("", "sort", f"sort is 'score', 'newest' or 'oldest', not {text[:40]!r}") from None
