"""How text becomes terms."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.index import analysis


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Officials denied it.", ["officials", "denied", "it"]),
        ("“U.S²” ‘J.K.½’ £1,000,", ["u", "s", "jk", "1,000"]),
        ("India’s and India's", ["india", "and", "india"]),
        ("don’t O'Brien 'tis rock 'n' roll", ["don't", "o'brien", "tis", "rock", "n", "roll"]),
        ("François Bozizé, ŁÓDŹ, Ærø, Straße", ["francois", "bozize", "lodz", "aero", "strasse"]),
        ("cafe\u0301 na\u0308ive", ["cafe", "naive"]),
        ("U.S. U.N. U.S.A. J.K. Rowling a.m. x.", ["us", "un", "usa", "jk", "rowling", "am", "x"]),
        ("The U.S.-led force", ["the", "us", "led", "force"]),
        ("end.Start wire.example 2.0", ["end", "start", "wire", "example", "2.0"]),
        ("$1,080.25 3.5% 10:30 2026-08-20", ["1,080.25", "3.5", "10", "30", "2026", "08", "20"]),
        ("anti-war R&D C++ COVID-19 either/or", ["anti", "war", "r", "d", "c", "covid", "19", "either", "or"]),
        ("#kashmir @handle snake_case", ["kashmir", "handle", "snake_case"]),
        ("北京大学 ひらカタカナ", ["北", "京", "大", "学", "ひ", "ら", "カタカナ"]),
        ("한국어 신문", ["한국어", "신문"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Москва заявила", ["москва", "заявила"]),
        ("می‌خواهم", ["میخواهم"]),
        ("ＵＮ ﬁne ½", ["un", "fine"]),
        ("", []),
        ("… — “”", []),
    ],
)
def test_words_are_cut_folded_and_freed_of_possessives(text: str, words: list[str]) -> None:
    assert analysis.words(text) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("deny", "denied"),
        ("official", "officials"),
        ("run", "running"),
        ("Bozizé’s", "bozize"),
        ("l’Iran", "Iran"),
        ("Côte d’Ivoire", "cote d'ivoire"),
        ("U.S.", "US"),
    ],
)
def test_words_that_meet(one: str, other: str) -> None:
    assert analysis.stems(one) == analysis.stems(other)


@pytest.mark.parametrize(
    ("one", "other"), [("university", "universe's"), ("war", "warm"), ("3.5", "35"), ("he'll", "hell")]
)
def test_words_that_do_not_meet(one: str, other: str) -> None:
    assert analysis.words(one) != analysis.words(other)


def test_a_word_without_end_is_cut_into_several() -> None:
    assert [len(word) for word in analysis.words("x" * 600)] == [255, 255, 90]


@given(st.text(max_size=300))
def test_places_and_terms_agree_and_no_term_holds_a_space(text: str) -> None:
    places, forms = analysis.places(text), analysis.forms(text)
    assert places[:3] == analysis.places(text, 3)[:3]
    assert len(places) == len(forms.exact) == len(forms.stem)
    assert all(low < high <= len(text) for low, high in places)
    assert [analysis.words(text[low:high])[:1] for low, high in places] == [[word] for word in forms.exact]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))
    for exact, stem in zip(*forms, strict=True):
        assert exact.strip()
        assert len(exact.split()) == len(stem.split()) == 1


@given(st.text(alphabet="abcdeé'’.-,_ 0123456789ABZß“…²½ªµ\xa0\xad£", max_size=200))
def test_latin_text_is_cut_alike_on_the_fast_path_and_the_slow_one(text: str) -> None:
    assert analysis.words(text) == analysis.words(text + " 北")[:-1]
