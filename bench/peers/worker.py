"""A peer in a process of its own, asked one text at a time over its standard input and output.

A request is a line: the task (``claims`` or ``entities``), a blank, the text as base64 of UTF-8. The answer is a line
of JSON; ``{"error": …}`` where the text was too much for the peer. The first line that a worker writes says that its
models are loaded. Nothing but the standard library is needed here, for :func:`serve` runs in the peers' own
environments.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[2]
LOADING = 300.0
"""Seconds until the models are loaded. CoreNLP's took about 75 on a core shared with another process (2026-11-23)."""
ANSWERING = 300.0
"""Seconds for one text, after which the worker is ended."""


class Unavailable(Exception):
    """A peer cannot be had on this machine; the message is a sentence that says why."""


class Worker:
    """A running worker; ends it when the ``with`` block is left.

    Raises Unavailable where it does not start, and RuntimeError where it dies or says nothing in time.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._log: TextIO = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self.pid = self._process.pid
        try:
            self._read(LOADING)
        except RuntimeError as error:
            self.close()
            raise Unavailable(f"{error}.") from error

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, task: str, text: str) -> Any:
        """What the worker says of the text, or ``None`` where the text was too much for it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the reading below says what it died of
            self._process.stdin.write(f"{task} {base64.b64encode(text.encode('utf-8')).decode('ascii')}\n")
            self._process.stdin.flush()
        answer = self._read(ANSWERING)
        return None if isinstance(answer, dict) and "error" in answer else answer

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # a request that it did not live to read
                    stream.close()
        self._log.close()

    def _read(self, seconds: float) -> Any:
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise RuntimeError(f"{self._command[0]} ended ({self._last_words()})")
        return json.loads(line)

    def _last_words(self) -> str:
        self._process.wait(timeout=10)
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        return lines[-1] if lines else f"exit status {self._process.returncode}"


def serve(tasks: Mapping[str, Callable[[str], Any]]) -> None:
    """Answers requests until standard input ends. Whatever else prints is sent to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        task, _, encoded = line.strip().partition(" ")
        try:
            answer = tasks[task](base64.b64decode(encoded).decode("utf-8"))
        except Exception as error:  # noqa: BLE001 - a text that a peer cannot read is counted, and the rest goes on
            answer = {"error": repr(error)}
        print(json.dumps(answer), file=answers, flush=True)
