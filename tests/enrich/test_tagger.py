"""The trained tagger: what it finds in plain news sentences, and that no text or folder gets the better of it."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.enrich.tagger import PACKAGED, Attribution, Tagged, Tagger, let_go, share_sources
from pipeline.errors import ModelError

STORY = (
    "Minister promises new bridge over the Kala\n\n"
    "NAIROBI (Example Wire) — Transport Minister Wanjiru Otieno said on Tuesday that the government would rebuild the "
    "bridge over the Kala by December.\n\n"
    "“We have lost a year, and we will not lose another,” Otieno told reporters in Mombasa. She denied that the money "
    "had been spent elsewhere.\n\n"
    "According to the World Bank, the work will cost $40 million.\n"
)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.load()


def words(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    return " … ".join(text[s:e] for s, e in spans)


def within(tagged: Tagged, text: str) -> bool:
    spans = [(m.start, m.end) for m in tagged.mentions]
    for a in tagged.attributions:
        assert a.cue or a.content
        spans += [*a.source, *a.cue, *a.content]
    return all(0 <= s < e <= len(text) for s, e in spans)


def test_people_places_organisations_and_money_are_named(tagger: Tagger) -> None:
    found = {(STORY[m.start : m.end], m.label) for m in tagger.tag(STORY).mentions}
    assert ("Wanjiru Otieno", "PERSON") in found
    assert ("Mombasa", "LOC") in found
    assert ("World Bank", "ORG") in found
    assert any(label == "MONEY" and "40 million" in text for text, label in found)


def test_indirect_speech_has_its_source_cue_and_content(tagger: Tagger) -> None:
    said = next(a for a in tagger.tag(STORY).attributions if words(STORY, a.cue).startswith("said"))
    assert words(STORY, said.source).endswith("Wanjiru Otieno")
    assert words(STORY, said.content).startswith("that the government would rebuild")
    assert words(STORY, said.content).endswith("by December")


def test_a_quotation_goes_to_the_one_who_spoke_it(tagger: Tagger) -> None:
    told = next(a for a in tagger.tag(STORY).attributions if words(STORY, a.cue).startswith("told"))
    assert words(STORY, told.source) == "Otieno"
    assert "We have lost a year" in words(STORY, told.content)


def test_straight_quotation_marks_do_as_well_as_curly_ones(tagger: Tagger) -> None:
    straight = STORY.replace("“", '"').replace("”", '"')
    told = next(a for a in tagger.tag(straight).attributions if words(straight, a.cue).startswith("told"))
    assert "We have lost a year" in words(straight, told.content)


def test_according_to_is_a_cue(tagger: Tagger) -> None:
    cues = {words(STORY, a.cue): words(STORY, a.source) for a in tagger.tag(STORY).attributions}
    assert cues.get("According to") == "the World Bank"


def attribution(text: str, source: str, cue: str, content: str) -> Attribution:
    def spans(part: str) -> tuple[tuple[int, int], ...]:
        return ((text.index(part), text.index(part) + len(part)),) if part else ()

    return Attribution(spans(source), spans(cue), spans(content), 1.0)


def test_a_second_cue_in_the_sentence_shares_the_source_of_the_first() -> None:
    text = "Mr. Sato called the report a lie, adding that he would sue."
    first = attribution(text, "Mr. Sato", "called", "the report a lie")
    second = attribution(text, "", "adding", "that he would sue")
    assert [words(text, a.source) for a in share_sources(text, [first, second])] == ["Mr. Sato", "Mr. Sato"]


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("Sato called it a lie. Reports claimed otherwise, saying that he knew.", "saying"),
        ("Sato called it a lie while it was feared that he knew.", "was feared"),
    ],
)
def test_no_source_is_shared_across_sentences_or_with_a_passive(text: str, cue: str) -> None:
    first = attribution(text, "Sato", "called", "it a lie")
    second = attribution(text, "", cue, "that he knew")
    assert share_sources(text, [first, second])[1].source == ()


def test_a_content_in_another_paragraph_is_let_go() -> None:
    text = "Sato said the road was open.\n\nRain fell on the hills.\n\nThe bridge was shut. “It fell,” one read."
    near, far, quoted = "the road was open", "The bridge was shut", "“It fell,”"
    spans = tuple((text.index(part), text.index(part) + len(part)) for part in (near, far, quoted))
    whole = Attribution(((0, 4),), ((5, 9),), spans, 1.0)
    assert [words(text, a.content) for a in let_go(text, whole)] == [near, quoted]


def test_a_quotation_over_two_paragraphs_stays_whole() -> None:
    text = "“The road is open.\n\n“The bridge is not,” Sato said."
    whole = attribution(text, "Sato", "said", "“The road is open.")
    whole = replace(whole, content=(*whole.content, (20, 41)))
    assert let_go(text, whole) == [whole]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t\n ",
        "Word",
        '"',
        '"' * 3000,
        "“”" * 500,
        "x" * 20_000,
        "\ud800 said \udfff",
        "[SEP] [CLS] [PAD] said [MASK]",
        "\x00\x01\x02 said\u2028the\u2029minister\r\nthat\x85",
        "प्रधानमंत्री ने said 総理大臣は “да” قال الوزير 😀😀",
        "said " * 2000,
        "\n".join("“Yes,” he said." for _ in range(400)),
        "e\u0301" * 600,
    ],
)
def test_no_text_breaks_it(tagger: Tagger, text: str) -> None:
    assert within(tagger.tag(text), text)


def test_the_same_text_gets_the_same_answer_whatever_stands_beside_it(tagger: Tagger) -> None:
    alone = tagger.tag(STORY)
    beside = tagger.tag_many(["He said so.", STORY, "A " * 700, STORY])
    assert beside[1] == alone
    assert beside[3] == alone


def test_a_second_copy_of_the_model_agrees_with_the_first(tagger: Tagger) -> None:
    assert Tagger.load(PACKAGED).tag(STORY) == tagger.tag(STORY)


def test_offsets_count_characters_and_not_bytes(tagger: Tagger) -> None:
    text = "😀 " + STORY
    found = {text[m.start : m.end] for m in tagger.tag(text).mentions}
    assert "Wanjiru Otieno" in found


def test_time_grows_with_length_and_no_faster(tagger: Tagger) -> None:
    def seconds(text: str) -> float:
        began = time.perf_counter()
        assert within(tagger.tag(text), text)
        return time.perf_counter() - began

    tagger.tag(STORY)
    short = min(seconds(STORY * 20) for _ in range(2))
    assert seconds(STORY * 120) < 6 * short * 2.5


def test_a_long_text_without_line_or_sentence_ends_is_tagged(tagger: Tagger) -> None:
    text = "the minister said that the road was open and " * 1200
    tagged = tagger.tag(text)
    assert within(tagged, text)
    assert len(tagged.attributions) > 100


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder") as caught:
        Tagger.load(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)


def test_an_empty_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        Tagger.load(tmp_path)


def test_a_folder_of_another_format_is_a_clear_error(tmp_path: Path) -> None:
    config = json.loads((PACKAGED / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match="format is 99"):
        Tagger.load(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1}', "\x00"])
def test_a_config_that_is_none_is_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=str(tmp_path)):
        Tagger.load(tmp_path)


def test_a_damaged_model_is_a_clear_error(tmp_path: Path) -> None:
    folder = shutil.copytree(PACKAGED, tmp_path / "copy")
    with (folder / "model.onnx").open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    with pytest.raises(ModelError, match=r"model\.onnx is damaged"):
        Tagger.load(folder)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    folder = shutil.copytree(PACKAGED, tmp_path / "copy")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing"):
        Tagger.load(folder)
