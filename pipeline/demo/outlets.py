"""The demo's outlets and their feeds: all invented, each with a page template and a feed dialect of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One outlet. ``permalink`` and ``dateline`` are format strings (see ``newsroom`` for what they may name)."""

    key: str
    name: str
    town: str
    tagline: str
    template: str
    permalink: str
    dateline: str
    sections: tuple[str, ...]
    colour: str
    offset: timedelta
    """The local clock's distance from UTC: bylines and weekdays are local."""
    agency: str | None = None
    language: str = "en"
    charset: str = "utf-8"
    robots: str = "User-agent: *\nDisallow: /search\nDisallow: /account/\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPlan:
    """One feed of an outlet. ``dialect`` is rss, rdf, atom, json, broken (RSS that is not well-formed) or html."""

    outlet: str
    title: str
    path: str
    dialect: str
    sections: tuple[str, ...] = ()
    """The sections it carries; none is all."""
    moved_from: str | None = None
    """An address that answers 301 with the feed's own: the one that subscribers still have."""
    gzipped: bool = False
    query: str = ""
    """Tracking parameters that the feed hangs on to every link."""


OUTLETS: tuple[Outlet, ...] = (
    Outlet(
        key="meridian",
        name="Meridian News Agency",
        town="Geneva",
        tagline="The wire since 1931",
        template="semantic.html",
        permalink="/{section}/{slug}-{date:%Y-%m-%d}/",
        dateline="{place}, {month} {day} (Meridian) - ",
        agency="Meridian",
        sections=("world", "markets", "science", "sport", "health"),
        colour="#0b3d91",
        offset=timedelta(0),
    ),
    Outlet(
        key="jhelum",
        name="The Jhelum Observer",
        town="Srinagar",
        tagline="Independent journalism from the valley",
        template="soup.html",
        permalink="/{date:%Y/%m/%d}/{slug}/",
        dateline="{place}: ",
        sections=("kashmir", "economy", "health"),
        colour="#5b2a86",
        offset=timedelta(hours=5, minutes=30),
    ),
    Outlet(
        key="potohar",
        name="The Potohar Post",
        town="Islamabad",
        tagline="Established 1962",
        template="table.html",
        permalink="/story.asp?id={id}",
        dateline="{place}: ",
        sections=("national", "economy", "sport", "world"),
        colour="#14532d",
        offset=timedelta(hours=5),
        charset="windows-1252",
    ),
    Outlet(
        key="yamuna",
        name="The Yamuna Standard",
        town="New Delhi",
        tagline="The capital's morning paper",
        template="amp.html",
        permalink="/{section}/{slug}-{id}.html",
        dateline="{place}: ",
        sections=("india", "world", "science"),
        colour="#9a3412",
        offset=timedelta(hours=5, minutes=30),
    ),
    Outlet(
        key="voz",
        name="La Voz del Estuario",
        town="Montevideo",
        tagline="Noticias desde el Río de la Plata",
        template="graph.html",
        permalink="/{section}/{slug}-nid{date:%d%m%Y}/",
        dateline="{place} (La Voz) - ",
        agency="La Voz",
        sections=("politica", "mundo", "deportes", "salud"),
        colour="#0e7490",
        offset=timedelta(hours=-3),
        language="es",
    ),
    Outlet(
        key="harbour",
        name="Harbour & Exchange",
        town="Rotterdam",
        tagline="Shipping, commodities and money",
        template="microdata.html",
        permalink="/articles/{id}/{slug}",
        dateline="",
        sections=("shipping", "commodities", "policy", "technology"),
        colour="#1f2937",
        offset=timedelta(hours=1),
    ),
    Outlet(
        key="rift",
        name="Rift Valley Herald",
        town="Nairobi",
        tagline="Telling the region's story",
        template="press.html",
        permalink="/{date:%Y/%m}/{slug}/",
        dateline="{place} — ",
        sections=("news", "climate", "sport", "investigations"),
        colour="#7f1d1d",
        offset=timedelta(hours=3),
        robots="User-agent: *\nDisallow: /wp-admin/\nDisallow: /premium/\nDisallow: /account/\n",
    ),
    Outlet(
        key="coastline",
        name="Coastline Today",
        town="Mombasa",
        tagline="Now only in the app",
        template="notice.html",
        permalink="/{slug}",
        dateline="",
        sections=("news",),
        colour="#155e75",
        offset=timedelta(hours=3),
    ),
)

FEEDS: tuple[FeedPlan, ...] = (
    FeedPlan(
        outlet="meridian",
        title="Meridian – World and health",
        path="/feeds/world.xml",
        dialect="rss",
        sections=("world", "health"),
    ),
    FeedPlan(
        outlet="meridian",
        title="Meridian – Markets, science and sport",
        path="/feeds/desk.xml",
        dialect="rss",
        sections=("markets", "science", "sport"),
        moved_from="/rss/desk",
    ),
    FeedPlan(outlet="jhelum", title="The Jhelum Observer", path="/atom.xml", dialect="atom"),
    FeedPlan(outlet="potohar", title="The Potohar Post", path="/rdf/headlines.rdf", dialect="rdf"),
    FeedPlan(
        outlet="yamuna", title="The Yamuna Standard – Top stories", path="/rss/top.xml", dialect="rss", gzipped=True
    ),
    FeedPlan(outlet="voz", title="La Voz del Estuario", path="/feed/atom/", dialect="atom"),
    FeedPlan(
        outlet="harbour",
        title="Harbour & Exchange",
        path="/feed.json",
        dialect="json",
        query="utm_source=feed&utm_medium=json&utm_campaign=all",
    ),
    FeedPlan(outlet="rift", title="Rift Valley Herald", path="/feed/", dialect="broken"),
    FeedPlan(outlet="coastline", title="Coastline Today", path="/feed/", dialect="html"),
)
