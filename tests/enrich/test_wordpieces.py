"""What the tagger reads: forms of words, quotation marks, and windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.wordpieces import casing_of, shape_of, windows


@pytest.mark.parametrize(
    ("word", "shape"),
    [("the", 1), ("Delhi", 2), ("NATO", 3), ("I", 4), ("McCain", 5), ("2026", 6), ("3rd", 7), ("—", 0), ("東京", 8)],
)
def test_a_word_has_the_shape_of_its_capitals(word: str, shape: int) -> None:
    assert shape_of(word) == shape


@pytest.mark.parametrize(
    ("line", "casing"),
    [
        ("The minister said on Monday that the road was open.", 0),
        ("Minister Says Road Is Open Again", 1),
        ("MINISTER SAYS ROAD IS OPEN", 2),
        ("Yes", 0),
        ("", 0),
    ],
)
def test_a_headline_is_told_by_its_casing(line: str, casing: int) -> None:
    assert casing_of(line) == casing


@given(
    st.lists(st.integers(1, 90), max_size=80),
    st.sampled_from([(64, 12), (254, 48), (20, 6)]),
)
def test_every_piece_is_owned_once_and_no_window_is_too_long(lengths: list[int], sizes: tuple[int, int]) -> None:
    size, overlap = sizes
    paragraphs = np.repeat(np.arange(len(lengths)), lengths)
    owned = []
    for window in windows(paragraphs, size, overlap):
        assert window.start <= window.own_start < window.own_end <= window.end
        assert window.end - window.start <= size
        owned += range(window.own_start, window.own_end)
    assert owned == list(range(len(paragraphs)))
