"""Looks after leases, leftovers, quarantine, volume and age every hour, and after Airflow's own database every day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from pipeline.scheduling import DEFAULT_ARGS, clear_failures, tell_failure
from pipeline.settings import load_settings

DOC = """
### Upkeep

Every hour, `look_after` gives back leases of workers that are gone, removes what was kept for batches that ended,
tries alerts again that could not be delivered, gives what lies in quarantine another chance after a day, four and
sixteen days, and notes what a person should know: what is still there and why, feeds that fail again and again.
`wirewatch status` shows the notes. Sources that are more quiet or louder than usual are told of by alert channels.
Once a day it removes what is older than the setting `keep_days`, where that is set.
The same by hand: `wirewatch upkeep`, `wirewatch task deliver`, `wirewatch prune`.

Once a day, `clean_airflow` removes Airflow's own records that are older than `keep_days`. Tasks may not talk to
Airflow's database, so it needs the connection in the environment variable `WIRE_AIRFLOW_DB`, and is skipped without.
"""


@dag(
    dag_id="wire_upkeep",
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=DEFAULT_ARGS | {"on_failure_callback": tell_failure},
    params={
        "keep_days": Param(14, type="integer", minimum=1, maximum=3650, description="Days of Airflow records to keep"),
        "daily": Param(
            None, type=["null", "boolean"], description="Do what is done once a day: yes, no, or when it is time"
        ),
    },
    doc_md=DOC,
    tags=["wirewatch"],
)
def wire_upkeep() -> None:
    @task(pool="index", queue="io")
    def look_after() -> dict[str, int]:
        from pipeline.flow import tasks

        settings = load_settings()
        report = tasks.upkeep(settings)
        tasks.deliver(settings)
        for problem in report.problems:
            print(problem)
        clear_failures(get_current_context())
        return {
            name: getattr(report, name) for name in ("leases", "swept", "retried", "pruned", "quarantined", "failing")
        }

    @task(queue="io")
    def clean_airflow(params: dict[str, Any]) -> None:
        import os
        import subprocess

        run = get_current_context()["dag_run"]
        due = run.run_after.hour == 3 if params["daily"] is None else params["daily"]
        if not due:
            raise AirflowSkipException("once a day is enough")
        database = os.environ.get("WIRE_AIRFLOW_DB")
        if not database:
            raise AirflowSkipException("set WIRE_AIRFLOW_DB to Airflow's database, or run `airflow db clean` elsewhere")
        before = (run.run_after - timedelta(days=params["keep_days"])).isoformat()
        command = ["airflow", "db", "clean", "--yes", "--skip-archive", "--clean-before-timestamp", before]
        subprocess.run(command, env=os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database}, check=True)

    look_after() >> clean_airflow()


wire_upkeep()
