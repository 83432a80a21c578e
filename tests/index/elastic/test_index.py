"""What only the Elasticsearch adapter does; what every adapter does is in ``tests/conformance``."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from pipeline.errors import DocumentsRefusedError, IndexUnavailableError, RequestError
from pipeline.index import Index, Kind, SearchRequest, Sort, open_index, upkeep_of
from pipeline.index.elastic import index as adapter
from pipeline.records import Document
from pipeline.settings import Settings
from tests.conformance.wire import WIRE, at, document, entity, id_of, newer
from tests.support.elastic import ElasticServer
from tests.support.elastic.proxy import Fault, SpoilingProxy


@pytest.fixture
def settings(elasticsearch: ElasticServer, elastic_prefix: str, tmp_path: Path) -> Settings:
    """Those of indices of the test's own, which are set up."""
    made = Settings(data=tmp_path, index=elasticsearch.url, index_prefix=elastic_prefix)
    upkeep_of(made).init()
    return made


@pytest.fixture
def index(settings: Settings) -> Iterator[Index]:
    opened = open_index(settings)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings) -> Iterator[Elasticsearch]:
    with Elasticsearch(settings.index, request_timeout=60) as client:
        yield client


def everything(index: Index) -> dict[str, Document | None]:
    return {id_: index.get(id_) for id_ in index.ids()}


WHOLE = {wire.article.id: wire for wire in WIRE.values()}


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.BUSY_ITEM, Fault.DOWN, Fault.RESET, Fault.LOST, Fault.READ_ONLY])
def test_a_fault_that_passes_at_once_is_overcome_without_a_word(
    settings: Settings, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "BUSY_PAUSE", 0.01)
    with SpoilingProxy(settings.index) as proxy:
        index = open_index(settings.model_copy(update={"index": proxy.url}))
        proxy.faults.append(fault)
        index.upsert(list(WIRE.values()))
        assert proxy.hit == [fault]
        assert everything(index) == WHOLE
        assert index.check() == []
        index.close()


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ([Fault.BUSY] * 9, "too much to do"),
        ([Fault.READ_ONLY] * 9, "read-only, as when its disk is nearly full"),
        ([Fault.DOWN] * 9, "answers 503"),
        ([Fault.RESET] * 9, "cannot be reached"),
        ([Fault.LOST] * 9, "cannot be reached"),
        ([Fault.HALF] * 9, "cannot be reached|breaks off"),
        ([Fault.HANG], "does not answer in time"),
        ([Fault.REFUSED], "refuses the key or password"),
        ([Fault.FORBIDDEN], "may not do this"),
        ([Fault.OTHER], "not Elasticsearch"),
    ],
    ids=lambda value: value[0].name if isinstance(value, list) else "",
)
def test_a_fault_that_lasts_is_said_and_the_upsert_done_again_loses_and_doubles_nothing(
    settings: Settings, faults: list[Fault], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "BUSY_PAUSE", 0.01)
    monkeypatch.setattr(adapter, "CHUNK_ITEMS", 3)  # so that some of the batch may be in when another part fails
    with SpoilingProxy(settings.index) as proxy:
        index = open_index(settings.model_copy(update={"index": proxy.url, "index_timeout": 1.0}))
        proxy.faults.extend(faults)
        with pytest.raises(IndexUnavailableError, match=reason):
            index.upsert(list(WIRE.values()))
        proxy.faults.clear()
        index = open_index(settings.model_copy(update={"index": proxy.url}))
        index.upsert(list(WIRE.values()))
        assert everything(index) == WHOLE
        assert index.count(Kind.CLAIMS) == 6
        assert index.check() == []
        index.close()


def test_a_batch_that_broke_off_leaves_nothing_behind_once_a_newer_version_is_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "CHUNK_ITEMS", 2)
    with SpoilingProxy(settings.index) as proxy:
        index = open_index(settings.model_copy(update={"index": proxy.url}))
        proxy.faults.extend([Fault.LOST] * 3)  # the article and its first claim are in, and nobody knows
        with pytest.raises(IndexUnavailableError):
            index.upsert([WIRE["denial"]])
        bare = newer(document("denial", "Withdrawn", ""), 3)
        index.upsert([bare])
        assert everything(index) == {bare.article.id: bare}
        assert index.count(Kind.CLAIMS) == 0
        index.close()


def test_a_full_disk_makes_writing_wait_and_searching_go_on(
    settings: Settings, index: Index, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "BUSY_PAUSE", 0.01)
    index.upsert([WIRE["talks"]])
    held = f"{settings.index_prefix}-*"
    client.indices.put_settings(index=held, settings={"index.blocks.read_only_allow_delete": True})
    with pytest.raises(IndexUnavailableError, match="read-only"):
        index.upsert([WIRE["oil"]])
    assert index.search(SearchRequest(query="kashmir")).total == 1
    client.indices.put_settings(index=held, settings={"index.blocks.read_only_allow_delete": None})
    index.upsert([WIRE["oil"]])
    assert index.count(Kind.ARTICLES) == 2


def test_a_document_that_the_server_refuses_is_named_with_its_reason_and_the_rest_is_in(index: Index) -> None:
    torn = document(
        "torn", "Torn", "", entities=(entity("X", "GPE", geonames=2**70),), claims=WIRE["talks"].enriched.claims
    )
    with pytest.raises(DocumentsRefusedError) as caught:
        index.upsert([WIRE["talks"], torn, WIRE["denial"]])
    assert list(caught.value.refused) == [id_of("torn")]
    assert "geonames" in caught.value.refused[id_of("torn")] or "range" in caught.value.refused[id_of("torn")]
    assert set(index.ids()) == {id_of("talks"), id_of("denial")}
    assert index.count(Kind.CLAIMS) == 5
    assert index.check() == []


def test_a_large_batch_goes_in_requests_of_bounded_size(settings: Settings) -> None:
    crowd = [document(f"crowd-{n}", "Crowd", "word " * 20_000) for n in range(70)]
    with SpoilingProxy(settings.index) as proxy:
        index = open_index(settings.model_copy(update={"index": proxy.url}))
        index.upsert(crowd)
        assert index.count(Kind.ARTICLES) == len(crowd)
        sizes = [int(seen.headers["Content-Length"]) for seen in proxy.requests if "_bulk" in seen.path]
        index.close()
    assert len(sizes) >= 2
    assert max(sizes) <= adapter.CHUNK_BYTES


def test_an_index_that_was_not_set_up_says_so_and_nothing_is_made(
    elasticsearch: ElasticServer, elastic_prefix: str, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path, index=elasticsearch.url, index_prefix=elastic_prefix)
    index = open_index(settings)
    for ask in (
        lambda: index.upsert([WIRE["talks"]]),
        lambda: index.search(SearchRequest(query="x")),
        lambda: index.count(Kind.CLAIMS),
        lambda: index.get(id_of("talks")),
        lambda: list(index.ids()),
        lambda: index.delete(["x"]),
    ):
        with pytest.raises(IndexUnavailableError, match="wirewatch index init"):
            ask()
    with Elasticsearch(settings.index) as client:
        assert not client.indices.get(index=f"{settings.index_prefix}-*").body


def test_a_server_that_is_not_there_is_named_without_the_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(data=tmp_path, index="http://127.0.0.1:9", index_api_key="s3cret-key")  # type: ignore[arg-type]
    index = open_index(settings)
    with pytest.raises(IndexUnavailableError, match=r"127\.0\.0\.1:9.*cannot be reached") as caught:
        index.count(Kind.ARTICLES)
    told = f"{caught.value}{caught.value.__cause__}{caplog.text}{''.join(capfd.readouterr())}{settings!r}"
    assert "s3cret" not in told


def test_a_key_that_the_server_refuses_is_said_without_the_key(settings: Settings) -> None:
    with SpoilingProxy(settings.index, path="_count") as proxy:
        keyed = Settings(
            data=settings.data, index=proxy.url, index_prefix=settings.index_prefix, index_api_key="s3cret"
        )  # type: ignore[arg-type]
        index = open_index(keyed)
        index.count(Kind.ARTICLES)
        proxy.faults.append(Fault.REFUSED)
        with pytest.raises(IndexUnavailableError, match="refuses the key") as caught:
            index.count(Kind.ARTICLES)
        assert "s3cret" not in str(caught.value)
        assert {seen.headers["Authorization"] for seen in proxy.requests} == {"ApiKey s3cret"}
        index.close()


def test_an_unreadable_answer_costs_a_search_a_sentence(settings: Settings) -> None:
    with SpoilingProxy(settings.index, path="_search") as proxy:
        index = open_index(settings.model_copy(update={"index": proxy.url, "index_timeout": 1.0}))
        for fault in (Fault.HALF, Fault.OTHER, Fault.HANG, Fault.BUSY):
            proxy.faults.extend([fault] * 3)
            with pytest.raises(IndexUnavailableError):
                index.search(SearchRequest(query="kashmir"))
            proxy.faults.clear()
        index.close()


def test_pages_stay_as_they_were_while_scores_change(index: Index) -> None:
    first = [document(f"n-{n}", "News " * (n + 1), "") for n in range(9)]
    index.upsert(first)
    request = SearchRequest(query="news", limit=2)
    whole = [hit.id for hit in index.search(replace(request, limit=9)).hits]
    got: list[str] = []
    cursor: str | None = None
    for number in range(5):
        page = index.search(replace(request, after=cursor))
        got += [hit.id for hit in page.hits]
        cursor = page.next_cursor
        if number == 1:  # a point in time is open by now
            index.upsert([document(f"late-{n}", "News news", "") for n in range(3)])
    assert cursor is None
    assert got == whole


def test_a_point_in_time_that_is_gone_is_opened_anew(index: Index, client: Elasticsearch) -> None:
    index.upsert(list(WIRE.values()))
    request = SearchRequest(sort=Sort.OLDEST, limit=2)
    page = index.search(request)
    page2 = index.search(replace(request, after=page.next_cursor))
    text = (page2.next_cursor or "").rpartition(":")[2]
    pit, _ = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    client.close_point_in_time(id=pit)
    rest = index.search(replace(request, limit=10, after=page2.next_cursor))
    ids = [hit.id for hit in (*page.hits, *page2.hits, *rest.hits)]
    assert ids == [hit.id for hit in index.search(replace(request, limit=10)).hits]


def test_an_offset_beyond_ten_thousand_finds_its_page(index: Index) -> None:
    start = at("2026-01-01T00:00:00")
    crowd = [document(f"crowd-{n}", "Crowd", "", published=start.replace(minute=n // 3600 % 60)) for n in range(10_300)]
    index.upsert(crowd)
    ordered = sorted(crowd, key=lambda one: (one.article.published, one.article.id))
    page = index.search(SearchRequest(sort=Sort.OLDEST, offset=10_290, limit=20))
    assert [hit.id for hit in page.hits] == [one.article.id for one in ordered[10_290:]]
    assert (page.total, page.next_cursor) == (10_300, None)
    middle = index.search(SearchRequest(sort=Sort.OLDEST, offset=9_995, limit=10))
    assert [hit.id for hit in middle.hits] == [one.article.id for one in ordered[9_995:10_005]]
    assert middle.next_cursor is not None
    whole = index.search(SearchRequest(sort=Sort.OLDEST, limit=10_000))
    assert len(whole.hits) == 10_000
    rest = index.search(SearchRequest(sort=Sort.OLDEST, limit=10_000, after=whole.next_cursor))
    assert [hit.id for hit in rest.hits] == [one.article.id for one in ordered[10_000:]]


def test_an_article_taken_out_can_be_put_in_again_at_the_same_version(index: Index) -> None:
    for _ in range(2):
        index.upsert([WIRE["denial"]])
        assert index.count(Kind.CLAIMS) == 3
        index.delete([id_of("denial")])
        assert (index.count(Kind.ARTICLES), index.count(Kind.CLAIMS)) == (0, 0)


def test_kibana_finds_text_by_its_own_language_and_places_on_the_map(
    settings: Settings, index: Index, client: Elasticsearch
) -> None:
    index.upsert(
        [
            WIRE["bozize"],
            document("map", "Map", "", entities=(entity("Bangui", "GPE", latitude=4.36, longitude=18.55),)),
        ]
    )
    articles = f"{settings.index_prefix}-articles"
    found = client.search(index=articles, query={"match": {"local.fr": "président rentrée"}})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == [id_of("bozize")]
    near = {"geo_distance": {"distance": "50km", "geo": {"lat": 4.4, "lon": 18.6}}}
    assert [hit["_id"] for hit in client.search(index=articles, query=near)["hits"]["hits"]] == [id_of("map")]


def test_a_query_nested_deeper_than_the_server_takes_is_refused_in_words(index: Index) -> None:
    query = "a"
    for n in range(20):
        query = f"(b{n} OR (c{n} AND {query}))"
    with pytest.raises(RequestError, match="nested"):
        index.search(SearchRequest(query=query))
    query = "a"
    for n in range(13):
        query = f"(b{n} OR (c{n} AND {query}))"
    assert index.search(SearchRequest(query=query)).total == 0
