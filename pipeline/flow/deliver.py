"""The alerts' way out: has the courier send what the outbox owes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from pipeline.alerts.sending import Sending
from pipeline.flow.shift import Shift, woken

GRACE = 5.0
"""Seconds that a courier gets to end with us; what takes longer it finishes alone."""


async def deliver_owed(shift: Shift, work: asyncio.Task[None], *, once: bool) -> None:
    """Send alerts as they come to be owed; for one pass, what is due once all else is done."""
    heard = _tallying(shift)
    sending: Sending | None = None
    try:
        while not shift.stopping.is_set():
            last = once and work.done()
            shift.to_deliver.clear()
            due = await asyncio.to_thread(shift.ledger.outbox.next_due)
            soon = due is not None and due <= shift.clock() + timedelta(minutes=1)
            if sending is not None and sending.ended:
                sending = None
            # A resident worker with rules has it ready: what fires should not wait for a process to begin.
            if sending is None and (soon or (not once and shift.desk.rules)):
                sending = await Sending.begin(shift.settings, heard)
            if last:
                if sending is not None:
                    await sending.finish()
                return
            if sending is not None and soon:
                await sending.go()
            await woken(shift.to_deliver, work if once else None)
    finally:
        if sending is not None:
            await sending.leave(GRACE)


def _tallying(shift: Shift) -> Callable[[str], None]:
    names = {"sent": "alerts-sent", "failed": "alert-failures", "undeliverable": "alerts-undeliverable"}
    return lambda outcome: shift.tally.add(names[outcome])
