"""The gold passages are well-formed, and what is scored on them stays above the pinned floors."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bench.quality import gold
from tests.gold.reader import passages

FLOORS = tomllib.loads((Path(gold.__file__).with_name("gold_floors.toml")).read_text(encoding="utf-8"))


def test_there_are_enough_passages_and_a_third_is_for_measuring_only() -> None:
    found = passages()
    assert len(found) >= 80
    assert len({passage.id for passage in found}) == len(found)
    assert sum(passage.measure_only for passage in found) * 3 >= len(found)


def test_every_corner_is_among_them() -> None:
    claims = [claim for passage in passages() for claim in passage.claims]
    assert {claim.form for claim in claims} == {"direct", "indirect", "mixed"}
    assert {claim.kind for claim in claims} == {
        "person",
        "organisation",
        "government",
        "anonymous",
        "collective",
        "document",
    }
    for corner in ("negated", "anonymous", "hedge", "parent", "when", "why", "same"):
        assert (
            sum(1 for claim in claims if getattr(claim, corner) is not None and getattr(claim, corner) is not False)
            >= 3
        ), corner
    assert sum(1 for claim in claims if claim.who is None) >= 3
    assert any(not passage.claims for passage in passages())


def test_annotations_point_to_earlier_or_existing_claims() -> None:
    for passage in passages():
        for index, claim in enumerate(passage.claims):
            if claim.parent is not None:
                assert passage.claims[claim.parent] is not claim, passage.id
            if claim.same is not None:
                assert claim.same < index, passage.id


@pytest.mark.parametrize(("split", "floors"), [("tune", "gold"), ("only", "gold-only")])
def test_scores_stay_above_their_floors(split: str, floors: str) -> None:
    report = gold.measure(split)
    fallen = {name: report.figures[name] for name, floor in FLOORS[floors].items() if report.figures[name] < floor}
    assert not fallen, "\n".join(report.lines)
