"""Records as JSON: what goes out comes back, under the names that are documented."""

from __future__ import annotations

import json

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
