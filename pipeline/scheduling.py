"""What the DAGs share: how their tasks are retried, told of, and named. Knows Airflow's words and imports none of it.

``dags/`` imports this and calls ``pipeline.flow.tasks`` and ``pipeline.replay``; nothing else of the pipeline is needed
to schedule it. Light to import, since a DAG file is read every half minute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.ledger import Ledger

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "wirewatch",
    "retries": 3,
    # A task that is begun again does what is left to do, so soon is good; an outage gets 10 s, 30 s and 90 s.
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": 3,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=1),
}

NOTE = "airflow"


def round_name(context: Mapping[str, Any]) -> str:
    """The name of a DAG run's round of claims."""
    run = context["dag_run"]
    return f"{run.dag_id} {run.run_id}"


def tell_failure(context: Mapping[str, Any]) -> None:
    """Tell the owners that a task has failed for good: in ``wirewatch status``, and through the alert channels.

    Airflow's ``on_failure_callback``. Raises nothing: a failure to tell must not hide what it was to tell of.
    """
    import structlog

    from pipeline.alerts import operations
    from pipeline.errors import WirewatchError
    from pipeline.settings import load_settings

    task = context["task_instance"]
    what = f"{task.dag_id}.{task.task_id}"
    reason = f"failed in run {task.run_id} after {task.try_number} tries: {context.get('exception')}"
    structlog.get_logger("wirewatch").error("task failed", task=what, reason=reason)
    try:
        with opened_ledger() as ledger:
            now = datetime.now(UTC)
            key = f"{NOTE}: {what}"[:80]
            ledger.note(key, None, now)  # it failed before, and now again: that is since now
            ledger.note(key, reason, now)
            operations.tell_failure(ledger, what, reason, load_settings().operations_channels, now)
    except WirewatchError as error:
        structlog.get_logger("wirewatch").error("nobody could be told", reason=str(error))


@contextmanager
def opened_ledger() -> Iterator[Ledger]:
    """The ledger that the settings name. Raises LedgerError or SettingsError."""
    from pipeline.ledger import open_ledger
    from pipeline.settings import load_settings

    with closing(open_ledger(load_settings().ledger_at)) as ledger:
        yield ledger


def clear_failures(context: Mapping[str, Any]) -> None:
    """A run of a DAG has come to its end: what was told of its tasks before it began no longer holds. What failed in
    this very run stays. Raises LedgerError."""
    run = context["dag_run"]
    with opened_ledger() as ledger:
        for key, _, since in ledger.notes():
            if key.startswith(f"{NOTE}: {run.dag_id}.") and since < run.start_date:
                ledger.note(key, None, datetime.now(UTC))
