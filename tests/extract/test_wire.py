"""Extraction on the recorded wire, against floors somewhat below what was measured when they were set (2026-11-23)."""

from __future__ import annotations

import pytest

from bench.extract import wire
from bench.scoring import Tally, f1, key, same_minute
from pipeline.extract import extract
from pipeline.records import PageKind


@pytest.mark.slow
def test_the_recorded_wire_is_extracted_as_well_as_before() -> None:
    cases = wire()
    if not cases:
        pytest.skip("the recorded wire (../shared/data/wire) is absent")
    tally, articles = Tally(), 0
    for case in cases:
        article = extract(case.page)
        articles += article.kind is PageKind.ARTICLE
        tally.body.append(f1(article.body, case.body))
        tally.titles.append(key(article.title) == key(case.title))
        tally.add_authors(article.authors, case.authors)
        minute = same_minute(article.published, case.published)
        if minute is not None:
            tally.minutes.append(minute)
    assert articles >= 255
    assert tally.body_f1 >= 0.955
    assert tally.title_right >= 0.90
    assert tally.authors_f1 >= 0.90
    assert tally.minute_right >= 0.95
