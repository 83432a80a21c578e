"""Extraction on the recorded wire, beside its gold: body, title, authors, published; titles by half of the outlets too.

The rules for titles were made with all of these pages in sight, so neither half is held out; that they come out alike
says only that no outlet was fitted.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from bench.extract import WIRE, wire
from bench.quality.score import Report
from bench.scoring import Tally, as_read, f1, same_minute
from pipeline.extract import extract
from pipeline.records import PageKind


def measure(_: str, model: Path | None = None) -> Report:
    """Scores ``extract`` as the pipeline calls it, without the feed's word. It has no splits and takes no model."""
    cases = wire()
    if not cases:
        return Report(skipped=f"the recorded wire is not at {WIRE}")
    tally, articles = Tally(), 0
    halves: tuple[list[bool], list[bool]] = ([], [])
    for case in cases:
        article = extract(case.page)
        articles += article.kind is PageKind.ARTICLE
        tally.body.append(f1(article.body, case.body))
        tally.titles.append(as_read(article.title) == as_read(case.title))
        halves[crc32(case.outlet.encode()) % 2].append(tally.titles[-1])
        if case.authors is not None:
            tally.add_authors(article.authors, case.authors)
        minute = same_minute(article.published, case.published)
        if minute is not None:
            tally.minutes.append(minute)
    figures = {
        "articles": 100 * articles / len(cases),
        "body": 100 * tally.body_f1,
        "title": 100 * tally.title_right,
        "authors": 100 * tally.authors_f1,
        "minute": 100 * tally.minute_right,
    }
    lines = [f"{len(cases)} pages of {len({case.outlet for case in cases})} outlets"]
    lines += [f"{name:8} {figure:5.1f}" for name, figure in figures.items()]
    lines += ["title by half of the outlets: " + ", ".join(f"{100 * sum(h) / len(h):.1f} of {len(h)}" for h in halves)]
    return Report(lines, figures)
