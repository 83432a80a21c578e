"""A webhook's receiver on loopback that keeps the books: what it took, what it acknowledged, what came again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a secret of the test's own"


@dataclass
class Taken:
    """One message as it came. ``acknowledged`` once a 2xx was written out whole."""

    key: str
    attempt: int
    signed: bool
    body: dict[str, Any]
    at: float
    acknowledged: bool = False


@dataclass
class Receiver:
    """``mood`` says how each message is met: ok, fail (503, not taken), lie (taken, then 500) or hang (taken or not,
    never answered)."""

    mood: Callable[[str, int], str] = lambda key, nth: "ok"
    hang: float = 30.0
    taken: list[Taken] = field(default_factory=list)
    refused: int = 0
    _seen: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Receiver:
        self._lock = threading.Lock()
        self._gone = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._meet(self, body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients are killed: no news
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        self._server.shutdown()
        self._server.server_close()

    def _meet(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = handler.headers
        key, stamp = headers["Idempotency-Key"], headers["webhook-timestamp"]
        digest = hmac.new(SECRET.encode(), f"{headers['webhook-id']}.{stamp}.".encode() + body, hashlib.sha256).digest()
        signed = headers.get("webhook-signature") == "v1," + base64.b64encode(digest).decode()
        with self._lock:
            nth = self._seen[key]
            self._seen[key] += 1
            mood = self.mood(key, nth)
            message = Taken(key, int(headers["Wirewatch-Attempt"]), signed, json.loads(body), time.time())
            if mood in ("ok", "lie", "hang"):
                self.taken.append(message)
            else:
                self.refused += 1
        if mood == "hang":
            self._gone.wait(self.hang)
            handler.close_connection = True
            return
        status = {"ok": 204, "fail": 503, "lie": 500}[mood]
        try:
            handler.send_response(status)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            handler.wfile.flush()
        except OSError:
            return  # whoever sent it is gone: it was taken, and nobody was told
        message.acknowledged = status == 204

    @property
    def keys(self) -> set[str]:
        return {message.key for message in self.taken}

    def alerts(self) -> Counter[str]:
        """Ids of alerts in messages, by how many different keys they came under."""
        return Counter(alert["id"] for body in {m.key: m.body for m in self.taken}.values() for alert in body["alerts"])

    def doubled(self) -> list[str]:
        """Keys under which something came after they had been acknowledged."""
        return sorted(self.histories())

    def histories(self) -> dict[str, list[str]]:
        """What came under each key that is :meth:`doubled`, to be read where a test fails."""
        done, found = set(), set()
        for message in self.taken:
            if message.key in done:
                found.add(message.key)
            if message.acknowledged:
                done.add(message.key)
        return {
            key: [
                f"attempt {m.attempt} at {m.at:.2f}{', acknowledged' if m.acknowledged else ''}"
                for m in self.taken
                if m.key == key
            ]
            for key in found
        }
