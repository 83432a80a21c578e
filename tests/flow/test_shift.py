"""How a stage waits for those before it."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.flow import shift

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _no_look_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shift, "IDLE", HOUR)


@pytest.mark.parametrize("ends", ["before", "meanwhile"])
def test_a_stage_does_not_wait_for_what_can_bring_no_more(ends: str) -> None:
    async def waits() -> None:
        async def work() -> None:
            await asyncio.sleep(0 if ends == "before" else 0.05)

        upstream = asyncio.create_task(work())
        if ends == "before":
            await upstream
        await asyncio.wait_for(shift.woken(asyncio.Event(), upstream), 30)

    asyncio.run(waits())


def test_a_stage_wakes_when_it_is_rung_for() -> None:
    async def waits() -> None:
        bell = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, bell.set)
        await asyncio.wait_for(shift.woken(bell, None), 30)

    asyncio.run(waits())
