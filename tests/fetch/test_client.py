"""The client against a server on loopback that behaves and misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import ssl
import subprocess
import tracemalloc
import zlib
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pytest
from backports import zstd

from pipeline.errors import FetchError
from pipeline.fetch import Fetcher, raise_for_status, retry_after
from pipeline.records import Page
from tests.fetch.conftest import Asked, Names, Outlet, redirect, reply, settings

TEXT = "".join(f"Die Märkte öffnen {n * 7919} Punkte fester. " for n in range(400)).encode()


async def failure(fetcher: Fetcher, url: str, **options: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.get(url, **options)  # type: ignore[arg-type]
    assert caught.value.url == url
    return caught.value


# What comes back


async def test_a_page_carries_status_headers_body_and_both_addresses(outlet: Outlet) -> None:
    outlet.answers["/a"] = reply(TEXT, "Content-Type: text/html; charset=utf-8", 'ETag: W/"x y"')
    before = datetime.now(UTC)
    async with Fetcher(settings(outlet)) as fetcher:
        page = await fetcher.get(outlet.url("/a"))
    assert (page.url, page.final_url, page.status, page.body) == (
        outlet.url("/a"),
        outlet.url("/a"),
        200,
        TEXT,
    )
    assert page.header("etag") == 'W/"x y"'
    assert page.moved_to is None
    assert before <= page.fetched <= datetime.now(UTC)


@pytest.mark.parametrize("status", ["304 Not Modified", "404 Not Found", "410 Gone", "503 Busy"])
async def test_any_complete_response_is_a_page(outlet: Outlet, status: str) -> None:
    outlet.answers["/a"] = reply(b"", status=status)
    async with Fetcher(settings(outlet)) as fetcher:
        page = await fetcher.get(outlet.url("/a"))
    assert page.status == int(status[:3])


async def test_we_say_who_we_are_and_nothing_about_where_we_come_from(outlet: Outlet) -> None:
    outlet.answers["/a"] = redirect("/b")
    outlet.answers["/b"] = reply(b"x", "Set-Cookie: id=1")
    async with Fetcher(settings(outlet, contact="desk@example.org")) as fetcher:
        await fetcher.get(outlet.url("/a"), robots=False)
        await fetcher.get(outlet.url("/b"), robots=False)
    assert all("desk@example.org" in one.headers["user-agent"] for one in outlet.asked)
    assert not any({"referer", "cookie", "authorization"} & set(one.headers) for one in outlet.asked)


async def test_conditions_go_out_byte_for_byte(outlet: Outlet) -> None:
    outlet.answers["/f"] = reply(b"", status="304 Not Modified")
    etag = 'W/"grün-\\""'
    async with Fetcher(settings(outlet)) as fetcher:
        await fetcher.get(outlet.url("/f"), headers={"If-None-Match": etag}, robots=False)
    assert outlet.asked[0].headers["if-none-match"].encode("latin-1").decode() == etag


async def test_headers_that_are_not_utf8_become_clean_text(outlet: Outlet) -> None:
    outlet.answers["/a"] = b"HTTP/1.1 200 OK\r\nX-City: Z\xfcrich\r\nX-Town: K\xc3\xb6ln\r\nContent-Length: 0\r\n\r\n"
    async with Fetcher(settings(outlet)) as fetcher:
        page = await fetcher.get(outlet.url("/a"))
    assert (page.header("x-city"), page.header("x-town")) == ("Zürich", "Köln")


async def test_an_address_is_asked_for_as_it_is_written(outlet: Outlet) -> None:
    path = "/a%7Eb/%2F?q=%E4&x=1+2;y=*&x=3"
    outlet.answers[path] = reply(b"x")
    async with Fetcher(settings(outlet)) as fetcher:
        page = await fetcher.get(outlet.url(path) + "#part")
    assert page.status == 200
    assert page.url.endswith("#part")


async def test_blanks_and_letters_beyond_ascii_in_an_address_are_escaped(outlet: Outlet) -> None:
    outlet.answers["/a%20b/%C3%A4"] = reply(b"x")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/a b/ä"))).status == 200


async def test_names_beyond_ascii_are_asked_for_in_punycode(outlet: Outlet) -> None:
    outlet.answers["/a"] = reply(b"x")
    names = Names(["127.0.0.1"])
    async with Fetcher(settings(allow_hosts=("xn--bcher-kva.example",)), resolver=names) as fetcher:
        page = await fetcher.get(outlet.url("/a", "Bücher.example"))
    assert page.status == 200
    assert outlet.asked[-1].headers["host"] == f"xn--bcher-kva.example:{outlet.port}"
    assert names.asked == 1


async def test_a_name_in_capitals_and_the_default_port_are_the_same_host(outlet: Outlet) -> None:
    outlet.answers["/a"] = reply(b"x")
    async with Fetcher(settings(allow_hosts=("localhost",))) as fetcher:
        assert (await fetcher.get(f"HTTP://LocalHost:{outlet.port}/a")).status == 200


async def test_outside_of_its_context_a_fetcher_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Fetcher(settings()).get("http://news.example/", robots=False)


# Encodings


def _deflate_raw(data: bytes) -> bytes:
    maker = zlib.compressobj(wbits=-15)
    return maker.compress(data) + maker.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("GZIP", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:700]) + gzip.compress(TEXT[700:])),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"\0" * 512),
        ("gzip", TEXT),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", _deflate_raw(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("zstd", zstd.compress(TEXT)),
        ("zstd", zstd.compress(TEXT[:700]) + zstd.compress(TEXT[700:])),
        ("gzip, br", brotli.compress(gzip.compress(TEXT))),
        ("identity", TEXT),
        ("utf-8", TEXT),
    ],
    ids=[
        "gzip",
        "gzip in capitals",
        "x-gzip",
        "gzip of two members",
        "gzip with padding",
        "plain text called gzip",
        "deflate in zlib",
        "deflate raw",
        "br",
        "zstd",
        "zstd of two frames",
        "br over gzip",
        "identity",
        "a charset for an encoding",
    ],
)
@pytest.mark.parametrize("step", [100_000, 1])
async def test_content_encodings_come_off(outlet: Outlet, encoding: str, body: bytes, step: int) -> None:
    async def dribble(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Encoding: {encoding}\r\n\r\n".encode())
        writer.write(body[:step])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(body[step:])

    outlet.answers["/a"] = dribble
    async with Fetcher(settings(outlet)) as fetcher:
        page = await fetcher.get(outlet.url("/a"))
    assert page.body == TEXT
    assert page.header("content-encoding") == encoding


async def test_an_empty_body_needs_no_encoding(outlet: Outlet) -> None:
    for encoding in ("gzip", "deflate", "br", "zstd"):
        outlet.answers[f"/{encoding}"] = reply(b"", f"Content-Encoding: {encoding}")
        async with Fetcher(settings(outlet)) as fetcher:
            assert (await fetcher.get(outlet.url(f"/{encoding}"))).body == b""


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)[:-200]),
        ("gzip", gzip.compress(TEXT, mtime=0)[:40] + b"\xff" * 40),
        ("deflate", b"\xff\xff\xff\xff"),
        ("br", brotli.compress(TEXT)[:-10]),
        ("br", b"\xff" * 50),
        ("zstd", zstd.compress(TEXT)[:-10]),
        ("zstd", b"no zstd"),
        ("compress", TEXT),
        ("gzip, gzip, gzip", gzip.compress(gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0), mtime=0)),
    ],
)
async def test_a_body_that_is_not_in_its_encoding_is_an_encoding_error(
    outlet: Outlet, encoding: str, body: bytes
) -> None:
    outlet.answers["/a"] = reply(body, f"Content-Encoding: {encoding}")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await failure(fetcher, outlet.url("/a"))).code == "encoding"


def _bomb(encoding: str) -> bytes:
    size, block = 100, b"\0" * 1_000_000
    if encoding == "br":
        maker = brotli.Compressor(quality=5)
        return b"".join(maker.process(block) for _ in range(size)) + bytes(maker.finish())
    if encoding == "zstd":
        packer = zstd.ZstdCompressor()
        return b"".join(packer.compress(block) for _ in range(size)) + packer.flush()
    zipper = zlib.compressobj(wbits=31 if "gzip" in encoding else 15)
    data = b"".join(zipper.compress(block) for _ in range(size)) + zipper.flush()
    return gzip.compress(data) if encoding == "gzip, gzip" else data


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
async def test_a_bomb_of_100_mb_stops_at_the_cap_and_costs_no_more(outlet: Outlet, encoding: str) -> None:
    outlet.answers["/a"] = reply(_bomb(encoding), f"Content-Encoding: {encoding}")
    async with Fetcher(settings(outlet)) as fetcher:
        tracemalloc.start()
        error = await failure(fetcher, outlet.url("/a"), robots=False)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (error.code, error.permanent) == ("too-large", True)
    assert peak < 8_000_000


# Sizes, times, broken HTTP


async def test_a_declared_length_beyond_the_cap_is_refused_unread(outlet: Outlet) -> None:
    outlet.answers["/a"] = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await failure(fetcher, outlet.url("/a"))).code == "too-large"


async def test_an_endless_body_stops_at_the_cap(outlet: Outlet) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter, _: Asked) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 100_000)
            sent += 100_000
            await writer.drain()

    outlet.answers["/a"] = endless
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await failure(fetcher, outlet.url("/a"))).code == "too-large"
    assert sent < 50_000_000


async def test_a_server_that_never_answers_times_out(outlet: Outlet) -> None:
    async def silence(writer: asyncio.StreamWriter, _: Asked) -> None:
        await asyncio.sleep(10)

    outlet.answers["/a"] = silence
    async with Fetcher(settings(outlet, read_timeout=0.2)) as fetcher:
        assert (await failure(fetcher, outlet.url("/a"))).code == "timeout"


@pytest.mark.parametrize("where", ["head", "body"])
async def test_a_slow_loris_is_stopped_by_the_total(outlet: Outlet, where: str) -> None:
    async def drip(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"X-Slow: " if where == "head" else b"\r\n"))
        while not writer.is_closing():
            writer.write(b"z")
            await writer.drain()
            await asyncio.sleep(0.05)

    outlet.answers["/a"] = drip
    async with Fetcher(settings(outlet, read_timeout=1, total_timeout=0.4)) as fetcher:
        assert (await failure(fetcher, outlet.url("/a"), robots=False)).code == "timeout"


async def test_slow_redirects_share_one_total(outlet: Outlet) -> None:
    def slowly(to: str):  # type: ignore[no-untyped-def]
        async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
            await asyncio.sleep(0.2)
            writer.write(redirect(to))

        return answer

    for step in range(9):
        outlet.answers[f"/{step}"] = slowly(f"/{step + 1}")
    outlet.answers["/9"] = reply(b"arrived")
    async with Fetcher(settings(outlet, total_timeout=0.5)) as fetcher:
        assert (await failure(fetcher, outlet.url("/0"), robots=False)).code == "timeout"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "protocol"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "protocol"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n", "protocol"),
        (b"", "reset"),
    ],
    ids=[
        "a length that lies",
        "chunks that stop",
        "a chunk size that is no number",
        "a chunk size below nought",
        "a length below nought",
        "two lengths",
        "another protocol",
        "TLS on the plain port",
        "an upgrade",
        "a flood of headers",
        "one endless header",
        "nothing",
    ],
)
async def test_broken_http_is_an_error_with_its_code(outlet: Outlet, answer: bytes, code: str) -> None:
    async def broken(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    outlet.answers["/a"] = broken
    async with Fetcher(settings(outlet)) as fetcher:
        error = await failure(fetcher, outlet.url("/a"), robots=False)
    assert error.code == code, str(error)
    assert not error.permanent
    assert "\n" not in str(error)
    assert len(error.reason) < 400


async def test_a_long_security_policy_header_is_no_flood(outlet: Outlet) -> None:
    outlet.answers["/a"] = reply(b"x", "Content-Security-Policy: " + "a" * 30_000)
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/a"))).status == 200


async def test_one_bad_answer_does_not_spoil_the_next(outlet: Outlet) -> None:
    outlet.answers["/bad"] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n smuggled"
    outlet.answers["/good"] = reply(b"good")
    async with Fetcher(settings(outlet)) as fetcher:
        await fetcher.get(outlet.url("/bad"))
        assert (await fetcher.get(outlet.url("/good"))).body == b"good"


async def test_a_closed_port_is_a_connect_error() -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with Fetcher(settings(allow_hosts=("127.0.0.1",))) as fetcher:
        assert (await failure(fetcher, f"http://127.0.0.1:{port}/", robots=False)).code == "connect"


async def test_plain_http_on_the_tls_port_is_a_tls_error() -> None:
    def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Fetcher(settings(allow_hosts=("127.0.0.1",))) as fetcher:
        assert (await failure(fetcher, f"https://127.0.0.1:{port}/", robots=False)).code == "tls"
    server.close()


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate that nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_nobody_signed_is_a_tls_error(self_signed: ssl.SSLContext) -> None:
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=self_signed)
    port = server.sockets[0].getsockname()[1]
    async with Fetcher(settings(allow_hosts=("127.0.0.1",))) as fetcher:
        assert (await failure(fetcher, f"https://127.0.0.1:{port}/", robots=False)).code == "tls"
    server.close()


# Redirects


async def test_redirects_are_followed_to_the_end(outlet: Outlet, other: Outlet) -> None:
    outlet.answers["/a"] = redirect("b?x=ä")
    outlet.answers["/b?x=%C3%A4"] = redirect(other.url("/c"), "307 Temporary Redirect")
    other.answers["/c"] = redirect(f"//127.0.0.1:{outlet.port}/d", "303 See Other")
    outlet.answers["/d"] = reply(b"here")
    async with Fetcher(settings(outlet, other)) as fetcher:
        page = await fetcher.get(outlet.url("/a"))
    assert (page.url, page.final_url, page.body) == (outlet.url("/a"), outlet.url("/d"), b"here")
    assert page.moved_to is None


async def test_moved_to_is_the_end_of_the_unbroken_permanent_part(outlet: Outlet) -> None:
    outlet.answers["/a"] = redirect("/b", "301 Moved Permanently")
    outlet.answers["/b"] = redirect("/c", "308 Permanent Redirect")
    outlet.answers["/c"] = redirect("/d", "302 Found")
    outlet.answers["/d"] = redirect("/e", "301 Moved Permanently")
    outlet.answers["/e"] = reply(b"here")
    async with Fetcher(settings(outlet)) as fetcher:
        page = await fetcher.get(outlet.url("/a"))
        direct = await fetcher.get(outlet.url("/c"))
    assert page.moved_to == outlet.url("/c")
    assert direct.moved_to is None


async def test_ten_redirects_are_followed_and_eleven_are_not(outlet: Outlet) -> None:
    for step in range(11):
        outlet.answers[f"/{step}"] = redirect(f"/{step + 1}")
    outlet.answers["/11"] = reply(b"here")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/1"))).body == b"here"
        error = await failure(fetcher, outlet.url("/0"))
    assert (error.code, error.permanent) == ("redirects", True)


async def test_a_circle_is_seen_at_once(outlet: Outlet) -> None:
    outlet.answers["/a"] = redirect("/b")
    outlet.answers["/b"] = redirect("/a#again")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await failure(fetcher, outlet.url("/a"))).code == "redirects"
    assert outlet.paths() == ["/a", "/b"]


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://127.0.0.1:1/", "private-address"),
        ("http://169.254.169.254/latest/meta-data/", "private-address"),
        ("http://localhost:8080/", "private-address"),
        ("http://127.0.0.1:6379/", "private-address"),
        ("http://mail.example.invalid:25/", "port"),
        ("https://mail.example.invalid:22/", "port"),
        ("http://[::ffff:10.0.0.1]/", "private-address"),
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.org/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("data:text/html,x", "scheme"),
        ("http://", "scheme"),
        ("http://example.org:99999/", "scheme"),
        ("http://exa mple.org/", "scheme"),
        ("https://[bad/", "scheme"),
        ("http://" + "a" * 9000, "scheme"),
    ],
)
async def test_a_redirect_is_checked_like_a_new_address(outlet: Outlet, location: str, code: str) -> None:
    outlet.answers["/a"] = redirect(location)
    async with Fetcher(settings(outlet)) as fetcher:
        error = await failure(fetcher, outlet.url("/a"))
    assert (error.code, error.permanent) == (code, True)


async def test_a_redirect_without_a_target_is_a_page(outlet: Outlet) -> None:
    outlet.answers["/a"] = reply(b"", status="302 Found")
    async with Fetcher(settings(outlet)) as fetcher:
        page = await fetcher.get(outlet.url("/a"))
    assert page.status == 302
    with pytest.raises(FetchError, match="302"):
        raise_for_status(page)


async def test_what_is_meant_for_one_host_is_not_told_to_another(outlet: Outlet, other: Outlet) -> None:
    outlet.answers["/a"] = redirect(other.url("/b"))
    other.answers["/b"] = reply(b"x")
    headers = {"Authorization": "Basic c2VjcmV0", "If-None-Match": '"1"'}
    async with Fetcher(settings(outlet, other)) as fetcher:
        await fetcher.get(outlet.url("/a"), headers=headers, robots=False)
    assert outlet.asked[0].headers["authorization"] == "Basic c2VjcmV0"
    assert "authorization" not in other.asked[0].headers
    assert other.asked[0].headers["if-none-match"] == '"1"'


@pytest.mark.parametrize(
    "url",
    ["", "no address", "feed://x/", "http:///x", "//x/", "http://a:b:c/", "mailto:a@b.c", "http://x/" + "ä" * 2000],
)
async def test_what_is_no_web_address_is_a_scheme_error(url: str) -> None:
    async with Fetcher(settings()) as fetcher:
        error = await failure(fetcher, url)
    assert (error.code, error.permanent) == ("scheme", True)


@pytest.mark.parametrize("host", ["nowhere.invalid", "two..dots", "a" * 70 + ".example"])
async def test_a_name_without_an_address_is_a_dns_error(host: str) -> None:
    async with Fetcher(settings()) as fetcher:
        error = await failure(fetcher, f"http://{host}/", robots=False)
    assert (error.code, error.permanent) == ("dns", False)


# Statuses


def _page(status: int, *headers: tuple[str, str]) -> Page:
    when = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    return Page(url="http://x/", final_url="http://x/", status=status, headers=headers, body=b"", fetched=when)


@pytest.mark.parametrize("status", [200, 203, 206, 304])
def test_success_and_not_modified_raise_nothing(status: int) -> None:
    raise_for_status(_page(status))


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (401, 403, 404, 410, 451)),
        *((status, False) for status in (400, 429, 500, 503, 599, 999)),
    ],
)
def test_other_statuses_raise_with_their_number(status: int, permanent: bool) -> None:
    with pytest.raises(FetchError) as caught:
        raise_for_status(_page(status))
    error = caught.value
    assert (error.code, error.status, error.permanent) == (f"http-{status}", status, permanent)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Mon, 23 Nov 2026 15:02:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 14:00:00 GMT", 0.0),
        ("9" * 400, 86_400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(_page(503, ("Retry-After", value))) == seconds


def test_only_429_and_503_carry_retry_after() -> None:
    for status, expected in ((429, 5.0), (503, 5.0), (404, None)):
        with pytest.raises(FetchError) as caught:
            raise_for_status(_page(status, ("Retry-After", "5")))
        assert caught.value.retry_after == expected
