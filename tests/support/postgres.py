"""A real PostgreSQL on loopback, from the system's packages, for as long as a test session needs it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self


def binaries() -> Path | None:
    """The folder of initdb and postgres; Debian keeps them out of the PATH. ``None`` where there is no PostgreSQL."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return folders[-1].parent if folders else None


def unavailable() -> str | None:
    """Why there can be no server here, ``None`` where there can."""
    if binaries() is None:
        return "PostgreSQL is not installed here (Debian: apt-get install postgresql)"
    return None


class PostgresServer:
    """A server of its own, in a folder of its own. It trusts whoever asks, and only loopback can ask."""

    def __init__(self) -> None:
        bin_ = binaries()
        assert bin_ is not None
        self._bin = bin_
        self.folder = Path(tempfile.mkdtemp(prefix="wirewatch-pg-"))
        self.port = _free_port()
        # PostgreSQL does not run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self.folder, self._user, self._user)
        data = self.folder / "data"
        initdb = [self._bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        done = subprocess.run(initdb, user=self._user, cwd="/", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.start()
        return self

    def start(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",  # nothing here outlives the test
            "max_connections": 200,
        }
        command = [self._bin / "postgres", "-D", self.folder / "data"]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(command, user=self._user, cwd="/", stdout=log, stderr=log)
        for _ in range(300):
            ready = [self._bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready).returncode == 0:
                return
            assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)
        raise AssertionError("PostgreSQL did not start")

    def stop(self) -> None:
        """Stop it as a shutdown in the middle of work does: connections are cut."""
        if self._process is not None:
            self._process.send_signal(2)
            self._process.wait(30)
            self._process = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"w{secrets.token_hex(6)}"
        create = f"CREATE DATABASE {name} TEMPLATE {template}"
        psql = [self._bin / "psql", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-c", create]
        done = subprocess.run(psql, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return name

    def url(self, database: str, driver: str = "psycopg") -> str:
        return f"postgresql+{driver}://postgres@127.0.0.1:{self.port}/{database}"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
