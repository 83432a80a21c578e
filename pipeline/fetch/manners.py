"""Manners towards each host: how many requests at once, how far apart, and none while it asked to be left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipeline.errors import FetchError

PATIENCE = 60.0
"""Seconds that a request waits for a host that asked to be left alone; a longer wait is an error at once, so that the
caller can put the work back instead of holding it. Half of the shortest lease in use (2026-11-23)."""

REMEMBERED = 4096
"""Hosts kept in mind; idle ones beyond are forgotten. A few hundred bytes each."""


class _Host:
    __slots__ = ("delay", "last_start", "not_before", "slots", "users")

    def __init__(self, slots: int, delay: float) -> None:
        self.slots = asyncio.Semaphore(slots)
        self.delay = delay
        self.last_start = float("-inf")
        self.not_before = float("-inf")
        self.users = 0

    def opens(self) -> float:
        """When the next request may start, on the monotonic clock."""
        return max(self.last_start + self.delay, self.not_before)


class Manners:
    """Hands out turns. A request waits for its host first and for an overall slot last, so a slow host holds only
    its own queue, never the slots that others could use."""

    def __init__(self, *, concurrency: int, per_host: int, delay: float, delay_cap: float) -> None:
        self._overall = asyncio.Semaphore(concurrency)
        self._per_host, self._delay, self._delay_cap = per_host, delay, delay_cap
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, url: str) -> AsyncIterator[None]:
        """Wait for a turn at ``host`` ("name:port") and hold it.

        Raises FetchError ``rate-limited`` where the host asked for a wait longer than PATIENCE.
        """
        state = self._host(host)
        _refuse_if_held(state, url)  # at once, not after those before us in the queue
        state.users += 1
        try:
            async with state.slots:
                await self._overall_slot(state, url)
                try:
                    yield
                finally:
                    self._overall.release()
        finally:
            state.users -= 1

    async def _overall_slot(self, state: _Host, url: str) -> None:
        while True:
            _refuse_if_held(state, url)
            wait = state.opens() - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            await self._overall.acquire()
            # Others of this host may have started while we waited for the slot; give it back, never sleep on it.
            now = time.monotonic()
            if state.opens() <= now:
                state.last_start = now
                return
            self._overall.release()

    def slow_down(self, host: str, delay: float) -> None:
        """Heed a robots.txt Crawl-delay in seconds: never less than our own delay, never more than the cap."""
        self._host(host).delay = max(self._delay, min(delay, self._delay_cap))

    def hold_off(self, host: str, seconds: float) -> None:
        """Let no request to this host start for so many seconds from now."""
        state = self._host(host)
        state.not_before = max(state.not_before, time.monotonic() + seconds)

    def _host(self, name: str) -> _Host:
        state = self._hosts.get(name)
        if state is None:
            if len(self._hosts) >= REMEMBERED:
                self._forget_idle()
            state = self._hosts[name] = _Host(self._per_host, self._delay)
        return state

    def _forget_idle(self) -> None:
        now = time.monotonic()
        for name in [n for n, host in self._hosts.items() if not host.users and host.opens() <= now]:
            del self._hosts[name]


def _refuse_if_held(state: _Host, url: str) -> None:
    hold = state.not_before - time.monotonic()
    if hold > PATIENCE:
        raise FetchError(url, "rate-limited", f"the host asked for no requests for {hold:.0f} s", retry_after=hold)
