"""Bylines: whom a line names."""

from __future__ import annotations

import pytest

from pipeline.extract import byline


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("By Jane Doe", ("Jane Doe",)),
        ("By Jane Doe in Islamabad and John Roe", ("Jane Doe", "John Roe")),
        ("Jane Doe, John Roe and Ann Poe", ("Jane Doe", "John Roe", "Ann Poe")),
        ("Jane Doe, John Roe, and Ann Poe", ("Jane Doe", "John Roe", "Ann Poe")),
        ("Felix Maurer und Jörg Soldan, dpa", ("Felix Maurer", "Jörg Soldan", "dpa")),
        ("Reuters", ("Reuters",)),
        ("Jane Doe, Reuters", ("Jane Doe", "Reuters")),
        ("Jane Doe | jane.doe@paper.example", ("Jane Doe",)),
        ("Jane Doe, Senior Political Correspondent", ("Jane Doe",)),
        ("Political correspondent Jane Doe", ("Jane Doe",)),
        ("Elena Oberho (obe)", ("Elena Oberho",)),
        ("José Ortega y Gasset", ("José Ortega y Gasset",)),
        ("Ana Ruiz y Luis Gómez", ("Ana Ruiz", "Luis Gómez")),
        ("Written by: Jane Doe", ("Jane Doe",)),
        ("신현주 기자", ("신현주",)),
        ("松岡大地", ("松岡大地",)),
        ("https://www.facebook.com/paper", ()),
        ("@janedoe", ()),
        ("12345", ()),
        ("", ()),
        ("Tom Sanders-Brooks", ("Tom Sanders-Brooks",)),
        ("Anders And", ("Anders And",)),
    ],
)
def test_a_byline_is_split_into_the_names_it_holds(text: str, names: tuple[str, ...]) -> None:
    assert byline.parse([text]) == names


def test_a_name_given_twice_is_named_once() -> None:
    assert byline.parse(["Jane Doe", "jane doe", "John Roe"]) == ("Jane Doe", "John Roe")


def test_words_that_open_bylines_but_are_names_too_go_only_from_visible_bylines() -> None:
    assert byline.parse(["Von Miller"]) == ("Von Miller",)
    assert byline.parse(["Von Anna Muster, Berlin, 12.03.2026, 14:05 Uhr"], visible=True)[0] == "Anna Muster"


def test_a_role_stands_where_no_name_does() -> None:
    assert byline.parse(["Staff reporter"]) == ("Staff reporter",)
    assert byline.parse(["Jane Doe, staff reporter"]) == ("Jane Doe",)
