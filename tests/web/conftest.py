"""A page on a small wire, one on the demo's, and a real Chromium."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipeline.index import open_index
from pipeline.ledger import open_ledger
from pipeline.settings import Settings, load_settings
from tests.conformance.wire import WIRE
from tests.support.page import Page
from tests.web.browser import chromium


def small_wire(folder: Path, **settings: object) -> Settings:
    """A data folder with the conformance suite's articles in its index."""
    made = load_settings(folder, **settings)
    index = open_index(made)
    index.upsert(list(WIRE.values()))
    index.close()
    open_ledger(made.ledger_file).close()
    return made


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page on the small wire. Its rate limits are lifted: tests ask faster than people."""
    with Page(small_wire(tmp_path_factory.mktemp("wire") / "data")) as running:
        running.app.state.site.searches.rate = running.app.state.site.searches.burst = 10_000
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``wirewatch demo`` leaves behind, made once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "demo-wire"
    with open(shared / "demo-wire.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ledger.sqlite").exists():
            environment = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
            command = [sys.executable, "-c", "from pipeline.cli import main; main()", "demo", "--data", str(folder)]
            done = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, timeout=240)
            assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def demo_copy(demo: Path, tmp_path: Path) -> Path:
    """The same for a test that changes something."""
    shutil.copytree(demo, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, for one module at a time: while Playwright runs, its event loop does too, in the tests' own thread,
    and no test that needs one of its own could follow."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def demo_page(demo: Path) -> Iterator[Page]:
    """The page on the demo's wire."""
    with Page(load_settings(demo)) as running:
        running.app.state.site.searches.rate = running.app.state.site.searches.burst = 10_000
        yield running
