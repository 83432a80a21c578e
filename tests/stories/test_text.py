"""Shingles: what is cut out of a text is known to be in it, whatever became of case, accents and spacing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stories.terms import terms
from pipeline.stories.text import SKETCH, Sketch, hashes, keys, overlap, shingles, words
from tests.stories.making import TANKER, WELLS

CHANCE = random.Random(7)
LONG = " ".join(
    CHANCE.choice(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]) + str(n)
    for n in range(2000)
)


def sketch(text: str) -> Sketch:
    return Sketch(shingles(hashes(text)))


def test_a_text_is_wholly_in_itself_and_not_at_all_in_another() -> None:
    assert overlap(sketch(TANKER), sketch(TANKER)) == (1.0, 1.0)
    assert max(overlap(sketch(TANKER), sketch(WELLS))) == 0.0


def test_case_accents_quotes_and_spacing_do_not_matter() -> None:
    shouted = TANKER.upper().replace("'", "’").replace(" ", "  ")
    assert min(overlap(sketch(TANKER), sketch(shouted))) == 1.0
    assert words("São Tomé’s café") == words("SAO TOME'S CAFE")


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_cut_copy_of_a_long_text_is_known_to_be_inside_it(share: float) -> None:
    cut = " ".join(LONG.split()[: int(2000 * share)])
    inside, outside = overlap(sketch(cut), sketch(LONG))
    assert inside == 1.0
    assert outside == pytest.approx(share, abs=0.12)


def test_a_sketch_of_a_long_text_has_its_size_and_no_more() -> None:
    assert len(sketch(LONG)) == SKETCH
    assert len(sketch("only these three")) == 1
    assert len(sketch("")) == 0
    assert overlap(sketch(""), sketch(LONG)) == (0.0, 0.0)


def test_two_copies_share_keys_and_two_strangers_do_not() -> None:
    cut = TANKER.split("\n\n", 1)[1]
    assert len(set(keys(shingles(hashes(TANKER)))) & set(keys(shingles(hashes(cut))))) >= 4
    assert not set(keys(shingles(hashes(TANKER)))) & set(keys(shingles(hashes(WELLS))))


def test_texts_without_blanks_between_words_have_shingles_too() -> None:
    body = "促进航天技术更好惠及人民并致贺信为中拉深化航天合作指明方向"
    assert overlap(sketch(body), sketch(body[:20]))[1] == 1.0


@given(st.text(alphabet="abcé'’.-,_ 012ABß“”…²½ªµø\xa0\xad£\u0301", max_size=100))
def test_latin_text_has_the_same_words_and_hashes_by_bytes_and_by_the_pattern(text: str) -> None:
    assert words(text) == words(text + " 北")[:-1]
    assert hashes(text).tolist() == hashes(text + " 北").tolist()[:-1]


WORDY = st.lists(
    st.sampled_from(["the", "Ab", "Bcd's", "É", "m²", "1,200", ".", " ", "'", "’", "\n", "“", "(", "-", "ßx"])
)


@given(WORDY.map("".join))
def test_latin_text_has_the_same_terms_by_bytes_and_by_the_pattern(text: str) -> None:
    assert terms("Some Title's", text) == terms("Some Title's", text + "\n北")
