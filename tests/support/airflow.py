"""A real Airflow in a folder of its own: its parts as processes of their own, on loopback, and what its database says.

``airflow standalone`` leaves its children behind when it is ended, so the parts are started here, each in a process
group, and stopped by it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine, text

DAGS = Path(__file__).parents[2] / "dags"

PATIENCE = 600.0
"""Seconds that anything is waited for before the test gives up: only a broken test gets there."""


def environment(home: Path, port: int, **more: str) -> dict[str, str]:
    """What Airflow is set to, for a host of a few cores and for tests that must not wait."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "WIREWATCH"))},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": "d2lyZXdhdGNoLXRlc3RzLXdpcmV3YXRjaC10ZXN0czE=",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": "a-secret-for-tests-only",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a-secret-for-tests-only-" * 3,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
        # A killed scheduler's tasks are taken over after seconds, and not after five minutes.
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **more,
    }


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class AirflowHost:
    """One Airflow: api-server, dag-processor, scheduler, and whatever else is named."""

    PARTS: tuple[tuple[str, ...], ...] = (("api-server",), ("dag-processor",), ("scheduler",))

    def __init__(self, home: Path, parts: Sequence[tuple[str, ...]] = (), **settings: str) -> None:
        """``parts`` are begun beside the others, each a command of Airflow and known by its last word."""
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.port = free_port()
        self.parts = {part[-1]: part for part in (*self.PARTS, *parts)}
        self.environment = environment(home, self.port, **settings)
        self._engine = create_engine(self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.airflow("db", "migrate")
        self.airflow("pools", "import", str(DAGS / "pools.json"))
        for part in self.parts:
            self.begin(part)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for name in reversed(list(self.running)):
            self.end(name, signal.SIGTERM)
        self._engine.dispose()

    def airflow(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, cwd=self.home)
        assert done.returncode == 0, f"airflow {' '.join(arguments)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def begin(self, name: str) -> None:
        with open(self.home / f"{name}.log", "ab") as log:
            command = [sys.executable, "-m", "airflow", *self.parts[name]]
            self.running[name] = subprocess.Popen(
                command, env=self.environment, cwd=self.home, stdout=log, stderr=log, start_new_session=True
            )

    def end(self, name: str, how: signal.Signals) -> None:
        """End a part and all that it has begun."""
        process = self.running.pop(name)
        for sent in (how, signal.SIGKILL):
            try:
                os.killpg(process.pid, sent)
            except ProcessLookupError:
                break
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                continue
        process.wait()

    def ask(self, query: str, **values: object) -> list[tuple[object, ...]]:
        """What Airflow's own database says."""
        with self._engine.connect() as db:
            return [tuple(row) for row in db.execute(text(query), values)]

    def task_states(self, dag: str) -> list[tuple[object, ...]]:
        """(task, map index, state, try) of the newest run of a DAG."""
        return self.ask(
            "SELECT task_id, map_index, state, try_number FROM task_instance WHERE dag_id = :dag AND run_id = "
            "(SELECT run_id FROM dag_run WHERE dag_id = :dag ORDER BY id DESC LIMIT 1) ORDER BY 1, 2",
            dag=dag,
        )

    def wait_for(self, what: str, holds: Callable[[], object], patience: float = PATIENCE) -> None:
        """Wait until something holds; say what Airflow was doing where it never does."""
        until = time.monotonic() + patience
        while not holds():
            for name, process in self.running.items():
                assert process.poll() is None, f"{name} ended: {self._tail(name)}"
            assert time.monotonic() < until, f"never happened: {what}\n{self.story()}"
            time.sleep(0.25)

    def story(self) -> str:
        lines: Iterable[str] = (
            f"{row}" for row in self.ask("SELECT dag_id, run_id, state FROM dag_run ORDER BY id DESC LIMIT 6")
        )
        tasks = (f"{dag}: {self.task_states(dag)}" for dag in ("wire_poll", "wire_ingest"))
        errors = (f"{row}" for row in self.ask("SELECT filename, stacktrace FROM import_error"))
        return "\n".join([*lines, *tasks, *errors, *(f"{name}: {self._tail(name)}" for name in self.running)])

    def _tail(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")[-2500:]
