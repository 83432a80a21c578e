"""The house's rules for DAGs, one test each, and that Airflow takes them without a murmur."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.airflow import DAGS, environment

FILES = sorted(DAGS.glob("*.py"))
NAMES = ["wire_poll", "wire_ingest", "wire_upkeep", "wire_replay"]
HEAVY = (
    "pipeline.flow",
    "pipeline.ledger",
    "pipeline.extract",
    "pipeline.enrich",
    "pipeline.index",
    "trafilatura",
    "aiohttp",
    "onnxruntime",
    "tantivy",
    "lxml",
)

LOAD = """
import json, sys, warnings
warnings.simplefilter("error")
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
from airflow.serialization.serialized_objects import DagSerialization
serialised = {name: DagSerialization.to_dict(dag) for name, dag in bag.dags.items()}
print(json.dumps({"errors": bag.import_errors, "warnings": bag.captured_warnings, "dags": serialised,
                  "modules": sorted(sys.modules)}, default=str))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow makes of the DAG files, in a process of its own, where a warning is an error."""
    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(DAGS)], env=environment(home, 1), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.fixture(params=NAMES)
def dag(request: pytest.FixtureRequest, loaded: dict[str, Any]) -> dict[str, Any]:
    """One DAG as it is serialised."""
    found: dict[str, Any] = loaded["dags"][request.param]["dag"]
    return found


def tasks(dag: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tasks as they are serialised, what they all share filled in."""
    shared = dag.get("default_args", {})
    shared = shared.get("__var", shared)
    for task in dag["tasks"]:
        inner = task["__var"]
        partial = inner.get("partial_kwargs", {})
        yield {**shared, **partial, **inner}


def test_airflow_loads_every_dag_without_an_error_or_a_warning(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert loaded["warnings"] == {}
    assert sorted(loaded["dags"]) == sorted(NAMES)


def test_a_dag_file_imports_airflow_sdk_and_pipeline_only_and_nothing_heavy(loaded: dict[str, Any]) -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                top = name.partition(".")[0]
                assert top in ("pipeline", *sys.stdlib_module_names) or name.startswith("airflow.sdk"), (
                    f"{file}: {name}"
                )
    assert not [name for name in loaded["modules"] if name.startswith(HEAVY)]


def test_no_dag_catches_up(dag: dict[str, Any]) -> None:
    assert dag["catchup"] is False


def test_of_no_dag_two_runs_are_at_work_at_once(dag: dict[str, Any]) -> None:
    assert dag["max_active_runs"] == 1


def test_every_dag_has_its_documentation_and_a_tag(dag: dict[str, Any]) -> None:
    assert "by hand" in dag["doc_md"]
    assert dag["tags"] == ["wirewatch"]


def test_every_task_is_tried_again_ever_later(dag: dict[str, Any]) -> None:
    for task in tasks(dag):
        assert task["retries"] == 3, task["task_id"]
        assert task["retry_exponential_backoff"] == 3, task["task_id"]


def test_every_task_has_an_end(dag: dict[str, Any]) -> None:
    for task in tasks(dag):
        assert task["execution_timeout"], task["task_id"]


def test_the_owners_are_told_when_a_task_fails(dag: dict[str, Any]) -> None:
    for task in tasks(dag):
        assert task["has_on_failure_callback"], task["task_id"]


def test_every_parameter_has_a_schema_and_a_description(dag: dict[str, Any]) -> None:
    for name, param in dag["params"]:
        schema = param["schema"]["__var"]
        assert schema.get("type") or schema.get("enum"), name
        assert param["description"], name


def test_no_task_is_deferred_or_waits_for_another(dag: dict[str, Any]) -> None:
    for task in tasks(dag):
        assert not task.get("start_from_trigger"), task["task_id"]
        assert task["task_type"] in ("_PythonDecoratedOperator", "PythonDecoratedOperator"), task["task_type"]


def test_every_task_is_in_a_queue_that_a_worker_serves(dag: dict[str, Any]) -> None:
    for task in tasks(dag):
        assert task["queue"] in ("io", "nlp"), task["task_id"]


def test_every_pool_is_one_that_is_set_up(dag: dict[str, Any]) -> None:
    pools = json.loads((DAGS / "pools.json").read_text())
    for task in tasks(dag):
        assert task.get("pool", "default_pool") in (*pools, "default_pool"), task["task_id"]


def test_what_takes_a_core_is_in_the_pool_for_it(loaded: dict[str, Any]) -> None:
    of = {task["task_id"]: task for task in tasks(loaded["dags"]["wire_ingest"]["dag"])}
    assert [of[f"batch.{name}"]["pool"] for name in ("fetch", "extract", "enrich", "index")] == [
        "fetch",
        "nlp",
        "nlp",
        "index",
    ]


def test_the_schedules_are_those_that_the_documentation_gives(loaded: dict[str, Any]) -> None:
    schedules = {name: json.dumps(loaded["dags"][name]["dag"]["timetable"]) for name in NAMES}
    assert "120.0" in schedules["wire_poll"]
    assert "*/5 * * * *" in schedules["wire_ingest"]
    assert "wire/articles" in schedules["wire_ingest"]
    assert "0 * * * *" in schedules["wire_upkeep"]
    assert "NullTimetable" in schedules["wire_replay"]


def test_what_goes_from_task_to_task_is_claims_and_counts_only() -> None:
    """Every task's annotation says what it returns, and Airflow sends that to the next one."""
    allowed = {"list[str]", "dict[str, int]", "int", "None"}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert node.returns is not None
                assert ast.unparse(node.returns) in allowed, f"{file.name}: {node.name}"


def test_a_small_host_gets_a_batch_in_one_task(tmp_path: Path) -> None:
    settings = environment(tmp_path, 1, WIREWATCH_FUSED="true")
    done = subprocess.run([sys.executable, "-c", LOAD, str(DAGS)], env=settings, capture_output=True, text=True)
    dags = json.loads(done.stdout.splitlines()[-1])["dags"]
    assert {task["task_id"] for task in tasks(dags["wire_ingest"]["dag"])} == {
        *("claim", "ingest", "finish", "announce", "judge")
    }
