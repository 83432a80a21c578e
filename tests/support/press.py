"""A small press for runs through a scheduler: feeds and articles on loopback, with a few things going wrong."""

from __future__ import annotations

import random

from tests.support.server import Reply, ScriptedServer

WORDS = "harbour council ferry strike budget school bridge river farm market clinic library".split()  # noqa: SIM905
"""What each feed is about: the first word of its headlines, and of no other's."""
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru sha ste tri".split()  # noqa: SIM905


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

    # No two stories are alike, or they would be told of as one.
    def _headline(self, feed: int, n: int) -> str:
        return f"{WORDS[feed].title()} {' '.join(self._words(feed, n, 0, 7))}"

    def _words(self, feed: int, n: int, part: int, count: int) -> list[str]:
        chance = random.Random(f"{feed}/{n}/{part}")
        return ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(count)]

    def _entry(self, feed: int, n: int) -> str:
        link = self.server.url(f"/news/{feed}/{n}")
        text = f"A note on {' and '.join(self._words(feed, n, 1, 20))}."
        return (
            f"<item><title>{self._headline(feed, n)}</title><link>{link}</link><description>{text}</description></item>"
        )

    def _page(self, feed: int, n: int) -> str:
        paragraphs = "".join(
            f"<p>{' '.join(self._words(feed, n, part, 40)).capitalize()}, a spokesman said.</p>" for part in range(2, 8)
        )
        headline = self._headline(feed, n)
        return (
            f'<html lang="en"><head><title>{headline}</title></head>'
            f"<body><article><h1>{headline}</h1>{paragraphs}</article></body></html>"
        )
