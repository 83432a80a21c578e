"""What training reads and how it changes it: the annotation must stay on the same words."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from training import augment
from training.data import Entity, Example, Relation, read_attribution, read_standoff
from training.treebank import read_open

TEXT = "Hillary Clinton said that Donald Trump was wrong. “Clinton is tired,” Trump replied."


def place(part: str, after: int = 0) -> tuple[int, int]:
    at = TEXT.index(part, after)
    return at, at + len(part)


EXAMPLE = Example(
    "one",
    TEXT,
    entities=(Entity(*place("Hillary Clinton"), "PERSON"), Entity(*place("Trump", 60), "PERSON")),
    readings=(
        (
            Relation((place("Hillary Clinton"),), (place("said"),), (place("that Donald Trump was wrong"),)),
            Relation((place("Trump", 60),), (place("replied"),), (place("“Clinton is tired,”"),)),
        ),
    ),
)


def parts(example: Example) -> list[str]:
    assert example.readings is not None
    return [example.text[s:e] for relation in example.readings[0] for _, (s, e) in relation.parts()]


def test_other_names_take_the_place_of_the_old_ones_throughout() -> None:
    changed = augment.with_other_names(EXAMPLE, [("Amina", "Okafor-Brown")], random.Random(1))
    assert parts(changed) == [
        "Amina Okafor-Brown",
        "said",
        "that Amina Okafor-Brown was wrong",
        "Okafor-Brown",
        "replied",
        "“Okafor-Brown is tired,”",
    ]
    assert changed.entities is not None
    assert [changed.text[e.start : e.end] for e in changed.entities] == ["Amina Okafor-Brown", "Okafor-Brown"]


def test_an_insertion_goes_between_two_spans_and_into_neither() -> None:
    start, end = place("said")
    changed = augment.edited(EXAMPLE, [(start, start, "often "), (end, end, " again")])
    assert changed.text.startswith("Hillary Clinton often said again that")
    assert parts(changed)[:3] == ["Hillary Clinton", "said", "that Donald Trump was wrong"]


def test_straight_quotation_marks_and_other_casing_move_nothing() -> None:
    assert parts(augment.with_straight_quotes(EXAMPLE))[-1] == '"Clinton is tired,"'
    shouted = augment.with_other_casing(EXAMPLE, 1.0, random.Random(3))
    assert [p.lower() for p in parts(shouted)] == [p.lower() for p in parts(EXAMPLE)]


@pytest.mark.parametrize("seed", range(6))
def test_a_headline_in_colon_form_is_an_attribution_of_its_own(seed: int) -> None:
    changed = augment.with_headline(EXAMPLE, random.Random(seed))
    assert changed.readings is not None
    headline = changed.readings[0][0]
    assert changed.text[slice(*headline.cue[0])] == ":"
    assert changed.text[slice(*headline.source[0])] == "Hillary Clinton"
    assert "trump was wrong" in changed.text[slice(*headline.content[0])].lower()
    assert parts(changed)[3:] == parts(EXAMPLE)


def test_standoff_is_read_with_broken_spans_and_without_notes(tmp_path: Path) -> None:
    path = tmp_path / "one_ab12.ann"
    path.write_text(
        "T1\tSource 10 14\tSato\nT2\tCue 15 19\tsaid\nT3\tContent 0 8;20 30\tThe road is closed now\n"
        "T4\tAttribution 15 19\tsaid\nE1\tAttribution:T4 Source:T1 Cue:T2 Content:T3\n"
        "T9\tDiscard 0 30\tall\n#1\tAnnotatorNotes T3\tsure?\nE2\tAttribution:\n",
        encoding="utf-8",
    )
    assert read_standoff(path) == (Relation(((10, 14),), ((15, 19),), ((0, 8), (20, 30))),)


def test_two_annotators_are_two_readings_of_one_document(tmp_path: Path) -> None:
    for folder in ("text", "attributions"):
        (tmp_path / folder).mkdir()
    (tmp_path / "text" / "one.txt").write_text("Sato said so.", encoding="utf-8")
    for who in ("aa", "bb"):
        (tmp_path / "attributions" / f"one_{who}.ann").write_text("", encoding="utf-8")
    (example,) = read_attribution(tmp_path)
    assert example.readings == ((), ())


TREE = """# newdoc id = GUM_news_own
# newpar
# text = Ana Sato said that Lima was calm.
1	Ana	Ana	PROPN	NNP	_	3	nsubj	_	Entity=(1-person-new-x
2	Sato	Sato	PROPN	NNP	_	1	flat	_	Entity=1)
3	said	say	VERB	VBD	_	0	root	_	_
4	that	that	SCONJ	IN	_	7	mark	_	_
5	Lima	Lima	PROPN	NNP	_	7	nsubj	_	Entity=(2-place-new-x)
6	was	be	AUX	VBD	_	7	cop	_	_
7	calm	calm	ADJ	JJ	_	3	ccomp	_	SpaceAfter=No
8	.	.	PUNCT	.	_	3	punct	_	_

"""


def test_attributions_and_names_are_read_off_a_tree(tmp_path: Path) -> None:
    for name in ("gum", "ewt"):
        with gzip.open(tmp_path / f"{name}-train.conllu.gz", "wt", encoding="utf-8") as file:
            file.write(TREE)
    told, named = read_open(tmp_path, "train")
    assert parts(told[0]) == ["Ana Sato", "said", "that Lima was calm"]
    assert named[0].entities is not None
    found = [(named[0].text[e.start : e.end], e.label) for e in named[0].entities]
    assert found == [("Ana Sato", "PERSON"), ("Lima", "LOC")]


def test_what_may_not_be_used_freely_is_left_out(tmp_path: Path) -> None:
    for name in ("gum", "ewt"):
        with gzip.open(tmp_path / f"{name}-train.conllu.gz", "wt", encoding="utf-8") as file:
            file.write(TREE.replace("GUM_news", "GUM_fiction"))
    assert read_open(tmp_path, "train") == ([], [])
