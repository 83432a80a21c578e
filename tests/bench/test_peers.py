"""The bench beside the peers: what stands between a peer's answer and its score."""

from __future__ import annotations

import sys

import pytest

from bench.peers import corenlp
from bench.peers.__main__ import WARM_UP, evenly
from bench.peers.worker import Unavailable, Worker


def test_corenlp_offsets_become_characters_behind_an_emoji() -> None:
    text = "Well 😀 “Stay,” she said."
    answer = {
        "sentences": [
            {
                "tokens": [
                    {"characterOffsetBegin": 0, "characterOffsetEnd": 4},
                    {"characterOffsetBegin": 5, "characterOffsetEnd": 7},
                    {"characterOffsetBegin": 16, "characterOffsetEnd": 19},
                ],
                "entitymentions": [],
            }
        ],
        "quotes": [{"beginIndex": 8, "endIndex": 15, "mentionBegin": 2, "mentionEnd": 2}],
    }
    [claim] = corenlp.told(answer, text)
    [(start, end)], [(source_start, source_end)] = claim["content"], claim["source"]
    assert (text[start:end], text[source_start:source_end]) == ("“Stay,”", "she")


def test_a_corenlp_quotation_of_nobody_is_a_claim_without_a_source() -> None:
    answer = {"sentences": [], "quotes": [{"beginIndex": 0, "endIndex": 6, "speaker": "Unknown"}]}
    assert corenlp.told(answer, "“Stay”") == [{"source": [], "cue": [], "content": [[0, 6]]}]


def test_corenlp_pronouns_and_other_labels_are_no_entities_to_be_scored() -> None:
    mentions = [("He", "PERSON", 0), ("Ana", "PERSON", 3), ("Oslo", "LOCATION", 7), ("Danish", "MISC", 12)]
    mentions.append(("two", "NUMBER", 19))
    answer = {
        "sentences": [
            {
                "entitymentions": [
                    {"text": text, "ner": label, "characterOffsetBegin": at, "characterOffsetEnd": at + len(text)}
                    for text, label, at in mentions
                ]
            }
        ]
    }
    found = corenlp.entities(answer, "He Ana Oslo Danish two")
    assert found == [(3, 6, "PERSON"), (7, 11, "LOC"), (12, 18, "NORP")]


def test_a_worker_is_asked_text_by_text_whatever_it_prints_and_whatever_fails() -> None:
    program = """
from bench.peers.worker import serve
def claims(text):
    print("chatter")
    return [text, len(text)]
serve({"claims": claims, "entities": lambda text: [][1]})
"""
    with Worker([sys.executable, "-c", program]) as worker:
        assert worker.ask("claims", "Zürich\n😀") == ["Zürich\n😀", 8]
        assert worker.ask("entities", "Zürich") is None
        assert worker.ask("claims", "") == ["", 0]


def test_a_worker_that_does_not_start_says_why() -> None:
    with pytest.raises(Unavailable, match="no model here"):
        Worker([sys.executable, "-c", "raise SystemExit('no model here')"])


def test_a_worker_that_dies_over_a_text_says_why() -> None:
    program = """
import os, sys
from bench.peers.worker import serve
def claims(text):
    sys.stderr.write("out of memory\\n")
    sys.stderr.flush()
    os._exit(3)
serve({"claims": claims})
"""
    with Worker([sys.executable, "-c", program]) as worker, pytest.raises(RuntimeError, match="out of memory"):
        worker.ask("claims", "Hello.")


def test_our_own_worker_finds_who_speaks_in_the_passage_for_warming_up() -> None:
    with Worker([sys.executable, "-m", "bench.peers.ours"]) as worker:
        sources = {WARM_UP[s:e] for claim in worker.ask("claims", WARM_UP) for s, e in claim["source"]}
        places = {WARM_UP[s:e] for s, e, label in worker.ask("entities", WARM_UP) if label == "GPE"}
    assert any("Teresa Almada" in source for source in sources)
    assert "LISBON" in places


@pytest.mark.parametrize(
    ("number", "chosen"), [(2, [0, 5]), (3, [0, 3, 6]), (10, list(range(10))), (99, list(range(10)))]
)
def test_documents_are_taken_evenly_over_the_corpus(number: int, chosen: list[int]) -> None:
    assert evenly(range(10), number) == chosen
