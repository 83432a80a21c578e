"""Rules files: what can be said in them, and what a mistake in them costs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pytest

from pipeline.alerts.files import Entry, made_rule, read_folder, settle, stamp
from pipeline.alerts.rules import Rule, Secret, channel_from, rule_from, schema
from pipeline.alerts.timing import Throttle, read_digest, read_quiet_hours

GOOD = """\
# yaml-language-server: $schema=rule.schema.json
rules:
  - name: kashmir
    query: kashmir AND NOT cricket
    severity: high
    channels: [desk, log]
  - name: Indian denial
    claims: class:deny AND kashmir AND role:official
    sources: [Meridian News Agency]
    languages: [en, no]
    min_sources: 2
    throttle: every 30 minutes
    digest: daily at 08:00 Asia/Kolkata
    quiet_hours: 22:00-07:00 Asia/Kolkata
    template: "{{ alert.headline }}"
channels:
  desk:
    type: webhook
    url: https://desk.example/hook
    secret: {env: DESK_SECRET}
"""


def write(folder: Path, text: str, name: str = "rules.yaml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def faults(folder: Path, before: tuple[Entry, ...] = ()) -> list[str]:
    return [str(fault) for fault in settle(read_folder(folder), before)[1]]


def in_force(folder: Path, before: tuple[Entry, ...] = ()) -> dict[str, Entry]:
    return {entry.name: entry for entry in settle(read_folder(folder), before)[0] if entry.kind == "rule"}


def test_a_file_of_rules_is_read_as_written(tmp_path: Path) -> None:
    rules = {name: made_rule(entry) for name, entry in in_force(write(tmp_path / "rules", GOOD)).items()}
    assert rules["kashmir"] == Rule(
        name="kashmir", query="kashmir AND NOT cricket", severity="high", channels=("desk", "log")
    )
    denial = rules["Indian denial"]
    assert denial.languages == ("en", "no")  # in YAML 1.1 the second would be false
    assert denial.throttle == Throttle(once=False, minutes=30)
    assert denial.quiet_hours == read_quiet_hours("22:00-07:00 Asia/Kolkata")
    assert faults(tmp_path / "rules") == []


def test_one_rule_a_file_and_a_bare_list_are_files_too(tmp_path: Path) -> None:
    write(tmp_path, "name: one\nquery: kashmir\n", "one.yaml")
    write(tmp_path, "- {name: two, query: oil}\n- {name: three, claims: 'class:deny'}\n", "list.yml")
    write(tmp_path, "name: editor's own\n", ".one.yaml.swp.yaml")
    assert set(in_force(tmp_path)) == {"one", "two", "three"}


WRONG = {
    "a word that is no part of a rule": ("- name: a\n  query: x\n  quary: y\n", "line 3: a: a rule has no 'quary'; did you mean 'query'?"),
    "a query that cannot be read": ("- name: a\n  query: kashmir AND\n", "line 2: a: query: AND needs something on both sides"),
    "a field of claims in a query over articles": ("- name: a\n  query: anonymous:true\n", "line 2: a: query: articles have no field 'anonymous'"),
    "neither query nor claims": ("- name: a\n  severity: low\n", "line 1: a: a rule needs a 'query' over articles"),
    "a severity that there is not": ("- name: a\n  query: x\n  severity: dire\n", "line 3: a: severity: "),
    "a channel that there is not": ("- name: a\n  query: x\n  channels: [desk]\n", "line 1: a: there is no channel 'desk'"),
    "a zone that there is not": ("- name: a\n  query: x\n  digest: daily at 08:00 Mars/Base\n", "line 3: a: digest: 'Mars/Base' is no time zone"),
    "a day that there is not": ("- name: a\n  query: x\n  digest: weekly on noday at 08:00\n", "line 3: a: digest: "),
    "a time that there is not": ("- name: a\n  query: x\n  quiet_hours: 22:00-27:00\n", "line 3: a: quiet_hours: '27:00' is no time of day"),
    "a throttle that is none": ("- name: a\n  query: x\n  throttle: seldom\n", "line 3: a: throttle: "),
    "a template that cannot be read": ("- name: a\n  query: x\n  template: '{{ alert'\n", "line 3: a: template: "),
    "a key that is there twice": ("- name: a\n  query: x\n  query: y\n", "line 3: a: 'query' is there twice"),
    "a rule without a name": ("- query: x\n", "line 1: a rule is a table with a 'name'"),
    "a name that stands twice": ("- {name: a, query: x}\n- {name: a, query: y}\n", "line 2: a: a rule of this name stands in rules.yaml, line 1"),
    "a credential in the file": ("channels:\n  desk:\n    type: webhook\n    url: https://me:secret@desk.example/\n", "line 4: desk: url: "),
    "a service's address in the file": ("channels:\n  chat:\n    type: apprise\n    url: slack://token\n", "line 4: chat: url: "),
    "a channel of the house's name": ("channels:\n  log:\n    type: jsonl\n    path: x.jsonl\n", "line 2: log: 'log' is the name of a channel that is always there"),
    "no YAML": ("- name: [a\n", "line 2: this is no YAML"),
    "a tag": ("- name: a\n  query: !!python/object:os.system x\n", "line 2: a: tags such as"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_line_and_costs_only_itself(name: str, tmp_path: Path) -> None:
    text, said = WRONG[name]
    write(tmp_path, text)
    write(tmp_path, "name: good\nquery: kashmir\n", "good.yaml")
    found = faults(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(f"rules.yaml, {said}"), found
    assert "good" in in_force(tmp_path)


def test_a_file_that_is_not_in_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_bytes(b"- name: a\n  query: k\xe9\n")
    assert faults(tmp_path) == ["rules.yaml, line 2: the file is not in UTF-8"]


def test_aliases_within_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    write(tmp_path, "name: a\nquery: x\n" + "\n".join(lines) + "\n")
    assert "more than" in faults(tmp_path)[0]


def test_a_rule_that_turns_bad_stays_in_force_as_it_last_was_good(tmp_path: Path) -> None:
    before, _ = settle(read_folder(write(tmp_path, GOOD)), ())
    write(tmp_path, GOOD.replace("kashmir AND NOT cricket", "kashmir AND NOT"))
    now = in_force(tmp_path, before)["kashmir"]
    assert made_rule(now).query == "kashmir AND NOT cricket"
    assert now.fault is not None
    assert "nothing follows NOT" in now.fault
    mended = in_force(write(tmp_path, GOOD.replace("cricket", "polo")), before)["kashmir"]
    assert (made_rule(mended).query, mended.fault) == ("kashmir AND NOT polo", None)


def test_rules_of_a_file_that_cannot_be_read_stay_in_force(tmp_path: Path) -> None:
    before, _ = settle(read_folder(write(tmp_path, GOOD)), ())
    write(tmp_path, GOOD + "  ]\n")
    kept, found = settle(read_folder(tmp_path), before)
    assert {entry.name for entry in kept} == {"kashmir", "Indian denial", "desk"}
    assert all(entry.fault for entry in kept)
    assert len(found) == 1


def test_a_rule_that_loses_its_name_by_mistake_stays_in_force(tmp_path: Path) -> None:
    before, _ = settle(read_folder(write(tmp_path, GOOD)), ())
    write(tmp_path, GOOD.replace("- name: kashmir", "- nmae: kashmir"))
    assert set(in_force(tmp_path, before)) == {"kashmir", "Indian denial"}


def test_a_rule_that_is_taken_out_is_gone(tmp_path: Path) -> None:
    before, _ = settle(read_folder(write(tmp_path, GOOD)), ())
    write(tmp_path, "rules:\n  - {name: kashmir, query: kashmir}\n")
    assert set(in_force(tmp_path, before)) == {"kashmir"}
    (tmp_path / "rules.yaml").unlink()
    assert in_force(tmp_path, before) == {}


def test_a_folder_that_is_gone_takes_no_rule_with_it(tmp_path: Path) -> None:
    before, _ = settle(read_folder(write(tmp_path, GOOD)), ())
    kept = in_force(tmp_path / "unmounted", before)
    assert set(kept) == {"kashmir", "Indian denial"}
    assert all("folder is not there" in str(entry.fault) for entry in kept.values())


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    before = stamp(write(tmp_path, GOOD))
    assert stamp(tmp_path) == before
    write(tmp_path, GOOD + "# more\n")
    assert stamp(tmp_path) != before


def test_the_schema_is_one_and_holds_for_whole_files(tmp_path: Path) -> None:
    validator = jsonschema_rs.validator_for(schema())
    good = {"rules": [{"name": "a", "query": "x"}], "channels": {"d": {"type": "jsonl", "path": "x"}}}
    assert validator.is_valid(good)
    assert validator.is_valid({"name": "a", "claims": "class:deny"})
    for bad in (
        {"rules": [{"name": "a"}]},
        {"name": "a"},
        {"channels": {"d": {"type": "pigeon"}}},
        {"rules": [], "x": 1},
    ):
        assert not validator.is_valid(bad), bad
    json.dumps(schema())


def test_a_secret_is_named_and_not_held() -> None:
    channel = channel_from("chat", {"type": "apprise", "url": {"env": "CHAT_URL"}})
    assert channel.url == Secret(env="CHAT_URL")


AT = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)  # a Wednesday
DIGESTS = [
    ("hourly", "2026-11-25T11:00"),
    ("daily at 08:00", "2026-11-26T08:00"),
    ("daily at 10:31", "2026-11-25T10:31"),
    ("daily at 10:30", "2026-11-26T10:30"),
    ("daily at 17:00 Asia/Kolkata", "2026-11-25T11:30"),
    ("weekly on wednesday at 10:00", "2026-12-02T10:00"),
    ("weekly on monday at 09:00 America/New_York", "2026-11-30T14:00"),
    ("weekly on Wednesday at 23:00 Pacific/Auckland", "2026-12-02T10:00"),
]


@pytest.mark.parametrize(("text", "expected"), DIGESTS)
def test_a_digest_goes_out_at_its_time_in_its_zone(text: str, expected: str) -> None:
    assert read_digest(text).next(AT) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


QUIET = [
    ("22:00-07:00", "2026-11-25T23:10", "2026-11-26T07:00"),
    ("22:00-07:00", "2026-11-25T06:59", "2026-11-25T07:00"),
    ("22:00-07:00", "2026-11-25T07:00", None),
    ("22:00-07:00", "2026-11-25T12:00", None),
    ("09:00-17:00", "2026-11-25T09:00", "2026-11-25T17:00"),
    ("09:00-17:00", "2026-11-25T17:00", None),
    ("22:00-07:00 Asia/Kolkata", "2026-11-25T17:00", "2026-11-26T01:30"),
    ("22:00-07:00 Asia/Kolkata", "2026-11-25T16:00", None),
]


@pytest.mark.parametrize(("text", "now", "until"), QUIET)
def test_quiet_hours_end_when_they_say(text: str, now: str, until: str | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = None if until is None else datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert read_quiet_hours(text).until(at) == expected


def test_a_rule_may_name_only_what_the_schema_lists() -> None:
    parts = set(schema()["$defs"]["rule"]["properties"])
    assert parts == set(Rule.__dataclass_fields__)
    assert rule_from({"name": "a", "query": "x"}) == Rule(name="a", query="x")
