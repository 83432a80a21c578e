"""A spaCy pipeline in place of our model. Runs where spaCy is installed; it is no dependency of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.enrich import Enricher
from pipeline.enrich.spacy_model import attributions_of
from pipeline.settings import Settings

spacy = pytest.importorskip("spacy", reason="spaCy is not installed")


def test_the_entities_of_a_pipeline_folder_are_ours(tmp_path: Path) -> None:
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Amina Shah"}, {"label": "GPE", "pattern": "Karachi"}])
    pipeline.to_disk(tmp_path / "ruled")
    enricher = Enricher(Settings(model=str(tmp_path / "ruled")))
    text = "In Karachi on Monday, Governor Amina Shah said that the bridge would open.\n\n“It is safe,” she said."
    found = enricher.enrich(text, language="en")
    assert enricher.name.startswith("spacy:en")
    assert [(e.text, e.label, e.country) for e in found.entities] == [
        ("Karachi", "GPE", "PK"),
        ("Amina Shah", "PERSON", None),
    ]
    assert {c.speaker.name for c in found.claims if c.speaker} == {"Amina Shah"}


def test_attributions_are_read_from_a_parse() -> None:
    from spacy.tokens import Doc

    words = ["The", "minister", "has", "warned", "that", "prices", "will", "rise", "."]
    heads = [1, 3, 3, 3, 7, 7, 7, 3, 3]
    deps = ["det", "nsubj", "aux", "ROOT", "mark", "nsubj", "aux", "ccomp", "punct"]
    pos = ["DET", "NOUN", "AUX", "VERB", "SCONJ", "NOUN", "AUX", "VERB", "PUNCT"]
    doc = Doc(spacy.blank("en").vocab, words=words, heads=heads, deps=deps, pos=pos)
    (found,) = attributions_of(doc)
    text = doc.text
    assert text[slice(*found.source[0])] == "The minister"
    assert text[slice(*found.cue[0])] == "has warned"
    assert text[slice(*found.content[0])] == "that prices will rise"
