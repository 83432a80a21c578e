"""A small press for runs through a scheduler: feeds and articles on loopback, with a few things going wrong."""

from __future__ import annotations

from tests.support.server import Reply, ScriptedServer

WORDS = "harbour council ferry strike budget school bridge river farm market clinic library".split()  # noqa: SIM905


class Press:
    """Twelve feeds of twenty articles each. The last feed fails at first, and one article is missing."""

    FEEDS, EACH = 12, 20

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.feeds = [server.url(f"/feeds/{feed}.xml") for feed in range(self.FEEDS)]
        self.links = [server.url(f"/news/{feed}/{n}") for feed in range(self.FEEDS) for n in range(self.EACH)]
        self.missing = server.url("/news/3/7")
        for feed in range(self.FEEDS):
            items = "".join(self._entry(feed, n) for n in range(self.EACH))
            title = f"{WORDS[feed].title()} Gazette"
            rss = f'<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'
            reply = Reply(rss.encode(), headers={"Content-Type": "application/rss+xml"})
            failing = [Reply(status=500)] if feed == self.FEEDS - 1 else []
            server.on(f"/feeds/{feed}.xml", *failing, then=reply)
            for n in range(self.EACH):
                page = Reply(self._page(feed, n).encode(), headers={"Content-Type": "text/html; charset=utf-8"})
                server.on(f"/news/{feed}/{n}", Reply(status=404) if (feed, n) == (3, 7) else page)

    def _headline(self, feed: int, n: int) -> str:
        return f"{WORDS[feed].title()} meeting number {n} ends in an agreement"

    def _entry(self, feed: int, n: int) -> str:
        link = self.server.url(f"/news/{feed}/{n}")
        text = f"A short note on the {WORDS[feed]} meeting number {n}."
        return (
            f"<item><title>{self._headline(feed, n)}</title><link>{link}</link><description>{text}</description></item>"
        )

    def _page(self, feed: int, n: int) -> str:
        word = WORDS[feed]
        paragraphs = "".join(
            f"<p>Delegates at {word} meeting {n} went through point {point} of the agenda for most of the afternoon, and"
            f" agreed in the end, a spokesman said, that the {word} should be looked at again in {point + 2} years.</p>"
            for point in range(1, 5)
        )
        headline = self._headline(feed, n)
        return (
            f'<html lang="en"><head><title>{headline}</title></head>'
            f"<body><article><h1>{headline}</h1>{paragraphs}</article></body></html>"
        )
