"""These tests run in ``.venv-airflow`` (``make test-airflow``, part of ``make test``), and skip where Airflow is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytest.register_assert_rewrite("tests.dags.scenario")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("airflow") is None:
        why = "Airflow is not in this environment: `make test` runs these tests in .venv-airflow"
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.skip(reason=why))
