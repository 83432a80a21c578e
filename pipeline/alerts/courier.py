"""Delivers what the outbox owes, in a process of its own that outlives the worker that began it.

A worker may be killed at any moment; were it to send by itself, a kill between a receiver's answer and the ledger
would send the same alert again. So sending is done here: when the worker is gone (its end of the pipe closes), nothing
new is begun, but what is under way is waited for, and its answer written down. Only where this process is killed too,
or the machine stops, is an attempt's end not known; it is then made again, under the same idempotency key.

Channels are served beside each other, each with a few messages at once: one that hangs delays no other.

Spoken to on standard input, a line each: the settings as JSON, then ``go`` (there may be something to send), ``finish``
(send all that is due now, and end). Says on standard output, in JSON, what came of each message.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import aiohttp
import structlog

from pipeline.alerts import channels
from pipeline.alerts.channels import RefusedError
from pipeline.alerts.files import Entry, made_channel, made_rule
from pipeline.alerts.rules import ALWAYS_THERE, Channel, FaultyError, Rule, own_channel
from pipeline.alerts.timing import judge
from pipeline.errors import LedgerError
from pipeline.ledger import Hold, Ledger, Parcel, Verdict, Waiting, this_worker
from pipeline.settings import Settings

log = structlog.get_logger("wirewatch")

AT_ONCE = 4
"""Messages under way by one channel: a slow receiver gets some company, none is flooded."""
LONGEST_PAUSE = 3_600.0
"""Seconds between two attempts, at most."""
LEASE = 60.0
"""Seconds that a message is held; renewed while it is under way."""
LOOK = 1.0
"""Seconds between looks into the outbox: another process may have put something there."""
RELUCTANT = 30.0
"""Seconds in which an answer is tried to be written down where the ledger cannot be written."""


def pause_after(parcel: Parcel, wish: float | None, settings: Settings, now: datetime) -> datetime | None:
    """When a message that was not taken is tried again: pure. ``None``: it has been tried for long enough."""
    seconds = min(settings.alert_retry * 2.0 ** min(parcel.attempt - 1, 30), LONGEST_PAUSE)
    again = now + timedelta(seconds=max(seconds, min(wish or 0.0, 6 * LONGEST_PAUSE)))
    return None if again > parcel.first_attempt + timedelta(seconds=settings.alert_give_up) else again


class Courier:
    """Sends what one ledger's outbox owes. ``report`` is told (channel, key, what came of it) of each attempt."""

    def __init__(self, settings: Settings, ledger: Ledger, report: Callable[[str, str, str], None]) -> None:
        self._settings, self._outbox, self._report = settings, ledger.outbox, report
        self._owner = this_worker()
        self._under_way: dict[asyncio.Task[None], Parcel] = {}
        self._rules: dict[str, Rule] = {}
        self._channels: dict[str, Channel] = {}
        self._known: object = None
        self.go = asyncio.Event()
        self.finish = False
        self.gone = False

    async def run(self) -> None:
        """Send what is due until the worker is gone, or, when told to finish, until nothing is due."""
        async with aiohttp.ClientSession() as session:
            heart = asyncio.create_task(self._keep())
            try:
                while not self.gone:
                    self.go.clear()
                    finishing = self.finish
                    begun = await self._begin(session)
                    if finishing and not begun and not self._under_way:
                        break
                    await self._something()
                if self._under_way:
                    await asyncio.wait(self._under_way)
            finally:
                heart.cancel()

    async def _begin(self, session: aiohttp.ClientSession) -> int:
        """Begin to send what is due by channels with room. Returns how many messages."""
        load = Counter(parcel.channel for parcel in self._under_way.values())
        busy = [channel for channel, number in load.items() if number >= AT_ONCE]
        try:
            await asyncio.to_thread(self._learn)
            now = datetime.now(UTC)
            parcels = await asyncio.to_thread(self._outbox.claim, now, self._owner, LEASE, self._judge, busy)
        except LedgerError as error:
            log.error("outbox cannot be read", reason=str(error))
            return 0
        for parcel in parcels:
            task = asyncio.create_task(self._send(parcel, session))
            self._under_way[task] = parcel
            task.add_done_callback(self._under_way.pop)
        return len(parcels)

    async def _something(self) -> None:
        """Wait until a message is done, there may be a new one, or a while has passed."""
        bell = asyncio.create_task(self.go.wait())
        await asyncio.wait({bell, *self._under_way}, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
        bell.cancel()

    def _learn(self) -> None:
        """The rules and channels in force, as the ledger has them."""
        rows = self._outbox.rules()
        if rows == self._known:
            return
        self._known = rows
        self._rules, self._channels = {}, {name: own_channel(name) for name in ALWAYS_THERE}
        for row in rows:
            entry = Entry(**row)
            with contextlib.suppress(FaultyError):
                if entry.kind == "rule":
                    self._rules[entry.name] = made_rule(entry)
                else:
                    self._channels[entry.name] = made_channel(entry)

    def _judge(self, waiting: Waiting) -> Verdict | Hold:
        rule = self._rules.get(waiting.rule, _GONE)
        return judge(waiting, rule.throttle, rule.digest, rule.quiet_hours, datetime.now(UTC))

    async def _send(self, parcel: Parcel, session: aiohttp.ClientSession) -> None:
        """One attempt, and what came of it written down."""
        try:
            await self._hand_over(parcel, session)
        except RefusedError as error:
            await self._failed(parcel, str(error), error.again)
        except Exception as error:  # noqa: BLE001 - whatever a channel does costs that message its attempt
            await self._failed(parcel, f"{type(error).__name__}: {error}", None)
        else:
            await self._written(partial(self._outbox.sent, parcel, datetime.now(UTC)))
            self._report(parcel.channel, parcel.key, "sent")

    async def _failed(self, parcel: Parcel, reason: str, wish: float | None) -> None:
        again = pause_after(parcel, wish, self._settings, datetime.now(UTC))
        await self._written(partial(self._outbox.failed, parcel, self._owner, reason, again))
        log.warning("alert not delivered", channel=parcel.channel, rule=parcel.rule, key=parcel.key, reason=reason)
        self._report(parcel.channel, parcel.key, "failed" if again else "undeliverable")

    async def _hand_over(self, parcel: Parcel, session: aiohttp.ClientSession) -> None:
        channel = self._channels.get(parcel.channel)
        if channel is None:
            raise RefusedError(f"there is no channel {parcel.channel!r} any more")
        template = self._rules.get(parcel.rule, _GONE).template
        match channel.type:
            case "webhook":
                await channels.post(channel, parcel, template, session)
            case "jsonl":
                await _apart(partial(channels.append, channel, parcel, self._settings.data), channel.timeout)
            case "atom":
                latest = partial(self._outbox.by_channel, channel.name)
                await _apart(partial(channels.feed, channel, self._settings.data, latest), channel.timeout)
            case _:
                await _apart(partial(channels.notify, channel, parcel, template), channel.timeout)

    async def _written(self, write: Callable[[], None]) -> None:
        """Write down what came of a message, and again where the ledger cannot be written for a moment."""
        until = asyncio.get_running_loop().time() + RELUCTANT
        while True:
            try:
                return await asyncio.to_thread(write)
            except LedgerError as error:
                log.error("outbox cannot be written", reason=str(error))
                if asyncio.get_running_loop().time() > until:
                    return None  # the lease runs out, and the message is sent again under its key
                await asyncio.sleep(0.5)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            with contextlib.suppress(LedgerError):
                parcels = list(self._under_way.values())
                await asyncio.to_thread(self._outbox.renew, parcels, self._owner, datetime.now(UTC), LEASE)


_GONE = Rule(name="", query="")
"""How a rule that is in force no more sends what it has fired."""


async def _apart(work: Callable[[], None], seconds: float) -> None:
    """Do something that may block, in a thread of its own, so that one that hangs keeps nobody from a thread."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def do() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001 - it is raised again where it is waited for
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has gone meanwhile
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=do, daemon=True).start()
    try:
        await asyncio.wait_for(done, seconds)
    except TimeoutError:
        raise RefusedError(f"no answer within {seconds:g} s") from None


# -- the process


async def _serve(settings: Settings, ledger: Ledger, lines: asyncio.StreamReader) -> None:
    courier = Courier(settings, ledger, _say)

    async def listen() -> None:
        while line := await lines.readline():
            courier.finish = courier.finish or line.strip() == b"finish"
            courier.go.set()
        courier.gone = True
        courier.go.set()

    ears = asyncio.create_task(listen())
    await courier.run()
    ears.cancel()


def _say(channel: str, key: str, outcome: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        sys.stdout.write(json.dumps({"channel": channel, "key": key, "outcome": outcome}) + "\n")
        sys.stdout.flush()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    first = await lines.readline()
    if not first:
        return
    from pipeline.ledger import open_ledger

    settings = Settings.model_validate_json(first)
    ledger = open_ledger(settings.ledger_at)
    try:
        await _serve(settings, ledger, lines)
    finally:
        ledger.close()


if __name__ == "__main__":
    # A terminal's Ctrl-C, and what stops the worker, are told by the closing pipe; what is under way is not cut off.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.LogfmtRenderer(key_order=["level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    asyncio.run(_main())
    os._exit(0)  # a thread that hangs in a service must not hold up the end
