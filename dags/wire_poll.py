"""Polls the feeds that are due, and says when there is something to fetch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from pipeline.scheduling import DEFAULT_ARGS, clear_failures, round_name, tell_failure
from pipeline.settings import load_settings

DOC = """
### Poll the feeds that are due

`plan` takes the feeds that are due from the ledger, in at most eight shards; `poll` polls a shard, its feeds beside
each other, and what fails is noted with that feed (`wirewatch feeds list`) and fails nothing else; `announce` gives
back what a shard could not do, and emits the asset `wire/articles` when anything is owed.

The same by hand: `wirewatch task plan ROUND`, `wirewatch task poll CLAIM`, `wirewatch task finish ROUND`.
"""


@dag(
    dag_id="wire_poll",
    schedule=timedelta(minutes=2),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    default_args=DEFAULT_ARGS | {"on_failure_callback": tell_failure},
    params={"shards": Param(8, type="integer", minimum=1, maximum=8, description="Shards of feeds at most")},
    doc_md=DOC,
    tags=["wirewatch"],
)
def wire_poll() -> None:
    @task(pool="feeds", queue="io")
    def plan(params: dict[str, Any]) -> list[str]:
        from pipeline.flow import tasks

        batches = tasks.plan(load_settings(), round_name(get_current_context()), shards=params["shards"])
        return [batch.claim for batch in batches]

    @task(pool="feeds", queue="io")
    def poll(claim: str) -> dict[str, int]:
        from pipeline.flow import tasks

        return tasks.poll(load_settings(), claim)

    @task(pool="feeds", queue="io", trigger_rule="all_done", outlets=[Asset("wire/articles")])
    def announce() -> int:
        from pipeline.flow import tasks

        settings, context = load_settings(), get_current_context()
        tasks.finish(settings, round_name(context))
        clear_failures(context)
        owed = tasks.owed(settings)
        if not owed:
            raise AirflowSkipException("nothing is owed")
        return owed

    @task(queue="io", trigger_rule="one_failed", retries=0, on_failure_callback=None)
    def judge() -> None:
        raise RuntimeError("a shard could not be polled: this run has failed, though it came to its end")

    polled = poll.expand(claim=plan())
    polled >> announce()
    polled >> judge()


wire_poll()
