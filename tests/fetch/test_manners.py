"""How we treat hosts: how many at once, how far apart, when not at all, and what robots.txt says."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import threading
import time

import pytest

from pipeline.errors import FetchError
from pipeline.fetch import Fetcher, raise_for_status
from pipeline.fetch import manners as manners_module
from pipeline.fetch.manners import FIRST_REFUSED, REFUSALS, Manners
from tests.fetch.conftest import Asked, Outlet, redirect, reply, settings


class Counted:
    """An answer that takes a while and counts how many are under way at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.most = seconds, 0, 0

    async def __call__(self, writer: asyncio.StreamWriter, _: Asked) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        writer.write(reply(b"x"))


# Pace


async def test_no_more_requests_at_once_to_one_host_than_set(outlet: Outlet) -> None:
    counted = Counted(0.02)
    outlet.answers.update({f"/{n}": counted for n in range(12)})
    async with Fetcher(settings(outlet, per_host=3)) as fetcher:
        await asyncio.gather(*(fetcher.get(outlet.url(f"/{n}"), robots=False) for n in range(12)))
    assert counted.most == 3


async def test_no_more_requests_at_once_over_all_hosts_than_set(outlet: Outlet, other: Outlet) -> None:
    counted = Counted(0.02)
    for one in (outlet, other):
        one.answers.update({f"/{n}": counted for n in range(8)})
    async with Fetcher(settings(outlet, other, per_host=8, concurrency=5)) as fetcher:
        await asyncio.gather(
            *(fetcher.get(one.url(f"/{n}"), robots=False) for n in range(8) for one in (outlet, other))
        )
    assert counted.most == 5


async def test_requests_to_one_host_start_the_delay_apart(outlet: Outlet) -> None:
    outlet.answers.update({f"/{n}": reply(b"x") for n in range(4)})
    async with Fetcher(settings(outlet, per_host=4, host_delay=0.25)) as fetcher:
        await asyncio.gather(*(fetcher.get(outlet.url(f"/{n}"), robots=False) for n in range(4)))
    starts = [one.at for one in outlet.asked]
    assert all(later - earlier > 0.12 for earlier, later in itertools.pairwise(starts))


async def test_a_slow_host_does_not_hold_the_slots_of_others(outlet: Outlet, other: Outlet) -> None:
    slow = Counted(20)
    outlet.answers.update({f"/{n}": slow for n in range(6)})
    other.answers.update({f"/{n}": reply(b"x") for n in range(6)})
    async with Fetcher(settings(outlet, other, per_host=1, concurrency=2)) as fetcher:
        waiting = [asyncio.create_task(fetcher.get(outlet.url(f"/{n}"), robots=False)) for n in range(6)]
        await asyncio.sleep(0.05)
        await asyncio.gather(*(fetcher.get(other.url(f"/{n}"), robots=False) for n in range(6)))
        assert not waiting[0].done()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_requests_that_drip_do_not_hold_up_the_others(
    outlet: Outlet, other: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manners_module, "SLOW", 0.05)
    done = asyncio.Event()

    async def drip(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not done.is_set():
            writer.write(b"x")
            await asyncio.sleep(0.02)
        writer.close()

    outlet.answers.update({f"/{n}": drip for n in range(2)})
    other.answers["/x"] = reply(b"x")
    async with Fetcher(settings(outlet, other, per_host=2, concurrency=2, total_timeout=60)) as fetcher:
        dripping = [asyncio.create_task(fetcher.get(outlet.url(f"/{n}"), robots=False)) for n in range(2)]
        await asyncio.sleep(0.02)
        assert (await asyncio.wait_for(fetcher.get(other.url("/x"), robots=False), 20)).body == b"x"
        assert not any(task.done() for task in dripping)
        done.set()
        ends = await asyncio.gather(*dripping, return_exceptions=True)
        assert {getattr(end, "code", end) for end in ends} == {"reset"}
        # Their places are given back, no more and no fewer.
        assert fetcher._manners._slow_left == fetcher._manners._overall._value == 2


async def test_a_cancelled_request_gives_its_turn_back(outlet: Outlet) -> None:
    outlet.answers["/slow"] = Counted(30)
    outlet.answers["/x"] = reply(b"x")
    async with Fetcher(settings(outlet, per_host=1, concurrency=1)) as fetcher:
        tasks = [asyncio.create_task(fetcher.get(outlet.url("/slow"), robots=False)) for _ in range(3)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await asyncio.wait_for(fetcher.get(outlet.url("/x"), robots=False), 10)).body == b"x"


async def test_idle_hosts_are_forgotten_and_busy_ones_kept() -> None:
    manners = Manners(concurrency=10, per_host=1, delay=0, delay_cap=30)
    async with manners.turn("busy:80", "http://busy/"):
        for n in range(10_000):
            async with manners.turn(f"h{n}:80", f"http://h{n}/"):
                pass
        assert len(manners._hosts) <= 4097
        assert "busy:80" in manners._hosts


async def test_polling_many_hosts_does_not_run_out_of_open_files(outlet: Outlet) -> None:
    outlet.answers["/feed"] = reply(b"x")
    hosts = [f"127.0.{n // 250}.{n % 250 + 1}" for n in range(600)]  # all of 127/8 is this machine on Linux
    server = await asyncio.start_server(outlet.serve, "0.0.0.0", 0)
    outlet.port = server.sockets[0].getsockname()[1]
    before = len(os.listdir("/proc/self/fd"))
    async with Fetcher(settings(allow_hosts=hosts)) as fetcher:
        for host in hosts:
            assert (await fetcher.get(outlet.url("/feed", host), robots=False)).status == 200
        await asyncio.sleep(0.05)
        assert len(os.listdir("/proc/self/fd")) - before < 2 * 200 + 20  # both ends are in this process
    server.close()


async def test_names_that_hang_do_not_hold_up_the_others(outlet: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    look_up = socket.getaddrinfo

    def hanging(host: str, *rest: object, **options: object) -> object:
        if host.endswith(".slow.example"):
            release.wait(30)
        return look_up(host, *rest, **options)  # type: ignore[arg-type]

    # The one thing that cannot be had for real on loopback is a name server that does not answer.
    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    outlet.answers["/a"] = reply(b"x")
    allowed = f"localhost:{outlet.port}"
    async with Fetcher(settings(allow_hosts=(allowed,))) as fetcher:
        hung = [asyncio.create_task(fetcher.get(f"http://{n}.slow.example/", robots=False)) for n in range(12)]
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(fetcher.get(f"http://{allowed}/a", robots=False), 10)).status == 200
        release.set()
        failed = await asyncio.gather(*hung, return_exceptions=True)
    assert {error.code for error in failed if isinstance(error, FetchError)} == {"dns"}


# Retry-After


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_after_a_long_retry_after_the_host_is_not_asked_again(outlet: Outlet, other: Outlet, status: str) -> None:
    outlet.answers["/a"] = reply(b"", "Retry-After: 3600", status=status)
    other.answers["/a"] = reply(b"x")
    async with Fetcher(settings(outlet, other)) as fetcher:
        assert (await fetcher.get(outlet.url("/a"))).status == int(status[:3])
        with pytest.raises(FetchError) as caught:
            await fetcher.get(outlet.url("/b"))
        assert (await fetcher.get(other.url("/a"))).status == 200
    assert caught.value.code == "rate-limited"
    assert not caught.value.permanent
    assert caught.value.retry_after == pytest.approx(3600, abs=5)
    assert outlet.paths() == ["/a"]


async def test_a_short_retry_after_is_waited_out(outlet: Outlet) -> None:
    outlet.answers["/a"] = reply(b"", "Retry-After: 1", status="429 Too Many Requests")
    outlet.answers["/b"] = reply(b"x")
    async with Fetcher(settings(outlet)) as fetcher:
        await fetcher.get(outlet.url("/a"))
        assert (await fetcher.get(outlet.url("/b"))).status == 200
    first, second = (one.at for one in outlet.asked if one.path != "/robots.txt")
    assert second - first > 0.95


async def test_a_host_that_asks_to_be_left_alone_is_not_even_asked_for_robots(outlet: Outlet) -> None:
    outlet.answers["/feed"] = reply(b"", "Retry-After: 3600", status="429 Too Many Requests")
    async with Fetcher(settings(outlet)) as fetcher:
        await fetcher.get(outlet.url("/feed"), robots=False)
        with pytest.raises(FetchError) as caught:
            await fetcher.get(outlet.url("/article"))
    assert caught.value.code == "rate-limited"
    assert [one.path for one in outlet.asked] == ["/feed"]


@pytest.mark.parametrize("header", ["Retry-After: 3600", "X-RateLimit-Remaining: 0\r\nRetry-After: 3600"])
async def test_a_403_that_says_when_is_heeded_as_a_429_is(outlet: Outlet, header: str) -> None:
    outlet.answers["/a"] = reply(b"", header, status="403 Forbidden")
    async with Fetcher(settings(outlet)) as fetcher:
        with pytest.raises(FetchError) as refused:
            raise_for_status(await fetcher.get(outlet.url("/a")))
        with pytest.raises(FetchError) as held:
            await fetcher.get(outlet.url("/b"))
    assert (refused.value.code, refused.value.permanent, refused.value.retry_after) == ("http-403", False, 3600)
    assert held.value.code == "rate-limited"
    assert outlet.paths() == ["/a"]


async def test_a_host_that_answers_403_to_everything_is_left_alone(outlet: Outlet, other: Outlet) -> None:
    outlet.answers.update({f"/{n}": reply(b"", status="403 Forbidden") for n in range(9)})
    other.answers.update({f"/{n}": reply(b"", status="403 Forbidden" if n % 4 else "200 OK") for n in range(9)})
    told: list[tuple[str, float]] = []
    async with Fetcher(settings(outlet, other), held=lambda host, seconds: told.append((host, seconds))) as fetcher:
        for n in range(REFUSALS):
            assert (await fetcher.get(outlet.url(f"/{n}"), robots=False)).status == 403
        with pytest.raises(FetchError) as caught:
            await fetcher.get(outlet.url("/8"), robots=False)
        for n in range(9):  # here every fourth page is free to read
            await fetcher.get(other.url(f"/{n}"), robots=False)
    assert caught.value.code == "rate-limited"
    assert told == [(f"127.0.0.1:{outlet.port}", FIRST_REFUSED)]


# robots.txt

RULES = b"User-agent: *\nDisallow: /all\n\nUser-agent: wirewatch\nDisallow: /ours\nAllow: /ours/but\n"


async def test_robots_rules_for_our_name_are_kept(outlet: Outlet) -> None:
    outlet.answers["/robots.txt"] = reply(RULES)
    outlet.answers.update({"/all": reply(b"x"), "/ours/but": reply(b"x")})
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/all"))).status == 200
        assert (await fetcher.get(outlet.url("/ours/but"))).status == 200
        with pytest.raises(FetchError) as caught:
            await fetcher.get(outlet.url("/ours/x"))
    assert (caught.value.code, caught.value.permanent) == ("robots", True)
    assert outlet.paths() == ["/all", "/ours/but"]


async def test_feeds_and_settings_can_pass_robots_by(outlet: Outlet) -> None:
    outlet.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /\n")
    outlet.answers["/a"] = reply(b"x")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/a"), robots=False)).status == 200
    async with Fetcher(settings(outlet, robots=False)) as fetcher:
        assert (await fetcher.get(outlet.url("/a"))).status == 200
    assert [one.path for one in outlet.asked] == ["/a", "/a"]


async def test_robots_is_asked_for_once_for_all_that_come_together(outlet: Outlet) -> None:
    async def slowly(writer: asyncio.StreamWriter, _: Asked) -> None:
        await asyncio.sleep(0.05)
        writer.write(reply(RULES))

    outlet.answers["/robots.txt"] = slowly
    outlet.answers.update({f"/{n}": reply(b"x") for n in range(10)})
    async with Fetcher(settings(outlet)) as fetcher:
        first = asyncio.create_task(fetcher.get(outlet.url("/0")))
        rest = [asyncio.create_task(fetcher.get(outlet.url(f"/{n}"))) for n in range(1, 10)]
        await asyncio.sleep(0.01)
        first.cancel()  # the one that asked gives up; the others still get their answer
        pages = await asyncio.gather(*rest)
        await fetcher.get(outlet.url("/0"))
    assert all(page.status == 200 for page in pages)
    assert [one.path for one in outlet.asked].count("/robots.txt") == 1


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"])
async def test_robots_of_4xx_allows_all(outlet: Outlet, status: str) -> None:
    outlet.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /\n", status=status)
    outlet.answers["/a"] = reply(b"x")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/a"))).status == 200


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Too Many Requests"])
async def test_robots_of_5xx_means_not_now(outlet: Outlet, status: str) -> None:
    outlet.answers["/robots.txt"] = reply(b"", status=status)
    async with Fetcher(settings(outlet)) as fetcher:
        for _ in range(3):
            with pytest.raises(FetchError) as caught:
                await fetcher.get(outlet.url("/a"))
            assert (caught.value.code, caught.value.permanent) == ("robots-unavailable", False)
            assert caught.value.retry_after is not None
            assert caught.value.retry_after > 100
    assert [one.path for one in outlet.asked] == ["/robots.txt"]


async def test_a_robots_that_never_comes_means_not_now(outlet: Outlet) -> None:
    async def silence(writer: asyncio.StreamWriter, _: Asked) -> None:
        await asyncio.sleep(5)

    outlet.answers["/robots.txt"] = silence
    async with Fetcher(settings(outlet, read_timeout=0.1)) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(outlet.url("/a"))
    assert caught.value.code == "robots-unavailable"


async def test_robots_may_lie_behind_redirects_and_each_host_has_its_own(outlet: Outlet, other: Outlet) -> None:
    outlet.answers["/robots.txt"] = redirect(other.url("/elsewhere.txt"))
    other.answers["/elsewhere.txt"] = reply(b"User-agent: *\nDisallow: /no\n")
    other.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /target\n")
    outlet.answers["/go"] = redirect(other.url("/target"))
    async with Fetcher(settings(outlet, other)) as fetcher:
        with pytest.raises(FetchError) as own:
            await fetcher.get(outlet.url("/no"))
        with pytest.raises(FetchError) as behind:
            await fetcher.get(outlet.url("/go"))
    assert own.value.code == behind.value.code == "robots"
    assert behind.value.url == outlet.url("/go")
    assert str(other.port) in str(behind.value)


async def test_a_huge_robots_is_read_up_to_its_cap(outlet: Outlet) -> None:
    rules = b"User-agent: *\nDisallow: /no\n" + b"# padding\n" * 100_000 + b"Disallow: /beyond\n"
    outlet.answers["/robots.txt"] = reply(rules)
    outlet.answers["/beyond"] = reply(b"x")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/beyond"))).status == 200
        with pytest.raises(FetchError, match="does not allow"):
            await fetcher.get(outlet.url("/no"))


@pytest.mark.parametrize(
    "rules", [b"\xff\xfe\x00junk", b"<html><body>Welcome</body></html>", b"", b"\xef\xbb\xbf" + RULES]
)
async def test_a_robots_that_is_none_does_no_harm(outlet: Outlet, rules: bytes) -> None:
    outlet.answers["/robots.txt"] = reply(rules)
    outlet.answers["/a"] = reply(b"x")
    async with Fetcher(settings(outlet)) as fetcher:
        assert (await fetcher.get(outlet.url("/a"))).status == 200


@pytest.mark.parametrize(
    ("rule", "cap", "least"),
    [("Crawl-delay: 0.2", 30, 0.1), ("Crawl-delay: 90", 0.2, 0.1), ("Request-rate: 5/1", 30, 0.1)],
)
async def test_a_crawl_delay_is_kept_up_to_the_cap(outlet: Outlet, rule: str, cap: float, least: float) -> None:
    outlet.answers["/robots.txt"] = reply(f"User-agent: *\n{rule}\n".encode())
    outlet.answers.update({f"/{n}": reply(b"x") for n in range(3)})
    began = time.monotonic()
    async with Fetcher(settings(outlet, crawl_delay_cap=cap)) as fetcher:
        await asyncio.gather(*(fetcher.get(outlet.url(f"/{n}")) for n in range(3)))
    starts = [one.at for one in outlet.asked]
    assert all(later - earlier > least for earlier, later in itertools.pairwise(starts))
    assert time.monotonic() - began < 30
