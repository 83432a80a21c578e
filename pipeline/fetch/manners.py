"""Manners towards each host: how many requests at once, how far apart, and none while it asked to be left alone.

All time here is the event loop's, so that a loop whose time is simulated shows days of manners in seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pipeline.errors import FetchError

PATIENCE = 60.0
"""Seconds that a request waits for a host that asked to be left alone; a longer wait is an error at once, so that the
caller can put the work back instead of holding it. Half of the shortest lease in use (2026-11-23)."""

SLOW = 5.0
"""Seconds after which a request gives up its place among those under way at once, and goes on beside them: servers that
send a byte now and then would else hold up all others for as long as the time limits let them. As many may be slow as
may be under way; of the recorded wire's sites none takes a second (2026-11-25)."""

REFUSALS = 5
"""Answers of 403 in a row after which a host is left alone: a site says so that it is asked too often, without saying
how often it may be (2026-11-25, a guess; a single page behind a paywall is no such answer)."""
FIRST_REFUSED = 900.0
LONGEST_REFUSED = 86_400.0
"""Seconds that such a host is left alone the first time, doubling with every further refusal up to a day."""

REMEMBERED = 4096
"""Hosts kept in mind; idle ones beyond are forgotten. A few hundred bytes each."""


class _Host:
    __slots__ = ("delay", "last_start", "not_before", "refusals", "slots", "users")

    def __init__(self, slots: int, delay: float) -> None:
        self.refusals = 0
        self.slots = asyncio.Semaphore(slots)
        self.delay = delay
        self.last_start = float("-inf")
        self.not_before = float("-inf")
        self.users = 0

    def opens(self) -> float:
        """When the next request may start, by the loop's time."""
        return max(self.last_start + self.delay, self.not_before)


class Manners:
    """Hands out turns. A request waits for its host first and for an overall slot last, so a slow host holds only
    its own queue, never the slots that others could use."""

    def __init__(
        self,
        *,
        concurrency: int,
        per_host: int,
        delay: float,
        delay_cap: float,
        held: Callable[[str, float], None] = lambda host, seconds: None,
    ) -> None:
        """``held`` is told of each host that is to be left alone for longer than PATIENCE, and for how many seconds."""
        self._overall = asyncio.Semaphore(concurrency)
        self._slow_left = concurrency
        self._held = held
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
                place = _Place(self)
                try:
                    yield
                finally:
                    place.leave()
        finally:
            state.users -= 1

    async def _overall_slot(self, state: _Host, url: str) -> None:
        while True:
            _refuse_if_held(state, url)
            wait = state.opens() - _now()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            await self._overall.acquire()
            # Others of this host may have started while we waited for the slot; give it back, never sleep on it.
            now = _now()
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
        state.not_before = max(state.not_before, _now() + seconds)
        if seconds > PATIENCE:
            self._held(host, seconds)

    def answered(self, host: str, *, refused: bool) -> None:
        """Take note of an answer of this host; after REFUSALS refusals in a row it is left alone for a while."""
        state = self._host(host)
        state.refusals = state.refusals + 1 if refused else 0
        if state.refusals >= REFUSALS:
            self.hold_off(host, min(FIRST_REFUSED * 2.0 ** (state.refusals - REFUSALS), LONGEST_REFUSED))

    def _host(self, name: str) -> _Host:
        state = self._hosts.get(name)
        if state is None:
            if len(self._hosts) >= REMEMBERED:
                self._forget_idle()
            state = self._hosts[name] = _Host(self._per_host, self._delay)
        return state

    def _forget_idle(self) -> None:
        now = _now()
        idle = [n for n, host in self._hosts.items() if not host.users and not host.refusals and host.opens() <= now]
        for name in idle:
            del self._hosts[name]


class _Place:
    """A request's place among those under way at once, given up early where the request is slow."""

    __slots__ = ("_late", "_manners", "_slow")

    def __init__(self, manners: Manners) -> None:
        self._manners, self._slow = manners, False
        self._late = asyncio.get_running_loop().call_later(SLOW, self._give_up)

    def _give_up(self) -> None:
        if self._manners._slow_left > 0:
            self._manners._slow_left -= 1
            self._slow = True
            self._manners._overall.release()

    def leave(self) -> None:
        self._late.cancel()
        if self._slow:
            self._manners._slow_left += 1
        else:
            self._manners._overall.release()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _refuse_if_held(state: _Host, url: str) -> None:
    hold = state.not_before - _now()
    if hold > PATIENCE:
        raise FetchError(url, "rate-limited", f"the host asked for no requests for {hold:.0f} s", retry_after=hold)
