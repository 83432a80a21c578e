"""The same through PostgreSQL, Celery and Redis with two workers, and Elasticsearch: ``make test-cluster``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.index import upkeep_of
from tests.conftest import own_prefix
from tests.dags.scenario import get_through, settings_for, subscribe
from tests.support import postgres, redis
from tests.support.airflow import AirflowHost
from tests.support.elastic import ElasticServer
from tests.support.postgres import PostgresServer
from tests.support.press import Press
from tests.support.redis import RedisServer
from tests.support.server import ScriptedServer

WORKERS = [
    ("celery", "worker", "--skip-serve-logs", "--concurrency", "2", "--celery-hostname", "io@%h", "--queues", "io"),
    ("celery", "worker", "--skip-serve-logs", "--concurrency", "1", "--celery-hostname", "nlp@%h", "--queues", "nlp"),
]


CELERY = """
import sys, billiard
from pathlib import Path
from pipeline.flow.tasks import _pool
from pipeline.settings import load_settings

def task():
    with _pool(load_settings(Path(sys.argv[1]), enrich=False)) as pool:
        pool.begin().result(120)

if __name__ == "__main__":
    process = billiard.Process(target=task)
    process.daemon = True
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""


@pytest.mark.cluster
def test_a_task_begins_processes_also_in_a_worker_of_celerys_which_is_a_daemon(tmp_path: Path) -> None:
    program = tmp_path / "worker.py"
    program.write_text(CELERY)
    done = subprocess.run([sys.executable, program, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.cluster
@pytest.mark.timeout(1800)
def test_two_workers_index_once_what_the_feeds_bring_though_one_and_the_scheduler_are_killed(
    tmp_path: Path, elasticsearch: ElasticServer
) -> None:
    if reason := postgres.unavailable() or redis.unavailable():
        pytest.skip(reason)
    with (
        PostgresServer() as database,
        RedisServer() as broker,
        own_prefix(elasticsearch) as prefix,
        ScriptedServer() as server,
    ):
        press = Press(server)
        ledger, airflow_database = database.database(), database.database()
        settings, environment = settings_for(
            tmp_path / "data", server, ledger=database.url(ledger), index=elasticsearch.url, index_prefix=prefix
        )
        upkeep_of(settings).init()
        subscribe(settings, press)
        more = {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url(airflow_database, "psycopg2"),
            "AIRFLOW__CELERY__BROKER_URL": broker.url,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database.url(airflow_database, 'psycopg2')}",
            "AIRFLOW__OPERATORS__DEFAULT_QUEUE": "io",
        }
        with AirflowHost(tmp_path / "airflow", WORKERS, **(environment | more)) as airflow:
            get_through(airflow, settings, press, victims=("io", "scheduler"))
