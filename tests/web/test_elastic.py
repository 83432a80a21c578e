"""The page on Elasticsearch: its routes give what they give on the embedded index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.index import open_index, upkeep_of
from pipeline.settings import load_settings
from tests.conformance.wire import WIRE, id_of
from tests.conftest import own_prefix
from tests.support.elastic import ElasticServer
from tests.support.page import Page
from tests.web.conftest import small_wire
from tests.web.test_search import titles, tree


@pytest.fixture(scope="module")
def elastic_page(elasticsearch: ElasticServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with own_prefix(elasticsearch) as prefix:
        folder: Path = tmp_path_factory.mktemp("elastic") / "data"
        settings = load_settings(folder, index=elasticsearch.url, index_prefix=prefix)
        upkeep_of(settings).init()
        with Page(small_wire(folder, index=elasticsearch.url, index_prefix=prefix)) as running:
            running.app.state.site.searches.rate = running.app.state.site.searches.burst = 10_000
            yield running


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?q=talks",
        "/?q=talks&collapse=no&sort=oldest",
        "/?in=claims",
        "/?in=claims&class=deny",
        "/?source=Reuters",
    ],
)
def test_a_search_shows_the_same_hits_and_counts(page: Page, elastic_page: Page, path: str) -> None:
    def facets(shown: Page) -> list[str]:
        return [" ".join(node.text_content().split()) for node in tree(shown, path).cssselect(".facet li")]

    def heading(shown: Page) -> str:
        return tree(shown, path).cssselect("[role=status]")[0].text_content()

    # Scores are each engine's own, so that only what is sorted by time has to come in one order.
    assert sorted(titles(elastic_page, path)) == sorted(titles(page, path))
    assert (heading(elastic_page), facets(elastic_page)) == (heading(page), facets(page))


@pytest.mark.parametrize(
    "path",
    [
        f"/article/{id_of('talks')}",
        "/name/Imran%20Khan",
        "/alerts",
        "/alerts/new?q=kashmir",
        "/feeds",
        "/operations",
        "/search.json?q=kashmir",
        "/search.atom?q=kashmir",
    ],
)
def test_every_other_page_is_answered(page: Page, elastic_page: Page, path: str) -> None:
    assert elastic_page.get(path).status_code == page.get(path).status_code == 200


def test_a_query_that_cannot_be_read_is_answered_with_its_fault(elastic_page: Page) -> None:
    assert elastic_page.get("/?q=talks%20AND").status_code == 400


def test_the_wire_is_all_there(elastic_page: Page) -> None:
    index = open_index(elastic_page.app.state.site.settings)
    assert set(index.ids()) == {id_of(name) for name in WIRE}
    index.close()
