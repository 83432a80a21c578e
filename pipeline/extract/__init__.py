"""From a fetched page to an article: body, title, byline, dateline, times, canonical URL, and what kind of page it is.

Pure: the same page and sighting give the same article; no clock is read and nothing is kept between calls.
"""

from __future__ import annotations

from dataclasses import replace

from lxml.html import HtmlElement

from pipeline import controls, records, urls
from pipeline.errors import ExtractError
from pipeline.extract import byline, dateline, language, notices, opening
from pipeline.extract.body import body as take_body
from pipeline.extract.body import drop_noise, locate
from pipeline.extract.describe import Described, describe
from pipeline.extract.document import parse
from pipeline.extract.harvest import Harvest, harvest
from pipeline.extract.kind import kind
from pipeline.fetch.charset import as_utf8
from pipeline.records import Article, Page, PageKind, Sighting

__all__ = ["extract", "from_feed", "from_tree"]

# Share of U+FFFD from which a body is no text: a page with stray bytes has a few, one read in a wrong charset one in
# every word (2026-11-23).
_UNREADABLE = 0.05


def extract(page: Page, sighting: Sighting | None = None) -> Article:
    """The article on a page; what the page lacks is taken from the sighting that led to it.

    ``kind`` says what the page is: only an ``ARTICLE`` has a body worth indexing. Without a sighting, ``first_seen``
    is when the page was fetched. Raises ExtractError where the page is no HTML at all, MemoryError where it takes more
    than there is, and nothing else.
    """
    try:
        return _extract(page, sighting)
    except (ExtractError, MemoryError):
        raise
    except Exception as error:
        raise ExtractError(page.final_url or page.url, f"{type(error).__name__}: {error}") from error


def from_feed(sighting: Sighting, reason: str) -> Article:
    """The article as the feed tells it, for when the page cannot be had; ``reason`` says in words why not."""
    canonical = urls.normalise(sighting.url)
    return Article(
        id=_id(canonical, sighting.title, sighting.text),
        url=canonical,
        title=sighting.title,
        body=sighting.text,
        first_seen=sighting.first_seen,
        source=sighting.source,
        feed=sighting.feed,
        guid=sighting.guid,
        authors=byline.parse(sighting.authors),
        dateline=dateline.parse(sighting.text, sighting.published),
        published=sighting.published,
        published_from="feed" if sighting.published else None,
        updated=sighting.updated,
        updated_from="feed" if sighting.updated else None,
        tags=sighting.tags,
        image=sighting.image,
        language=language.tell(sighting.text, language.code(sighting.language)),
        kind=PageKind.ARTICLE if sighting.title or sighting.text else PageKind.EMPTY,
        body_source="feed",
        body_reason=reason,
        baseline=sighting.baseline,
    )


def _extract(page: Page, sighting: Sighting | None) -> Article:
    root = parse(page, as_utf8(page))
    if root is None:
        return _article(page, sighting, None, "", PageKind.EMPTY)
    return from_tree(root, page, sighting)


def from_tree(root: HtmlElement, page: Page, sighting: Sighting | None = None) -> Article:
    """The article in an already parsed page, whose tree is used up by this."""
    found = harvest(root)
    small = notices.small_print(root)
    drop_noise(root)
    credit, notes = notices.read(root, small)
    told = describe(found, root, page.final_url or page.url, sighting.title if sighting else "")
    prose = locate(root)
    text = controls.clean(take_body(root, prose, title=told.title, summaries=told.summaries, texts=told.texts))
    above = opening.read(text, told.title, headed=bool(found.headings))
    text = above.body
    told = replace(
        told,
        title=above.title or told.title,
        authors=told.authors or above.authors,
        published=told.published or (above.published.time if above.published else None),
        published_from=told.published_from or ("page" if above.published else None),
    )
    page_kind = kind(text, found, root, page.final_url or page.url, told.title)
    if text.count("\ufffd") > _UNREADABLE * len(text):
        text, page_kind = "", PageKind.EMPTY
    if page_kind is PageKind.LOGIN:
        text = ""
    article = _article(page, sighting, told, text, page_kind)
    return replace(article, credit=credit, notes=notes)


def _article(page: Page, sighting: Sighting | None, told: Described | None, text: str, page_kind: PageKind) -> Article:
    address = page.final_url or page.url
    if told is None:
        told = describe(Harvest(), None, address)
    published, published_from = told.published, told.published_from
    updated, updated_from = told.updated, told.updated_from
    if sighting is not None:
        # A date that merely stands on the page may be another story's: the feed's word is better.
        if published_from in (None, "page") and sighting.published is not None:
            published, published_from = sighting.published, "feed"
        if updated is None and sighting.updated is not None:
            updated, updated_from = sighting.updated, "feed"
    title = told.title or (sighting.title if sighting else "")
    claimed = told.language or (language.code(sighting.language) if sighting else None)
    return Article(
        id=_id(told.canonical, title, text),
        url=told.canonical,
        title=title,
        body=text,
        first_seen=sighting.first_seen if sighting else page.fetched,
        source=(sighting.source if sighting else "") or told.site,
        feed=sighting.feed if sighting else "",
        guid=sighting.guid if sighting else None,
        authors=told.authors or (byline.parse(sighting.authors) if sighting else ()),
        dateline=dateline.parse(text, published),
        published=published,
        published_from=published_from,
        updated=updated,
        updated_from=updated_from,
        section=told.section,
        tags=told.tags or (sighting.tags if sighting else ()),
        image=told.image or (sighting.image if sighting else None),
        language=language.tell(text, claimed),
        kind=page_kind,
        baseline=sighting.baseline if sighting else False,
        location=page.location,
    )


def _id(canonical: str, title: str, text: str) -> str:
    """The article's id: from its canonical URL, or, where a file names none, from what it says."""
    return records.article_id(canonical) if canonical else records.digest("text", title, text)
