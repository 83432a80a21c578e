"""What one visitor may cost."""

from __future__ import annotations

import pytest

from pipeline.errors import RequestError
from pipeline.index import parse
from pipeline.web.limits import MAX_QUERY, BusyError, RateLimit, refuse_dear, weigh


def test_a_visitor_may_ask_in_a_burst_and_then_at_the_rate() -> None:
    limit = RateLimit(rate=2, burst=3)
    for _ in range(3):
        limit.take("a", now=100.0)
    with pytest.raises(BusyError) as caught:
        limit.take("a", now=100.0)
    assert caught.value.wait == pytest.approx(0.5)
    limit.take("a", now=100.5)
    with pytest.raises(BusyError):
        limit.take("a", now=100.6)


def test_one_visitor_does_not_use_up_what_another_may_ask() -> None:
    limit = RateLimit(rate=1, burst=1)
    limit.take("a", now=1.0)
    limit.take("b", now=1.0)
    with pytest.raises(BusyError):
        limit.take("a", now=1.0)


def test_who_is_refused_does_not_wait_longer_for_having_asked() -> None:
    limit = RateLimit(rate=1, burst=1)
    limit.take("a", now=0.0)
    for tenth in range(1, 10):
        with pytest.raises(BusyError):
            limit.take("a", now=tenth / 10)
    limit.take("a", now=1.01)


def test_only_so_many_visitors_are_remembered() -> None:
    limit = RateLimit(rate=1, burst=1, most=10)
    for n in range(1_000):
        limit.take(f"visitor {n}", now=1.0)
    assert len(limit._buckets) == 10


@pytest.mark.parametrize(
    "query",
    [
        "",
        "kashmir",
        '"line of control"~3',
        "flood* AND quake*",
        "imran~ khan~",
        " OR ".join(f"w{n}" for n in range(150)),
    ],
)
def test_what_people_ask_is_not_too_dear(query: str) -> None:
    refuse_dear(parse(query))


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        (" OR ".join(f"*{word}" for word in ("ab", "cd", "ef", "gh", "ij", "kl")), "wildcards"),
        (" OR ".join(f"word{n}~2" for n in range(12)), "fuzzy"),
        (" OR ".join(f"w{n}" for n in range(250)), "leave out some words"),
        (" OR ".join(f'"ab{n} cd{n}"~90' for n in range(6)), "closer"),
    ],
)
def test_a_query_that_is_too_dear_is_refused_with_what_makes_it_so(query: str, advice: str) -> None:
    with pytest.raises(RequestError, match="too dear") as caught:
        refuse_dear(parse(query))
    assert advice in caught.value.reason


def test_a_query_that_is_too_long_is_refused() -> None:
    with pytest.raises(RequestError, match="longer than"):
        refuse_dear(parse("a" * (MAX_QUERY + 1)))


def test_what_is_left_out_costs_too() -> None:
    assert weigh(parse("a AND NOT *bcd").tree)[0] > 40
