"""The search page: hits, facets, histogram and paging of a search, and the same search as JSON and as an Atom feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.errors import QueryError, RequestError
from pipeline.index import Index, Kind, SearchResult, Sort, result_to_dict
from pipeline.web import chart, limits, site
from pipeline.web.address import FACETS, Address
from pipeline.web.atom import Entry, feed

PAGE: Final = 20
MOST: Final = 200
"""Hits that one answer as JSON or Atom may hold."""

NAMES: Final = {
    "source": "Source",
    "speaker": "Speaker",
    "person": "Person",
    "org": "Organisation",
    "place": "Place",
    "cue": "What is done in it",
    "language": "Language",
    "class": "What is done",
    "anonymous": "Named or not",
    "kind": "Kind of speaker",
    "entity": "About",
    "form": "Form",
    "origin": "Whose text",
    "status": "What became of it",
}
"""Facets as people call them; others go by the field's name."""

WORDS: Final = {
    ("anonymous", "true"): "not named",
    ("anonymous", "false"): "named or described",
    ("form", "direct"): "quoted",
    ("form", "indirect"): "reported",
    ("form", "mixed"): "partly quoted",
}
"""Values as people call them; others stand as they are."""

EXAMPLES: Final = {
    Kind.ARTICLES: (
        ("talks AND place:Muscat", "a word, and a place named"),
        ('"line of control"~3', "words near each other"),
        ("flood*", "words that begin so"),
        ("cue:deny AND person:*", "somebody denies, somebody is named"),
        ("published:[now-2d TO now]", "of the last two days"),
        ("independent_sources:>1", "more than one has it"),
    ),
    Kind.CLAIMS: (
        ("class:deny AND content:talks", "denials about talks"),
        ("anonymous:true AND class:confirm", "unnamed sources who confirm"),
        ("kind:government AND class:(deny OR decline)", "governments that deny or decline"),
        ("form:direct AND entity:Kashmir", "quotes about a place"),
        ("_exists_:hedge", "hedged: reportedly, may have"),
        ("_exists_:reversal", "who says the opposite elsewhere"),
    ),
}
"""Queries to click on, with what they find."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search page shows."""

    result: SearchResult
    histogram: chart.Histogram | None


def find(index: Index, address: Address, now: datetime, limit: int = PAGE) -> Found:
    """Search, with facets and a histogram. Raises QueryError for what cannot be read or would be too dear."""
    limits.refuse_dear(address.parsed(now))
    # Cursors pass over the facets: they are of the whole search, and each page shows them.
    result = index.search(address.request(now, limit=limit, facets=FACETS[address.kind], histogram=chart.DAYS))
    counts = result.histogram
    finer = chart.wanted(counts)
    if finer is not None:
        counts = index.search(replace(address, after="").request(now, limit=0, histogram=finer)).histogram
    return Found(result=result, histogram=chart.histogram(counts))


def page(request: Request) -> Response:
    """``/``: the search page. A query that cannot be used is shown with its fault, and answered with 400."""
    here = site.of(request)
    now = datetime.now(UTC)
    address, found, fault, status = Address(), None, None, 200
    try:
        address = Address.read(request.query_params.multi_items())
        found = here.searching(request, lambda index: find(index, address, now))
    except QueryError as error:
        fault, status = fault_of(error), 400
        address = _as_typed(request)
    return here.page(
        request,
        "search.html",
        status,
        address=address,
        kinds=[(kind, address.turned(kind)) for kind in Kind],
        found=found,
        fault=fault,
        facets=facets_of(address, found.result) if found else [],
        chosen=[(name, value, label(name, value), address.widened(name, value)) for name, value in address.filters],
        examples=[(text, what, Address(query=text, kind=address.kind)) for text, what in EXAMPLES[address.kind]],
        sorts=[(sort, address.sorted(sort)) for sort in Sort],
        ranks=bool(found and address.parsed(now).scores),
        held=here.held(),
        now=now,
    )


def _as_typed(request: Request) -> Address:
    """What can be read of an address that as a whole cannot be meant, so that the form keeps what was typed."""
    for drop in ({"sort", "collapse"}, {"sort", "collapse", "in"}):
        try:
            return Address.read(pair for pair in request.query_params.multi_items() if pair[0] not in drop)
        except RequestError:
            continue
    return Address(query=request.query_params.get("q", ""))


def json(request: Request) -> Response:
    """``/search.json``: the search as ``wirewatch search --json`` prints it."""
    here = site.of(request)
    now = datetime.now(UTC)
    try:
        limit = _limit(request)
        address = Address.read(request.query_params.multi_items())
        found = here.searching(request, lambda index: find(index, address, now, limit))
    except QueryError as error:
        return JSONResponse({"error": error.reason, "position": fault_of(error)["position"]}, 400)
    return JSONResponse(result_to_dict(found.result))


def atom(request: Request) -> Response:
    """``/search.atom``: the newest hits as a feed, for a reader or another Wirewatch."""
    here = site.of(request)
    now = datetime.now(UTC)
    try:
        limit = _limit(request)
        address = replace(Address.read(request.query_params.multi_items()), sort=Sort.NEWEST)

        def work(index: Index) -> SearchResult:
            limits.refuse_dear(address.parsed(now))
            return index.search(address.request(now, limit=limit))

        result = here.searching(request, work)
    except QueryError as error:
        return JSONResponse({"error": error.reason, "position": fault_of(error)["position"]}, 400)
    base = str(request.base_url).rstrip("/")
    content = feed(
        title=f"Wirewatch: {address.composed() or 'everything'}",
        itself=base + address.url("/search.atom"),
        page=base + address.url("/"),
        entries=[_entry(base, address.kind, hit.id, hit.record) for hit in result.hits],
        now=now,
    )
    return Response(content, media_type="application/atom+xml")


def _entry(base: str, kind: Kind, id_: str, record: dict[str, Any]) -> Entry:
    if kind is Kind.CLAIMS:
        who = record.get("speaker") or "Somebody"
        cue = f" {record['cue']}" if record.get("cue") else ""
        return Entry(
            id=f"urn:wirewatch:claim:{id_}",
            title=f"{who}{cue}: {record['content']}",
            link=f"{base}/article/{record['article']}?claim={record['n']}",
            original=record.get("url", ""),
            updated=datetime.fromisoformat(record.get("indexed") or record["time"]),
            published=datetime.fromisoformat(record["time"]),
            author=record.get("source", ""),
            summary=f"In: {record.get('title', '')}",
        )
    article = record["article"]
    published = article["published"] or article["first_seen"]
    return Entry(
        id=f"urn:wirewatch:article:{id_}",
        title=article["title"] or "(no headline)",
        link=f"{base}/article/{id_}",
        original=article["url"],
        updated=datetime.fromisoformat(record["indexed"] or published),
        published=datetime.fromisoformat(published),
        author=article["source"] or urlsplit(article["url"]).hostname or "",
        summary=article["body"][:400],
    )


def facets_of(address: Address, result: SearchResult) -> list[dict[str, Any]]:
    """The facets as the page shows them: each value with its count, and the search that it narrows to, or, where it is
    chosen, widens to."""
    chosen = set(address.filters)
    shown = []
    for name in FACETS[address.kind]:
        values = [
            {
                "label": label(name, value),
                "count": count,
                "chosen": (name, value) in chosen,
                "to": address.widened(name, value) if (name, value) in chosen else address.narrowed(name, value),
            }
            for value, count in result.facets.get(name, ())
        ]
        if values and not (len(values) == 1 and name in ("status", "language") and not values[0]["chosen"]):
            shown.append({"name": name, "label": NAMES.get(name, name), "values": values})
    return shown


def label(name: str, value: str) -> str:
    """A facet's value as people call it."""
    return WORDS.get((name, value), value)


def fault_of(error: QueryError) -> dict[str, Any]:
    """What is wrong with a query: the reason, and where it is the query's, its text before, at and behind the place."""
    if isinstance(error, RequestError):
        return {"reason": error.reason, "part": error.part, "position": None}
    query, at = error.query, min(error.position, max(0, len(error.query) - 1))
    start, end = max(0, at - 60), min(len(query), at + 60)
    return {
        "reason": error.reason,
        "part": "query",
        "position": error.position,
        "before": ("…" if start else "") + query[start:at],
        "at": query[at : at + 1],
        "behind": query[at + 1 : end] + ("…" if end < len(query) else ""),
    }


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST:
        raise RequestError("", "limit", f"limit is a number from 1 to {MOST}, not {text[:20]!r}")
    return int(text)


def hits_of(index: Index, address: Address, now: datetime, extra: str) -> Sequence[Any]:
    """The newest hits of a search that another clause holds for too: what came in lately."""
    query = f"({address.query}) AND {extra}" if address.query else extra
    narrowed = replace(address, query=query, sort=Sort.NEWEST, after="", collapse=False)
    return index.search(narrowed.request(now, limit=PAGE)).hits
