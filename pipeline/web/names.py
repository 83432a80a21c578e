"""A name: what it says, what is said about it, where it is quoted and named.

One page serves people, organisations and places, because in the news they are not kept apart: India speaks, is spoken
of, and is a place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pipeline.index import Index, Kind, SearchRequest, SearchResult, Sort
from pipeline.index.fields import claim_id
from pipeline.records import Hit, Relation
from pipeline.web import site
from pipeline.web.address import Address, clause

SHOWN: Final = 40
"""Claims on one page."""
DRAWN: Final = 400
"""Claims on the timeline: more dots than that would be one bar."""
ARTICLES: Final = 12

LANES: Final = ("confirm", "deny", "")
"""The rows of the timeline: what is confirmed, what is denied, all else."""
WIDTH, LANE_AT = 1000.0, (14, 42, 70)
"""The timeline's own units, and where its rows are."""
LABELS: Final = (("person", "person"), ("org", "organisation"), ("place", "place"), ("norp", "nationality or group"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A denial after a confirmation, or the other way round, by one speaker of the same: a machine's guess."""

    before: Hit
    after: Hit
    confidence: float
    """From 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A claim on the timeline: how far along, in which lane, and whether it is part of a reversal."""

    hit: Hit
    x: float
    lane: int
    turns: bool


def page(request: Request) -> Response:
    """``/name/NAME``."""
    here = site.of(request)
    name = request.path_params["name"].strip()[:300]
    said, about, articles, drawn, kinds = here.searching(request, lambda index: _look_up(index, name))
    if not said.total and not about.total and not articles.total:
        raise HTTPException(404, f"Nobody and nothing in the index goes by the name “{name}”.")
    turned = reversals(drawn)
    drawn_dots = dots(drawn, turned)
    by_id = {dot.hit.id: dot for dot in drawn_dots}
    return here.page(
        request,
        "name.html",
        name=name,
        kinds=kinds,
        said=said,
        about=about,
        articles=articles,
        reversals=turned,
        dots=drawn_dots,
        turnings=[(by_id[turn.before.id], by_id[turn.after.id]) for turn in turned],
        lanes=LANE_AT,
        first=drawn[0].record["time"] if drawn else None,
        last=drawn[-1].record["time"] if drawn else None,
        all_said=Address(kind=Kind.CLAIMS, filters=(("speaker", name),), sort=Sort.NEWEST),
        all_about=Address(kind=Kind.CLAIMS, filters=(("entity", name),), sort=Sort.NEWEST),
        all_named=Address(filters=(("entity", name),), sort=Sort.NEWEST),
    )


def _look_up(index: Index, name: str) -> tuple[SearchResult, SearchResult, SearchResult, Sequence[Hit], list[str]]:
    speaks = SearchRequest(
        query=clause(Kind.CLAIMS, "speaker", name),
        kind=Kind.CLAIMS,
        sort=Sort.NEWEST,
        limit=DRAWN,
        facets=("class", "entity", "source", "role"),
    )
    said = index.search(speaks)
    about = index.search(
        SearchRequest(
            query=clause(Kind.CLAIMS, "entity", name),
            kind=Kind.CLAIMS,
            sort=Sort.NEWEST,
            limit=10,
            facets=("class", "speaker"),
        )
    )
    named = clause(Kind.ARTICLES, "entity", name)
    articles = index.search(
        SearchRequest(query=named, sort=Sort.NEWEST, limit=ARTICLES, facets=("source", "person", "place"))
    )
    kinds = [
        word
        for field, word in LABELS
        if index.search(SearchRequest(query=clause(Kind.ARTICLES, field, name), limit=0)).total
    ]
    drawn = sorted(said.hits, key=lambda hit: (hit.record["time"], hit.record["article"], hit.record["n"]))
    return replace(said, hits=said.hits[:SHOWN]), about, articles, drawn, kinds


def reversals(hits: Sequence[Hit]) -> list[Reversal]:
    """Where one speaker's claims turn from denial to confirmation or back, as the stories tell it, oldest first."""
    by_id = {hit.id: hit for hit in hits}
    turns: dict[tuple[str, str], Reversal] = {}
    for hit in hits:
        for opposite in hit.record.get("opposites", ()):
            other = by_id.get(claim_id(opposite["article"], opposite["n"]))
            if opposite["relation"] != Relation.REVERSAL or other is None:
                continue
            before, after = sorted((hit, other), key=lambda one: (one.record["time"], one.id))
            turns.setdefault(
                (before.id, after.id), Reversal(before=before, after=after, confidence=opposite["confidence"])
            )
    return sorted(turns.values(), key=lambda turn: turn.after.record["time"])


def dots(hits: Sequence[Hit], turns: Sequence[Reversal]) -> list[Dot]:
    """The claims, oldest first, on a line from the first to the last."""
    if not hits:
        return []
    times = [datetime.fromisoformat(hit.record["time"]).astimezone(UTC).timestamp() for hit in hits]
    first, last = times[0], max(times[-1], times[0] + 1)
    turning = {hit.id for turn in turns for hit in (turn.before, turn.after)}
    return [
        Dot(
            hit=hit,
            x=round(10 + (WIDTH - 20) * (time - first) / (last - first), 1),
            lane=_lane(hit.record),
            turns=hit.id in turning,
        )
        for hit, time in zip(hits, times, strict=True)
    ]


def _lane(record: dict[str, Any]) -> int:
    kind = record.get("class")
    return LANES.index(kind) if kind in LANES else len(LANES) - 1
