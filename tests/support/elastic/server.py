"""A running Elasticsearch: one that all of a test session share, or one of a test's own to stop and start."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.elastic import package
from tests.support.elastic.package import NotHadError

ROOT = Path(__file__).parents[3]
START_TIMEOUT = 240.0
"""Seconds for a start; it takes 12 on an idle machine of two cores."""


class ElasticServer:
    """An Elasticsearch on loopback. Data outlives ``stop`` and ``start``, until ``close``.

    Security is off, the disk's thresholds too; one node. As root, it runs as the user ``nobody``.
    """

    def __init__(self, folder: Path | None = None, *, heap: str = "512m", quick: bool = True) -> None:
        """``quick`` starts sooner and runs slower: compiled by Java's first compiler alone."""
        self.folder = folder or Path(tempfile.mkdtemp(prefix="wirewatch-elastic-"))
        self.heap, self.quick = heap, quick
        self.port, self.transport = _free_ports()
        self._users: Any = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._shared = folder is not None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers. Raises NotHadError where it cannot."""
        home, java = package.home(), package.java_home()
        user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        config, data, logs, temporary = (self.folder / name for name in ("config", "data", "logs", "tmp"))
        for path in (self.folder, config, data, logs, temporary):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        shutil.copytree(home / "config", config, dirs_exist_ok=True)
        (config / "elasticsearch.yml").write_text(
            "cluster.name: wirewatch-tests\nnode.name: only\ndiscovery.type: single-node\n"
            f"http.port: {self.port}\ntransport.port: {self.transport}\nnetwork.host: 127.0.0.1\n"
            f"path.data: {data}\npath.logs: {logs}\n"
            "xpack.security.enabled: false\naction.destructive_requires_name: false\nnode.store.allow_mmap: false\n"
            "cluster.routing.allocation.disk.threshold_enabled: false\n"
        )
        options = [f"-Xms{self.heap}", f"-Xmx{self.heap}", "-Xshare:auto"]
        if self.quick:
            options.append("-XX:TieredStopAtLevel=1")
        task = {
            "command": [str(home / "bin" / "elasticsearch")],
            "environment": {
                "ES_JAVA_HOME": str(java),
                "ES_PATH_CONF": str(config),
                "ES_JAVA_OPTS": " ".join(options),
                "ES_TMPDIR": str(temporary),
                "CLI_JAVA_OPTS": "-Xshare:auto -XX:TieredStopAtLevel=1",
                "HOME": str(temporary),
            },
            "user": user,
            "remove": self._shared,
        }
        (self.folder / "task.json").write_text(json.dumps(task))
        if user is not None:
            for path in (config, data, logs, temporary, *config.rglob("*")):
                os.chown(path, user, user)
        self.hold()
        # Not a child that dies with us: it looks after the server until nobody holds it.
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.elastic.keeper", str(self.folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait()

    def hold(self) -> None:
        """Be one of those for whom the server runs."""
        if self._users is None:
            self._users = (self.folder / "users").open("a")
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def stop(self) -> None:
        """Let go; the server is killed when the last of its users has. Waits for that if this one started it alone."""
        if self._users is not None:
            self._users.close()
            self._users = None
        if self._keeper is not None and not self._shared:
            self._keeper.wait(60)
            self._keeper = None
            while self._listens():  # a killed process of a gigabyte takes a moment to go
                time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        self.stop()
        if not self._shared:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _wait(self) -> None:
        assert self._keeper is not None
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._keeper.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_cluster/health?wait_for_status=yellow", timeout=10) as answer:
                    if not json.loads(answer.read())["timed_out"]:
                        return
            except (OSError, ValueError, urllib.error.URLError):
                time.sleep(0.2)
        output = self.folder / "output"
        said = output.read_text(errors="replace")[-1_500:] if output.exists() else ""
        self.stop()
        raise NotHadError(f"Elasticsearch did not start: {said}")


def shared_server() -> ElasticServer:
    """The server of this test session, started by whoever needs it first, and used by all its processes.

    Raises NotHadError.
    """
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"pid-{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"wirewatch-elastic-{os.geteuid()}-{session}"
    folder.mkdir(exist_ok=True)
    known = folder / "server.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = ElasticServer(folder, heap="1g")
        server.hold()
        try:
            if not known.exists():
                server.start()
                known.write_text(json.dumps({"ports": [server.port, server.transport]}))
            said = json.loads(known.read_text())
        except NotHadError as error:
            known.write_text(json.dumps({"not had": str(error)}))
            raise
        if "not had" in said:
            server.stop()
            raise NotHadError(said["not had"])
        server.port, server.transport = said["ports"]
    return server


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
