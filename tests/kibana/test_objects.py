"""Kibana's saved objects: the file is what the script makes, and its parts hang together."""

from __future__ import annotations

import json
from typing import Any

from scripts import kibana

OBJECTS: list[dict[str, Any]] = [json.loads(line) for line in kibana.OUT.read_text("utf-8").splitlines()]


def test_the_file_is_what_the_script_writes() -> None:
    assert kibana.OUT.read_text("utf-8") == kibana.text()


def test_no_two_objects_have_one_id() -> None:
    keys = [(each["type"], each["id"]) for each in OBJECTS]
    assert len(keys) == len(set(keys))


def test_what_an_object_refers_to_comes_before_it() -> None:
    seen: set[tuple[str, str]] = set()
    for each in OBJECTS:
        for reference in each["references"]:
            assert (reference["type"], reference["id"]) in seen, (each["id"], reference)
        seen.add((each["type"], each["id"]))


def test_every_panel_names_its_reference_and_none_lies_on_another() -> None:
    for board in (each for each in OBJECTS if each["type"] == "dashboard"):
        names = {reference["name"] for reference in board["references"]}
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(board["attributes"]["panelsJSON"]):
            assert f"{panel['panelIndex']}:{panel['panelRefName']}" in names
            grid = panel["gridData"]
            cells = {
                (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
            }
            assert max(x for x, _ in cells) < 48
            assert not cells & taken, (board["id"], panel["panelIndex"])
            taken |= cells
        for key in json.loads(board["attributes"].get("controlGroupInput", {}).get("panelsJSON", "{}")):
            assert f"controlGroup_{key}:optionsListDataView" in names


def test_the_searches_and_boards_that_are_promised_are_there() -> None:
    titles = {(each["type"], each["attributes"]["title"]) for each in OBJECTS}
    assert {("search", title) for title in ("Kashmir", "Anonymous sources", "Denials")} <= titles
    assert {("dashboard", title) for title in ("Newsroom", "Claims", "Operations")} <= titles
