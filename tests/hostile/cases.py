"""The cases: what a feed, or a page that a feed leads to, can do to whoever asks for it, and what must come of it."""

from __future__ import annotations

from tests.hostile.server import (
    ARTICLE,
    MB,
    WORDS,
    Case,
    bomb,
    drip_body,
    drip_headers,
    endless_body,
    endless_headers,
    endless_interim,
    entities,
    layered_bomb,
    noise,
    redirect_chain,
    redirects,
    reply,
    rss,
    sends,
)

RSS = "application/rss+xml"
HTML = "text/html; charset=utf-8"
ITEM = "<item><title>{title}</title><guid>{title}</guid></item>"
TITLE = "Zürich – Łódź"
NO_WHERE = "<item><guid>{n}</guid><link>http://10.0.0.1/{n}</link></item>"


def feed(name: str, outcome: str, serve: object, *, entries: int | None = None, tls: str = "") -> Case:
    return Case(name, "feed", outcome, serve, tls=tls, entries=entries)  # type: ignore[arg-type]


def page(name: str, outcome: str, serve: object) -> Case:
    return Case(name, "page", outcome, serve)  # type: ignore[arg-type]


def one(title: str, *, head: str = "") -> bytes:
    return rss(ITEM.format(title=title), head=head)


def article(body: str, *, head: str = "") -> bytes:
    return f"<html lang=en><head><title>Ferry service resumes</title>{head}</head><body>{body}</body></html>".encode()


FEEDS = [
    feed("slow-headers", "timeout", drip_headers),
    feed("slow-body", "timeout", drip_body),
    feed("endless-body", "too-large", endless_body),
    feed("header-flood", "protocol", endless_headers),
    feed("interim-flood", "protocol", endless_interim),
    feed("one-long-header", "protocol", sends(b"HTTP/1.1 200 OK\r\nX: " + b"y" * MB + b"\r\n\r\n")),
    feed("gzip-bomb", "too-large", bomb("gzip", RSS)),
    feed("br-bomb", "too-large", bomb("br", RSS)),
    feed("zstd-bomb", "too-large", bomb("zstd", RSS)),
    feed("bomb-in-a-bomb", "too-large", layered_bomb()),
    feed("three-layers", "encoding", sends(reply(b"x", "Content-Encoding: gzip, gzip, gzip", kind=RSS))),
    feed(
        "not-in-its-encoding", "encoding", sends(reply(b"\x1f\x8b" + noise(1000), "Content-Encoding: gzip", kind=RSS))
    ),
    feed("entity-expansion", "", sends(reply(one("&a11;", head=entities()), kind=RSS)), entries=1),
    feed(
        "external-entity",
        "",
        sends(
            reply(
                one("[&x;]", head='<!DOCTYPE rss SYSTEM "{trap}/dtd" [<!ENTITY x SYSTEM "{trap}/e">]>').replace(
                    b"{trap}", b"http://127.0.0.1:1"
                ),
                kind=RSS,
            )
        ),
        entries=1,
    ),
    feed(
        "hundred-megabytes",
        "too-large",
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n" + rss() + b" " * MB),
    ),
    feed(
        "fifty-thousand-entries",
        "",
        sends(reply(rss(*(NO_WHERE.format(n=n) for n in range(50_000))), kind=RSS)),
        entries=5_000,
    ),
    feed(
        "one-line-of-nine-megabytes",
        "",
        sends(reply(rss(f"<item><guid>1</guid><title>{'x' * (9 * MB)}</title></item>"), kind=RSS)),
        entries=1,
    ),
    feed("nul-bytes", "", sends(reply(one("a\0b\0c"), kind=RSS)), entries=1),
    feed("wrong-charset", "", sends(reply(one(TITLE), kind=f"{RSS}; charset=iso-8859-2")), entries=1),
    feed("missing-charset", "", sends(reply(one(TITLE), kind=RSS)), entries=1),
    feed(
        "lying-declaration",
        "",
        sends(reply(one(TITLE, head='<?xml version="1.0" encoding="us-ascii"?>'), kind=RSS)),
        entries=1,
    ),
    feed("impossible-charset", "", sends(reply(one(TITLE), kind=f"{RSS}; charset=rot13")), entries=1),
    feed("utf-16", "", sends(reply(one(TITLE).decode().encode("utf-16"), kind=RSS)), entries=1),
    feed("utf-16-without-mark", "", sends(reply(one(TITLE).decode().encode("utf-16-le"), kind=RSS)), entries=1),
    feed("utf-7", "", sends(reply(one("+ADw-script+AD4-"), kind=f"{RSS}; charset=utf-7")), entries=1),
    feed("html-for-a-feed", "not-a-feed", sends(reply(ARTICLE.encode(), kind=RSS))),
    feed("a-feed-called-html", "", sends(reply(one(TITLE), kind=HTML)), entries=1),
    feed("nothing", "empty", sends(reply(b"", kind=RSS))),
    feed("noise", "not-a-feed", sends(reply(noise(MB), kind=RSS))),
    feed("deep-xml", "", sends(reply(rss(ITEM.format(title=TITLE), "<x>" * 50_000), kind=RSS)), entries=1),
    feed(
        "deep-json",
        "not-a-feed",
        sends(reply(b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * MB, kind="application/feed+json")),
    ),
    feed("redirect-circle", "redirects", redirects("{base}/feed")),
    feed("redirect-chain", "redirects", redirect_chain),
    feed("cookie-wall", "redirects", redirects("{base}/feed", "302 Found", "Set-Cookie: seen=1")),
    feed("redirect-to-the-trap", "private-address", redirects("{trap}/feed")),
    feed("redirect-to-metadata", "private-address", redirects("http://169.254.169.254/latest/meta-data/")),
    feed("redirect-to-a-number", "private-address", redirects("http://2130706433/")),
    feed("redirect-to-a-mapped-address", "private-address", redirects("http://[::ffff:10.0.0.1]/")),
    feed("redirect-to-file", "scheme", redirects("file:///etc/hostname")),
    feed("redirect-to-gopher", "scheme", redirects("gopher://127.0.0.1:6379/_INFO")),
    feed("redirect-to-mail", "port", redirects("http://mail.example.invalid:25/")),
    feed("redirect-to-nowhere", "scheme", redirects("http:///")),
    feed("redirect-with-a-long-address", "scheme", redirects("/" + "x" * 9000)),
    feed("bad-chunks", "protocol", sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n")),
    feed("chunks-that-stop", "reset", sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")),
    feed("two-lengths", "protocol", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")),
    feed("length-that-lies", "reset", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort")),
    feed("not-http", "protocol", sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    feed("nothing-at-all", "reset", sends(b"")),
    feed(
        "switching-protocols",
        "protocol",
        sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ),
    feed(
        "retry-after-for-ever",
        "http-503",
        sends(reply(b"", f"Retry-After: {'9' * 300}", status="503 Service Unavailable")),
    ),
    feed("status-without-sense", "http-999", sends(reply(b"", status="999 Whatever"))),
    feed("validators-of-a-megabyte", "", sends(reply(one(TITLE), f"ETag: {'x' * 15_000}", kind=RSS)), entries=1),
    feed("tls-for-another-name", "tls", sends(reply(one(TITLE), kind=RSS)), tls="name"),
    feed("tls-that-expired", "tls", sends(reply(one(TITLE), kind=RSS)), tls="expired"),
    feed("tls-of-nobody-known", "tls", sends(reply(one(TITLE), kind=RSS)), tls="unknown"),
    feed(
        "links-that-lead-elsewhere",
        "",
        sends(
            reply(
                rss(
                    *(
                        f"<item><title>{n}</title><link>{link}</link></item>"
                        for n, link in enumerate(
                            (
                                "javascript:alert(1)",
                                "file:///etc/passwd",
                                "data:text/html,x",
                                "http://[",
                                "ftp://e.org/",
                            )
                        )
                    )
                ),
                kind=RSS,
            )
        ),
        entries=5,
    ),
]
"""An entry that leads nowhere is indexed by its title; so none of these owes a page but to 10.0.0.1, which is refused."""

STANDS_IN = "feed"
"""The page gave nothing; the feed's own words are indexed in its place."""

PAGES = [
    page("page-slow-headers", STANDS_IN, drip_headers),
    page("page-slow-body", STANDS_IN, drip_body),
    page("page-endless", STANDS_IN, endless_body),
    page("page-gzip-bomb", STANDS_IN, bomb("gzip", HTML)),
    page("page-br-bomb", STANDS_IN, bomb("br", HTML)),
    page("page-zstd-bomb", STANDS_IN, bomb("zstd", HTML)),
    page("page-header-flood", STANDS_IN, endless_headers),
    page("page-redirect-circle", STANDS_IN, redirects("{base}/page")),
    page("page-redirect-to-the-trap", STANDS_IN, redirects("{trap}/page")),
    page("page-redirect-to-file", STANDS_IN, redirects("file:///etc/hostname")),
    page("page-cookie-wall", STANDS_IN, redirects("{base}/page", "302 Found", "Set-Cookie: consent=no")),
    page("page-bad-chunks", STANDS_IN, sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n")),
    page("page-ten-thousand-deep", "page", sends(reply(article("<div>" * 10_000 + f"<p>{WORDS}</p>" * 3), kind=HTML))),
    page(
        "page-forty-megabytes-on-a-line",
        STANDS_IN,
        sends(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 41943040\r\n\r\n" + b"x" * MB),
    ),
    page(
        "page-nine-megabytes-on-a-line",
        "page",
        sends(reply(article(f"<p>{WORDS}</p><p>{'word ' * (9 * MB // 5)}</p>"), kind=HTML)),
    ),
    page("page-nul-bytes", "page", sends(reply(article(f"<p>{WORDS}</p>".replace(". ", ".\0 ")), kind=HTML))),
    page(
        "page-lying-charset", "page", sends(reply(article(f"<p>{TITLE} {WORDS}</p>"), kind="text/html; charset=utf-16"))
    ),
    page(
        "page-utf-16",
        "page",
        sends(reply(article(f"<p>{TITLE} {WORDS}</p>").decode().encode("utf-16"), kind="text/html")),
    ),
    page("page-noise", STANDS_IN, sends(reply(noise(MB), kind=HTML))),
    page("page-that-is-a-feed", STANDS_IN, sends(reply(one(TITLE), kind=RSS))),
    page(
        "page-script-shell",
        STANDS_IN,
        sends(
            reply(
                article(
                    '<div id="root"></div><noscript>You need to enable JavaScript to run this app.</noscript><script src=/a.js></script>'
                ),
                kind=HTML,
            )
        ),
    ),
    page(
        "page-login",
        STANDS_IN,
        sends(reply(article("<h1>Log in</h1><form><input name=user><input type=password></form>"), kind=HTML)),
    ),
    page(
        "page-external-entity",
        STANDS_IN,
        sends(
            reply(
                b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
                kind="text/xml",
            )
        ),
    ),
    page(
        "page-that-takes-minutes", STANDS_IN, sends(reply(article("<aside>" * 1_000 + "<p>p</p>" * 400_000), kind=HTML))
    ),
    page("page-of-terminal-codes", "page", sends(reply(article(f"<p>\x1b]0;owned\x07{WORDS}\x1b[2J</p>"), kind=HTML))),
]

ROBOTS = [
    Case("robots-endless", "robots", STANDS_IN, endless_body),
    Case("robots-slow", "robots", STANDS_IN, drip_body),
    Case("robots-circle", "robots", STANDS_IN, redirects("{base}/robots.txt")),
    Case("robots-to-the-trap", "robots", STANDS_IN, redirects("{trap}/robots.txt")),
]

CASES = [*FEEDS, *PAGES, *ROBOTS]
