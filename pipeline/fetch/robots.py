"""robots.txt (RFC 9309), read by protego: asked for once a day and host, and only once for callers that come together.

4xx means that all is allowed; 5xx, 429 and a host that cannot be reached mean not now.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protego import Protego

from pipeline.errors import FetchError
from pipeline.records import Page

TOKEN = "Wirewatch"
"""The name under which robots.txt files may address us."""

SIZE_CAP = 500 * 1024
"""RFC 9309, 2.5: at least 500 KiB are to be read; what is beyond is passed over."""

KEEP = 86_400.0
"""RFC 9309, 2.4: a copy is not used for more than a day."""

KEEP_UNAVAILABLE = 300.0
"""Seconds before a host whose robots.txt could not be had is asked again."""

_NOT_ABOUT_ROBOTS = frozenset({"private-address", "scheme", "rate-limited"})
"""Failures that the page itself would meet in the same way, so that they are reported and counted as they are."""

HOSTS = 1024
"""Rules kept, least recently used dropped. Rules of real sites are mostly below 50 KB parsed."""


@dataclass(frozen=True, slots=True)
class _Answer:
    expires: float
    rules: Protego | None = None
    """``None`` where there are no rules: all is allowed."""
    problem: str | None = None
    """Why robots.txt could not be had; ``None`` where it could."""


class Robots:
    """The rules of all hosts. ``fetch`` gets a robots.txt, following redirects, at most SIZE_CAP bytes of it;
    ``slow_down`` is told an origin and the Crawl-delay in seconds that it asks for."""

    def __init__(self, fetch: Callable[[str], Awaitable[Page]], slow_down: Callable[[str, float], None]) -> None:
        self._fetch, self._slow_down = fetch, slow_down
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Answer]] = {}

    async def check(self, origin: str, address: str, url: str) -> None:
        """Return where robots.txt of ``origin`` ("https://name:port") lets us ask for ``address`` on behalf of ``url``.

        Raises FetchError ``robots`` where it does not and ``robots-unavailable`` where that cannot be known now;
        a refused address, a bad one and a host that asked to be left alone keep their own codes.
        """
        answer = self._answers.get(origin)
        if answer is None or answer.expires <= asyncio.get_running_loop().time():
            try:
                answer = await self._ask_once(origin)
            except FetchError as error:
                raise FetchError(
                    url,
                    error.code,
                    error.reason,
                    permanent=error.permanent,
                    retry_after=error.retry_after,
                ) from error
        else:
            self._answers.move_to_end(origin)
        if answer.problem is not None:
            raise FetchError(
                url,
                "robots-unavailable",
                f"robots.txt of {origin} could not be had ({answer.problem})",
                retry_after=max(0.0, answer.expires - asyncio.get_running_loop().time()),
            )
        if answer.rules is not None and not answer.rules.can_fetch(address, TOKEN):
            raise FetchError(url, "robots", f"robots.txt of {origin} does not allow it", permanent=True)

    async def _ask_once(self, origin: str) -> _Answer:
        task = self._asking.get(origin)
        if task is None:
            task = asyncio.create_task(self._ask(origin))
            self._asking[origin] = task
            task.add_done_callback(lambda done: self._asked(origin, done))
        # Shielded: one caller that gives up must not take the answer from the others.
        return await asyncio.shield(task)

    def _asked(self, origin: str, task: asyncio.Task[_Answer]) -> None:
        self._asking.pop(origin, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._answers[origin] = task.result()
        self._answers.move_to_end(origin)
        while len(self._answers) > HOSTS:
            self._answers.popitem(last=False)

    async def _ask(self, origin: str) -> _Answer:
        try:
            page = await self._fetch(f"{origin}/robots.txt")
        except FetchError as error:
            if error.code in _NOT_ABOUT_ROBOTS:
                raise
            return self._unavailable(origin, error.reason)
        if page.status >= 500 or page.status == 429:
            return self._unavailable(origin, f"status {page.status}")
        if not 200 <= page.status < 300:
            return _Answer(asyncio.get_running_loop().time() + KEEP)
        rules = Protego.parse(page.body[:SIZE_CAP].decode("utf-8-sig", "replace"))
        delay = rules.crawl_delay(TOKEN)
        rate = rules.request_rate(TOKEN)
        if delay is None and rate is not None and rate.requests:
            delay = rate.seconds / rate.requests
        if delay is not None:
            self._slow_down(origin, float(delay))
        return _Answer(asyncio.get_running_loop().time() + KEEP, rules)

    def _unavailable(self, origin: str, problem: str) -> _Answer:
        known = self._answers.get(origin)
        if known is not None and known.problem is None:
            # RFC 9309, 2.3.1.4: rules that were known before go on being used.
            return _Answer(asyncio.get_running_loop().time() + KEEP_UNAVAILABLE, known.rules)
        return _Answer(asyncio.get_running_loop().time() + KEEP_UNAVAILABLE, problem=problem)

    async def close(self) -> None:
        """Stop the requests that are still under way."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
