"""A real scheduler with the LocalExecutor runs the DAGs, and is killed in the middle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.scenario import get_through, settings_for, subscribe
from tests.support.airflow import AirflowHost
from tests.support.press import Press
from tests.support.server import ScriptedServer


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_the_feeds_bring_is_indexed_once_though_scheduler_and_tasks_are_killed(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        press = Press(server)
        settings, environment = settings_for(tmp_path / "data", server)
        subscribe(settings, press)
        with AirflowHost(tmp_path / "airflow", **environment) as airflow:
            get_through(airflow, settings, press, victims=("scheduler",))
