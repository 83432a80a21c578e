"""An event loop whose time is simulated, over real sockets and real threads: days pass in seconds.

Time stands still while anything real is under way: bytes on a socket of this loop, a job in a thread, or work in another
process. Only when nothing is, does it jump to the next timer. Server and client must live in this one loop, so that all bytes are seen.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

BEGIN = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
_IN_FLIGHT = 0.0002
"""Real seconds that bytes may take from one end of a loopback socket to the other."""


class _Patient(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Waits for what is real, and else lets the loop's time pass."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.loop.jobs or timeout is None:
            return super().select(0.05)
        ready = super().select(_IN_FLIGHT)
        if not ready:
            self.loop.passed += timeout
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        selector = _Patient()
        selector.loop = self
        self.passed = 0.0
        """Seconds since the beginning."""
        self.jobs = 0
        super().__init__(selector)

    def time(self) -> float:
        return self.passed

    def now(self) -> datetime:
        """The simulated moment, for ``Flow(clock=…)``."""
        return BEGIN + timedelta(seconds=self.passed)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        return self.wait_for_real(super().run_in_executor(executor, func, *args))

    def wait_for_real(self, future: Any) -> Any:
        """Let no time pass until this future is done."""
        self.jobs += 1
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        self.jobs -= 1


def simulate(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario in simulated time."""
    wrap = asyncio.wrap_future

    def counted(future: Any, **options: Any) -> Any:
        return the_loop().wait_for_real(wrap(future, **options))

    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        patch.setattr(asyncio, "wrap_future", counted)
        return runner.run(scenario)


def the_loop() -> SimulatedLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    return loop
