"""What every adapter checks of a search before it is run, and the cursors by which it goes on.

A cursor is ``score:`` or ``time:``, a mark of the search that it belongs to, and what the adapter needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipeline.errors import RequestError
from pipeline.index import analysis
from pipeline.index.base import SearchRequest
from pipeline.index.fields import facets
from pipeline.records import digest

FULL_ID = 20
"""Characters of an article's id; less is a prefix."""
MAX_LIMIT = 10_000


def check_request(request: SearchRequest) -> None:
    """Raise QueryError for what is asked beside the query and cannot be had."""

    def fail(part: str, reason: str) -> None:
        raise RequestError(request.query, part, reason)

    if not 0 <= request.limit <= MAX_LIMIT:
        fail("limit", f"limit is {request.limit}, and can be 0 to {MAX_LIMIT:,}; go on with the cursor for more")
    if request.offset < 0 or (request.offset and request.after):
        fail("offset", "offset is not negative, and not used together with a cursor")
    for name in request.facets:
        if name not in facets(request.kind):
            known = ", ".join(facets(request.kind))
            fail("facets", f"{request.kind.value} cannot be counted by {name!r}, but by {known}")
    if request.facets and not 1 <= request.facet_size <= MAX_LIMIT:
        fail("facet_size", f"facet size is {request.facet_size}, and can be 1 to {MAX_LIMIT:,}")
    for part, moment in (("since", request.since), ("until", request.until)):
        if moment is not None and moment.tzinfo is None:
            fail(part, "times need a time zone")
    if request.since and request.until and request.since > request.until:
        fail(
            "since",
            f"{request.since:%Y-%m-%d %H:%M} is not before the end asked for, {request.until:%Y-%m-%d %H:%M} (UTC)",
        )


def cursor_mark(request: SearchRequest) -> str:
    """What a cursor carries so that it is of no use to another search. Without times: see ``SearchRequest.after``."""
    sources = sorted(map(analysis.fold, request.sources))
    how = ["collapse"] if request.collapse else []
    return digest("cursor", request.query.strip(), request.kind.value, request.sort.value, *sources, *how)[:8]


def collapsed_page(
    request: SearchRequest, kind: str, look: Callable[[int], Sequence[str | None]]
) -> tuple[list[int], str | None]:
    """Where the hits of a page stand among all matches in order, if each group is shown once; and the next cursor.

    ``look`` gives the groups of the first so many matches, or of all where there are fewer; it is asked for more until
    the page is full. Raises RequestError for a bad cursor.
    """
    start = int(cursor_place(request, kind, r"(\d{1,12})").group(1)) if request.after else request.offset
    end = start + request.limit
    reach = min(4 * (end + 1), MAX_LIMIT) if request.limit else 0
    while True:
        groups = look(reach)
        firsts = _first_of_each(groups)
        if len(firsts) > end or len(groups) < reach or reach in (0, MAX_LIMIT):
            break
        reach = min(4 * reach, MAX_LIMIT)
    more = request.limit and len(firsts) > end
    return firsts[start:end], f"{kind}:{cursor_mark(request)}:{end}" if more else None


def _first_of_each(groups: Sequence[str | None]) -> list[int]:
    """Where each group is met first, in order; ``None`` is a group by itself each time: pure."""
    seen: set[str] = set()
    places = []
    for place, group in enumerate(groups):
        if group is None or group not in seen:
            places.append(place)
        if group is not None:
            seen.add(group)
    return places


def cursor_place(request: SearchRequest, kind: str, pattern: str) -> re.Match[str]:
    """Read a cursor. Raises RequestError where it is another search's, or none."""
    match = re.fullmatch(rf"{kind}:{cursor_mark(request)}:{pattern}", request.after or "", re.ASCII)
    if match is None:
        known = re.match(r"(?:score|time):[0-9a-f]{8}:", request.after or "")
        reason = "this cursor belongs to another search" if known else "this is no cursor that a search gave"
        raise RequestError(request.query, "after", f"{reason}; repeat the search from its first page")
    return match
