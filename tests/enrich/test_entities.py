"""Mentions joined into entities: acronyms, short names, titles, demonyms, places."""

from __future__ import annotations

from tests.enrich.spans import enrich, entity

PEOPLE = {"Imran Khan": "PERSON", "Khan": "PERSON", "Imran": "PERSON", "Sadiq Khan": "PERSON"}


def test_an_acronym_in_brackets_goes_to_its_long_form_everywhere() -> None:
    text = "The World Fishery Council (WFC) met. The WFC will meet again. A wfc is no council."
    found = enrich(text, {"World Fishery Council": "ORG"})
    assert [e.name for e in found.entities if e.text == "WFC"] == ["World Fishery Council"] * 2
    assert not any(e.text == "wfc" for e in found.entities)


def test_an_acronym_may_come_before_its_long_form() -> None:
    found = enrich("The NAB (National Accountability Bureau) arrested him. NAB said so.", {"NAB": "ORG"})
    assert {e.name for e in found.entities} == {"National Accountability Bureau"}


def test_an_acronym_of_a_place_is_a_place() -> None:
    text = "Troops entered Upper River Valley (URV) at night. URV is closed."
    found = enrich(text, {"Upper River Valley": "LOC"})
    assert {e.label for e in found.entities} <= {"LOC", "GPE"}
    assert entity(found, "URV").name == "Upper River Valley"


def test_a_bracket_that_spells_nothing_defines_nothing() -> None:
    found = enrich("The Fishery Board (BBC photo) met. Fishery Board (XYZ) said no.", {"Fishery Board": "ORG"})
    assert {e.name for e in found.entities} == {"Fishery Board"}


def test_a_surname_and_a_first_name_go_to_the_one_full_name() -> None:
    text = "Imran Khan arrived. Khan smiled. Imran left."
    assert {e.name for e in enrich(text, PEOPLE).entities} == {"Imran Khan"}


def test_a_surname_that_two_people_bear_goes_to_neither() -> None:
    text = "Imran Khan met Sadiq Khan. Khan smiled. Imran left."
    found = enrich(text, PEOPLE)
    assert entity(found, "Khan").name == "Khan"
    assert entity(found, "Imran").name == "Imran Khan"
    assert entity(found, "Sadiq Khan").name == "Sadiq Khan"


def test_a_form_of_address_tells_two_bearers_of_a_surname_apart() -> None:
    names = {"Maria Duarte": "PERSON", "Antonio Duarte": "PERSON", "Duarte": "PERSON"}
    found = enrich("Maria Duarte and Antonio Duarte came. Mrs Duarte sat down. Mr Duarte stood.", names)
    assert [e.name for e in found.entities if e.text == "Duarte"] == ["Maria Duarte", "Antonio Duarte"]


def test_a_middle_initial_makes_no_other_person() -> None:
    names = {"Robert J. Hale": "PERSON", "Robert Hale": "PERSON"}
    found = enrich("Robert Hale spoke. Robert J. Hale left.", names)
    assert len({e.name for e in found.entities}) == 1


def test_a_title_stands_beside_the_name_and_not_in_it() -> None:
    names = {"Donald Trump": "PERSON", "US": "LOC", "Prime Minister Kamal Thapa": "PERSON"}
    found = enrich("US President Donald Trump called. The former Prime Minister Kamal Thapa did not.", names)
    assert entity(found, "Donald Trump").title == "US President"
    assert entity(found, "Kamal Thapa").title == "former Prime Minister"


def test_a_possessive_mark_is_no_part_of_a_name() -> None:
    found = enrich("Khan’s party won. Modi's lost.", {"Khan’s": "PERSON", "Modi's": "PERSON"})
    assert [e.text for e in found.entities] == ["Khan", "Modi"]


def test_a_demonym_is_tied_to_its_country_and_joined_with_its_plural() -> None:
    found = enrich("Indian troops fired. The Indians withdrew.", {"Indian": "NORP", "Indians": "NORP"})
    assert {(e.name, e.country, e.label) for e in found.entities} == {("Indian", "IN", "NORP")}


def test_a_country_has_its_id_code_and_one_name_under_all_its_names() -> None:
    found = enrich(
        "The US and the United States agree. America too.", {"US": "LOC", "United States": "LOC", "America": "LOC"}
    )
    assert {(e.name, e.country, e.geonames, e.label) for e in found.entities} == {
        ("United States", "US", 6252001, "GPE")
    }


def test_an_ambiguous_city_is_decided_by_the_countries_around_it() -> None:
    names = {"Hyderabad": "LOC", "Karachi": "LOC", "Pakistan": "LOC", "Mumbai": "LOC", "India": "LOC"}
    assert entity(enrich("Pakistan: from Karachi to Hyderabad.", names), "Hyderabad").country == "PK"
    assert entity(enrich("India: from Mumbai to Hyderabad.", names), "Hyderabad").country == "IN"


def test_the_title_helps_to_place_a_city() -> None:
    from pipeline.enrich import Enricher
    from pipeline.settings import Settings
    from tests.enrich.spans import Spans

    enricher = Enricher(Settings(), model=Spans({"Hyderabad": "LOC"}))
    for title, code in (("Heat wave in Pakistan", "PK"), ("Heat wave in India", "IN")):
        (place,) = enricher.enrich("It was hot in Hyderabad.", title=title, language="en").entities
        assert place.country == code


def test_a_city_in_capitals_is_named_as_the_gazetteer_has_it() -> None:
    place = entity(enrich("Rain fell on ISLAMABAD today.", {"ISLAMABAD": "LOC"}), "ISLAMABAD")
    assert (place.name, place.country, place.label) == ("Islamabad", "PK", "GPE")
    assert place.latitude is not None
    assert abs(place.latitude - 33.7) < 0.2


def test_a_sea_is_a_location_and_a_disputed_region_has_no_country() -> None:
    found = enrich("Ships left the Red Sea for Kashmir.", {"Red Sea": "LOC", "Kashmir": "LOC"})
    assert entity(found, "Red Sea").label == "LOC"
    assert (entity(found, "Kashmir").label, entity(found, "Kashmir").country) == ("GPE", None)


def test_a_place_that_no_gazetteer_has_keeps_its_words_and_gets_no_id() -> None:
    place = entity(enrich("Fire broke out in Qorlbadun.", {"Qorlbadun": "LOC"}), "Qorlbadun")
    assert (place.name, place.geonames, place.country) == ("Qorlbadun", None, None)


def test_a_name_has_the_label_that_most_of_its_mentions_have() -> None:
    from pipeline.enrich.entities import join
    from pipeline.enrich.passage import Passage
    from pipeline.enrich.tagger import Mention

    text = "Trump spoke. Trump left. Trump slept."
    mentions = [Mention(0, 5, "PERSON", 0.9), Mention(13, 18, "NORP", 0.4), Mention(25, 30, "PERSON", 0.9)]
    assert [e.label for e in join(Passage(text), mentions).entities] == ["PERSON"] * 3
