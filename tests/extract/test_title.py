"""Which of a page's titles is its headline."""

from __future__ import annotations

import dataclasses
import html
import json
from typing import Any

import pytest

from pipeline.extract import extract
from tests.extract.conftest import page_of
from tests.extract.test_extract import SIGHTING

NEWS = "Dam above Chilas holds after night of rain"
SEARCH = "Chilas dam: what we know about the flood risk"
THIRD = "A third way to put it"


def title_of(
    *,
    ld: dict[str, Any] | str = "",
    og: str = "",
    metas: dict[str, str] | None = None,
    window: str = "",
    body: str = "",
    site: str = "The Indus Ledger",
    announced: str = "",
    path: str = "a/1",
) -> str:
    """The title of a page that says so much about itself; ``ld`` is a headline or a whole JSON-LD article."""
    node = {"headline": ld} if isinstance(ld, str) else ld
    tags = {"og:site_name": site, "og:title": og, **(metas or {})}
    head = "".join(f'<meta property="{name}" content="{html.escape(text)}">' for name, text in tags.items() if text)
    if any(node.values()):
        head += f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **node})}</script>'
    page = page_of(
        f"<html><head>{head}<title>{html.escape(window)}</title></head><body>{body}</body></html>",
        f"https://www.indusledger.example/{path}",
    )
    return extract(page, dataclasses.replace(SIGHTING, title=announced) if announced else None).title


@pytest.mark.parametrize(
    ("written", "site"),
    [
        (f"{NEWS} | The Indus Ledger", "The Indus Ledger"),
        (f"{NEWS} - Indus Ledger", "The Indus Ledger"),
        (f"{NEWS} – The Indus Ledger – The Indus Ledger", "The Indus Ledger"),
        (f"{NEWS}｜The Indus Ledger", "The Indus Ledger"),
        (f"{NEWS}：The Indus Ledger", "The Indus Ledger"),
        (f"The Indus Ledger | {NEWS}", "The Indus Ledger"),
        (f"{NEWS} | Indus Ledger", ""),
    ],
)
def test_the_outlets_name_is_taken_off_a_title(written: str, site: str) -> None:
    assert title_of(window=written, site=site) == NEWS
    assert title_of(og=written, site=site) == NEWS


@pytest.mark.parametrize("end", [" - who said what", " | World", ": the Ledger's view", " - 16-0"])
def test_the_end_of_a_title_that_is_not_the_outlets_name_stays(end: str) -> None:
    assert title_of(og=NEWS + end) == NEWS + end


def test_a_title_that_is_only_the_outlets_name_is_none() -> None:
    heading = f'<h1><a href="/">The Indus Ledger</a></h1><h1>{NEWS}</h1>'
    assert title_of(ld="The Indus Ledger", og="The Indus Ledger", window="The Indus Ledger", body=heading) == NEWS


def test_a_heading_that_is_a_link_is_a_logo_and_no_headline() -> None:
    assert title_of(body=f'<h1><a href="/">Front page</a></h1><a href="/b"><h1>Other</h1></a><h1>{NEWS}</h1>') == NEWS


def test_entities_escaped_twice_and_blanks_of_all_kinds_read_as_readers_see_them() -> None:
    assert title_of(og="Khan&amp;#039;s\u00a0 dam&amp;quot; \u200bholds") == "Khan's dam\" holds"


def test_the_parts_of_a_heading_are_kept_apart_and_its_words_whole() -> None:
    body = "<h1><span>Floods</span><span>Dam above <b>C</b>hilas <em>hold</em>s</span></h1>"
    assert title_of(body=body) == "Floods Dam above Chilas holds"


def test_where_json_ld_and_the_shared_title_agree_no_other_changes_it() -> None:
    assert title_of(ld=f"Floods: {NEWS}", og=f"Floods: {NEWS}", body=f"<h1>{NEWS}</h1>") == f"Floods: {NEWS}"
    assert title_of(ld=f"{NEWS} - live", og=f"{NEWS} - live", body=f"<h1>{NEWS}</h1>") == f"{NEWS} - live"


def test_between_json_ld_and_the_shared_title_the_heading_that_readers_see_decides() -> None:
    assert title_of(ld=SEARCH, og=NEWS, window=SEARCH, body=f"<h1>{NEWS}</h1>") == NEWS
    assert title_of(ld=NEWS, og=SEARCH, window=SEARCH, body=f"<h1>{NEWS}</h1>") == NEWS


def test_json_ld_that_names_an_alternative_is_the_headline_against_all_others() -> None:
    node = {"headline": NEWS, "alternativeHeadline": THIRD}
    assert title_of(ld=node, og=SEARCH, window=SEARCH, body=f"<h1>{SEARCH}</h1>") == NEWS


@pytest.mark.parametrize(
    ("headline", "path"),
    [
        (NEWS, "world/dam-above-chilas-holds-after-night-of-rain,Ab12?from=feed"),
        ("Fähre nach Öland läuft auf Grund", "a/123/faehre-nach-oeland-laeuft-auf-grund.html"),
        ("Fähre nach Öland läuft auf Grund", "a/fahre-nach-oland-lauft-auf-grund-123"),
        ("Плотина над Чиласом выдержала ночь", "a/плотина-над-чиласом-выдержала-ночь"),
    ],
)
def test_json_ld_that_the_address_was_made_of_is_the_headline_against_all_others(headline: str, path: str) -> None:
    assert title_of(ld=headline, og=SEARCH, window=SEARCH, body=f"<h1>{SEARCH}</h1>", path=path) == headline


@pytest.mark.parametrize(
    ("headline", "other", "path"),
    [
        (NEWS, SEARCH, "a/chilas-dam-what-we-know-about-the-flood-risk"),
        (NEWS, SEARCH, "a?title=dam-above-chilas-holds-after-night-of-rain"),
        ("World news", SEARCH, "world-news/1"),
        (NEWS, f"Floods / {NEWS}", "a/dam-above-chilas-holds-after-night-of-rain"),
    ],
    ids=["the other's address", "only in the query", "a section", "the other with its kicker"],
)
def test_an_address_that_was_not_made_of_json_ld_does_not_speak_for_it(headline: str, other: str, path: str) -> None:
    assert title_of(ld=headline, og=other, window=other, body=f"<h1>{other}</h1>", path=path) == other


def test_of_two_spellings_the_one_that_was_not_escaped_for_another_place_is_taken() -> None:
    assert title_of(ld="Caf&eacute; in Chilas - owner holds out", og="Café in Chilas: owner holds out") == (
        "Café in Chilas: owner holds out"
    )
    assert title_of(ld="Café in Chilas - owner holds out", og="Café in Chilas: owner holds out") == (
        "Café in Chilas - owner holds out"
    )
    assert title_of(ld="Khan&#8217;s dam holds", og="Khan's dam holds") == "Khan’s dam holds"


def test_an_articles_name_in_json_ld_sides_with_the_shared_title() -> None:
    node = {"headline": THIRD, "name": NEWS}
    assert title_of(ld=node, og=NEWS, window=NEWS + " – in full", body=f"<h1>{THIRD}</h1>") == NEWS


@pytest.mark.parametrize(
    "heading",
    [
        f"<h2>{NEWS}</h2>",
        f"<h2><span>Floods</span><span>{NEWS}</span></h2>",
        f"<h2><span>Floods:</span> {NEWS}</h2>",
    ],
)
def test_a_shared_title_that_readers_see_as_a_heading_is_the_headline(heading: str) -> None:
    top = f"<nav><a href=/>Home</a> <a href=/w>World</a> <h1>{SEARCH}</h1></nav>"
    assert title_of(ld=SEARCH, og=NEWS, window=SEARCH, metas={"twitter:title": SEARCH}, body=top + heading) == NEWS


@pytest.mark.parametrize("teaser", ['<h3><a href="/b">{}</a></h3>', '<a href="/b"><h3>{}</h3></a>'])
def test_a_heading_that_links_elsewhere_does_not_make_a_shared_title_the_headline(teaser: str) -> None:
    body = f"<h1>{NEWS}</h1>" + teaser.format(SEARCH)
    assert title_of(ld=NEWS, og=SEARCH, window=NEWS, metas={"twitter:title": NEWS}, body=body) == NEWS


@pytest.mark.parametrize(
    "trail",
    [
        "<ol><li><a href=/>Home</a></li><li><h1>{}</h1></li></ol>",
        "<div><a href=/>Home</a> | <a href=/w>World</a> | <h1>{}</h1></div><div>Text below</div>",
        "<div><i><a href=/>Home</a></i><i><a href=/w>World</a></i><i><h1>{}</h1></i></div>",
    ],
)
def test_an_h1_that_ends_a_breadcrumb_is_for_search_engines(trail: str) -> None:
    body = trail.format(SEARCH)
    assert title_of(ld=SEARCH, og=NEWS, window=SEARCH, metas={"twitter:title": SEARCH}, body=body) == NEWS


@pytest.mark.parametrize(
    "header",
    [
        "<header><a href=/w>World</a><h1>{}</h1></header>",
        "<ol><li><a href=/>Home</a></li><li><a href=/w>World</a></li></ol><header><h1>{}</h1><p>Standfirst</p></header>",
        "<div><a href=/>Home</a> <a href=/w>World</a> 4 March <h1>{}</h1></div>",
    ],
)
def test_an_h1_below_a_section_or_above_a_standfirst_is_no_breadcrumb(header: str) -> None:
    body = header.format(NEWS)
    assert title_of(ld=NEWS, og=SEARCH, window=NEWS, metas={"twitter:title": NEWS}, body=body) == NEWS


@pytest.mark.parametrize(
    ("node", "og", "metas"),
    [
        ({}, f"{SEARCH} | The Indus Ledger", {}),
        ({"alternativeHeadline": SEARCH}, SEARCH, {}),
        ({}, SEARCH, {"twitter:title": f"{NEWS} | The Indus Ledger"}),
        ({}, SEARCH, {"parsely-title": NEWS}),
    ],
)
def test_a_lone_shared_title_gives_way_where_the_page_speaks_against_it(
    node: dict[str, str], og: str, metas: dict[str, str]
) -> None:
    said = {"headline": NEWS, **node}
    assert title_of(ld=said, og=og, metas=metas, window=NEWS, body=f"<h1>{NEWS}</h1><p>Text</p>") == NEWS


def test_a_lone_shared_title_is_otherwise_the_newsrooms() -> None:
    assert title_of(ld=SEARCH, og=NEWS, window=SEARCH, body=f"<h1>{SEARCH}</h1><p>Text</p>") == NEWS


@pytest.mark.parametrize(
    "data",
    [
        '<script type="application/json">{"headline": "%s", "socialTitle": "%s"}</script>',
        "<script>window.state = {title: \"%s\", social_headline: '%s'}</script>",
        r'<script>push("{\"headline\":\"%s\",\"head.social.title\":\"%s\"}")</script>',
    ],
)
@pytest.mark.parametrize("top", ["<h1>{}</h1>", "<ol><li><a href=/>Home</a></li><li><h1>{}</h1></li></ol>"])
def test_a_lone_shared_title_that_the_pages_data_calls_social_is_for_sharing_only(data: str, top: str) -> None:
    shared = "Engineers’ night above Chilas “was hell”"
    escaped = shared.translate({ord(mark): f"\\u{ord(mark):04x}" for mark in "’“”"})
    body = top.format(NEWS) + "<p>Text</p>" + data % (NEWS, escaped)
    assert title_of(ld=NEWS, og=shared, window=NEWS, body=body) == NEWS


@pytest.mark.parametrize(
    "body",
    [
        f'<h1>{SEARCH}</h1><h2>{NEWS}</h2><script>{{"socialTitle": "{NEWS}"}}</script>',
        f'<h1>{SEARCH}</h1><script>{{"socialTitle": "{THIRD}"}}</script>',
        f'<h1>{SEARCH}</h1><script>{{"socialTitle": "{THIRD}", "headline": "{NEWS}"}}</script>',
        f'<h1>{SEARCH}</h1><a data-social-headline="{NEWS}">Share this</a>',
    ],
    ids=["readers see it", "another is called so", "it is the headline", "a button would share it"],
)
def test_other_data_does_not_speak_against_a_lone_shared_title(body: str) -> None:
    assert title_of(ld=SEARCH, og=NEWS, window=SEARCH, body=body + "<p>Text</p>") == NEWS


def test_title_and_heading_under_different_kickers_have_the_headline_in_common() -> None:
    body = f"<h1><span>Rain in the north</span> – <span>{NEWS}</span></h1>"
    assert title_of(og=f"Weather: {NEWS}", body=body) == NEWS


@pytest.mark.parametrize(
    "short",
    [f"{NEWS[:20]}…", f"{NEWS[:20]} ...", f"{NEWS} as engineers open the gates and thousands of villagers leave"],
)
def test_a_title_that_was_cut_is_made_whole_from_another_place(short: str) -> None:
    full = f"{NEWS} as engineers open the gates and thousands of villagers leave for higher ground"
    assert title_of(ld=short, window=full) == full


def test_a_title_cut_by_a_quote_in_its_own_attribute_is_made_whole() -> None:
    page = page_of(
        '<meta property="og:title" content="Dam holds, says "king" of Chilas"><h1>Dam holds, says "king" of Chilas</h1>'
    )
    assert extract(page).title == 'Dam holds, says "king" of Chilas'


def test_a_short_title_is_not_lengthened() -> None:
    assert title_of(og=NEWS, body=f"<h1>{NEWS} as villagers leave</h1>") == NEWS


@pytest.mark.parametrize("announced", [NEWS, SEARCH, THIRD, NEWS.upper()])
def test_the_feeds_title_decides_where_a_place_of_the_page_says_the_same(announced: str) -> None:
    said = title_of(ld=SEARCH, og=THIRD, window=SEARCH, body=f"<h1>{NEWS}</h1><p>Text</p>", announced=announced)
    assert said == (NEWS if announced.isupper() else announced)


def test_a_feeds_title_that_the_page_no_longer_has_does_not_count() -> None:
    assert title_of(ld=NEWS, og=NEWS, announced="What it was called this morning") == NEWS
