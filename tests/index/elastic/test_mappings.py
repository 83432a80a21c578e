from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from pipeline.index import SCHEMA_VERSION, Kind, analysis
from pipeline.index.elastic import mappings
from pipeline.index.elastic.mappings import Part
from pipeline.index.fields import FIELDS, Field, Type
from tests.conftest import own_prefix
from tests.support.elastic import ElasticServer

EXACT = {"type": "text", "analyzer": "wire_exact"}
FOLDED = {"type": "keyword", "normalizer": "wire_folded"}
RAW = {"raw": {"type": "keyword"}}
ONLY_HERE = {Kind.ARTICLES: {"geo", "local", "record"}, Kind.CLAIMS: {"record"}}
"""What the embedded index has no use for: Kibana's map, analysis by language, the record as it comes back."""


def expected(field: Field) -> dict[str, Any]:
    """The mapping that fits a field."""
    raw = RAW if field.facet else {}
    match field.type:
        case Type.TEXT:
            return {"type": "text", "analyzer": "wire_english", "fields": {"exact": EXACT}}
        case Type.NAME:
            # Between two values lies one place, as in the embedded index: a loose phrase means the same in both.
            return EXACT | {"position_increment_gap": 1, "fields": {"keyword": FOLDED} | raw}
        case Type.KEYWORD:
            return FOLDED | ({"fields": raw} if raw else {})
        case Type.DATE:
            return {"type": "date", "format": "strict_date_optional_time"}
        case Type.INTEGER:
            return {"type": "long"}
        case Type.BOOLEAN:
            return {"type": "boolean"}


def properties(part: str) -> dict[str, Any]:
    """What an index of this kind gets from its template and the components of that."""
    templates = mappings.load()
    template = templates.indices[f"wire-{part}"]
    found: dict[str, Any] = {}
    for name in template["composed_of"]:
        found |= templates.components[name]["template"].get("mappings", {}).get("properties", {})
    return found | template["template"]["mappings"]["properties"]


@pytest.fixture
def client(elasticsearch: ElasticServer) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch.url, request_timeout=60) as client:
        yield client


@pytest.mark.parametrize("kind", list(Kind))
def test_every_field_of_the_index_has_a_mapping_of_its_type_and_the_other_way_round(kind: Kind) -> None:
    fields = {field.name: field for field in FIELDS[kind].values() if not field.sub}
    mapped = properties(kind)
    assert {name: mapped.get(name) for name in fields} == {name: expected(field) for name, field in fields.items()}
    assert set(mapped) - set(fields) == ONLY_HERE[kind]


@pytest.mark.parametrize("part", list(Part))
def test_every_template_is_strict_and_says_of_which_schema_it_is(part: Part) -> None:
    body = mappings.load().indices[f"wire-{part}"]["template"]["mappings"]
    assert body["dynamic"] == "strict"
    assert body["_meta"]["wirewatch"] == {"schema": SCHEMA_VERSION, "kind": part}


def test_alerts_carry_the_story_and_the_words_that_matched() -> None:
    named = {
        "rule severity story version article claim headline source url matched why speaker cue fired delivered",
        "published first_seen indexed time language independent_sources carriers",
    }
    assert set(" ".join(named).split()) <= set(properties(Part.ALERTS))


def test_a_prefix_of_ones_own_renames_all_that_belongs_together() -> None:
    text = json.dumps([mappings.load("desk").components, mappings.load("desk").indices])
    assert "wire-" not in text
    assert mappings.load("desk").indices["desk-articles"]["index_patterns"] == ["desk-articles-*"]


def test_the_server_takes_the_files_as_they_are(client: Elasticsearch, elastic_prefix: str) -> None:
    prefix = elastic_prefix
    templates = mappings.load(prefix)
    for name, body in templates.components.items():
        client.cluster.put_component_template(name=name, **body)
    for name, body in templates.indices.items():
        client.indices.put_index_template(
            name=name, meta=body["_meta"], **{k: v for k, v in body.items() if k[0] != "_"}
        )
    for part in Part:
        name = mappings.index_name(prefix, part, 1)
        client.indices.create(index=name)
        (found,) = client.indices.get_mapping(index=name).values()
        assert found["mappings"]["properties"] == properties(part)
        with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
            client.index(index=name, document={"titel": "a typing error"})


def terms(client: Elasticsearch, index: str, analyzer: str, text: str) -> list[str]:
    found = client.indices.analyze(index=index, analyzer=analyzer, text=text)
    return [token["token"] for token in found["tokens"]]


TEXTS = [
    "Kashmir talks collapse; officials' denials, India’s account, the boys' club",
    "The U.S. envoy, J.K. Rahman, e.g. at 9 a.m. or p.m.on Mt.Everest",
    "anti-war R&D firm C3 https://oil.example/prices:now 10:30 3.5 1,080.25 1;2 a_b user@wire.example",
    "François Bozizé est rentré à Bangui. L’Iran, d'un, qu'elle, j'ai, O'Brien, don't, l'a, it's",
    "北京大学今天宣布了新的计划。カタカナ ひらがな 한국어 ไทยภาษา हिन्दी العربية עברית Ελλάδα Москва",
    "café cafe\u0301 ﬁne ＡＢＣ straße Œuvre Ægir ½ ² № x²",
    "😀 flood 👩‍👩‍👧 water 🇮🇳 a👍🏽b ☎️ 1️⃣ © ™",
    "zero\u200bwidth soft\u00adhyphen bom\ufeffmark \u200fאבג\u200e join\u200der",
    "generously running runner's ponies skies dying news innings organisation relational",
]


@pytest.fixture(scope="module")
def analysed(elasticsearch: ElasticServer) -> Iterator[str]:
    """An index that has the analyzers."""
    with own_prefix(elasticsearch) as prefix, Elasticsearch(elasticsearch.url, request_timeout=60) as client:
        body = mappings.load(prefix).components[f"{prefix}-base"]["template"]
        client.indices.create(index=f"{prefix}-any", settings=body["settings"])
        yield f"{prefix}-any"


@pytest.mark.parametrize("text", TEXTS)
def test_the_server_cuts_and_stems_words_as_the_embedded_index_does(
    client: Elasticsearch, analysed: str, text: str
) -> None:
    composed = unicodedata.normalize("NFC", text)  # as the adapter sends it
    assert terms(client, analysed, "wire_exact", composed) == analysis.words(text)
    assert terms(client, analysed, "wire_english", composed) == analysis.stems(text)


def test_codes_and_whole_names_are_compared_without_case_and_accents(client: Elasticsearch, analysed: str) -> None:
    for text in ("María NÚÑEZ", "IN", "https://Wire.example/É?a=B", "北京大学"):
        (token,) = client.indices.analyze(index=analysed, normalizer="wire_folded", text=text)["tokens"]
        assert token["token"] == analysis.fold(text)


def test_texts_in_other_languages_are_analysed_in_those_too(client: Elasticsearch, analysed: str) -> None:
    assert terms(client, analysed, mappings.languages()["fr"], "les chevaux") == terms(
        client, analysed, mappings.languages()["fr"], "cheval"
    )
    for analyzer in set(mappings.languages().values()):
        assert terms(client, analysed, analyzer, "Kashmir")


def test_words_differ_from_the_embedded_index_where_the_documentation_says_so(
    client: Elasticsearch, analysed: str
) -> None:
    for text, embedded, here in (("_", ["_"], []), ("Ⅷ", [], ["ⅷ"]), ('צה"ל', ["צה", "ל"], ['צה"ל'])):
        assert analysis.words(text) == embedded
        assert terms(client, analysed, "wire_exact", text) == here
