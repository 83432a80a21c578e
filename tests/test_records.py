"""Records as JSON: what goes out comes back, under the names that are documented."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.records import Claim, Content, Cue, Enriched, from_json, to_dict, to_json

CUE = Cue(start=0, end=4, text="said", lemma="say", cls="say")
CLAIM = Claim(speaker=None, cue=CUE, content=Content(text="it rained", spans=((5, 14),)), form="indirect")


def test_a_cues_class_is_called_class_in_json_however_deep_it_lies() -> None:
    enriched = Enriched(language="en", claims=(CLAIM, CLAIM))
    for record in (to_dict(CLAIM), *to_dict(enriched)["claims"], *json.loads(to_json(enriched))["claims"]):
        assert record["cue"]["class"] == "say"
        assert "cls" not in record["cue"]
        assert list(record["cue"]) == ["start", "end", "text", "lemma", "class"]


def test_a_record_comes_back_from_its_json_as_it_was() -> None:
    enriched = Enriched(language="en", claims=(CLAIM,), note="no entities")
    assert from_json(to_json(enriched), Enriched) == enriched
    assert to_json(from_json(to_json(enriched), Enriched)) == to_json(enriched)


@pytest.mark.parametrize("text", ['"cls":"say"', '"class":', '\\"cls\\":', 'the "cls": "class":\\', "cls", '{"cls":1}'])
def test_a_text_that_looks_like_json_stays_as_it_is(text: str) -> None:
    enriched = Enriched(language="en", claims=(replace(CLAIM, content=Content(text=text, spans=((0, 1),))),), note=text)
    line = to_json(enriched)
    assert json.loads(line) == json.loads(json.dumps(to_dict(enriched)))
    assert from_json(line, Enriched) == from_json(line.decode(), Enriched) == enriched


def test_records_within_a_dictionary_go_out_under_the_same_names() -> None:
    line = to_json({"class": "say", "claim": CLAIM})
    assert json.loads(line) == {"class": "say", "claim": json.loads(json.dumps(to_dict(CLAIM)))}
