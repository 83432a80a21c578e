"""The whole pipeline against the newsroom: everything that it published is found, and its faults are seen for what they
are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo import Newsroom
from pipeline.index import Kind, SearchRequest, open_index
from pipeline.records import PageKind
from pipeline.settings import load_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    """What ``wirewatch demo --json`` says of a run in that folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WIREWATCH_")}
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "demo", "--data", str(folder), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert isinstance(said, dict)
    return said


@pytest.fixture(scope="module")
def last_edition() -> Newsroom:
    """The gold for what the demo saw: not served, only read."""
    room = Newsroom()
    while room.advance():
        pass
    return room


def test_every_story_of_every_edition_ends_in_one_counted_outcome(report, last_edition):
    items = report["items"]
    assert sum(items.values()) == len(last_edition.articles)
    assert items["quarantined"] == items["seen"] == items["fetched"] == items["dropped"] == 0
    pages_without_article = [a for a in last_edition.articles.values() if a.kind is not PageKind.ARTICLE]
    assert items["skipped"] <= len(pages_without_article)
    assert report["articles"] == items["indexed"]


def test_only_the_feed_that_is_html_fails(report):
    failing = [feed for feed in report["feeds"] if feed["reason"]]
    assert len(report["feeds"]) == 9
    assert [feed["reason"] for feed in failing] == ["the response is an HTML page"]


def test_kashmir_is_found_in_articles_and_in_claims(report):
    assert report["kashmir"]["articles"] >= 9
    assert report["kashmir"]["claims"] >= 5


def test_the_page_that_is_forbidden_is_found_by_its_feeds_text(report, folder):
    index = open_index(load_settings(folder))
    found = index.search(SearchRequest(query="body_source:feed"))
    index.close()
    titles = {hit.record["article"]["title"]: hit.record["article"] for hit in found.hits}
    inside = titles["Inside the Muscat room: how a list of names brought two enemies to one table"]
    assert "403" in inside["body_reason"]
    assert "the furniture of a private meeting" in inside["body"]
    files = titles["The missing land files: how 300 titles left a registry in a minibus"]
    assert "robots.txt" in files["body_reason"]


def test_the_denial_and_the_confirmation_are_both_found_under_the_spokesmans_name(report, folder):
    index = open_index(load_settings(folder))
    told = index.search(SearchRequest(query="speaker_text:sethuraman", kind=Kind.CLAIMS, limit=50))
    index.close()
    titles = {hit.record["title"] for hit in told.hits}
    assert "India denies secret talks with Pakistan on Kashmir crossing" in titles
    assert "In reversal, India confirms contacts with Pakistan over Kashmir crossing" in titles


def test_the_kashmir_rule_and_a_rule_of_claims_have_fired_and_are_shown(report, folder):
    fired = {alert["rule"]: alert["headline"] for alert in report["alerts"]}
    assert "Kashmir" in fired["kashmir"]
    assert "Army now says" in fired["the army on the firing"]
    told = [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]
    assert told


def shown(folder: Path, query: str, *options: str) -> str:
    """What ``wirewatch show`` says of the one article that a query finds."""
    index = open_index(load_settings(folder))
    (hit,) = index.search(SearchRequest(query=query)).hits
    index.close()
    command = [sys.executable, "-m", "pipeline", "show", hit.id, "--data", str(folder), *options]
    done = subprocess.run(command, env=os.environ | {"COLUMNS": "200"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_show_tells_a_denials_place_in_its_story_and_what_stands_against_it(report, folder):
    said = shown(folder, 'title:"India denies secret talks"')
    assert "1439 minutes after Meridian News Agency" in said
    assert "4 independent sources" in said
    carriers = said[said.index("carried by") :]
    assert "The Yamuna Standard" in carriers
    assert "In reversal, India confirms contacts with Pakistan over Kashmir crossing" in carriers
    reversal = next(part for part in said.splitlines() if "reversal?" in part)
    assert "confirmed" in reversal
    assert "a machine's guess" in said


def test_show_tells_which_sentences_and_claims_a_correction_changed(report, folder):
    query = 'status:corrected AND title:"Ferry fire"'
    said = shown(folder, query)
    assert "corrected" in said
    assert said.index("version 2") < said.index("version 1")
    whole = json.loads(shown(folder, query, "--json"))
    first, second = whole["versions"]
    assert (first["difference"], second["number"]) == (None, 2)
    assert second["difference"]["sentences"]
    assert any("speaker-changed" in change["what"] for change in second["difference"]["claims"])
    assert "speaker changed" in said
    for change in second["difference"]["sentences"][:3]:
        for words in (change["before"], change["after"]):
            if words:
                assert words[:40] in said
