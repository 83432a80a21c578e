"""The stages, in order, in one process and beside each other: one pass, or resident."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from pipeline.errors import WirewatchError
from pipeline.fetch import Fetcher
from pipeline.flow.deliver import deliver_owed
from pipeline.flow.fetch import fetch_owed
from pipeline.flow.index import index_owed
from pipeline.flow.listen import listening
from pipeline.flow.poll import poll_due
from pipeline.flow.push import keep_subscribed
from pipeline.flow.report import keep_reporting, report
from pipeline.flow.shift import LONGEST_PAUSE, Shift, Tally, utc_now
from pipeline.flow.stories import refresh_owed
from pipeline.flow.upkeep import keep_looking_after
from pipeline.index import Index
from pipeline.ledger import Ledger
from pipeline.settings import Settings
from pipeline.workers import WorkerPool

log = structlog.get_logger("wirewatch")


class Flow:
    """One worker's run over one data folder.

    ``clock`` gives aware UTC times. Errors of single feeds and items go to the ledger; what stops a stage (a full
    disk, an index that does not answer) is noted in the ledger, and tried again until it works or the run ends.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        index: Index,
        *,
        tally: Tally | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.index = index
        self.shift = Shift(settings, ledger, tally=tally, clock=clock)
        self.tally = self.shift.tally

    async def run_once(self) -> None:
        """One pass: poll all feeds that are due now, then do everything that is owed now.

        Raises IndexUnavailableError, IndexDamagedError, ArchiveError or LedgerError where a stage cannot go on at
        all; what it had in hand stays owed.
        """
        await self._run(once=True)

    async def run(self) -> None:
        """Poll feeds as they fall due and do what is owed, until :meth:`stop`."""
        await self._run(once=False)

    def stop(self) -> None:
        """Ask the run to end: nothing new is begun, what is finished is written down, the rest stays owed."""
        self.shift.stop()

    async def _run(self, *, once: bool) -> None:
        shift = self.shift
        for dead in await asyncio.to_thread(shift.ledger.release_dead):
            log.info("took over from a worker that is gone", worker=dead)
        pool = WorkerPool(shift.settings)
        try:
            await asyncio.to_thread(shift.desk.refresh, shift.clock())
            # A model that cannot be loaded ends the run before it has begun. Meanwhile the pause passes that is owed to
            # hosts which the run before this one, or `feeds add`, has asked a moment ago.
            await asyncio.gather(
                asyncio.wrap_future(pool.begin()), asyncio.sleep(min(shift.settings.host_delay, LONGEST_PAUSE))
            )
            async with (
                contextlib.nullcontext() if once else listening(shift),
                Fetcher(shift.settings, held=shift.hold_host) as fetcher,
                asyncio.TaskGroup() as group,
            ):
                heart = group.create_task(shift.keep_leases())
                polls = group.create_task(self._lasting("poll", poll_due, fetcher, once=once))
                fetches = group.create_task(self._lasting("fetch", fetch_owed, fetcher, polls, once=once))
                work = group.create_task(self._lasting("index", index_owed, self.index, pool, fetches, once=once))
                refresh = group.create_task(self._lasting("stories", refresh_owed, self.index, work, once=once))
                alerts = group.create_task(self._lasting("alerts", deliver_owed, refresh, once=once))
                others = [group.create_task(keep_reporting(shift))]
                if not once:
                    others.append(group.create_task(keep_looking_after(shift)))
                    if shift.settings.websub is not None:
                        others.append(group.create_task(self._lasting("websub", keep_subscribed, fetcher, once=False)))
                await asyncio.wait([polls, fetches, work, refresh, alerts])
                heart.cancel()
                for other in others:
                    other.cancel()
            if once:
                await report(shift)
        except BaseExceptionGroup as errors:
            raise first_of(errors) from errors
        finally:
            await asyncio.to_thread(pool.stop)
            await asyncio.to_thread(shift.close)

    async def _lasting(self, name: str, stage: Callable[..., Awaitable[None]], *args: object, once: bool) -> None:
        """Run a stage; in a resident run, begin it again after an error that may pass, such as a full disk."""
        pause = 1.0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                return await stage(self.shift, *args, once=once)
            except WirewatchError as error:
                if once:
                    raise
                self.shift.note_waiting(name, error)
            pause = (
                1.0 if asyncio.get_running_loop().time() - began > 2 * LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            )
            if await self.shift.stopped_within(pause):
                return None


def first_of(errors: BaseExceptionGroup) -> BaseException:
    """The first error of a group that a user can do something about."""
    flat = list(_leaves(errors))
    return next((error for error in flat if isinstance(error, WirewatchError)), flat[0])


def _leaves(errors: BaseException) -> list[BaseException]:
    if isinstance(errors, BaseExceptionGroup):
        return [leaf for error in errors.exceptions for leaf in _leaves(error)]
    return [errors]
