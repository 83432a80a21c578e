"""An article's page, its raw record, and the pages of names."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import html as lxml_html

from pipeline.index import Kind, SearchRequest, open_index
from pipeline.settings import load_settings
from tests.conformance.wire import id_of
from tests.support.page import Page

TALKS = f"/article/{id_of('talks')}"


def tree(page: Page, path: str) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(page.get(path).text)


def text(node: lxml_html.HtmlElement) -> str:
    return " ".join(node.text_content().split())


def test_an_article_has_its_four_times_and_says_which_is_which(page: Page) -> None:
    times = {text(pair.cssselect("dt")[0]): pair.cssselect("dd time")[0].get("datetime")
             for pair in tree(page, TALKS).cssselect("dl.times > div")}  # fmt: skip
    assert times == {
        "Published": "2026-08-20T10:00:00Z",
        "Updated": "2026-08-20T11:00:00Z",
        "First seen": "2026-08-20T10:05:00Z",
        "Indexed": "2026-08-20T10:06:00Z",
    }


def test_a_time_that_is_not_known_is_a_dash_and_never_now(page: Page) -> None:
    shown = tree(page, f"/article/{id_of('rally')}")
    assert [text(node) for node in shown.cssselect("dl.times dd")][:2] == ["—", "—"]


def test_a_claim_in_the_list_leads_to_its_words_and_the_words_back(page: Page) -> None:
    shown = tree(page, TALKS)
    for n, claim in enumerate(shown.cssselect("aside .claim")):
        assert claim.cssselect(".content a")[0].get("href") == f"?claim={n}#w{n}"
        assert shown.get_element_by_id(f"w{n}") is not None
    chosen = tree(page, TALKS + "?claim=1")
    assert [node.get("id") for node in chosen.cssselect(".claim.on")] == ["claim-1"]
    assert chosen.cssselect(".body .on")


@pytest.mark.parametrize("claim", ["99", "-1", "x", "1e9", "٣", "9" * 50])
def test_a_claim_that_is_not_there_is_passed_over(page: Page, claim: str) -> None:
    assert page.get(TALKS, params={"claim": claim}).status_code == 200


def test_what_became_of_an_article_stands_above_it(page: Page) -> None:
    note = tree(page, TALKS).cssselect("[role=note]")[0]
    assert text(note) == "Corrected 20 Aug 2026, 18:00: Corrects the day in paragraph 1"


def test_the_story_shows_every_carrier_and_how_many_sources_that_is(page: Page) -> None:
    story = tree(page, TALKS).cssselect("section.story")[0]
    assert "3 articles from 2 independent sources" in text(story)
    assert [text(node) for node in story.cssselect(".minutes")] == ["first", "+12 min", "+23 h"]
    assert "copy of Reuters" in text(story)


def test_a_claim_s_opposite_is_shown_with_both_texts_as_a_guess(page: Page) -> None:
    against = tree(page, TALKS).cssselect("#claim-1 .against")[0]
    assert text(against) == (
        "Says the opposite: Mary Ann Smith confirmed India’s account of the quarrel "
        "— BBC News, 21 Aug 2026, 09:30; a machine’s guess, 75% sure"
    )
    assert against.cssselect("a")[0].get("href") == f"/article/{id_of('denial')}?claim=0#w0"


def test_the_beginning_of_an_id_is_enough(page: Page) -> None:
    assert page.get(TALKS[: len("/article/") + 8]).url == page.url + TALKS


@pytest.mark.parametrize(
    "path", ["/article/0000000000", "/article/x", "/name/Nobody%20at%20all", "/article/0000000000.json"]
)
def test_what_is_not_there_is_said(page: Page, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 404
    assert "There is no article" in answer.text or "goes by the name" in answer.text


def test_the_record_is_there_as_json(page: Page) -> None:
    record = page.get(TALKS + ".json").json()
    assert record["article"]["title"] == "Kashmir talks collapse"
    assert record["sightings"] == []


def test_the_archived_page_is_given_as_text_that_no_browser_runs(demo: Path) -> None:
    settings = load_settings(demo)
    index = open_index(settings)
    found = index.search(SearchRequest(query="kashmir AND body_source:page", limit=1)).hits[0]
    index.close()
    with Page(settings) as page:
        answer = page.get(f"/article/{found.id}/raw")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "</html>" in answer.text
        assert "HTTP 200" in answer.text


def test_an_article_without_a_page_in_the_archive_says_so(page: Page) -> None:
    answer = page.get(TALKS + "/raw")
    assert answer.status_code == 404
    assert "archive" in answer.text


def test_a_name_s_page_has_what_it_says_what_is_said_of_it_and_where_it_is_named(page: Page) -> None:
    khan = tree(page, "/name/Imran%20Khan")
    assert text(khan.cssselect(".sums")[0]) == "1 claim by Imran Khan 0 claims about named in 1 article"
    assert text(khan.cssselect(".name-head .meta")[0]) == "person"
    kashmir = tree(page, "/name/Kashmir")
    assert "the talks over Kashmir had collapsed" in text(kashmir)
    assert "place" in text(kashmir.cssselect(".name-head .meta")[0])


def test_a_denial_after_a_confirmation_stands_out_on_a_name_s_page(tmp_path: Path) -> None:
    from dataclasses import replace

    from pipeline.records import Assertion, Opposite, Placement, Relation
    from tests.conformance.wire import at, claim, document
    from tests.web.conftest import small_wire

    settings = small_wire(tmp_path / "data")
    first = document("first", "It met", "x" * 80, published=at("2026-08-01T10:00:00"),
                     claims=(claim("it met", ("confirmed", "confirm", "confirm"), by="Lia Ono", name="Lia Ono"),))  # fmt: skip
    then = document("then", "It did not", "x" * 80, published=at("2026-08-03T10:00:00"),
                    claims=(claim("it met", ("denied", "deny", "deny"), by="Lia Ono", name="Lia Ono"),))  # fmt: skip
    against = Opposite(relation=Relation.REVERSAL, confidence=0.8, article=first.article.id, n=0, speaker="Lia Ono",
                       cue="confirmed", text="it met", source="Reuters", time=at("2026-08-01T10:00:00"))  # fmt: skip
    then = replace(then, placement=Placement(assertions=(Assertion(id="a" * 20, opposites=(against,)),)))
    index = open_index(settings)
    index.upsert([first, then])
    index.close()
    with Page(settings) as page:
        shown = tree(page, "/name/Lia%20Ono")
    assert [text(node) for node in shown.cssselect(".turnabout .cue")] == ["confirmed", "denied"]
    assert len(shown.cssselect(".timeline circle.turn")) == 2
    assert len(shown.cssselect(".timeline line.turning")) == 1


def test_every_name_in_the_demo_has_a_page(demo: Path) -> None:
    with Page(load_settings(demo)) as page:
        page.app.state.site.searches.rate = page.app.state.site.searches.burst = 10_000
        index = page.app.state.site.index
        result = index.search(SearchRequest(kind=Kind.CLAIMS, limit=0, facets=("speaker", "entity"), facet_size=15))
        for values in result.facets.values():
            for name, _ in values:
                assert page.get("/name/" + name.replace("/", "%2F")).status_code == 200, name


def test_versions_are_told_apart_by_the_quotes_that_came_and_went(tmp_path: Path) -> None:
    from dataclasses import replace
    from datetime import timedelta

    from pipeline.ledger import open_ledger
    from pipeline.stories.register import Register
    from pipeline.stories.traits import traits
    from pipeline.stories.versions import difference
    from tests.conformance.wire import WIRE, at
    from tests.web.conftest import small_wire

    settings = small_wire(tmp_path / "data")
    first = WIRE["talks"]
    body = first.article.body.replace("had collapsed", "will go on next week in a third country")
    second = replace(
        first,
        article=replace(first.article, body=body, version=2),
        enriched=replace(first.enriched, claims=first.enriched.claims[:1]),
    )
    ledger = open_ledger(settings.ledger_file)
    register, now = Register(ledger), at("2026-08-20T12:00:00")
    register.place([(first, traits(first))], now)
    changes = {second.article.id: difference(first, second)}
    register.place([(second, traits(second))], now + timedelta(hours=1), changes)
    ledger.close()
    with Page(settings) as page:
        shown = tree(page, TALKS).cssselect("section.versions")[0]
    assert text(shown.cssselect("h2")[0]) == "2 versions"
    assert any(
        "dropped" in text(node) and "Mary Ann Smith" in text(node.cssselect("del")[0]) for node in shown.cssselect("li")
    )
    assert any("third country" in text(node) for node in shown.cssselect("ins"))
