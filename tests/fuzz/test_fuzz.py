"""Inputs made of what real ones are made of, in orders that nobody meant. ``make fuzz`` makes many more of them.

What a fuzzer found lies in ``corpus/`` beside the seeds, and is run every time.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import CORPUS, TARGETS, Target

FEW = 40
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", FEW))
DEAR = {"claims": 4, "dates": 4}
"""Of these only every so manieth: a text takes the model 50 ms, a date in no known language dateparser 80 (2026-11-26)."""


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Words and stray bytes in any order; and files of the corpus, cut, repeated, with words put in."""
    pieces = st.sampled_from([word.encode("utf-8", "surrogatepass") for word in target.words]) | st.binary(max_size=6)
    loose = st.lists(pieces, max_size=40).map(b"".join)

    def spliced(seed: bytes, start: int, end: int, middle: bytes, times: int) -> bytes:
        first, last = sorted((start % (len(seed) + 1), end % (len(seed) + 1)))
        return seed[:first] + middle + seed[first:last] * times + seed[last:]

    place = st.integers(0, 10_000)
    return loose | st.builds(spliced, st.sampled_from(target.seeds()), place, place, loose, st.integers(0, 4))


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_raises_what_it_may_not(target: Target) -> None:
    many = max(EXAMPLES // DEAR.get(target.name, 1), 5)

    # The few of the tests are the same every time: a fault found by chance helps nobody who changes something else.
    @settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES <= FEW)
    @given(inputs(target))
    def holds(data: bytes) -> None:
        target.run(data)

    holds()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_was_found_once_is_mended(target: Target) -> None:
    assert target.seeds()
    for seed in target.seeds():
        target.run(seed)


def test_every_folder_of_the_corpus_has_its_target() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == {target.name for target in TARGETS}
