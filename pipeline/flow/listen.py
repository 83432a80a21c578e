"""What a resident worker answers over HTTP: whether it lives, whether it can work, its figures, and what hubs send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from pipeline.errors import LedgerError, SettingsError
from pipeline.flow.push import Callback
from pipeline.flow.shift import Shift

log = structlog.get_logger("wirewatch")

STAGES = frozenset({"poll", "fetch", "index", "alerts"})
"""The notes that say that a stage waits for something, such as a full disk, go by these names."""


@asynccontextmanager
async def listening(shift: Shift) -> AsyncIterator[None]:
    """Answer on ``settings.listen`` ("host:port") while the block runs; nothing where it is not set.

    Raises SettingsError where nothing can listen there.
    """
    place = shift.settings.listen
    if place is None:
        yield
        return
    from pipeline.metrics import registry_for  # slow to import, and of use only here

    host, _, port = place.rpartition(":")
    runner = web.AppRunner(_application(shift, registry_for(shift)), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            raise SettingsError(f"setting 'listen': {place}: {error.strerror or error}") from error
        log.info("answers at", address=f"http://{place}/metrics")
        yield
    finally:
        await runner.cleanup()


def _application(shift: Shift, registry: object) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")  # that it is answered says that the loop turns

    async def readyz(_: web.Request) -> web.Response:
        waiting = await asyncio.to_thread(_waiting, shift)
        return web.Response(text="\n".join(waiting or ["ready"]) + "\n", status=503 if waiting else 200)

    async def metrics(_: web.Request) -> web.Response:
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        body = await asyncio.to_thread(generate_latest, registry)  # type: ignore[arg-type]
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application(client_max_size=shift.settings.max_bytes)
    application.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    if shift.settings.websub is not None:
        application.add_routes(Callback(shift).routes())
    return application


def _waiting(shift: Shift) -> list[str]:
    """Why no new work can be done now; nothing where it can."""
    if shift.stopping.is_set():
        return ["the run is ending"]
    try:
        return [f"{key}: {text}" for key, text, _ in shift.ledger.notes() if key in STAGES]
    except LedgerError as error:
        return [str(error)]
