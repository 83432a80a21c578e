"""Chooses, from all that a page says about itself, what the article's record says: title, authors, times and the rest.

The order of trust is the same everywhere: the page's own JSON-LD for the article, then meta tags, then what readers
see. Each choice is general; no publisher is known by name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml.etree import XPath
from lxml.html import HtmlElement

from pipeline import controls, urls
from pipeline.extract import byline, dates, language, title
from pipeline.extract.harvest import Harvest, Node, is_article, types
from pipeline.extract.text import plain, squash


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a page says about its article. ``None`` and empty where it says nothing."""

    title: str
    authors: tuple[str, ...]
    published: datetime | None
    published_from: str | None
    updated: datetime | None
    updated_from: str | None
    section: str | None
    tags: tuple[str, ...]
    image: str | None
    language: str | None
    canonical: str
    site: str
    """The outlet's name as the page gives it; "" where it does not."""
    texts: tuple[str, ...]
    """``articleBody`` of the page's JSON-LD articles, the page's own article first."""
    summaries: tuple[str, ...]
    """What the page says its article is about: descriptions from meta tags and JSON-LD."""


def describe(found: Harvest, root: HtmlElement | None, address: str, announced: str = "") -> Described:
    """Judge a harvest. ``root`` is the page's whole tree, asked only where the harvest leaves a question; ``address``
    is where the page was fetched, ``announced`` the title that its feed gave it."""
    articles = _articles(found, address)
    site = _site(found, articles)
    published, published_from = _published(found, articles)
    updated, updated_from = _updated(found, articles)
    if published is None and root is not None:
        published, published_from = _shown(root)
    if updated is not None and published is not None and updated <= published:
        updated = updated_from = None  # as many systems write where nothing was changed
    return Described(
        title=title.choose(
            found, articles[0] if articles else {}, root, site=site, address=address, announced=announced
        ),
        authors=_authors(found, articles, root, site, address),
        published=published,
        published_from=published_from,
        updated=updated,
        updated_from=updated_from,
        section=_section(found, articles),
        tags=_tags(found, articles),
        image=_image(found, articles, address),
        language=_language(found, articles),
        canonical=_canonical(found, articles, address),
        site=site,
        texts=tuple(text for node in articles if isinstance(text := node.get("articleBody"), str) and text.strip()),
        summaries=tuple(
            dict.fromkeys(
                text
                for said in (
                    found.meta("og:description"),
                    found.meta("description"),
                    *(next(_texts(node.get("description")), "") for node in articles[:1]),
                )
                if (text := plain(said))
            )
        ),
    )


def _texts(value: Any) -> Iterator[str]:
    """The strings in a JSON-LD value: itself, its items', or its ``name`` or ``url``."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(value.get("name") or value.get("@value") or value.get("url") or value.get("@id"))


def _articles(found: Harvest, address: str) -> list[Node]:
    """The page's JSON-LD articles, its own first: the one that names this page's address, else the first that has a
    headline and a date. A page may also describe articles it only links to."""
    nodes = [node for node in found.nodes if is_article(node)]
    if len(nodes) < 2:
        return nodes
    here = {urls.normalise(address)}
    here.update(urls.normalise(link) for link in _hrefs(found, "canonical", address))
    here.update(urls.normalise(link) for link in found.metas.get("og:url", ()))

    def rank(node: Node) -> int:
        named = any(
            urls.normalise(urls.resolve(address, text)) in here
            for key in ("url", "mainEntityOfPage", "@id")
            for text in _texts(_identity(node.get(key)))
        )
        full = (
            bool(node.get("headline") or node.get("name")) + bool(node.get("datePublished")) + bool(node.get("author"))
        )
        return -(4 * named + full)

    return sorted(nodes, key=rank)


def _identity(value: Any) -> Any:
    return (value.get("@id") or value.get("url")) if isinstance(value, dict) else value


def _hrefs(found: Harvest, rel: str, address: str) -> list[str]:
    return [
        urls.resolve(address, href) for link in found.links.get(rel, ()) if (href := (link.get("href") or "").strip())
    ]


def _site(found: Harvest, articles: list[Node]) -> str:
    name = found.meta("og:site_name", "application-name", "dc.publisher")
    if not name:
        for node in articles:
            publisher = found.resolve(node.get("publisher"))
            name = next(_texts(publisher), "") if isinstance(publisher, dict | list) else ""
            if name and not name.startswith("http"):
                break
    return plain(name)


# --- authors ---

_AUTHOR_METAS = (
    "author", "article:author", "article:author:name", "og:article:author", "dc.creator", "dcterms.creator",
    "parsely-author", "sailthru.author", "cxenseparse:author", "byl", "article:byline", "citation_author",
    "dcsext.author", "articleauthor", "og:author", "twitter:creator:name",
)  # fmt: skip
_VISIBLE = (
    XPath('//*[@rel="author" or @itemprop="author"]'),
    XPath(
        '//*[self::a or self::span or self::div or self::p or self::address or self::li or self::strong or self::em]'
        '[contains(@class,"byline") or contains(@class,"Byline") or contains(@class,"author") or'
        ' contains(@class,"Author") or contains(@class,"autor") or contains(@class,"writer") or'
        ' contains(@id,"author") or contains(@id,"byline")]'
    ),
    XPath('//a[contains(@href,"/author") or contains(@href,"/autor") or contains(@href,"/auteur")]'),
)  # fmt: skip
# What a visible byline must look like to be believed: two to five words, each a capitalised name or a particle.
_PERSON = re.compile(
    r"(?:(?:Dr|Prof|Mag|Sir|Dame)\.?\s+)*[^\W\d_a-z][\w.'’-]*(?:\s+(?:[a-z]{2,3}\s+){0,2}[^\W\d_a-z][\w.'’-]*){1,4}"
)


_COMPANY = re.compile(
    r"\b(?:Inc|Ltd|GmbH|LLC|Verlag|Corp)\b|^[\w-]+\.(?:com?|net|org|de|at|ch|lt|tv|info|news|co\.\w\w)$", re.I
)


def _authors(
    found: Harvest, articles: list[Node], root: HtmlElement | None, site: str, address: str
) -> tuple[str, ...]:
    """Names from JSON-LD, then meta tags, then the visible byline. One that only repeats the outlet's name gives way
    to a later one that names a person."""
    house: tuple[str, ...] = ()
    brand = squash(urls.host(address).rpartition(":")[0] or urls.host(address)).removeprefix("www")
    for names in _author_choices(found, articles):
        if not names:
            continue
        if not _is_house(names, site, brand) and not _is_imprint(names, site, brand):
            return _persons(names, site, brand)
        house = house or names
    if root is not None:
        house = _visible_authors(root, site, brand) or house
    return house


def _visible_authors(root: HtmlElement, site: str, brand: str) -> tuple[str, ...]:
    """Persons named by the first byline elements of the page; elements in lists of other stories are passed over."""
    for path in _VISIBLE:
        elements = path(root)
        if not isinstance(elements, list):
            continue
        for element in elements[:6]:
            if not isinstance(element, HtmlElement):
                continue
            fellows = element.itersiblings(element.tag) if element.get("itemprop") == "author" else ()
            signing = [element, *(one for one in fellows if one.get("itemprop") == "author")]
            text = element.get("content") or "\n".join(text for one in signing for text in one.itertext())
            if len(text) > 300:
                continue
            names = tuple(name for name in byline.parse([text], visible=True) if _PERSON.fullmatch(name))
            if names:
                # The first byline signs this page; those after it sign others.
                return () if _is_house(names, site, brand) else _persons(names, site, brand)
    return ()


def _persons(names: tuple[str, ...], site: str, brand: str) -> tuple[str, ...]:
    """The names without the outlet's own, where a person stands beside it."""
    persons = tuple(name for name in names if not _is_house((name,), site, brand) and not _COMPANY.search(name))
    return persons or names


def _is_imprint(names: tuple[str, ...], site: str, brand: str) -> bool:
    """Whether names are an outlet's and its seat ("Example News, Frankfurt, Germany"), with no whole person's."""
    rest = [name for name in names[1:] if not name.isascii() or " " in name or name.isupper()]
    return len(names) > 2 and not rest and (_is_house(names[:1], site, brand) or bool(_COMPANY.search(names[0])))


def _author_choices(found: Harvest, articles: list[Node]) -> Iterator[tuple[str, ...]]:
    for node in articles[:3]:
        for key in ("author", "creator"):
            yield byline.parse(_people(found, node.get(key)))
    for name in _AUTHOR_METAS:
        yield byline.parse(found.metas.get(name, ()))
    label = found.meta("twitter:label1")
    if label and re.search(r"written|author|von|verfasst|autor|por|par|écrit|geschrieben", label, re.IGNORECASE):
        yield byline.parse([found.meta("twitter:data1")])
    yield byline.parse(found.metas.get("twitter:misc:written by", ()))


def _people(found: Harvest, value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    names: list[str] = []
    for item in items:
        item = found.resolve(item)
        if isinstance(item, list):
            names.extend(_people(found, item))
        elif isinstance(item, str):
            names.append(item)
        elif isinstance(item, dict):
            name = item.get("name") or item.get("byline") or item.get("alternateName")
            if not name and (item.get("givenName") or item.get("familyName")):
                name = f"{item.get('givenName') or ''} {item.get('familyName') or ''}"
            names.extend(text for text in _texts(name))
    return names


# Words that go with an outlet's name where nobody signed.
_STAFF = re.compile(
    r"(?i)\b(?:news|nachrichten|online|digital|web|redaktion|redacción|redação|redazione|rédaction|redakcja|redactie)\b"
)


def _is_house(names: Iterable[str], site: str, brand: str) -> bool:
    """Whether all names only repeat the outlet: its name as the page gives it, or its host's ("bbccom"), a word for its
    staff beside it or not."""
    outlet = squash(site)
    return all(
        bool(key := squash(_STAFF.sub("", name)) or squash(name))
        and (
            (outlet and (key in outlet or outlet in key))
            or brand.startswith(key[:12])
            or (len(brand) > 4 and brand[:-2].startswith(key))
        )
        for name in names
    )


# --- times ---

_PUBLISHED_METAS = (
    "article:published_time", "og:article:published_time", "article:published", "article:published:time",
    "datepublished", "date_published", "publish_date", "publishdate", "publish-date", "published_at", "pubdate",
    "cxenseparse:recs:publishtime", "parsely-pub-date", "sailthru.date", "og:published_time", "dc.date.issued",
    "dcterms.created", "dcterms.date", "dc.date.created", "dc.date", "citation_publication_date", "article.published",
    "date", "originalpublicationdate", "rnews:datepublished", "last-published", "og:pubdate", "displaydate",
    "dcterms.issued", "article:post_date", "uploaddate", "datecreated",
)  # fmt: skip
_UPDATED_METAS = (
    "article:modified_time", "og:updated_time", "datemodified", "article:modified", "article:modified:time",
    "last-modified", "lastmod", "dcterms.modified", "dc.date.modified", "og:article:modified_time", "modified_at",
    "updated_at", "date_modified", "article.updated",
)  # fmt: skip

Candidate = tuple[dates.Stamp, str]


def _published(found: Harvest, articles: list[Node]) -> tuple[datetime | None, str | None]:
    candidates = list(_stamps(found, articles, ("datePublished", "dateCreated", "uploadDate"), _PUBLISHED_METAS))
    return _best(candidates)


def _updated(found: Harvest, articles: list[Node]) -> tuple[datetime | None, str | None]:
    return _best(list(_stamps(found, articles, ("dateModified",), _UPDATED_METAS)))


def _stamps(found: Harvest, articles: list[Node], keys: tuple[str, ...], metas: tuple[str, ...]) -> Iterator[Candidate]:
    for key in keys:
        for node in articles:
            if (stamp := dates.read(node.get(key))) is not None:
                yield stamp, "json-ld"
    for name in metas:
        for content in found.metas.get(name, ()):
            if (stamp := dates.read(content)) is not None:
                yield stamp, "meta"
    if keys[0] == "datePublished":
        yield from _time_tags(found.times)
        for node in found.nodes:
            if any(name in ("WebPage", "VideoObject", "LiveBlogPosting") for name in types(node)):
                stamp = dates.read(node.get("datePublished") or node.get("uploadDate"))
                if stamp is not None:
                    yield stamp, "json-ld"


_DATED = XPath(
    '//*[contains(@class,"date") or contains(@class,"posted") or contains(@class,"publish") or contains(@class,"time")'
    ' or contains(@id,"date")]'
)


def _shown(root: HtmlElement) -> tuple[datetime | None, str | None]:
    """The first date in an element that is named after dates: in its attributes, or as readers see it."""
    elements = _DATED(root)
    for element in elements[:12] if isinstance(elements, list) else ():
        if not isinstance(element, HtmlElement):
            continue
        for text in (*(element.get(name) for name in ("datetime", "title", "content", "data-date", "data-time")), None):
            stamp = dates.read(text) if text is not None else dates.find(" ".join(" ".join(element.itertext()).split()))
            if stamp is not None:
                return stamp.time, "page"
    return None, None


def _time_tags(times: list[HtmlElement]) -> Iterator[Candidate]:
    """``time`` elements: first those that say they are the publication's, then the first of the page."""
    ranked = sorted(
        times[:20],
        key=lambda element: (
            not (
                element.get("pubdate") is not None
                or "publi" in f"{element.get('class')} {element.get('itemprop')}".lower()
            )
        ),
    )
    for element in ranked[:3]:
        if (stamp := dates.read(element.get("datetime") or element.text_content())) is not None:
            yield stamp, "time"


def _best(candidates: list[Candidate]) -> tuple[datetime | None, str | None]:
    """The first candidate, made as exact as the others allow: a bare day takes the time of a later candidate of that
    day; a time without an offset takes the offset of a later candidate with the same time on the clock."""
    if not candidates:
        return None, None
    first, origin = candidates[0]
    if not first.timed:
        for stamp, where in candidates[1:]:
            if stamp.timed and abs((stamp.time - first.time).total_seconds()) < 2 * 86_400 and _same_day(stamp, first):
                first, origin = stamp, where
                break
    if first.timed and not first.zoned:
        for stamp, where in candidates:
            away = (stamp.time - first.time).total_seconds()
            # Offsets are whole quarters of an hour, from -12 to +14 hours; seconds may be cut off on one side.
            if stamp.zoned and stamp.timed and abs(away) <= 14 * 3600 + 60 and min(away % 900, -away % 900) < 60:
                first, origin = stamp, where
                break
    return first.time, origin


def _same_day(stamp: dates.Stamp, day: dates.Stamp) -> bool:
    return stamp.time.date() == day.time.date() or abs((stamp.time - day.time).total_seconds()) < 86_400


# --- the rest ---


def _section(found: Harvest, articles: list[Node]) -> str | None:
    for node in articles[:1]:
        for text in _texts(node.get("articleSection")):
            if (name := plain(text)) and len(name) <= 60:
                return name
    name = plain(
        found.meta(
            "article:section",
            "og:article:section",
            "section",
            "articlesection",
            "parsely-section",
            "cxenseparse:category",
        )
    )
    return name if name and len(name) <= 60 else None


def _tags(found: Harvest, articles: list[Node]) -> tuple[str, ...]:
    texts = [*found.metas.get("article:tag", ()), *found.metas.get("og:article:tag", ())]
    if not texts and articles:
        texts = list(_texts(articles[0].get("keywords")))
    if not texts:
        texts = [found.meta("news_keywords", "keywords", "parsely-tags", "sailthru.tags", "cxenseparse:taglist")]
    tags: dict[str, str] = {}
    for text in texts:
        for part in re.split(r"[,;，、]", text) if len(texts) == 1 or "," in text else (text,):
            tag = plain(part)
            if 1 < len(tag) <= 60 and not tag.startswith("http"):
                tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:40]


def _image(found: Harvest, articles: list[Node], address: str) -> str | None:
    choices = [found.meta("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")]
    for node in articles[:1]:
        image = found.resolve(node.get("image"))
        image = image[0] if isinstance(image, list) and image else image
        choices.append(
            str(image.get("url") or image.get("contentUrl") or "") if isinstance(image, dict) else str(image or "")
        )
    for choice in choices:
        link = urls.resolve(address, controls.clean(html.unescape(choice))) if choice.strip() else ""
        if urls.is_web(link):
            return link
    return None


def _language(found: Harvest, articles: list[Node]) -> str | None:
    spoken = next((text for node in articles[:1] for text in _texts(node.get("inLanguage"))), None)
    return (
        language.code(found.language)
        or language.code(found.meta("og:locale", "content-language", "dc.language"))
        or language.code(spoken)
    )


def _canonical(found: Harvest, articles: list[Node], address: str) -> str:
    """The page's own canonical URL where it can be believed: on the same site, and not the front page of it (a page
    that is itself the front page aside). An AMP page's points to the page proper. Else the address fetched.
    A page from a local file has no site of its own: there any web address is believed."""
    choices = _hrefs(found, "canonical", address)
    choices.extend(urls.resolve(address, text.strip()) for text in found.metas.get("og:url", ()))
    if not urls.is_web(address):
        choices.extend(text for node in articles[:1] for text in _texts(_identity(node.get("mainEntityOfPage"))))
    for choice in map(controls.clean, choices):
        if not urls.is_web(choice):
            continue
        if urls.is_web(address) and (
            not urls.same_site(choice, address) or (_is_front(choice) and not _is_front(address))
        ):
            continue
        return urls.normalise(choice)
    return urls.normalise(controls.clean(address))


def _is_front(address: str) -> bool:
    rest = address.partition("://")[2]
    return not rest.partition("/")[2].partition("#")[0].strip("/")
