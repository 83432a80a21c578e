"""Fetches, extracts, enriches and indexes what is owed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    Param,
    chain,
    dag,
    get_current_context,
    task,
    task_group,
)
from airflow.sdk.exceptions import AirflowSkipException

from pipeline.scheduling import DEFAULT_ARGS, clear_failures, round_name, tell_failure
from pipeline.settings import load_settings

DOC = """
### Fetch, extract, enrich and index what is owed

`claim` leases what the ledger says is owed, in batches of about 200 articles; each batch goes through `fetch`,
`extract`, `enrich` and `index` (one task, `ingest`, where the setting `fused` is on); `finish` gives back what could
not be done, counts from the ledger, and has alerts sent; `announce` emits the asset `wire/documents` when anything was
indexed.

Only claims and counts go from task to task. Pages wait in the archive and what was made of them under `claims/` in the
data folder, so that any task can be cleared and run again: it does what is left to do.

Runs when the asset `wire/articles` says so, and every five minutes in any case: an asset event is a hint, the ledger
the truth. The same by hand: `wirewatch task claim ROUND`, `wirewatch task fetch CLAIM` and so on,
`wirewatch task finish ROUND`.
"""
FUSED = load_settings().fused


@dag(
    dag_id="wire_ingest",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="UTC"), assets=[Asset("wire/articles")]
    ),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=DEFAULT_ARGS | {"on_failure_callback": tell_failure},
    params={
        "size": Param(200, type="integer", minimum=1, maximum=5000, description="Articles a batch, about"),
        "batches": Param(8, type="integer", minimum=1, maximum=64, description="Batches at most"),
    },
    doc_md=DOC,
    tags=["wirewatch"],
)
def wire_ingest() -> None:
    @task(pool="fetch", queue="io")
    def claim(params: dict[str, Any]) -> list[str]:
        from pipeline.flow import tasks

        name = round_name(get_current_context())
        batches = tasks.claim(load_settings(), name, size=params["size"], most=params["batches"])
        return [batch.claim for batch in batches]

    @task(pool="fetch", queue="io")
    def fetch(claim: str) -> dict[str, int]:
        from pipeline.flow import tasks

        return tasks.fetch(load_settings(), claim)

    @task(pool="nlp", queue="nlp")
    def extract(claim: str) -> dict[str, int]:
        from pipeline.flow import tasks

        return tasks.extract(load_settings(), claim)

    @task(pool="nlp", queue="nlp")
    def enrich(claim: str) -> dict[str, int]:
        from pipeline.flow import tasks

        return tasks.enrich(load_settings(), claim)

    @task(pool="index", queue="io")
    def index(claim: str) -> dict[str, int]:
        from pipeline.flow import tasks

        return tasks.index(load_settings(), claim)

    @task(pool="nlp", queue="nlp")
    def ingest(claim: str) -> dict[str, int]:
        from pipeline.flow import tasks

        return tasks.ingest(load_settings(), claim)

    @task_group
    def batch(claim: str) -> None:
        chain(fetch(claim), extract(claim), enrich(claim), index(claim))

    @task(pool="index", queue="io", trigger_rule="all_done")
    def finish() -> dict[str, int]:
        from pipeline.flow import tasks

        settings, context = load_settings(), get_current_context()
        counts = tasks.finish(settings, round_name(context))
        tasks.deliver(settings)
        clear_failures(context)
        return counts

    @task(queue="io", outlets=[Asset("wire/documents")])
    def announce(counts: dict[str, int]) -> int:
        if not counts.get("indexed"):
            raise AirflowSkipException("nothing was indexed")
        return counts["indexed"]

    @task(queue="io", trigger_rule="one_failed", retries=0, on_failure_callback=None)
    def judge() -> None:
        raise RuntimeError("a batch could not be done: this run has failed, though it came to its end")

    claims = claim()
    counts = finish()
    done = ingest.expand(claim=claims) if FUSED else batch.expand(claim=claims)
    done >> counts
    done >> judge()
    announce(counts)


wire_ingest()
