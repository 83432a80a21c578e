"""What a rule would have fired on, of what is in the index: sends nothing, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.alerts.explain import alert_of
from pipeline.alerts.matcher import Matcher
from pipeline.alerts.rules import Rule
from pipeline.index import Index, Kind, SearchRequest, Sort
from pipeline.records import Alert, Document

PAGE = 200


def rehearse(rule: Rule, index: Index, since: datetime, now: datetime, *, baseline: bool = False) -> list[Alert]:
    """The alerts that a rule would have made of what was first seen since then, in that order.

    The index holds the newest version of each article only: of a rule that asks for every version, these are the last.
    What was there at a feed's first poll counts with ``baseline``. Raises what a search raises.
    """
    matcher = Matcher([rule])
    found: dict[str, Alert] = {}
    for document in sorted(_candidates(rule, index, since, now), key=lambda one: one.article.first_seen):
        if document.article.baseline and document.article.version == 1 and not baseline:
            continue
        for match in matcher.match([document], now):
            alert = alert_of(match, document.indexed or now)
            if alert.independent_sources >= rule.min_sources:
                found.setdefault(alert.story if rule.throttle.once else alert.id, alert)
    return list(found.values())


def _candidates(rule: Rule, index: Index, since: datetime, now: datetime) -> Iterator[Document]:
    """What a search for the rule's query finds; the matcher looks at the rest of it."""
    kind = Kind.CLAIMS if rule.claims is not None else Kind.ARTICLES
    query = rule.claims if rule.claims is not None else rule.query
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    after: str | None = None
    seen: set[str] = set()
    while True:
        request = SearchRequest(
            query=f"({query}) AND first_seen:[{moment} TO *]",
            kind=kind,
            sources=rule.sources,
            sort=Sort.OLDEST,
            limit=PAGE,
            after=after,
            now=now,
        )
        result = index.search(request)
        for hit in result.hits:
            id_ = str(hit.record["article"]) if kind is Kind.CLAIMS else hit.id
            if id_ not in seen:
                seen.add(id_)
                document = index.get(id_)
                if document is not None:
                    yield document
        after = result.next_cursor
        if after is None:
            return
