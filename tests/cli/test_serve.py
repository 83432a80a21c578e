"""``wirewatch serve`` as a process: where it says that it is, whom it lets in, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.web.conftest import small_wire

COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()", "serve"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_wire(tmp_path_factory.mktemp("served") / "data").data


@contextmanager
def served(data: Path, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running command, and what it said until the page was up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
    process = subprocess.Popen(
        [*COMMAND, "--data", str(data), "--port", "0", *options],
        env=kept | environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        while "http://" not in said or ("0.0.0.0" in said and "encrypted" not in said):
            line = process.stdout.readline()
            assert line, said
            said += line
        yield process, said
    finally:
        process.kill()
        process.wait(10)


def address(said: str) -> str:
    found = re.search(r"http://\S+:(\d+)/", said)
    assert found
    return f"http://127.0.0.1:{found[1]}/"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_when_told_to(data: Path, how: signal.Signals) -> None:
    with served(data) as (process, said):
        assert "http://127.0.0.1:" in said
        assert "token" not in said
        assert "Kashmir talks collapse" in requests.get(address(said), timeout=20).text
        stream = requests.get(address(said) + "live", stream=True, timeout=20)
        process.send_signal(how)
        process.wait(20)
        stream.close()


def test_reached_from_elsewhere_it_makes_a_token_and_asks_for_it(data: Path) -> None:
    with served(data, "--host", "0.0.0.0") as (_, said):
        found = re.search(r"token: (\S+)", said)
        assert found
        where = address(said)
        assert requests.get(where, timeout=20).status_code == 401
        headers = {"Authorization": f"Bearer {found[1]}"}
        assert requests.get(where, headers=headers, timeout=20).status_code == 200


def test_a_token_that_was_set_is_asked_for_and_not_printed(data: Path) -> None:
    with served(data, WIREWATCH_TOKEN="a-token-of-the-desk") as (_, said):
        assert "a-token-of-the-desk" not in said
        assert requests.get(address(said), timeout=20).status_code == 401


def test_a_token_that_anyone_could_guess_is_refused(data: Path) -> None:
    environment = os.environ | {"WIREWATCH_TOKEN": "1234"}
    done = subprocess.run([*COMMAND, "--data", str(data)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 4
    assert "WIREWATCH_TOKEN: must have 16 characters" in done.stderr
    assert "1234" not in done.stderr


def test_a_port_that_is_taken_is_said(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [*COMMAND, "--data", str(data), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1 port {port}" in done.stderr


def test_a_folder_without_data_is_said_and_not_made(tmp_path: Path) -> None:
    command = [*COMMAND, "--data", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "no Wirewatch data" in done.stderr
    assert not (tmp_path / "none").exists()
