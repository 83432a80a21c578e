"""Set-up, comparison with the files, and migration, on a real server."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from pipeline.errors import IndexUnavailableError
from pipeline.index import Index, Kind, SearchRequest, open_index, rebuilding, upkeep_of
from pipeline.index.elastic import upkeep as module
from pipeline.index.elastic.mappings import Part
from pipeline.settings import Settings
from tests.conformance.wire import WIRE, claim, document, id_of, newer
from tests.support.elastic import ElasticServer


@pytest.fixture
def bare(elasticsearch: ElasticServer, elastic_prefix: str, tmp_path: Path) -> Settings:
    """Those of indices of the test's own, which are not set up yet."""
    return Settings(data=tmp_path, index=elasticsearch.url, index_prefix=elastic_prefix)


@pytest.fixture
def settings(bare: Settings) -> Settings:
    upkeep_of(bare).init()
    return bare


@pytest.fixture
def index(settings: Settings) -> Iterator[Index]:
    opened = open_index(settings)
    yield opened
    opened.close()


@pytest.fixture
def client(bare: Settings) -> Iterator[Elasticsearch]:
    with Elasticsearch(bare.index, request_timeout=60) as client:
        yield client


def holders(client: Elasticsearch, settings: Settings) -> dict[str, list[str]]:
    """The indices behind each alias of the prefix."""
    found: dict[str, list[str]] = {}
    for name, body in client.indices.get_alias(index=f"{settings.index_prefix}-*").items():
        for alias in body["aliases"]:
            found.setdefault(alias.removeprefix(f"{settings.index_prefix}-"), []).append(name[-6:])
    return found


FIRST = {name: ["000001"] for part in Part for name in (part, f"{part}-write")}
SECOND = {name: ["000002"] for name in FIRST}


def test_init_sets_all_up_and_done_again_does_nothing(bare: Settings, client: Elasticsearch) -> None:
    assert len(upkeep_of(bare).init()) == 1 + 2 * len(Part)
    assert upkeep_of(bare).init() == []
    assert upkeep_of(bare).differences() == []
    assert holders(client, bare) == FIRST


def test_a_server_without_anything_differs_in_everything(bare: Settings) -> None:
    odd = upkeep_of(bare).differences()
    assert len(odd) == 1 + 2 * len(Part)
    assert all("wirewatch index init" in each for each in odd)


def test_check_says_field_by_field_what_is_not_as_in_the_files(settings: Settings, client: Elasticsearch) -> None:
    prefix = settings.index_prefix
    name = f"{prefix}-articles-000001"
    client.indices.put_mapping(index=name, properties={"mood": {"type": "keyword"}})
    client.indices.put_settings(index=name, settings={"index.blocks.write": True})
    client.indices.delete_alias(index=f"{prefix}-claims-000001", name=f"{prefix}-claims-write")
    template = client.indices.get_index_template(name=f"{prefix}-alerts")["index_templates"][0]["index_template"]
    template["template"]["mappings"]["properties"].pop("why")
    kept = {part: template[part] for part in ("index_patterns", "composed_of", "priority", "template")}
    client.indices.put_index_template(name=f"{prefix}-alerts", **kept)
    odd = "\n".join(upkeep_of(settings).differences())
    for part in (
        "field mood is in no file",
        "is blocked: write",
        f"alias {prefix}-claims-write is of no index",
        f"index template {prefix}-alerts is not as in the file",
    ):
        assert part in odd
    assert len(odd.splitlines()) == 4
    assert upkeep_of(settings).init() == [f"put index template {prefix}-alerts"]


def test_an_index_where_an_alias_should_be_is_not_written_over(bare: Settings, client: Elasticsearch) -> None:
    client.indices.create(index=f"{bare.index_prefix}-articles")
    with pytest.raises(IndexUnavailableError, match="should be an alias"):
        upkeep_of(bare).init()


def make_old(client: Elasticsearch, settings: Settings) -> None:
    """Make the indices pass for those of an older version."""
    for part in Part:
        meta = {"wirewatch": {"schema": 1, "kind": part.value}}
        client.indices.put_mapping(index=f"{settings.index_prefix}-{part}-000001", meta=meta)


def test_an_index_of_another_schema_is_not_written_to_until_it_is_migrated(
    settings: Settings, index: Index, client: Elasticsearch
) -> None:
    index.upsert([WIRE["talks"]])
    make_old(client, settings)
    with pytest.raises(IndexUnavailableError, match="wirewatch index migrate"):
        index.upsert([WIRE["oil"]])
    assert any("schema version 1" in each for each in upkeep_of(settings).differences())
    upkeep_of(settings).migrate()
    index.upsert([WIRE["oil"]])
    assert set(index.ids()) == {id_of("talks"), id_of("oil")}
    assert upkeep_of(settings).differences() == []


def test_a_migration_takes_everything_over_and_keeps_the_old_indices(
    settings: Settings, index: Index, client: Elasticsearch
) -> None:
    index.upsert(list(WIRE.values()))
    index.upsert([newer(WIRE["talks"], 4)])
    index.delete([id_of("court")])
    client.index(index=f"{settings.index_prefix}-alerts-write", id="a1", document={"rule": "Kashmir"})
    before = {id_: index.get(id_) for id_ in index.ids()}
    report = upkeep_of(settings).migrate()
    assert (report.articles, report.problems) == (len(before), ())
    assert holders(client, settings) == SECOND
    assert {id_: index.get(id_) for id_ in index.ids()} == before
    assert index.check() == []
    assert index.count(Kind.CLAIMS) == 6
    client.indices.refresh(index=f"{settings.index_prefix}-alerts")
    assert client.count(index=f"{settings.index_prefix}-alerts")["count"] == 1
    assert client.count(index=f"{settings.index_prefix}-articles-000001")["count"] == len(before)
    index.upsert([newer(WIRE["talks"], 3)])  # the version came along, and an older one is still passed over
    assert index.get(id_of("talks")) == before[id_of("talks")]
    index.upsert([newer(WIRE["talks"], 5)])
    assert upkeep_of(settings).differences() == []


def crowd(start: int, end: int) -> list[object]:
    return [document(f"c-{n}", "Crowd", f"Number {n}.", claims=(claim(f"claim {n}", None),)) for n in range(start, end)]


def test_what_is_written_deleted_and_searched_during_a_migration_is_neither_lost_nor_missed(
    settings: Settings, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COPIED_AT_ONCE", 50)
    monkeypatch.setattr(module, "FEW", 20)
    index.upsert(crowd(0, 600))  # type: ignore[arg-type]
    done = threading.Event()
    errors: list[BaseException] = []
    written, gaps = 600, []

    def write() -> None:
        nonlocal written
        mine = open_index(settings)
        try:
            while not done.is_set():
                batch = [*crowd(written, written + 5), newer(crowd(3, 4)[0], 2 + written)]  # type: ignore[arg-type]
                while True:
                    try:
                        mine.upsert(batch)  # type: ignore[arg-type]
                        mine.delete([id_of(f"c-{written - 300}")])
                        break
                    except IndexUnavailableError as error:  # as the flow does: wait, and do it again
                        assert "read-only" in str(error)  # noqa: PT017
                written += 5
        except BaseException as error:  # noqa: BLE001 - told by the test itself
            errors.append(error)

    def search() -> None:
        mine = open_index(settings)
        try:
            while not done.is_set():
                total = mine.search(SearchRequest(query="crowd", limit=1)).total
                if total < 400:
                    gaps.append(total)
        except BaseException as error:  # noqa: BLE001 - told by the test itself
            errors.append(error)

    threads = [threading.Thread(target=each) for each in (write, search)]
    for thread in threads:
        thread.start()
    try:
        report = upkeep_of(settings).migrate()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert (errors, gaps, report.problems) == ([], [], ())
    deleted = {id_of(f"c-{n - 300}") for n in range(600, written, 5)}
    assert set(index.ids()) == {id_of(f"c-{n}") for n in range(written)} - deleted
    last = index.get(id_of("c-3"))
    assert last is not None
    assert last.article.version == 2 + written - 5
    assert index.check() == []
    assert upkeep_of(settings).differences() == []


class Killed(BaseException):
    pass


def test_a_migration_that_was_killed_is_gone_on_with(
    settings: Settings, index: Index, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COPIED_AT_ONCE", 50)
    index.upsert(crowd(0, 300))  # type: ignore[arg-type]

    def kill(copied: int, total: int) -> None:
        if copied >= 150:
            raise Killed

    with pytest.raises(Killed):
        upkeep_of(settings).migrate(kill)
    assert holders(client, settings) == FIRST
    assert any("is being filled" in each for each in upkeep_of(settings).differences())
    index.upsert([newer(crowd(0, 1)[0], 2), *crowd(300, 310)])  # type: ignore[arg-type,list-item]
    report = upkeep_of(settings).migrate()
    assert report.articles < 300
    assert holders(client, settings) == SECOND
    assert index.count(Kind.ARTICLES) == index.count(Kind.CLAIMS) == 310
    assert index.check() == []


def test_a_migration_that_fails_at_the_last_step_lets_writers_go_on(
    settings: Settings, index: Index, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.upsert(crowd(0, 20))  # type: ignore[arg-type]
    with monkeypatch.context() as patched:
        patched.setattr(module.Upkeep, "_swap", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            upkeep_of(settings).migrate()
    index.upsert(crowd(20, 25))  # type: ignore[arg-type]
    assert holders(client, settings) == FIRST
    upkeep_of(settings).migrate()
    assert index.count(Kind.ARTICLES) == 25
    assert holders(client, settings) == SECOND


def test_a_replay_builds_beside_the_indices_in_use_and_takes_their_place(
    settings: Settings, index: Index, client: Elasticsearch
) -> None:
    index.upsert([WIRE["talks"]])
    with contextlib.suppress(Killed), rebuilding(settings) as fresh:
        fresh.upsert([WIRE["oil"]])
        raise Killed
    assert list(index.ids()) == [id_of("talks")]
    assert list(client.indices.get(index=f"{settings.index_prefix}-articles-*")) == [
        f"{settings.index_prefix}-articles-000001"
    ]
    with rebuilding(settings) as fresh:
        fresh.upsert([WIRE["denial"]])
        assert list(index.ids()) == [id_of("talks")]
    assert list(index.ids()) == [id_of("denial")]
    assert index.count(Kind.CLAIMS) == 3
    assert upkeep_of(settings).differences() == []


def test_a_replay_needs_no_set_up_before(bare: Settings) -> None:
    with rebuilding(bare) as fresh:
        fresh.upsert([WIRE["oil"]])
    index = open_index(bare)
    assert list(index.ids()) == [id_of("oil")]
    index.close()
