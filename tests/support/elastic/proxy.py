"""A proxy before Elasticsearch that spoils answers as a test has scripted it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from enum import StrEnum

import aiohttp
from aiohttp import web

from pipeline.demo.loopback import Loopback, Seen

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


class Fault(StrEnum):
    """What happens to a request."""

    BUSY = "429 for all of it, nothing done"
    BUSY_ITEM = "429 for the first document, the others done"
    DOWN = "503, nothing done"
    RESET = "the connection is cut, nothing done"
    LOST = "done, and the connection is cut before the answer"
    HALF = "done, and the answer breaks off in the middle"
    HANG = "no answer for longer than anyone waits, nothing done"
    READ_ONLY = "done as if the disk's flood stage were reached: each document is refused with 429"
    REFUSED = "401, as for a key that was withdrawn"
    FORBIDDEN = "403, as for a key that may not"
    OTHER = "HTML from a gateway"


class SpoilingProxy:
    """Passes requests on to a server, but for those that a fault is due for: writes (``_bulk``), one fault each."""

    def __init__(self, url: str, *, path: str = "_bulk") -> None:
        self._target, self._path = url, path
        self.faults: deque[Fault] = deque()
        self.hit: list[Fault] = []
        """The faults that have happened."""
        self._loopback = Loopback([self._handle])

    @property
    def url(self) -> str:
        return f"http://{self._loopback.hosts[0]}"

    @property
    def requests(self) -> list[Seen]:
        """Every request so far."""
        return self._loopback.requests

    def __enter__(self) -> SpoilingProxy:
        self._loopback.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loopback.stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()  # however large
        fault = None
        if self._path in request.path and self.faults:
            fault = self.faults.popleft()
            self.hit.append(fault)
        match fault:
            case Fault.BUSY:
                return _error(429, "es_rejected_execution_exception", "rejected execution of coordinating operation")
            case Fault.DOWN:
                return web.Response(status=503, body=b"", headers=PRODUCT)
            case Fault.REFUSED:
                return _error(401, "security_exception", "unable to authenticate with provided credentials")
            case Fault.FORBIDDEN:
                return _error(403, "security_exception", "action [indices:data/write/bulk] is unauthorized")
            case Fault.OTHER:
                return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
            case Fault.RESET:
                return _cut(request)
            case Fault.HANG:
                await asyncio.sleep(30)
                return _cut(request)
            case Fault.READ_ONLY:
                reason = "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark]"
                error = {"type": "cluster_block_exception", "reason": reason}
                items = [_item(action, 429, error) for action, _ in _actions(body)]
                return web.json_response({"errors": True, "items": items}, headers=PRODUCT)
            case Fault.BUSY_ITEM:
                (first, _), *others = _actions(body)
                answer = json.loads((await self._forward(request, b"".join(line for _, line in others)))[2])
                error = {"type": "es_rejected_execution_exception", "reason": "rejected execution of primary operation"}
                items = [_item(first, 429, error), *answer["items"]]
                return web.json_response({"errors": True, "items": items}, headers=PRODUCT)
        status, headers, answered = await self._forward(request, body)
        if fault is Fault.LOST:
            return _cut(request)
        if fault is Fault.HALF:
            response = web.StreamResponse(status=status, headers=headers)
            response.content_length = len(answered)
            await response.prepare(request)
            await response.write(answered[: len(answered) // 2])
            return _cut(request)
        return web.Response(status=status, headers=headers, body=answered)

    async def _forward(self, request: web.BaseRequest, body: bytes) -> tuple[int, dict[str, str], bytes]:
        kept = {name: value for name, value in request.headers.items() if name in ("Content-Type", "Accept")}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.request(request.method, self._target + request.path_qs, data=body, headers=kept) as answer,
            ):
                headers = PRODUCT | {"Content-Type": answer.headers.get("Content-Type", "application/json")}
                return answer.status, headers, await answer.read()
        except aiohttp.ClientError:
            return 503, dict(PRODUCT), b""


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _error(status: int, kind: str, reason: str) -> web.Response:
    error = {"type": kind, "reason": reason}
    return web.json_response(
        {"error": error | {"root_cause": [error]}, "status": status}, status=status, headers=PRODUCT
    )


def _actions(body: bytes) -> list[tuple[dict[str, dict[str, str]], bytes]]:
    """The actions of a bulk request, each with its lines."""
    lines = body.splitlines(keepends=True)
    found, at = [], 0
    while at < len(lines):
        action = json.loads(lines[at])
        size = 1 if "delete" in action else 2
        found.append((action, b"".join(lines[at : at + size])))
        at += size
    return found


def _item(action: dict[str, dict[str, str]], status: int, error: dict[str, str]) -> dict[str, dict[str, object]]:
    ((operation, about),) = action.items()
    return {operation: {"_index": about["_index"], "_id": about["_id"], "status": status, "error": error}}
