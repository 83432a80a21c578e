"""The search page over HTTP: hits, facets, faults, paging, JSON and Atom."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import quote, urljoin

import feedparser
import pytest
from lxml import html as lxml_html

from pipeline.index import Kind, SearchRequest, open_index, result_to_dict
from pipeline.web.search import EXAMPLES
from tests.conformance.wire import WIRE, id_of
from tests.support.page import Page
from tests.web.conftest import small_wire


def tree(page: Page, path: str) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(page.get(path).text)


def titles(page: Page, path: str) -> list[str]:
    return [node.text_content().strip() for node in tree(page, path).cssselect(".hits:not(.news) h3")]


def test_the_front_page_shows_what_there_is_newest_first(page: Page) -> None:
    shown = tree(page, "/")
    assert shown.cssselect("[role=status]")[0].text_content() == f"{len(WIRE)} articles"
    times = [node.get("datetime") for node in shown.cssselect(".hit .meta:first-child time")]
    assert times == sorted(times, reverse=True)


def test_matched_words_are_marked(page: Page) -> None:
    shown = page.get("/?q=kashmir").text
    assert "<mark>Kashmir</mark> talks collapse" in shown


def test_claims_show_who_says_what_and_lead_to_the_words(page: Page) -> None:
    shown = tree(page, "/?in=claims&q=running")
    hit = shown.cssselect(".hit")[0]
    assert " ".join(hit.cssselect("h3")[0].text_content().split()) == (
        "A senior official not named, on the condition of anonymity said"
    )
    assert hit.cssselect("blockquote mark")[0].text == "running"
    assert hit.cssselect("[data-open]")[0].get("href") == f"/article/{id_of('denial')}?claim=1#w1"


def test_a_facet_s_link_narrows_to_what_it_counts(page: Page) -> None:
    for start in ("/", "/?in=claims", "/?q=talks"):
        links = tree(page, start).cssselect(".facet li a")
        assert len(links) > 5
        for link in links:
            count = int(link.cssselect(".number")[0].text_content())
            narrowed = tree(page, link.get("href"))
            assert int(narrowed.cssselect("[role=status]")[0].text_content().split()[0]) == count, link.get("href")


def test_a_filter_that_is_on_can_be_taken_off(page: Page) -> None:
    shown = tree(page, "/?q=talks&source=BBC+News")
    chip = shown.cssselect(".chips a")[0]
    assert (chip.get("href"), "BBC News" in chip.text_content()) == ("/?q=talks", True)
    assert "source" in chip.get("aria-label")


def test_a_bar_of_the_histogram_leads_to_its_time(page: Page) -> None:
    bars = tree(page, "/").cssselect(".histogram a")
    assert bars
    for bar in bars:
        count = int(bar.get("aria-label").rpartition(": ")[2].split()[0])
        assert len(titles(page, bar.get("href"))) == count


@pytest.mark.parametrize("kind", list(Kind))
def test_every_example_can_be_searched_for(page: Page, kind: Kind) -> None:
    for text, _ in EXAMPLES[kind]:
        shown = page.get(f"/?in={kind.value}&q={quote(text)}")
        assert shown.status_code == 200, text
        assert 'class="fault"' not in shown.text


def test_a_query_that_cannot_be_read_is_shown_with_the_place_marked(page: Page) -> None:
    answer = page.get("/?q=" + quote('kashmir AND title:"line'))
    assert answer.status_code == 400
    shown = lxml_html.fromstring(answer.text)
    fault = shown.cssselect("#fault")[0]
    assert "never closed" in fault.text_content()
    assert fault.cssselect("pre")[0].text_content() == 'kashmir AND title:"line'
    assert fault.cssselect("pre mark")[0].text == '"'
    box = shown.cssselect("#q")[0]
    assert (box.get("value"), box.get("aria-invalid"), box.get("aria-describedby")) == (
        'kashmir AND title:"line',
        "true",
        "fault",
    )
    assert len(shown.cssselect(".examples a")) > 3


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/?q=a&from=yesterday", "is not a day"),
        ("/?q=a&in=all", "articles"),
        ("/?q=a&sort=best", "newest"),
        ("/?q=a&after=xyz", ""),
        ("/?in=claims&class=shout", "the filter class"),
        ("/?q=" + quote(" OR ".join(f"*{a}b" for a in "abcdef")), "too dear"),
        ("/?q=" + "a" * 2_001, "longer than"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason_and_the_form_keeps_the_query(
    page: Page, path: str, words: str
) -> None:
    answer = page.get(path)
    assert answer.status_code == 400
    shown = lxml_html.fromstring(answer.text)
    assert words in shown.cssselect("#fault")[0].text_content()
    typed = path.partition("q=")[2].partition("&")[0]
    assert shown.cssselect("#q")[0].get("value") == typed.replace("%20", " ").replace("%2A", "*")


def test_pages_follow_each_other_without_gap_or_repeat(tmp_path: Path) -> None:
    from dataclasses import replace

    settings = small_wire(tmp_path / "data")
    index = open_index(settings)
    one = WIRE["talks"]
    index.upsert([replace(one, article=replace(one.article, id=f"{n:020x}", title=f"Number {n}")) for n in range(45)])
    index.close()
    with Page(settings) as page:
        seen: list[str] = []
        path: str | None = "/?q=title:number&collapse=no"
        while path:
            shown = tree(page, path)
            seen += [node.get("href") for node in shown.cssselect("[data-open]")]
            path = next((node.get("href") for node in shown.cssselect("a[rel=next]")), None)
    assert (len(seen), len(set(seen))) == (45, 45)


def test_the_json_of_a_search_is_what_the_command_line_prints(page: Page) -> None:
    answer = page.get("/search.json?q=talks&in=claims&limit=5").json()
    index = page.app.state.site.index
    wanted = result_to_dict(index.search(SearchRequest(query="talks", kind=Kind.CLAIMS, limit=5, highlight=True)))
    assert answer["hits"] == json.loads(json.dumps(wanted["hits"]))
    assert answer["total"] == wanted["total"]
    assert answer["facets"]["speaker"]


def test_the_atom_feed_of_a_search_can_be_read_and_leads_here(page: Page) -> None:
    shown = tree(page, "/?q=talks")
    link = shown.cssselect("link[type='application/atom+xml']")[0].get("href")
    answer = page.get(link)
    assert answer.headers["Content-Type"] == "application/atom+xml"
    read = feedparser.parse(answer.content)
    assert not read.bozo
    assert {entry.title for entry in read.entries} == set(titles(page, "/?q=talks"))
    assert page.get(urljoin(page.url, read.entries[0].link).removeprefix(page.url)).status_code == 200
    claims = feedparser.parse(page.get("/search.atom?in=claims&q=running").content)
    assert claims.entries[0].title == "A senior official said: talks were running for months over Kashmir and water"


@pytest.mark.parametrize("path", ["/search.json", "/search.atom"])
@pytest.mark.parametrize("bad", ["q=a+AND", "limit=0", "limit=100000", "limit=x", "sort=no"])
def test_machines_are_told_in_json_what_is_wrong(page: Page, path: str, bad: str) -> None:
    answer = page.get(f"{path}?{bad}")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_text_from_a_wire_is_text(tmp_path: Path) -> None:
    from dataclasses import replace

    evil = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>"
    settings = small_wire(tmp_path / "data")
    index = open_index(settings)
    one = WIRE["denial"]
    claims = tuple(
        replace(
            claim,
            content=replace(claim.content, text=evil),
            speaker=replace(claim.speaker, text=evil, name=evil, reason=evil, role=evil) if claim.speaker else None,
            cue=replace(claim.cue, text=evil) if claim.cue else None,
            hedge=evil,
        )
        for claim in one.enriched.claims
    )
    names = tuple(replace(entity, name=evil, text=evil) for entity in one.enriched.entities)
    article = replace(
        one.article, title=evil, body=evil, source=evil, section=evil, authors=(evil,), url="javascript:alert(1)",
        body_source="feed", body_reason=evil, tags=(evil,), language="en",
    )  # fmt: skip
    index.upsert(
        [replace(one, article=article, enriched=replace(one.enriched, claims=claims, entities=names, note=evil))]
    )
    index.close()
    with Page(settings) as page:
        for path in (
            "/",
            "/?in=claims",
            f"/article/{article.id}",
            f"/name/{quote(evil, safe='')}",
            f"/?q={quote(evil)}",
        ):
            answer = page.get(path)
            assert answer.status_code in (200, 400), path
            shown = lxml_html.fromstring(answer.text)
            assert all(node.get("src", "").startswith("/static/") for node in shown.iter("script")), path
            assert not list(shown.iter("img")), path
            assert not [name for node in shown.iter() for name in node.attrib if name.startswith("on")], path
            assert "javascript:" not in " ".join(shown.xpath("//@href")), path
            if "?q" not in path:
                assert "alert(1)" in unescape(answer.text), path


def test_who_asks_too_fast_is_told_when_to_come_back(tmp_path: Path) -> None:
    with Page(small_wire(tmp_path / "data")) as page:
        page.app.state.site.searches.burst, page.app.state.site.searches.rate = 3, 0.01
        answers = [page.get("/search.json?q=a") for _ in range(5)]
        assert [answer.status_code for answer in answers][-1] == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert page.get("/feeds").status_code == 200


def test_a_damaged_index_is_said_and_other_pages_go_on(tmp_path: Path) -> None:
    settings = small_wire(tmp_path / "data")
    (settings.index_folder / "schema.json").write_text('{"schema": 0}')
    with Page(settings) as page:
        answer = page.get("/")
        assert answer.status_code == 503
        assert "wirewatch replay" in answer.text
        assert page.get("/operations").status_code == 200
        assert page.get("/feeds").status_code == 200


def test_a_page_is_light(page: Page) -> None:
    shown = page.get("/")
    sizes = [len(page.get(address, stream=True).raw.read()) for address in
             re.findall(r'(?:src|href)="(/static/[^"]*)"', shown.text)]  # fmt: skip
    whole = len(page.get("/", stream=True).raw.read()) + sum(sizes)
    assert whole < 60 * 1024


def test_one_hit_a_story_is_shown_with_those_behind_it_and_each_on_request(demo_page: Page) -> None:
    folded, each = tree(demo_page, "/?q=kashmir"), tree(demo_page, "/?q=kashmir&collapse=no")
    said = [shown.cssselect("[role=status]")[0].text_content() for shown in (folded, each)]
    total = int(said[0].split()[0])
    assert said == [
        f"{total} articles in {len(folded.cssselect('.hits:not(.news) > li'))} stories",
        f"{total} articles",
    ]
    assert len(each.cssselect(".hits:not(.news) > li")) == total
    assert not each.cssselect(".folded")
    hits = folded.cssselect(".hits:not(.news) > li")
    assert len(hits) < total
    more = [hit.cssselect(".folded summary .soft") for hit in hits]
    assert sum(1 + int(re.findall(r"\d+", words[0].text_content())[0]) if words else 1 for words in more) == total
    opened = next(hit for hit in hits if hit.cssselect(".folded"))
    everything = tree(demo_page, opened.cssselect(".folded > p a")[0].get("href"))
    assert len(everything.cssselect(".hits:not(.news) > li")) == 1 + int(
        re.findall(r"\d+", opened.cssselect(".folded summary .soft")[0].text_content())[0]
    )


def test_json_and_atom_are_collapsed_as_the_page_is(demo_page: Page) -> None:
    for path, kind in (("q=kashmir", "story"), ("q=kashmir&in=claims", "assertion")):
        found = demo_page.get(f"/search.json?{path}&limit=200").json()
        groups = [hit.get("placement", hit).get(kind) or hit["id"] for hit in found["hits"]]
        assert len(set(groups)) == len(groups)
        assert sum(1 + hit["folded"] for hit in found["hits"]) == found["total"]
        entries = feedparser.parse(demo_page.get(f"/search.atom?{path}&limit=200").text).entries
        assert len(entries) == len(groups)
    assert demo_page.get("/?collapse=maybe").status_code == 400
