"""The command line as its users meet it: what it prints, its JSON, its exit codes, and what it makes of bad input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipeline.cli import MODULES, application, modules_for
from pipeline.cli.terminal import FAILED, SETTINGS, STORAGE, USAGE, clean
from pipeline.demo import Newsroom
from pipeline.flow import utc_now
from pipeline.ledger import open_ledger
from tests.support.server import Reply, ScriptedServer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Call = Callable[..., Result]


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom(NOW, slow=0.1) as room:
        yield room


def caller(data: Path, hosts: tuple[str, ...]) -> Call:
    environment = {
        "WIREWATCH_DATA": str(data),
        "WIREWATCH_ALLOW_HOSTS": ",".join(hosts),
        "WIREWATCH_HOST_DELAY": "0",
    }

    def call(*args: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(application(), [*args], env=environment, input=stdin)

    return call


@pytest.fixture(scope="module")
def wire(newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """A data folder on which the newsroom's feeds were added and run once."""
    call = caller(tmp_path_factory.mktemp("data"), newsroom.hosts)
    added = call("feeds", "add", *(feed.url for feed in newsroom.feeds if feed.works))
    assert added.exit_code == 0, added.output
    ran = call("run", "--once", "--quiet")
    assert ran.exit_code == 0, ran.output
    return call


def records(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_search_prints_hits_with_their_sources_and_the_total(wire: Call) -> None:
    result = wire("search", "kashmir")
    assert result.exit_code == 0
    assert "Kashmir" in result.stdout
    assert "articles" in result.stdout.splitlines()[-1]


def test_search_in_json_is_one_line_with_hits_facets_and_histogram(wire: Call) -> None:
    (found,) = records(
        wire(
            "search",
            "kashmir",
            "--json",
            "--facet",
            "source",
            "--facet",
            "language",
            "--histogram",
            "day",
            "--limit",
            "2",
        )
    )
    assert len(found["hits"]) == 2
    assert found["total"] >= 5
    assert {facet["value"] for facet in found["facets"]["language"]} == {"en"}
    assert sum(facet["count"] for facet in found["facets"]["source"]) == found["total"]
    assert sum(bar["count"] for bar in found["histogram"]) == found["total"]
    assert "\x02" in found["hits"][0]["highlights"]["body"][0]


def test_claims_are_searched_by_what_they_say_and_how(wire: Call) -> None:
    (found,) = records(wire("search", "--claims", "class:deny", "--json"))
    assert found["total"] > 0
    assert {hit["claim"]["cue"]["class"] for hit in found["hits"]} == {"deny"}


def test_pages_of_hits_follow_one_another_without_gap_or_repeat(wire: Call) -> None:
    (whole,) = records(wire("search", "--json", "--sort", "newest", "--limit", "100"))
    seen, cursor = [], None
    while True:
        more = ("--after", cursor) if cursor else ()
        (page,) = records(wire("search", "--json", "--sort", "newest", "--limit", "7", *more))
        seen += [hit["id"] for hit in page["hits"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [hit["id"] for hit in whole["hits"]]


def test_time_and_source_narrow_a_search(wire: Call, newsroom: Newsroom) -> None:
    (found,) = records(wire("search", "--json", "--from", "2026-11-20", "--to", "2026-11-20", "--limit", "100"))
    assert found["total"] > 0
    assert all(hit["article"]["published"].startswith("2026-11-20") for hit in found["hits"])
    source = found["hits"][0]["article"]["source"]
    (mine,) = records(wire("search", "--json", "--source", source, "--limit", "100"))
    assert {hit["article"]["source"] for hit in mine["hits"]} == {source}


def test_a_query_that_cannot_be_read_is_marked_where_it_fails(wire: Call) -> None:
    result = wire("search", "kashmir AND (india")
    assert result.exit_code == USAGE
    complaint, query, mark = result.stderr.splitlines()[:3]
    assert complaint.startswith("error: ")
    assert query.strip() == "kashmir AND (india"
    assert mark.strip() == "^"
    assert query[mark.index("^")] == "("


def test_a_time_that_cannot_be_read_names_its_option(wire: Call) -> None:
    result = wire("search", "kashmir", "--from", "yesterdayish")
    assert result.exit_code == USAGE
    assert "--from" in result.stderr


def test_a_time_outside_the_calendar_names_its_option_and_the_last_day_works(wire: Call) -> None:
    for when in ("99999999d", "9" * 5_000 + "d", "²d", "0001-01-01T00:00+10:00"):
        result = wire("search", "--from", when)
        assert (result.exit_code, result.stdout) == (USAGE, "")
        assert result.stderr.startswith("error: --from: ")
    (everything,) = records(wire("search", "--json"))
    (found,) = records(wire("search", "--json", "--to", "9999-12-31"))
    assert found["total"] == everything["total"] > 0


def test_what_is_wrong_beside_the_query_is_named_by_its_option_without_a_mark(wire: Call) -> None:
    cursor = records(wire("search", "--json", "--limit", "1"))[0]["next"]
    for args in (
        ("--after", "nonsense"),
        ("--after", cursor),
        ("--facet", "nosuch"),
        ("--from", "2026-11-21", "--to", "2026-11-19"),
    ):
        for more in ((), ("--json",)):
            result = wire("search", "kashmir", *args, *more)
            assert (result.exit_code, result.stdout) == (USAGE, "")
            (complaint,) = result.stderr.splitlines()
            assert complaint.startswith(f"error: {args[0]}: ")


def test_pages_of_the_last_days_go_on_although_the_clock_does(wire: Call) -> None:
    first = ("search", "--json", "--from", "5200w", "--limit", "3")
    (page,) = records(wire(*first))
    (more,) = records(wire(*first, "--after", page["next"]))
    assert not {hit["id"] for hit in page["hits"]} & {hit["id"] for hit in more["hits"]}


def test_a_long_query_is_shown_around_the_place_where_it_fails(wire: Call) -> None:
    result = wire("search", "kashmir OR " * 400 + "titel:x" + " OR india" * 400)
    complaint, query, mark = result.stderr.splitlines()
    assert "'title'" in complaint
    assert len(query) < 80
    assert query[mark.index("^") :].startswith("titel:x")


def test_a_query_with_control_characters_is_shown_escaped_with_the_mark_in_place(wire: Call) -> None:
    result = wire("search", "a\x1b[2Jb")
    assert (result.exit_code, "\x1b" in result.stderr) == (USAGE, False)
    _, query, mark = result.stderr.splitlines()
    assert query[mark.index("^") :].startswith("[2Jb")
    assert "\\x1b" in query
    _, query, mark = wire("search", "新华社 titel:x").stderr.splitlines()
    assert mark.index("^") == 2 + 2 * 3 + 1  # those characters are two columns wide


def test_a_folder_without_data_is_not_made_by_looking_into_it(tmp_path: Path) -> None:
    for args in (("search", "kashmir"), ("show", "abcdef")):
        result = caller(tmp_path / "none", ())(*args)
        assert result.exit_code == FAILED
        assert f"there is no Wirewatch data in {tmp_path / 'none'} yet" in result.stderr
        assert "wirewatch feeds add" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_empty_or_occupied_name_for_the_data_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for args in (("search", "--data", ""), ("--data", "", "search")):
        result = caller(tmp_path, ())(*args)
        assert (result.exit_code, "--data" in result.stderr) == (USAGE, True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    result = caller(tmp_path / "file", ())("search")
    assert (result.exit_code, len(result.stderr.splitlines())) == (SETTINGS, 1)
    assert "is a file, not a folder" in result.stderr


def test_show_prints_an_article_whole_and_its_json_round_trips(wire: Call, newsroom: Newsroom) -> None:
    (found,) = records(wire("search", "title:kashmir", "--json", "--limit", "1"))
    key = found["hits"][0]["id"]
    shown = wire("show", key[:8])
    assert shown.exit_code == 0
    assert found["hits"][0]["article"]["url"] in shown.stdout
    assert ".warc.gz at byte" in shown.stdout
    (whole,) = records(wire("show", key, "--json"))
    assert whole["article"] == found["hits"][0]["article"]
    assert whole["sightings"]
    body = whole["article"]["body"]
    for claim in whole["enriched"]["claims"]:
        for part in (claim["speaker"], claim["cue"]):
            assert part is None or body[part["start"] : part["end"]] == part["text"]


def test_what_is_not_there_is_said_with_exit_code_one(wire: Call) -> None:
    result = wire("show", "ffffffffffff")
    assert result.exit_code == FAILED
    assert "no such article" in result.stderr
    assert wire("feeds", "remove", "http://nowhere.example/feed").exit_code == FAILED
    assert wire("feeds", "check", "http://nowhere.example/feed").exit_code == FAILED


def test_status_adds_up(wire: Call, newsroom: Newsroom) -> None:
    (status,) = records(wire("status", "--json"))
    assert sum(status["items"].values()) == len(newsroom.articles)
    assert status["items"]["indexed"] == status["index"]["articles"]
    assert status["owed"]["index"] == {"now": 0, "later": 0, "in_hand": 0}
    assert "owed" in wire("status").stdout


def test_feeds_list_and_check_speak_of_every_feed(wire: Call, newsroom: Newsroom) -> None:
    listed = records(wire("feeds", "list", "--json"))
    assert len(listed) == sum(feed.works for feed in newsroom.feeds)
    assert "last success" in wire("feeds", "list").stdout
    checked = records(wire("feeds", "check", "--json"))
    assert all(feed["ok"] and feed["health"] for feed in checked)


def test_opml_comes_back_as_it_went_out(wire: Call, newsroom: Newsroom, tmp_path: Path) -> None:
    exported = wire("feeds", "export").stdout
    file = tmp_path / "feeds.opml"
    file.write_text(exported)
    other = caller(tmp_path / "other", newsroom.hosts)
    (count,) = records(other("feeds", "import", str(file), "--json"))
    assert count == {"added": len(records(wire("feeds", "list", "--json"))), "known": 0, "skipped": 0}
    (again,) = records(other("feeds", "import", "-", "--json", stdin=exported))
    assert again["added"] == 0
    assert {feed["url"] for feed in records(other("feeds", "list", "--json"))} == {
        feed["url"] for feed in records(wire("feeds", "list", "--json"))
    }


def test_what_an_opml_file_lists_and_nobody_can_poll_is_named(tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(
        '<opml version="2.0"><body>\n<outline type="rss" text="Good" xmlUrl="https://example.org/feed"/>\n'
        '<outline type="rss" text="Bad" xmlUrl="file:///etc/passwd"/>\n</body></opml>'
    )
    result = caller(tmp_path / "data", ())("feeds", "import", str(file))
    assert result.exit_code == FAILED
    assert "1 feed added, 0 already there, 1 skipped" in result.stdout
    assert "line 3" in result.stderr
    assert "file:///etc/passwd" in result.stderr


def test_show_says_by_which_headline_a_story_goes_and_when_each_carrier_had_it(wire: Call) -> None:
    (found,) = records(wire("search", "*", "--limit", "100", "--json"))
    shared = next(hit for hit in found["hits"] if len(hit["placement"]["carriers"]) > 1)
    first, *others = shared["placement"]["carriers"]
    shown = " ".join(wire("show", shared["article"]["id"]).stdout.split())
    assert f"story {' '.join(first['title'].split())} (" in shown
    assert first["time"][:16].replace("T", " ") in shown
    assert all(other["time"][11:16] in shown for other in others)
    sources = shared["placement"]["independent_sources"]
    assert f"{sources} independent source{'' if sources == 1 else 's'}, id {shared['placement']['story']})" in shown


def test_by_what_a_feed_s_entries_are_known_is_set_shown_exported_and_imported(tmp_path: Path) -> None:
    feed = b'<rss version="2.0"><channel><title>News</title><item><guid>1</guid><title>A</title></item></channel></rss>'
    with ScriptedServer() as server:
        server.on("/feed", Reply(feed, headers={"Content-Type": "application/rss+xml"}))
        here = caller(tmp_path / "here", server.hosts)
        (added,) = records(here("feeds", "add", server.url("/feed"), "--identity", "guid", "--json"))
        assert added["feed"]["identity"] == "guid"
        again = here("feeds", "add", server.url("/feed"), "--identity", "title")
        assert "known by guid as before; wirewatch feeds set changes that" in again.stderr
        (set_,) = records(
            here("feeds", "set", server.url("/feed"), "--identity", "title", "--source", "Harbour Times", "--json")
        )
        assert (set_["feed"]["identity"], set_["feed"]["source"]) == ("title", "Harbour Times")
        assert "known by title" in here("feeds", "list").stdout
        assert "known by source and headline" in " ".join(here("feeds", "check").stdout.split())
        there = caller(tmp_path / "there", server.hosts)
        there("feeds", "import", "-", stdin=here("feeds", "export").stdout)
        (listed,) = records(there("feeds", "list", "--json"))
        assert (listed["identity"], listed["source"]) == ("title", "Harbour Times")
        assert here("feeds", "set", server.url("/feed")).exit_code == FAILED
        assert here("feeds", "set", "http://nowhere.example/", "--identity", "url").exit_code == FAILED
        assert here("feeds", "set", server.url("/feed"), "--identity", "smell").exit_code == USAGE


def test_a_feed_is_added_with_one_request_and_a_site_with_two(tmp_path: Path) -> None:
    feed = (
        b'<rss version="2.0"><channel><title>News</title><item><title>A</title><link>/a</link></item></channel></rss>'
    )
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head><body>News</body></html>'
    with ScriptedServer() as server:
        server.on("/feed", Reply(feed, headers={"Content-Type": "application/rss+xml"}))
        server.on("/", Reply(page, headers={"Content-Type": "text/html"}))
        direct = caller(tmp_path / "direct", server.hosts)
        (added,) = records(direct("feeds", "add", server.url("/feed"), "--json"))
        assert (added["added"], added["entries"]) == (True, 1)
        assert server.paths == ["/feed"]
        by_site = caller(tmp_path / "site", server.hosts)
        (added,) = records(by_site("feeds", "add", server.url("/"), "--json"))
        assert added["feed"]["url"] == server.url("/feed")
        assert server.paths == ["/feed", "/", "/feed"]
        (again,) = records(by_site("feeds", "add", server.url("/feed"), "--json"))
        assert again["added"] is False
        assert len(server.paths) == 3


def test_an_address_without_a_feed_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        server.on("/", Reply(b"<html><body>Nothing here.</body></html>", headers={"Content-Type": "text/html"}))
        call = caller(tmp_path, server.hosts)
        result = call("feeds", "add", server.url("/"))
        assert result.exit_code == FAILED
        assert server.url("/") in result.stderr
        assert records(call("feeds", "list", "--json")) == []


def test_a_private_address_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        result = caller(tmp_path, ())("feeds", "add", server.url("/feed"))
        assert result.exit_code == FAILED
        assert "WIREWATCH_ALLOW_HOSTS" in result.stderr or "allow" in result.stderr
        assert server.paths == []


def test_extract_gives_one_line_of_json_a_page_and_goes_on_after_a_bad_one(wire: Call, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<html lang=en><head><title>Dam levels fall</title></head><body><article><h1>Dam levels fall</h1>"
        + "<p>Water in the three dams above the city fell to a third on Friday, the utility said in its report.</p>" * 3
        + "</article></body></html>"
    )
    result = wire("extract", str(tmp_path / "missing.html"), str(page), "--json")
    assert result.exit_code == FAILED
    assert "missing.html" in result.stderr
    (record,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert list(record)[:7] == ["path", "url", "title", "authors", "published", "language", "body"]
    assert (record["path"], record["title"], record["language"]) == (str(page), "Dam levels fall", "en")
    assert "third on Friday" in record["body"]


TEXT = 'The dam is safe, the mayor said. "We checked it twice," Ruta Okafor, the mayor, told reporters on Monday.\n'


def test_enrich_gives_one_line_of_json_a_text_with_offsets_into_it(wire: Call, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text(TEXT)
    from_file, from_input = (
        records(wire("enrich", str(file), "--json")),
        records(wire("enrich", "-", "--json", stdin=TEXT)),
    )
    assert from_file[0] | {"path": "-"} == from_input[0]
    (record,) = from_file
    assert set(record) >= {"path", "language", "entities", "claims"}
    assert record["claims"]
    for claim in record["claims"]:
        assert set(claim) >= {"speaker", "cue", "content", "form", "negated", "hedge", "parent", "when"}
        assert claim["content"]["text"] == " ".join(TEXT[start:end] for start, end in claim["content"]["spans"])
    for entity in record["entities"]:
        assert TEXT[entity["start"] : entity["end"]] == entity["text"]


def test_settings_that_are_wrong_are_named(tmp_path: Path) -> None:
    (tmp_path / "wirewatch.toml").write_text("concurrency = 0\n")
    result = caller(tmp_path, ())("status")
    assert result.exit_code == SETTINGS
    assert "'concurrency'" in result.stderr
    (tmp_path / "wirewatch.toml").write_text("colour = 'blue'\n")
    result = caller(tmp_path, ())("status")
    assert (result.exit_code, "'colour'" in result.stderr) == (SETTINGS, True)
    (tmp_path / "wirewatch.toml").write_text("not toml at all")
    result = caller(tmp_path, ())("status")
    assert (result.exit_code, "wirewatch.toml" in result.stderr) == (SETTINGS, True)


def test_a_model_that_cannot_be_loaded_ends_the_run_and_blames_no_page(newsroom: Newsroom, tmp_path: Path) -> None:
    call = caller(tmp_path, newsroom.hosts)
    call("feeds", "add", newsroom.feeds[0].url)
    (tmp_path / "wirewatch.toml").write_text(f"model = {str(tmp_path / 'no-such-model')!r}\n")
    result = call("run", "--once", "--quiet")
    assert result.exit_code == SETTINGS
    assert "no-such-model" in result.stderr
    (status,) = records(call("status", "--json"))
    assert sum(status["items"].values()) == status["items"]["seen"] > 0
    assert status["owed"]["fetch"]["now"] > 0


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = caller(tmp_path / "file" / "data", ())("status")
    assert result.exit_code == STORAGE
    assert str(tmp_path / "file") in result.stderr


def test_replay_gives_the_same_documents_byte_for_byte(wire: Call) -> None:
    def everything() -> list[str]:
        (articles,) = records(wire("search", "--json", "--limit", "1000", "--sort", "newest"))
        (claims,) = records(wire("search", "--claims", "--json", "--limit", "1000", "--sort", "newest"))
        return sorted(json.dumps(hit) for hit in articles["hits"] + claims["hits"])

    before = everything()
    (report,) = records(wire("replay", "--json"))
    assert report["problems"] == []
    assert everything() == before


def test_prune_says_what_it_would_remove_removes_it_and_says_why_the_rest_stays(
    newsroom: Newsroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIREWATCH_REVISIT", "false")  # or all would be owed another look for a week
    call = caller(tmp_path, newsroom.hosts)
    call("feeds", "add", newsroom.feeds[0].url)
    call("run", "--once", "--quiet")
    (before,) = records(call("status", "--json"))
    monkeypatch.setattr("pipeline.cli.upkeep.utc_now", lambda: utc_now() + timedelta(days=400))
    (meant,) = records(call("prune", "--older-than", "52w", "--dry-run", "--json"))
    assert meant["dry_run"]
    kept = sum(meant["kept"].values())
    assert meant["items"] + kept == sum(before["items"].values())
    assert meant["articles"] > 0
    titles = [one["title"] for one in meant["youngest"]]
    assert len(titles) == min(10, meant["items"])
    shown = call("prune", "--older-than", "52w", "--dry-run")
    assert titles[0] in shown.stdout
    done = call("prune", "--older-than", "52w")
    assert done.exit_code == 0
    assert f"{meant['articles']} articles of {meant['items']} links" in done.stdout
    (after,) = records(call("status", "--json"))
    assert after["items"]["pruned"] == meant["items"]
    assert after["index"]["articles"] == before["index"]["articles"] - meant["articles"]
    assert after["notes"] == before["notes"]  # the index does not hold less than it should


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ((), USAGE, "--older-than 90d"),
        (("--older-than", "soon"), USAGE, "'soon' is not a length of time"),
        (("--older-than", "7d"), SETTINGS, "older than 7 days: at least 31"),
    ],
    ids=["nothing", "no_length", "too_young"],
)
def test_prune_refuses_what_it_cannot_mean(tmp_path: Path, given: tuple[str, ...], code: int, said: str) -> None:
    call = caller(tmp_path, ())
    open_ledger(tmp_path / "ledger.sqlite").close()
    result = call("prune", *given)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_damaged_index_is_rebuilt_by_one_command(newsroom: Newsroom, tmp_path: Path) -> None:
    call = caller(tmp_path, newsroom.hosts)
    call("feeds", "add", newsroom.feeds[0].url)
    call("run", "--once", "--quiet")
    (before,) = records(call("search", "--json", "--limit", "100"))
    assert before["total"] > 5
    for file in (tmp_path / "index").rglob("*"):
        if file.is_file():
            file.write_bytes(b"garbage")
    broken = call("search", "kashmir")
    assert broken.exit_code == STORAGE
    assert "wirewatch replay" in broken.stderr
    assert call("replay").exit_code == 0
    (after,) = records(call("search", "--json", "--limit", "100"))
    assert after["hits"] == before["hits"]


def test_a_damaged_archive_record_is_reported_and_fetched_again_and_loses_nothing(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    call = caller(tmp_path, newsroom.hosts)
    call("feeds", "add", newsroom.feeds[0].url)
    call("run", "--once", "--quiet")
    (found,) = records(call("search", "body_source:page", "--json", "--limit", "1"))
    place = found["hits"][0]["article"]["location"]
    file = tmp_path / "archive" / place["file"]
    content = bytearray(file.read_bytes())
    content[place["offset"] + 40 : place["offset"] + 80] = b"\0" * 40
    file.write_bytes(content)
    result = call("replay", "--json")
    assert result.exit_code == FAILED
    assert place["file"] in result.stderr
    key = found["hits"][0]["id"]
    (taken_over,) = records(call("show", key, "--json"))
    assert taken_over["article"] == found["hits"][0]["article"]
    (status,) = records(call("status", "--json"))
    assert status["owed"]["fetch"]["now"] == 1
    assert call("run", "--once", "--quiet").exit_code == 0
    (mended,) = records(call("show", key, "--json"))
    assert mended["article"]["body"] == found["hits"][0]["article"]["body"]
    assert mended["article"]["location"] != place


def test_a_replay_that_cannot_begin_leaves_the_index_as_it_was(newsroom: Newsroom, tmp_path: Path) -> None:
    call = caller(tmp_path, newsroom.hosts)
    call("feeds", "add", newsroom.feeds[0].url)
    call("run", "--once", "--quiet")
    (before,) = records(call("search", "--json", "--limit", "0"))
    (tmp_path / "wirewatch.toml").write_text(f"model = {str(tmp_path / 'no-such-model')!r}\n")
    failed = call("replay")
    assert (failed.exit_code, "no-such-model" in failed.stderr) == (SETTINGS, True)
    (tmp_path / "wirewatch.toml").unlink()
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    refused = call("replay")
    assert (refused.exit_code, "restore the ledger" in refused.stderr) == (STORAGE, True)
    (after,) = records(call("search", "--json", "--limit", "0"))
    assert after["total"] == before["total"] > 5


def test_an_index_that_was_lost_is_noticed(newsroom: Newsroom, tmp_path: Path) -> None:
    call = caller(tmp_path, newsroom.hosts)
    call("feeds", "add", newsroom.feeds[0].url)
    call("run", "--once", "--quiet")
    shutil.rmtree(tmp_path / "index")
    assert "wirewatch replay" in call("status").stdout
    assert call("replay").exit_code == 0
    assert "wirewatch replay" not in call("status").stdout


def test_quarantine_asks_for_ids_or_all(wire: Call) -> None:
    assert "Nothing is in quarantine" in wire("quarantine", "list").stdout
    assert wire("quarantine", "retry").exit_code == USAGE
    assert wire("quarantine", "drop", "abcdef").exit_code == FAILED
    assert records(wire("quarantine", "retry", "--all", "--json")) == [{"retried": 0}]


def test_text_from_outside_cannot_reach_the_terminal_as_control() -> None:
    assert clean("a\x1b[2Jb\x07\u202ec\x9bd") == "a\ufffd[2Jb\ufffd\ufffdc\ufffdd"
    assert clean("می‌خواهم") == "می‌خواهم"
    assert len(clean("\x1b\u202e\x00")) == 3


def test_the_search_commands_load_index_and_ledger_only_when_called() -> None:
    probe = (
        "import sys, pipeline.cli.search; print([name for name in ('tantivy', 'pipeline.index', 'pipeline.ledger') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_help_and_version_need_no_data_folder(tmp_path: Path) -> None:
    for args in (["--help"], ["--version"], ["search", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *args],
            env=os.environ | {"WIREWATCH_DATA": str(tmp_path / "none")},
            capture_output=True,
            check=True,
        )
        assert done.stdout
    assert not (tmp_path / "none").exists()


ALL = tuple(MODULES)


@pytest.mark.parametrize(
    ("typed", "loaded"),
    [
        (["run", "--once"], ["run"]),
        (["run", "--help"], ["run"]),
        (["show", "feeds"], ["search"]),
        (["--data", "feeds", "run"], ["run"]),
        (["--data=feeds", "run"], ALL),
        (["--version"], ()),
        ([], ALL),
        (["--help"], ALL),
        (["--help", "run"], ALL),
        (["rnu"], ALL),
        (["--data"], ALL),
    ],
)
def test_a_command_loads_the_module_that_has_it_and_what_speaks_of_all_commands_loads_all(
    typed: list[str], loaded: Sequence[str]
) -> None:
    assert modules_for(typed) == loaded


def test_every_command_is_known_by_its_module() -> None:
    for module, commands in MODULES.items():
        app = application([module])
        there = [one.name for one in (*app.registered_commands, *app.registered_groups)]
        assert there == list(commands)


def test_a_worker_process_that_the_installed_command_begins_loads_no_command_line() -> None:
    probe = "import sys, pipeline.cli; print([name for name in ('typer', 'rich', 'pydantic') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
