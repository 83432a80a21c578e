"""The newsroom: invented outlets on loopback, each on a port of its own, with feeds, pages and an honest set of faults.

Everything is rendered when an edition comes out, so that answering costs the demo next to nothing.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape as escape_xml

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.demo import stories
from pipeline.demo.loopback import Handler, Loopback, Seen
from pipeline.demo.outlets import FEEDS, OUTLETS, FeedPlan, Outlet
from pipeline.demo.stories import MONTHS, WEEKDAYS, Story
from pipeline.records import Dateline, PageKind

SLOW = 3.0
"""Seconds that the slow page takes: long enough to be seen in the demo, short enough not to spoil it."""

FEED_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "rdf": "application/rdf+xml",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json",
    "broken": "text/xml",
    "html": "text/html; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsroomFeed:
    """A feed of the newsroom. ``url`` is the address that subscribers have: it may redirect for good."""

    title: str
    outlet: str
    """The outlet's name, as readers know it."""
    url: str
    site: str
    """The outlet's front page, which announces the feed."""
    dialect: str
    works: bool
    """False where what stands at the address is no feed at all."""
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsroomArticle:
    """What is true of one article: gold for benches, and for the demo's own tests."""

    url: str
    """Canonical."""
    link: str
    """As the feed gives it: perhaps AMP, perhaps through a redirect, perhaps with tracking parameters."""
    feeds: tuple[str, ...]
    slug: str
    outlet: str
    title: str
    authors: tuple[str, ...]
    published: datetime
    updated: datetime | None
    body: str
    """Paragraphs with blank lines between, the dateline in front."""
    language: str
    section: str
    tags: tuple[str, ...]
    dateline: Dateline | None
    agency: str | None
    """Whose reporting it is, by dateline or credit; ``None`` where it is the outlet's own."""
    kind: PageKind
    status: int
    """Of the page: 200, 403, or 410 once withdrawn."""
    robots: bool
    """Whether robots.txt allows the page."""
    event: str
    carries: str | None
    """The URL of the wire story that this is a copy of."""
    edit: str | None
    correction: str
    version: int
    speakers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    """One ready answer."""

    body: bytes = b""
    status: int = 200
    type: str = "text/html; charset=utf-8"
    modified: datetime | None = None
    etag: bool = True
    gzipped: bool = False
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A story version, set in time and place: what the templates print."""

    story: Story
    outlet: Outlet
    published: datetime
    updated: datetime | None
    paragraphs: tuple[str, ...]
    dateline: str
    path: str
    link: str
    url: str
    image: str
    version: int

    @property
    def touched(self) -> datetime:
        return self.updated or self.published

    @property
    def printed(self) -> tuple[str, ...]:
        return (self.dateline + self.paragraphs[0], *self.paragraphs[1:])

    @property
    def summary(self) -> str:
        return self.story.summary or self.paragraphs[0]

    @property
    def full_feed(self) -> bool:
        """Whether the feed has the whole text: where the page cannot be had, it must."""
        return self.story.access in ("forbidden", "robots")


class Newsroom:
    """The newsroom at its first edition; :meth:`advance` brings out the next. A context manager, plain or async."""

    def __init__(
        self,
        now: datetime | None = None,
        *,
        port: int = 0,
        slow: float = SLOW,
        folder: Path = stories.FOLDER,
    ) -> None:
        """``now`` (aware) is the moment of the first edition, by default the clock's; ``slow`` is seconds.

        ``port`` is the first of nine consecutive ports; 0 lets the system choose. Raises OSError where one is taken,
        ValueError where a story in ``folder`` cannot be read.
        """
        self._fixed = now is not None
        self._times = [(now or datetime.now(UTC)).astimezone(UTC).replace(second=0, microsecond=0)]
        self._slow = slow
        self._editions = stories.read_stories(folder)
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["rfc822"] = _rfc822
        self._templates.filters["xml"] = lambda text: Markup(escape_xml(str(text)))
        self._server = Loopback([self._handler(n) for n in range(len(OUTLETS) + 1)], port=port)
        self._bases = {
            outlet.key: f"http://{host}" for outlet, host in zip(OUTLETS, self._server.hosts[1:], strict=True)
        }
        self._render()

    # What a caller sees

    @property
    def url(self) -> str:
        """The newsstand: a page that lists the outlets and their feeds; ``feeds.opml`` beside it."""
        return f"http://{self._server.hosts[0]}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Values for ``settings.allow_hosts``."""
        return self._server.hosts

    @property
    def feeds(self) -> tuple[NewsroomFeed, ...]:
        """All feeds, the one that is none at the end."""
        names = {outlet.key: outlet.name for outlet in OUTLETS}
        return tuple(
            NewsroomFeed(
                title=plan.title,
                outlet=names[plan.outlet],
                url=self._bases[plan.outlet] + (plan.moved_from or plan.path),
                site=self._bases[plan.outlet] + "/",
                dialect=plan.dialect,
                works=plan.dialect != "html",
                moved_to=self._bases[plan.outlet] + plan.path if plan.moved_from else None,
            )
            for plan in FEEDS
        )

    @property
    def articles(self) -> Mapping[str, NewsroomArticle]:
        """Everything published so far by canonical URL, newest version each, withdrawn ones with status 410."""
        return self._articles

    @property
    def edition(self) -> int:
        """1 at first."""
        return len(self._times)

    @property
    def editions(self) -> int:
        """How many there are."""
        return len(self._editions)

    @property
    def now(self) -> datetime:
        """The moment of the edition that is out."""
        return self._times[-1]

    @property
    def requests(self) -> list[Seen]:
        """Every request so far."""
        return self._server.requests

    def advance(self, now: datetime | None = None) -> bool:
        """Bring out the next edition, at ``now``; False where there is none left.

        Without ``now``, half an hour after the last one where the first had a given time, else by the clock.
        """
        if self.edition >= self.editions:
            return False
        if now is None:
            now = self.now + timedelta(minutes=30) if self._fixed else datetime.now(UTC)
        self._times.append(now.astimezone(UTC).replace(second=0, microsecond=0))
        self._render()
        return True

    def start(self) -> None:
        """Begin to answer, in a thread."""
        self._server.start()

    def stop(self) -> None:
        """Close the ports."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    # Setting an edition

    def _render(self) -> None:
        items = self._set()
        resources: list[dict[str, _Resource]] = [self._newsstand()]
        for outlet in OUTLETS:
            own = [item for item in items if item.outlet is outlet]
            resources.append(self._site(outlet, sorted(own, key=lambda item: item.touched, reverse=True)))
        articles = {}
        by_slug = {item.story.slug: item for item in items}
        for item in items:
            articles[item.url] = self._gold(item, by_slug)
        # One assignment each: a request is answered from the old edition or from the new one, never from half of it.
        self._resources = resources
        self._articles: dict[str, NewsroomArticle] = articles

    def _set(self) -> list[_Item]:
        newest: dict[str, tuple[Story, int]] = {}
        versions: dict[str, list[Story]] = {}
        for edition in self._editions[: self.edition]:
            for story in edition:
                newest[story.slug] = (story, newest.get(story.slug, (story, 0))[1] + 1)
                versions.setdefault(story.slug, []).append(story)
        outlets = {outlet.key: outlet for outlet in OUTLETS}
        items: dict[str, _Item] = {}
        for story, version in newest.values():
            outlet = outlets[story.outlet]
            published = self._published(story)
            carried: tuple[str, ...] = ()
            if story.carries:
                # A copy stays as it was made, whatever becomes of the wire story in later editions.
                wire = [w for w in versions[story.carries] if w.version_edition <= story.version_edition][-1]
                carried = stories.paragraphs(wire, outlets[wire.outlet], self._published(wire))
            path = outlet.permalink.format(
                slug=story.slug, id=story.number, section=story.section, date=published + outlet.offset
            )
            if story.access == "robots":
                path = "/premium" + path
            base = self._bases[story.outlet]
            link = path
            if story.access == "click":
                link = f"/feed-click/{story.number}?utm_source=rss&utm_medium=feed"
            elif outlet.template == "amp.html":
                link = "/amp" + path
            updated = self._times[story.version_edition - 1] if version > 1 else None
            items[story.slug] = _Item(
                story=story,
                outlet=outlet,
                published=published,
                updated=updated,
                paragraphs=stories.paragraphs(story, outlet, published, carried),
                dateline=stories.dateline_text(story, outlet, published),
                path=path,
                link=base + link,
                url=base + path,
                image=f"{base}/images/{story.number}.svg",
                version=version,
            )
        return list(items.values())

    def _published(self, story: Story) -> datetime:
        moment = self._times[story.edition - 1] - timedelta(hours=story.hours_ago)
        return moment.replace(second=story.number % 60)

    def _gold(self, item: _Item, by_slug: Mapping[str, _Item]) -> NewsroomArticle:
        story = item.story
        plans = [plan for plan in FEEDS if plan.outlet == story.outlet]
        agency = story.agency or item.outlet.agency
        dateline = None
        if item.dateline:
            pattern = item.outlet.dateline if story.dateline is None else story.dateline
            dated = "{day}" in pattern
            dateline = Dateline(
                text=item.dateline.strip(),
                place=story.place,
                date=(item.published + item.outlet.offset).date().isoformat() if dated else None,
                agency=agency if agency is not None and agency in item.dateline else None,
            )
        return NewsroomArticle(
            url=item.url,
            link=_tracked(item.link, next((plan.query for plan in plans), "")),
            feeds=tuple(
                self._bases[plan.outlet] + (plan.moved_from or plan.path)
                for plan in plans
                if not plan.sections or story.section in plan.sections
            ),
            slug=story.slug,
            outlet=item.outlet.name,
            title=story.headline,
            authors=story.authors,
            published=item.published,
            updated=item.updated,
            body="\n\n".join(item.printed),
            language=item.outlet.language,
            section=story.section,
            tags=story.tags,
            dateline=dateline,
            agency=agency,
            kind=PageKind.LOGIN if story.access == "login" else PageKind(story.kind),
            status=410 if story.withdrawn else 403 if story.access == "forbidden" else 200,
            robots=story.access != "robots",
            event=story.event,
            carries=by_slug[story.carries].url if story.carries else None,
            edit=story.edit,
            correction=story.correction,
            version=item.version,
            speakers=story.speakers,
        )

    # One outlet's site

    def _site(self, outlet: Outlet, items: list[_Item]) -> dict[str, _Resource]:
        base = self._bases[outlet.key]
        plans = [plan for plan in FEEDS if plan.outlet == outlet.key]
        shown = [item for item in items if not item.story.withdrawn]
        site: dict[str, _Resource] = {
            "/robots.txt": _Resource(body=outlet.robots.encode(), type="text/plain"),
            "/style.css": _Resource(
                body=self._templates.get_template("style.css").render(outlet=outlet).encode(), type="text/css"
            ),
            "/favicon.ico": _Resource(status=204),
        }
        common = {"outlet": outlet, "base": base, "feeds": plans, "feed_types": FEED_TYPES, "year": self.now.year}
        front = "notice.html" if outlet.template == "notice.html" else "front.html"
        site["/"] = self._html(outlet, front, items=shown, **common)
        for plan in plans:
            wanted = [i for i in shown if not plan.sections or i.story.section in plan.sections]
            site[plan.path] = self._feed(plan, outlet, base, wanted)
            if plan.moved_from:
                site[plan.moved_from] = _Resource(status=301, headers={"Location": base + plan.path})
        for item in items:
            related = [other for other in shown if other is not item][:4]
            site |= self._pages(item, {**common, "related": related})
        return site

    def _pages(self, item: _Item, common: Mapping[str, Any]) -> dict[str, _Resource]:
        story, outlet = item.story, item.outlet
        pages = {
            f"/images/{story.number}.svg": _Resource(
                body=self._templates.get_template("picture.svg").render(item=item).encode(),
                type="image/svg+xml",
            )
        }
        if story.withdrawn:
            gone = self._html(outlet, "gone.html", item=item, **common)
            pages[item.path] = replace(gone, status=410)
            return pages
        if story.access == "forbidden":
            wall = self._html(outlet, "forbidden.html", item=item, **common)
            pages[item.path] = replace(wall, status=403)
            return pages
        template = outlet.template
        if story.access == "login":
            template = "login.html"
        elif story.kind == "video":
            template = "video.html"
        page = self._html(outlet, template, item=item, amp=False, jsonld=_jsonld(item, self._bases), **common)
        page = replace(page, modified=item.touched, delay=self._slow if story.access == "slow" else 0.0)
        pages[item.path] = page
        if template == "amp.html":
            amp = self._html(outlet, template, item=item, amp=True, jsonld=_jsonld(item, self._bases), **common)
            pages["/amp" + item.path] = replace(amp, modified=item.touched)
        if story.access == "click":
            target = item.url + "?utm_source=rss&utm_medium=feed"
            pages[f"/feed-click/{story.number}"] = _Resource(status=302, headers={"Location": target})
        return pages

    def _html(self, outlet: Outlet, template: str, /, **names: Any) -> _Resource:
        def local(moment: datetime, style: str = "long") -> str:
            return _local(moment, outlet, style)

        text = self._templates.get_template(template).render(local=local, iso=_iso(outlet), **names)
        # The old table layout says ISO-8859-1 and means windows-1252, as half the old web does, and only in its text.
        kind = "text/html" if outlet.charset != "utf-8" else "text/html; charset=utf-8"
        return _Resource(body=text.encode(outlet.charset, "xmlcharrefreplace"), type=kind)

    def _feed(self, plan: FeedPlan, outlet: Outlet, base: str, items: list[_Item]) -> _Resource:
        latest = max((item.touched for item in items), default=self.now)
        kind = FEED_TYPES[plan.dialect]
        if plan.dialect == "html":
            return self._html(outlet, "notice.html", outlet=outlet, base=base, year=self.now.year)
        if plan.dialect == "json":
            body = _json_feed(plan, outlet, base, items)
            return _Resource(body=body, type=kind, modified=latest)
        text = self._templates.get_template(f"{plan.dialect}.xml").render(
            plan=plan,
            outlet=outlet,
            base=base,
            items=items,
            latest=latest,
            iso=_iso(outlet),
            zone=timezone(outlet.offset),
            tracked=_tracked,
        )
        charset = "iso-8859-1" if plan.dialect == "rdf" else "utf-8"
        headers = {"Cache-Control": "public, max-age=300"} if plan.gzipped else {}
        return _Resource(
            body=text.encode(charset, "xmlcharrefreplace"),
            type=kind,
            modified=latest,
            etag=plan.dialect != "atom",
            gzipped=plan.gzipped,
            headers=headers,
        )

    def _newsstand(self) -> dict[str, _Resource]:
        names: dict[str, Any] = {"feeds": self.feeds, "outlets": OUTLETS, "bases": self._bases}
        page = self._templates.get_template("newsstand.html").render(**names)
        opml = self._templates.get_template("feeds.opml").render(**names)
        return {
            "/": _Resource(body=page.encode()),
            "/feeds.opml": _Resource(body=opml.encode(), type="text/x-opml; charset=utf-8"),
            "/robots.txt": _Resource(body=b"User-agent: *\nDisallow:\n", type="text/plain"),
        }

    # Answering

    def _handler(self, number: int) -> Handler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            site = self._resources[number]
            found = site.get(request.path_qs) or site.get(request.path)
            if found is None:
                return web.Response(status=404, text="<h1>Page not found</h1>", content_type="text/html")
            if found.delay:
                await asyncio.sleep(found.delay)
            return _answer(found, request)

        return handle


def _answer(found: _Resource, request: web.BaseRequest) -> web.Response:
    headers = dict(found.headers)
    if found.body and found.status == 200:
        if found.etag:
            headers["ETag"] = f'"{blake2b(found.body, digest_size=8).hexdigest()}"'
        if found.modified is not None:
            headers["Last-Modified"] = format_datetime(found.modified, usegmt=True)
        if _unchanged(request, headers.get("ETag"), found.modified):
            return web.Response(status=304, headers=headers)
    if found.body:
        headers["Content-Type"] = found.type
    body = found.body
    if found.gzipped and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, mtime=0)
    return web.Response(status=found.status, headers=headers, body=body)


def _unchanged(request: web.BaseRequest, etag: str | None, modified: datetime | None) -> bool:
    """Whether the client has this already (RFC 9110, 13.2.2: If-None-Match goes before If-Modified-Since)."""
    known = request.headers.get("If-None-Match")
    if known is not None:
        return etag is not None and etag in (tag.strip() for tag in known.split(","))
    since = request.headers.get("If-Modified-Since")
    if since is None or modified is None:
        return False
    try:
        return modified <= parsedate_to_datetime(since)
    except ValueError:
        return False


def _tracked(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _rfc822(moment: datetime, zone: timezone = UTC) -> str:
    return format_datetime(moment.astimezone(zone))


def _iso(outlet: Outlet) -> Any:
    zone = timezone(outlet.offset)
    return lambda moment: moment.astimezone(zone).isoformat()


def _local(moment: datetime, outlet: Outlet, style: str) -> str:
    """A moment as the outlet prints it: ``long`` (day and minute), ``day``, or ``clock``."""
    local = moment + outlet.offset
    weekday = WEEKDAYS[outlet.language][local.weekday()]
    month = MONTHS[outlet.language][local.month - 1]
    clock = f"{local:%H:%M}"
    if outlet.language == "es":
        day = f"{local.day} de {month} de {local.year}"
        return {"day": day, "clock": clock, "long": f"{weekday} {day}, {clock}"}[style]
    day = f"{month} {local.day}, {local.year}"
    return {"day": f"{weekday}, {day}", "clock": clock, "long": f"{day} {clock}"}[style]


def _jsonld(item: _Item, bases: Mapping[str, str]) -> Markup:
    """The page's structured data, as its template's house style has it."""
    outlet, story = item.outlet, item.story
    iso = _iso(outlet)
    base = bases[outlet.key]
    publisher = {
        "@type": "NewsMediaOrganization",
        "name": outlet.name,
        "logo": {"@type": "ImageObject", "url": f"{base}/favicon.ico"},
    }
    article: dict[str, Any] = {
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": item.url},
        "headline": story.headline,
        "description": item.summary,
        "datePublished": iso(item.published),
        "dateModified": iso(item.touched),
        "author": [{"@type": "Person", "name": name} for name in story.authors]
        or [{"@type": "Organization", "name": outlet.name}],
        "publisher": publisher,
        "image": [item.image],
        "articleSection": story.section,
        "keywords": list(story.tags),
        "inLanguage": outlet.language,
    }
    whole: Any = {"@context": "https://schema.org", **article}
    if outlet.template == "graph.html":
        people = [
            {"@type": "Person", "@id": f"{base}/#/autor/{n}", "name": name} for n, name in enumerate(story.authors)
        ]
        article |= {"@id": item.url + "#article", "author": [{"@id": person["@id"]} for person in people]}
        page = {"@type": "WebPage", "@id": item.url, "url": item.url, "name": f"{story.headline} - {outlet.name}"}
        site = {"@type": "WebSite", "@id": f"{base}/#website", "name": outlet.name, "publisher": publisher}
        whole = {"@context": "https://schema.org", "@graph": [page, site, article, *people]}
    elif outlet.template == "press.html":
        whole = [whole, {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": []}]
    return Markup(json.dumps(whole, ensure_ascii=False, indent=1).replace("</", "<\\/"))


def _json_feed(plan: FeedPlan, outlet: Outlet, base: str, items: list[_Item]) -> bytes:
    iso = _iso(outlet)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": plan.title,
        "home_page_url": f"{base}/",
        "feed_url": base + plan.path,
        "description": outlet.tagline,
        "language": outlet.language,
        "items": [
            {
                "id": f"{outlet.key}-{item.story.number}",
                "url": _tracked(item.link, plan.query),
                "title": item.story.headline,
                "summary": item.summary,
                "content_html": f"<p>{escape(item.summary)}</p>",
                "image": item.image,
                "date_published": iso(item.published),
                "date_modified": iso(item.touched),
                "authors": [{"name": name} for name in item.story.authors],
                "tags": list(item.story.tags),
            }
            for item in items
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()
