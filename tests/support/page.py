"""The built-in page on loopback, served by uvicorn as ``wirewatch serve`` does it, in a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

import requests
import uvicorn
from starlette.applications import Starlette

from pipeline.settings import Settings
from pipeline.web import application


class Page:
    """A running page. ``get`` and ``post`` are a browser's: one session, cookies kept, redirects followed."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self.app: Starlette = application(settings, **options)
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        self.session = requests.Session()

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the page did not start")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self.session.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, **options)

    def post(self, path: str, fields: dict[str, str] | None = None, **options: Any) -> requests.Response:
        """Send a form as the page's own forms are sent: with the token of a page shown before."""
        token = self.form_token()
        return self.session.post(self.url + path, {"form_token": token, **(fields or {})}, timeout=60, **options)

    def form_token(self) -> str:
        shown = self.get("/feeds").text
        return shown.partition('name="form_token" value="')[2].partition('"')[0]
