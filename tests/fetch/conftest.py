"""A real server on loopback that says exactly what a test wants, byte for byte, well-formed or not."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.settings import Settings


@dataclass
class Asked:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    at: float


Answer = bytes | Callable[[asyncio.StreamWriter, Asked], Awaitable[None]]


@dataclass
class Outlet:
    """Answers by path; robots.txt is 404 unless given. Keeps what was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [one.path for one in self.asked if one.path != "/robots.txt"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
                asked = Asked(first.split(" ")[1], headers, time.monotonic())
                self.asked.append(asked)
                answer = self.answers.get(asked.path, reply(b"no such page", status="404 Not Found"))
                if isinstance(answer, bytes):
                    writer.write(answer)
                else:
                    await answer(writer, asked)
                await writer.drain()
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


def reply(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """A whole response with its true length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return reply(b"", f"Location: {location}", status=status)


@pytest.fixture
async def outlet() -> AsyncIterator[Outlet]:
    made = Outlet()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
async def other() -> AsyncIterator[Outlet]:
    """A second host: the same address, another port."""
    made = Outlet()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


class Names(AbstractResolver):
    """A name service whose answers the test writes: one list of addresses for each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for one in answer
        ]

    async def close(self) -> None:
        pass


def settings(*outlets: Outlet, **changed: object) -> Settings:
    """Settings for tests: these outlets allowed, no delay, timeouts that a busy machine does not run into."""
    values: dict[str, object] = {
        "allow_hosts": tuple(f"127.0.0.1:{one.port}" for one in outlets),
        "host_delay": 0,
        "connect_timeout": 10,
        "read_timeout": 10,
        "total_timeout": 20,
        "max_bytes": 1_000_000,
    }
    return Settings(**{**values, **changed})  # type: ignore[arg-type]
