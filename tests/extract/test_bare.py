"""Lines of an element that holds an article and hardly anything else."""

from __future__ import annotations

import pytest
from lxml.html import fragment_fromstring

from pipeline.extract import bare

FIRST = "The foreign ministry said on Tuesday that talks would go on next week in Geneva, as both sides had asked."
SECOND = "Two officials, who asked not to be named, said that no date had been set and that none was likely soon."


def lines(inner: str) -> list[str]:
    return bare.read(fragment_fromstring(f"<div>{inner}</div>"))


def test_paragraphs_headings_and_items_come_in_the_order_of_the_page() -> None:
    inner = f"<p>{FIRST}</p><div><h2>What is known</h2><ul><li>One</li><li><p>Two</p></li></ul></div><p>{SECOND}</p>"
    assert lines(inner) == [FIRST, "What is known", "- One", "Two", SECOND]


def test_words_dressed_up_stay_in_their_line() -> None:
    inner = "<p>He <em>denied</em> that <a class='related-link' href='/b'>the bridge</a> was <span>closed</span>.</p>"
    assert lines(inner) == ["He denied that the bridge was closed."]


def test_a_line_break_begins_a_line() -> None:
    assert lines("<p>Said one.<br>Said the other.</p>") == ["Said one.", "Said the other."]


def test_soft_hyphens_and_spaces_of_no_width_are_taken_out() -> None:
    assert lines("<p>The inter\u00adnational\u200b court\n  met.</p>") == ["The international court met."]


@pytest.mark.parametrize(
    "hung_in",
    [
        "<div class='related-stories'><p>Read this, too</p></div>",
        "<div id='inlineNewsletter'><p>Our best stories, every morning</p></div>",
        "<section class='box ad'><p>Buy now</p></section>",
        "<p class='photo-caption'>The bridge, seen on Monday.</p>",
        "<div aria-hidden='true'><p>Not to be seen</p></div>",
        "<div style='color: red; display: none'><p>Not to be seen</p></div>",
        "<form><p>Your address</p></form>",
        "<p><a href='/c'>Ceasefire holds for a third day along the river</a></p>",
        "<div>Share</div>",
        "<h1>Talks go on</h1>",
        "<article><h3>Rain at last</h3><p>It rained on Monday.</p></article>",
    ],
)
def test_what_sites_hang_into_articles_is_left_out(hung_in: str) -> None:
    assert lines(f"<p>{FIRST}</p>{hung_in}<p>{SECOND}</p>") == [FIRST, SECOND]


def test_what_stands_behind_something_left_out_stays() -> None:
    inner = "<p>It opened <span class='visually-hidden'>opens new tab</span>on Monday.</p>"
    assert lines(inner) == ["It opened on Monday."]


def test_a_paragraph_or_half_of_the_text_stays_whatever_it_is_called() -> None:
    long = f"{FIRST} {SECOND}"
    assert lines(f"<p>{FIRST}</p><p class='ad-slot-after'>{long}</p>") == [FIRST, long]
    assert lines(f"<p>{FIRST}</p><div class='video'><p>{SECOND}</p></div>") == [FIRST, SECOND]


@pytest.mark.parametrize("name", ["visually-hidden", "hidden", "sr-only", "link__visuallyHidden", "screen-reader-text"])
def test_words_for_screen_readers_only_are_left_out(name: str) -> None:
    assert lines(f"<p>{FIRST} <a href='/x'>It said<span class='icon {name}'>(external)</span></a> so.</p>") == [
        f"{FIRST} It said so."
    ]


@pytest.mark.parametrize("name", ["overflow-hidden", "md:overflow-x-hidden", "unhidden"])
def test_a_class_that_hides_what_flows_over_hides_no_words(name: str) -> None:
    assert lines(f"<p>{FIRST}</p><div class='{name}'><p>So it did.</p></div><p>{SECOND}</p>")[1] == "So it did."


def test_a_heading_that_nothing_follows_is_left_out() -> None:
    assert lines(f"<p>{FIRST}</p><h3>More on this</h3><div>Share</div>") == [FIRST]


def test_a_box_within_a_heading_belongs_to_it() -> None:
    assert lines(f"<h2><div>What is known</div></h2><p>{FIRST}</p>") == ["What is known", FIRST]


def test_an_element_with_paragraphs_that_are_no_paragraphs_is_not_bare() -> None:
    assert lines(f"<p>{FIRST}</p><div>{FIRST} {SECOND}</div><p>{SECOND}</p>") == []


def test_boxes_of_a_site_s_own_part_lines() -> None:
    assert lines(f"<p>{FIRST}</p><x-note>Note</x-note><p>{SECOND}</p>") == [FIRST, SECOND]


def test_named_blocks_in_each_other_come_to_an_end() -> None:
    deep = "<div class='ad'>" * 1_500 + f"<p>{SECOND}</p>" + "</div>" * 1_500
    assert lines(f"<p>{FIRST}</p>{deep}")[0] == FIRST
