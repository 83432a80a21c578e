"""Extraction on the recorded wire, against the floors that ``make eval`` holds too."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bench.quality import extraction

FLOORS = Path(extraction.__file__).with_name("floors.toml")


@pytest.mark.slow
def test_the_recorded_wire_is_extracted_as_well_as_before() -> None:
    report = extraction.measure("")
    if report.skipped:
        pytest.skip(report.skipped)
    floors = tomllib.loads(FLOORS.read_text("utf-8"))["extraction"]
    assert {name: figure for name, figure in report.figures.items() if figure < floors[name]} == {}
