"""The address guard: no URL, redirect or DNS answer makes us connect to an address that is not public.

The check sits where the socket is made, on the very address that is then connected to, so that a name that changes
its answer between check and use (DNS rebinding) and every spelling of a number (``2130706433``, ``0x7f.1``) come to
the same end. The networks are those that the IANA special-purpose registries (RFC 6890 and its updates) do not call
globally reachable; they are listed here, because what ``ipaddress.is_global`` says differs between Python releases.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from aiohappyeyeballs import AddrInfoType

_V4 = tuple(
    (ipaddress.IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified"),
        ("10.0.0.0/8", "a private"),
        ("100.64.0.0/10", "a carrier-grade NAT"),
        ("127.0.0.0/8", "a loopback"),
        ("169.254.0.0/16", "a link-local"),  # 169.254.169.254 is where clouds keep their metadata
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),
        ("192.0.2.0/24", "a documentation"),
        ("192.88.99.0/24", "a reserved"),
        ("192.168.0.0/16", "a private"),
        ("198.18.0.0/15", "a benchmarking"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
    )
)
_V6 = tuple(
    (ipaddress.IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "an unspecified"),
        ("::1/128", "a loopback"),
        ("fc00::/7", "a private"),
        ("fe80::/10", "a link-local"),
        ("fec0::/10", "a private"),
        ("ff00::/8", "a multicast"),
        ("2001::/23", "a reserved"),  # protocol assignments, Teredo among them
        ("2001:db8::/32", "a documentation"),
        ("3fff::/20", "a documentation"),
    )
)
_V6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


BAD_PORTS = frozenset(
    int(port)
    for port in """
    0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123
    135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995
    1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6379 6566 6665 6666 6667 6668 6669 6679 6697 10080
    """.split()  # noqa: SIM905
)
"""Ports that no browser asks either, since another protocol's server there may take a request for commands: the "bad
ports" of https://fetch.spec.whatwg.org/#port-blocking, and Redis's (6379)."""


class AddressRefusedError(OSError):
    """The guard's refusal. An OSError, so that the next address of the same name is tried.

    Its text is the same for every address: aiohappyeyeballs keeps the type only where all texts agree.
    """

    def __init__(self, why: str) -> None:
        super().__init__("refused by the address guard")
        self.why = why


def refusal(address: str) -> str | None:
    """Why a numeric address must not be connected to, in words; ``None`` where it is a public one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address} is not an address"
    if isinstance(ip, ipaddress.IPv4Address):
        return next((f"{ip} is {kind} address" for network, kind in _V4 if ip in network), None)
    embedded = _embedded(ip)
    if embedded is not None:
        why = refusal(str(embedded))
        return f"{ip} stands for {why.replace(' is ', ', ', 1)}" if why else None
    for network, kind in _V6:
        if ip in network:
            return f"{ip} is {kind} address"
    return None if ip in _V6_GLOBAL else f"{ip} is a reserved address"


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, compatible, NAT64, 6to4, or ISATAP."""
    number = int(ip)
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip in _NAT64 or (ip in _COMPATIBLE and number > 1):
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if (number >> 32) & 0xFDFFFFFF == 0x00005EFE:  # ISATAP, RFC 5214: the identifier is 0:5efe or 200:5efe
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None


def guarded_socket(addr_info: AddrInfoType) -> socket.socket:
    """A socket for this address. Raises AddressRefusedError, before any packet, where it is not a public one."""
    family, kind, proto, _, address = addr_info
    why = refusal(str(address[0]))
    if why is not None:
        raise AddressRefusedError(why)
    return socket.socket(family=family, type=kind, proto=proto)


class AllowedHosts:
    """The hosts that the user opened by name: ``name`` (any port) or ``name:port``, compared exactly, without case."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(host.strip().lower() for host in hosts)

    def __bool__(self) -> bool:
        return bool(self._hosts)

    def __contains__(self, place: tuple[str, int]) -> bool:
        host, port = place
        if host in self._hosts or f"{host}:{port}" in self._hosts:
            return True
        return ":" in host and (f"[{host}]" in self._hosts or f"[{host}]:{port}" in self._hosts)
