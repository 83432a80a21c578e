"""Pinned packages are held against the holes that are known of them, without a network."""

from __future__ import annotations

import pytest

from scripts.holes import findings, main

HOLE = {"package": "parser", "fixed": "2.10.0", "id": "CVE-1", "about": "it falls over"}
CASES = [
    ("closed", ["2.10.0"], HOLE, []),
    ("compared_as_versions", ["2.9.9"], HOLE, ["parser 2.9.9 has CVE-1 (it falls over): 2.10.0 closes it"]),
    ("one_of_two", ["2.11", "1.0"], HOLE, ["parser 1.0 has CVE-1"]),
    ("not_pinned", [], HOLE, []),
    ("accepted", ["1.0"], HOLE | {"accepted": "why"}, []),
    ("accepted_in_vain", ["2.10.0"], HOLE | {"accepted": "why"}, ["parser: CVE-1 (it falls over) is accepted, and no"]),
]


@pytest.mark.parametrize(("versions", "hole", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_pinned_package_with_a_known_hole_is_named(
    versions: list[str], hole: dict[str, str], said: list[str]
) -> None:
    locked = [{"name": "parser", "version": version} for version in versions] + [{"name": "other", "version": "0.1"}]
    found = list(findings(locked, [hole]))
    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


def test_nothing_that_we_pin_has_a_known_hole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().err
