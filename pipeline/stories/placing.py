"""The place of an article among others: what its document says of its story."""

from __future__ import annotations

from pipeline.records import Carrier, Document, Placement, story_id


def alone(document: Document) -> Placement:
    """The place of an article that nothing else is known to be near: a story of its own."""
    article = document.article
    agency = article.dateline.agency if article.dateline else None
    origin = agency or article.source
    carrier = Carrier(
        article=article.id,
        source=article.source,
        url=article.url,
        title=article.title,
        time=article.published or article.first_seen,
        origin=origin,
        version=article.version,
    )
    return Placement(
        story=story_id(article.id),
        origin=origin,
        origin_from="dateline" if agency else "outlet",
        carriers=(carrier,),
        versions=article.version,
    )
