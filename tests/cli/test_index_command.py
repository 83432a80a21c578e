"""``wirewatch index``, and what other commands say of an Elasticsearch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from elasticsearch import Elasticsearch
from typer.testing import CliRunner

from pipeline.cli import application
from pipeline.cli.terminal import FAILED, SETTINGS, STORAGE
from pipeline.index import open_index
from pipeline.settings import Settings
from tests.conformance.wire import WIRE, id_of
from tests.support.elastic import ElasticServer

Call = Callable[..., Result]
SECRET = "s3cret-of-the-desk"


def caller(data: Path, url: str, prefix: str = "wire", **more: str) -> Call:
    environment = {"WIREWATCH_DATA": str(data), "WIREWATCH_INDEX": url, "WIREWATCH_INDEX_PREFIX": prefix} | more

    def call(*args: str) -> Result:
        return CliRunner().invoke(application(), [*args], env=environment)

    return call


@pytest.fixture
def call(elasticsearch: ElasticServer, elastic_prefix: str, tmp_path: Path) -> Call:
    return caller(tmp_path, elasticsearch.url, elastic_prefix)


def test_indices_are_set_up_checked_and_migrated_by_command(
    call: Call, elasticsearch: ElasticServer, elastic_prefix: str, tmp_path: Path
) -> None:
    missing = call("index", "check")
    assert missing.exit_code == FAILED
    assert "wirewatch index init" in missing.stderr
    assert "made index" in call("index", "init").stdout
    assert "Nothing to do" in call("index", "init").stdout
    assert call("index", "check", "--content").exit_code == 0
    index = open_index(Settings(data=tmp_path, index=elasticsearch.url, index_prefix=elastic_prefix))
    index.upsert(list(WIRE.values()))
    with Elasticsearch(elasticsearch.url) as client:
        name = f"{elastic_prefix}-articles-000001"
        client.indices.put_mapping(index=name, properties={"mood": {"type": "keyword"}})
    odd = call("index", "check", "--json")
    assert odd.exit_code == FAILED
    assert "field mood is in no file" in json.loads(odd.stdout)["problems"][0]
    migrated = call("index", "migrate", "--json")
    assert migrated.exit_code == 0, migrated.output
    assert json.loads(migrated.stdout)["articles"] == len(WIRE)
    assert json.loads(migrated.stdout)["indices"][name] == f"{elastic_prefix}-articles-000002"
    assert call("index", "check", "--content").exit_code == 0
    index.close()


def test_search_show_and_status_work_on_a_machine_that_has_no_data_of_its_own(
    call: Call, elasticsearch: ElasticServer, elastic_prefix: str, tmp_path: Path
) -> None:
    call("index", "init")
    index = open_index(Settings(data=tmp_path, index=elasticsearch.url, index_prefix=elastic_prefix))
    index.upsert(list(WIRE.values()))
    index.close()
    found = json.loads(call("search", "kashmir", "--json").stdout)
    assert found["total"] == 3
    assert "Oil rises" in call("show", id_of("oil")[:8]).stdout
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_costs_every_command_a_sentence_without_the_key(tmp_path: Path) -> None:
    call = caller(tmp_path, "http://127.0.0.1:9", WIREWATCH_INDEX_API_KEY=SECRET)
    call("feeds", "list")
    for command in (
        ("index", "init"),
        ("index", "check"),
        ("index", "migrate"),
        ("search", "kashmir"),
        ("show", "abcdef12"),
    ):
        said = call(*command)
        assert said.exit_code == STORAGE, said.output
        assert "cannot be reached" in said.stderr
        assert SECRET not in said.output + said.stderr
    (tmp_path / "archive").mkdir()
    status = call("status")
    assert status.exit_code == 0, status.output
    assert "cannot be reached" in status.output
    assert SECRET not in status.output + status.stderr


def test_an_embedded_index_needs_no_set_up_and_says_so(tmp_path: Path) -> None:
    call = caller(tmp_path, "embedded")
    for command in ("init", "migrate"):
        assert "needs no set-up" in call("index", command).stdout
    assert call("index", "check").exit_code == 0


def test_a_key_file_that_is_missing_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    call = caller(tmp_path, "http://127.0.0.1:9", WIREWATCH_INDEX_API_KEY_FILE=str(tmp_path / "missing"))
    said = call("search", "kashmir")
    assert said.exit_code == SETTINGS
    assert "index_api_key_file" in said.stderr
