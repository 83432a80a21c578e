"""Makes articles again from the archive, by hand: some of them, or the whole index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from pipeline.scheduling import DEFAULT_ARGS, clear_failures, tell_failure
from pipeline.settings import load_settings

DOC = """
### Make articles again

By hand, after a better extractor or model, or after damage. `select` counts what is meant; with `dry_run` that is all.

- `from_stage` **enrich** (the text as it was read before, by the model of now), **extract** (and enrich) or **fetch**
  (ask the sites again): what was first seen in the time given, by the feed given or by any, is owed again, and
  `wire_ingest` does it with everything else, batch by batch.
- `from_stage` **rebuild**: the whole index is built anew beside the one in use, which it then replaces. It needs the
  data folder for itself: pause `wire_poll` and `wire_ingest` first. With `target_index` another index of that prefix is
  built in Elasticsearch, and the one in use is left alone.

The same by hand: `wirewatch replay --from … --feed … --since … --until … --dry-run`.
"""
DATE = {"type": ["null", "string"], "format": "date-time"}


@dag(
    dag_id="wire_replay",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS | {"on_failure_callback": tell_failure, "execution_timeout": timedelta(days=2)},
    params={
        "feed": Param(None, type=["null", "string"], description="A feed's address or id; all feeds without"),
        "since": Param(None, **DATE, description="First seen at or after"),
        "until": Param(None, **DATE, description="First seen before"),
        "from_stage": Param(
            "extract", enum=["fetch", "extract", "enrich", "rebuild"], description="What is done again first"
        ),
        "target_index": Param(
            None,
            type=["null", "string"],
            pattern="^[a-z][a-z0-9]{0,30}$",
            description="Prefix of the Elasticsearch index to build, for a rebuild",
        ),
        "dry_run": Param(True, type="boolean", description="Only say how many articles are meant"),
    },
    doc_md=DOC,
    tags=["wirewatch"],
)
def wire_replay() -> None:
    @task(queue="io")
    def select(params: dict[str, Any]) -> int:
        from pipeline.replay import Selection, count
        from pipeline.scheduling import opened_ledger

        with opened_ledger() as ledger:
            return count(ledger, Selection.of(ledger, params["feed"], params["since"], params["until"]))

    @task(queue="io", outlets=[Asset("wire/articles")])
    def owe(count: int, params: dict[str, Any]) -> int:
        from pipeline.ledger import Again
        from pipeline.replay import Selection, owe_again
        from pipeline.scheduling import opened_ledger

        if params["dry_run"] or params["from_stage"] == "rebuild":
            raise AirflowSkipException(f"a dry run: {count} articles are meant" if params["dry_run"] else "a rebuild")
        with opened_ledger() as ledger:
            selection = Selection.of(ledger, params["feed"], params["since"], params["until"])
            return owe_again(ledger, selection, Again(params["from_stage"]))

    @task(pool="nlp", queue="nlp")
    def rebuild(count: int, params: dict[str, Any]) -> int:
        from pipeline.replay import rebuild

        if params["dry_run"] or params["from_stage"] != "rebuild":
            raise AirflowSkipException(f"a dry run: {count} articles are meant" if params["dry_run"] else "no rebuild")
        report = rebuild(load_settings(), params["target_index"])
        for problem in report.problems:
            print(problem)
        clear_failures(get_current_context())
        return report.documents

    count = select()
    owe(count)
    rebuild(count)


wire_replay()
