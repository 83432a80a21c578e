"""An article: its body with entities and claims marked in place, its times, who carried it, and its raw records."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pipeline.fetch import Archive
from pipeline.index.fields import assertion_of
from pipeline.records import Document, Sighting, whole_record
from pipeline.stories.register import Register
from pipeline.web import site
from pipeline.web.marking import depth, markup, paragraphs

CARRIERS: Final = 40
"""Articles of a story shown beside one of them."""


def page(request: Request) -> Response:
    """``/article/ID``; with ``?claim=N`` that claim's words stand out."""
    here = site.of(request)
    document = _document(request)
    if document.article.id != request.path_params["id"]:
        return RedirectResponse(f"/article/{document.article.id}", 307)
    wanted = request.query_params.get("claim", "")
    claims = document.enriched.claims
    chosen = int(wanted) if re.fullmatch(r"[0-9]{1,6}", wanted) and int(wanted) < len(claims) else None
    carried = sightings_of(here, document)
    feeds = here.feeds()
    return here.page(
        request,
        "article.html",
        document=document,
        article=document.article,
        paragraphs=[markup(pieces, claims, chosen) for pieces in paragraphs(document)],
        claims=[
            (claim, deep, assertion_of(document, n))
            for n, (claim, deep) in enumerate(zip(claims, depth(claims), strict=True))
        ],
        placement=document.placement,
        versions=Register(here.ledger).versions(document.article.id),
        shown_carriers=CARRIERS,
        chosen=chosen,
        names=names_of(document),
        carried=[(sighting, feeds.get(sighting.feed)) for sighting in carried],
    )


def json(request: Request) -> Response:
    """``/article/ID.json``: as ``wirewatch show --json`` prints it."""
    document, here = _document(request), site.of(request)
    versions = Register(here.ledger).versions(document.article.id)
    return JSONResponse(whole_record(document, sightings_of(here, document), versions))


def raw(request: Request) -> Response:
    """``/article/ID/raw``: the page as it was fetched, as text: nothing of another site is to run on this one."""
    here = site.of(request)
    location = _document(request).article.location
    if location is None:
        raise HTTPException(404, "There is no page of this article in the archive: the feed's own text stands in.")
    fetched = Archive(here.settings.archive_folder, here.settings.warc_size).read(location)
    head = [f"HTTP {fetched.status}", *(f"{name}: {value}" for name, value in fetched.headers)]
    about = [
        f"# {fetched.final_url}",
        f"# fetched {fetched.fetched.isoformat()}",
        f"# {location.file} {location.offset}",
    ]
    text = "\n".join([*about, *head, "", ""]).encode("utf-8", "replace")
    return Response(
        text + fetched.body,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Security-Policy": "sandbox; default-src 'none'"},
    )


def sightings_of(here: site.Site, document: Document) -> list[Sighting]:
    """Every entry of every feed that led to this article, first seen first."""
    found = [
        sighting for item in here.ledger.carriers(document.article.id) for sighting in here.ledger.sightings(item.id)
    ]
    return sorted(found, key=lambda sighting: (sighting.first_seen, sighting.id))


def names_of(document: Document) -> list[tuple[str, list[tuple[str, int]]]]:
    """The names in an article by kind, each with how often it is mentioned, most first."""
    kinds = {"PERSON": "People", "ORG": "Organisations", "GPE": "Places", "LOC": "Places", "FAC": "Places"}
    found: dict[str, dict[str, int]] = {kind: {} for kind in dict.fromkeys(kinds.values())}
    for entity in document.enriched.entities:
        if entity.label in kinds:
            counted = found[kinds[entity.label]]
            counted[entity.name] = counted.get(entity.name, 0) + 1
    return [
        (kind, sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
        for kind, counted in found.items()
        if counted
    ]


def _document(request: Request) -> Document:
    key: Any = request.path_params["id"]
    index = site.of(request).index
    document = index.get(key)
    if document is None:
        several = index.find(key) if len(key) >= 6 else ()
        if several:
            raise HTTPException(404, f"More than one article begins with {key[:40]}: {', '.join(several)}.")
        raise HTTPException(404, f"There is no article {quote(key[:40])} in the index.")
    return document
