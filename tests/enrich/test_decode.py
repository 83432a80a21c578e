"""From numbers to spans: the best path and the links, on tables small enough to check by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pipeline.enrich.decode import (
    CONTENT,
    CUE,
    DISTANCES,
    LINK_WIDTH,
    ORDERS,
    SOURCE,
    Chain,
    Linker,
    Spans,
    allowed,
    spans_of,
    tags_of,
)

TAGS = tags_of(["A", "B"])


def chain(rng: np.random.Generator) -> Chain:
    between, first, last = allowed(TAGS)
    n = len(TAGS)

    def scores(shape: tuple[int, ...], may: np.ndarray) -> np.ndarray:
        return (rng.normal(size=shape) + np.where(may, 0, -1e4)).astype(np.float32)

    return Chain(tuple(TAGS), scores((n, n), between), scores((n,), first), scores((n,), last))


def test_an_inside_tag_follows_only_its_own_kind() -> None:
    between, first, last = allowed(TAGS)
    at = TAGS.index
    assert between[at("B-A"), at("I-A")]
    assert not between[at("B-A"), at("I-B")]
    assert not between[at("O"), at("E-A")]
    assert between[at("E-A"), at("B-A")]
    assert not first[at("I-A")]
    assert not last[at("B-A")]


@pytest.mark.parametrize("seed", range(5))
def test_the_best_path_is_the_best_of_all_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    c = chain(rng)
    emissions = rng.normal(size=(4, len(TAGS))).astype(np.float32)

    def total(path: tuple[int, ...]) -> float:
        steps = sum(float(c.between[a, b]) for a, b in itertools.pairwise(path))
        return (
            float(c.first[path[0]])
            + steps
            + float(c.last[path[-1]])
            + sum(float(emissions[t, k]) for t, k in enumerate(path))
        )

    best = max(itertools.product(range(len(TAGS)), repeat=4), key=total)
    assert tuple(c.best_path(emissions, np.zeros(4, np.int64))) == best


@pytest.mark.parametrize("seed", range(3))
def test_the_chance_of_a_tag_is_that_of_all_paths_through_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    c = chain(rng)
    emissions = rng.normal(size=(4, len(TAGS))).astype(np.float32)
    wanted = np.zeros((4, len(TAGS)))
    for path in itertools.product(range(len(TAGS)), repeat=4):
        score = float(c.first[path[0]]) + float(c.last[path[-1]])
        score += sum(float(c.between[a, b]) for a, b in itertools.pairwise(path))
        score += sum(float(emissions[t, k]) for t, k in enumerate(path))
        for t, k in enumerate(path):
            wanted[t, k] += np.exp(score)
    wanted /= wanted.sum(1, keepdims=True)
    assert np.allclose(c.chances(emissions, np.zeros(4, np.int64)), wanted, atol=1e-5)


def test_each_paragraph_is_decoded_for_itself() -> None:
    rng = np.random.default_rng(7)
    c = chain(rng)
    lengths = [3, 1, 9, 1, 4, 30, 2]
    emissions = rng.normal(size=(sum(lengths), len(TAGS))).astype(np.float32)
    paragraphs = np.repeat(np.arange(len(lengths)), lengths)
    whole = c.best_path(emissions, paragraphs)
    apart = [c.best_path(emissions[paragraphs == k], np.zeros(n, np.int64)) for k, n in enumerate(lengths)]
    assert whole.tolist() == np.concatenate(apart).tolist()


def test_spans_are_read_off_a_path() -> None:
    path = np.array([TAGS.index(t) for t in ("O", "B-A", "I-A", "E-A", "S-B", "S-B", "O")])
    spans = spans_of(path)
    assert list(zip(spans.label.tolist(), spans.first.tolist(), spans.last.tolist(), strict=True)) == [
        (0, 1, 3),
        (1, 4, 4),
        (1, 5, 5),
    ]


def test_a_span_whose_choice_is_no_head_takes_the_next_best_head() -> None:
    linker = Linker(
        np.zeros((3, 3, ORDERS), np.float32),
        np.zeros((3, 3, DISTANCES), np.float32),
        np.zeros((3, 3, 2), np.float32),
        np.array([-5, 5, -5], np.float32),
    )
    spans = Spans(np.array([SOURCE, CUE, CONTENT]), np.array([0, 2, 4]), np.array([1, 2, 9]))
    heads, chances = linker.heads(spans, np.zeros((10, 4 * LINK_WIDTH + 2), np.float32), np.zeros(10, np.int64))
    assert heads.tolist() == [1, 1, 1]
    assert (chances > 0).all()
