"""The worker's end of the courier: begins its process, tells it when there is something to send, hears what came of it.

The process is not tied to the worker's life (see ``courier.py``), and has a session of its own, so that what ends the
worker does not end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable

from pipeline.settings import Settings

NEEDED = {"data", "ledger", "alert_retry", "alert_give_up"}
"""The settings that a courier works by; credentials for other things are none of its business."""


class Sending:
    """A courier at work. ``heard`` is told what came of each message: sent, failed or undeliverable."""

    def __init__(self, process: asyncio.subprocess.Process, heard: Callable[[str], None]) -> None:
        self._process = process
        self._ears = asyncio.create_task(self._listen(heard))

    @classmethod
    async def begin(cls, settings: Settings, heard: Callable[[str], None]) -> Sending:
        """Start a courier."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pipeline.alerts.courier",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        sending = cls(process, heard)
        await sending._tell(settings.model_dump_json(include=NEEDED))
        return sending

    @property
    def ended(self) -> bool:
        """Whether the process has ended; it should not, before it is told to."""
        return self._process.returncode is not None

    async def go(self) -> None:
        """There may be something to send."""
        await self._tell("go")

    async def finish(self) -> None:
        """Send all that is due now; done when each message has been tried."""
        await self._tell("finish")
        await self._process.wait()
        await self._ears

    async def leave(self, grace: float) -> None:
        """Begin nothing new. Waits a while for what is under way; what takes longer is finished without us."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), grace)
            await asyncio.wait_for(self._ears, grace)
        self._ears.cancel()

    async def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended; whoever asks begins another
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()

    async def _listen(self, heard: Callable[[str], None]) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                heard(str(json.loads(line)["outcome"]))
