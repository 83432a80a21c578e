"""No URL makes us connect to an address that is not public."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import FetchError
from pipeline.fetch import Fetcher
from pipeline.fetch.guard import AddressRefusedError, AllowedHosts, guarded_socket, refusal
from tests.fetch.conftest import Names, Outlet, redirect, reply, settings


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "192.88.99.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",
        "::2",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "3fff::1",
        "2a00:1450::5efe:10.0.0.1",
        "2a00:1450::200:5efe:192.168.0.1",
        "100::1",
        "5f00::1",
        "no address",
        "",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "169.253.255.255",
        "192.0.1.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001:82a::200e",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "::ffff:8.8.8.8",
        "2a00:1450::5efe:8.8.8.8",
    ],
)
def test_a_public_address_is_not_refused(address: str) -> None:
    assert refusal(address) is None


def test_the_reason_names_the_address_and_its_kind() -> None:
    assert refusal("169.254.169.254") == "169.254.169.254 is a link-local address"
    assert refusal("64:ff9b::10.0.0.1") == "64:ff9b::a00:1 stands for 10.0.0.1, a private address"


def test_no_socket_is_made_for_a_refused_address() -> None:
    with pytest.raises(AddressRefusedError) as caught:
        guarded_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80)))
    assert caught.value.why == "10.0.0.1 is a private address"
    made = guarded_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80)))
    made.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
    ],
)
@pytest.mark.parametrize("robots", [True, False])
async def test_no_spelling_of_loopback_reaches_the_server(outlet: Outlet, host: str, robots: bool) -> None:
    async with Fetcher(settings()) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(outlet.url("/", host), robots=robots)
    assert caught.value.code in {"private-address", "scheme", "dns", "robots-unavailable"}
    if host.isascii() and not host.endswith("."):
        assert (caught.value.code, caught.value.permanent) == ("private-address", True)
    assert outlet.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["::1", "127.0.0.1"],
        ["169.254.169.254", "fd00::1", "::ffff:127.0.0.1"],
    ],
)
async def test_a_name_that_leads_inside_is_refused_before_a_byte_is_sent(outlet: Outlet, addresses: list[str]) -> None:
    async with Fetcher(settings(), resolver=Names(addresses)) as fetcher:
        for robots in (True, False):
            with pytest.raises(FetchError) as caught:
                await fetcher.get(outlet.url("/", "news.example"), robots=robots)
            assert (caught.value.code, caught.value.permanent) == ("private-address", True)
    assert outlet.connections == 0


async def test_an_allowed_name_is_allowed_at_its_own_port_only(outlet: Outlet, other: Outlet) -> None:
    allowed = f"news.example:{outlet.port}"
    outlet.answers["/a"] = redirect(f"http://news.example:{other.port}/inside")
    outlet.answers["/b"] = reply(b"allowed")
    async with Fetcher(settings(allow_hosts=(allowed,)), resolver=Names(["127.0.0.1"])) as fetcher:
        assert (await fetcher.get(f"http://{allowed}/b", robots=False)).body == b"allowed"
        with pytest.raises(FetchError) as caught:
            await fetcher.get(f"http://{allowed}/a", robots=False)
    assert caught.value.code == "private-address"
    assert other.connections == 0


REBINDING = """
import asyncio
from pipeline.errors import FetchError
from pipeline.fetch import Fetcher
from tests.fetch.conftest import Names, Outlet, reply, settings

async def main():
    names = Names(["93.184.215.14"], ["127.0.0.1"])
    first, second = Outlet(), Outlet()
    for one in (first, second):
        one.answers["/"] = reply(b"x", "Connection: close")
        server = await asyncio.start_server(one.serve, "0.0.0.0", 0)
        one.port = server.sockets[0].getsockname()[1]
    async with Fetcher(settings(), resolver=names) as fetcher:
        page = await fetcher.get(first.url("/", "news.example"), robots=False)
        print(page.status, first.connections)
        try:
            await fetcher.get(second.url("/", "news.example"), robots=False)
        except FetchError as error:
            print(error.code, second.connections, names.asked)

asyncio.run(main())
"""


def test_a_public_name_that_turns_inside_is_refused_the_second_time() -> None:
    # A network of its own, where loopback carries a public address: the guard lets it pass, and only it.
    network = "ip link set lo up && ip addr add 93.184.215.14/32 dev lo"
    if subprocess.run(["unshare", "-rn", "sh", "-c", network], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a test have a network of its own (unshare, ip)")
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", f'{network} && exec "$0" -c "$1"', sys.executable, REBINDING],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert done.stdout.split() == ["200", "1", "private-address", "0", "2"]


async def test_an_open_connection_of_an_allowed_host_serves_no_other_name(outlet: Outlet) -> None:
    allowed = f"127.0.0.1:{outlet.port}"
    outlet.answers["/b"] = reply(b"allowed")
    async with Fetcher(settings(allow_hosts=(allowed,)), resolver=Names(["127.0.0.1"])) as fetcher:
        await fetcher.get(f"http://{allowed}/b", robots=False)
        for name in ("news.example", "localhost", "127.1"):
            with pytest.raises(FetchError, match="loopback"):
                await fetcher.get(outlet.url("/b", name), robots=False)
    assert outlet.paths() == ["/b"]
    assert outlet.connections == 1


def test_the_allow_list_is_exact() -> None:
    hosts = AllowedHosts(["Demo.example", "127.0.0.1:8000", "[::1]:9000"])
    assert ("demo.example", 80) in hosts
    assert ("demo.example", 8080) in hosts
    assert ("127.0.0.1", 8000) in hosts
    assert ("::1", 9000) in hosts
    assert ("127.0.0.1", 8001) not in hosts
    assert ("www.demo.example", 80) not in hosts
    assert ("demo.example.org", 80) not in hosts
    assert ("::1", 80) not in hosts


async def test_proxies_of_the_environment_are_not_used(outlet: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", outlet.url("/"))
    monkeypatch.setenv("http_proxy", outlet.url("/"))
    async with Fetcher(settings()) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.get("http://nowhere.invalid/", robots=False)
    assert outlet.connections == 0
