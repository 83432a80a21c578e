"""The alerts' page: what fired and why, a rule tried as it is typed, saved, and silenced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from lxml import html as lxml_html
from playwright.sync_api import Browser, expect

from pipeline.alerts.desk import Desk
from pipeline.index import open_index
from pipeline.ledger import open_ledger
from pipeline.settings import Settings
from tests.conformance.wire import WIRE, id_of
from tests.support.page import Page
from tests.web.browser import axe, serious, visit
from tests.web.conftest import small_wire

RULES = """
rules:
  - name: kashmir
    query: kashmir
    severity: high
  - name: unnamed
    claims: anonymous:true AND content:talks
"""
YEAR = "since=365d"


def fire(settings: Settings) -> None:
    """Match the wire against the rules, and write down what fired, as the flow does."""
    ledger = open_ledger(settings.ledger_file)
    desk, now = Desk(settings, ledger), datetime.now(UTC)
    findings = desk.find(list(WIRE.values()), now)
    with ledger._write() as db:
        desk.recording(findings, now)(db)
    ledger.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Page]:
    settings = small_wire(tmp_path / "data")
    settings.rules_folder.mkdir()
    (settings.rules_folder / "mine.yaml").write_text(RULES)
    fire(settings)
    with Page(settings) as running:
        yield running


def tree(text: str) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(text)


def words(node: lxml_html.HtmlElement) -> str:
    return " ".join(node.text_content().split())


def test_what_fired_is_shown_with_its_words_marked_and_why(own: Page) -> None:
    shown = tree(own.get("/alerts?rule=unnamed").text)
    hit = shown.cssselect(".hit")[0]
    assert hit.cssselect("[data-open]")[0].get("href") == f"/article/{id_of('denial')}?claim=1#w1"
    assert hit.cssselect(".fragment mark")[0].text == "talks"
    assert words(hit.cssselect(".why")[0]).startswith("Because anonymous:true matched true")
    assert "feed: owed" in words(hit)
    assert len(tree(own.get("/alerts").text).cssselect(".hit")) > len(shown.cssselect(".hit"))


def test_a_rule_is_silenced_for_a_while_and_heard_again(own: Page) -> None:
    assert "unnamed is silent until" in own.post("/alerts/silence", {"rule": "unnamed", "hours": "4"}).text
    assert "unnamed" in own.app.state.site.ledger.outbox.silences(datetime.now(UTC))
    assert "unnamed is heard again" in own.post("/alerts/silence", {"rule": "unnamed", "hours": "0"}).text
    assert own.app.state.site.ledger.outbox.silences(datetime.now(UTC)) == {}
    assert own.post("/alerts/silence", {"rule": "unnamed", "hours": "x"}).status_code == 400


def test_a_rule_is_tried_on_what_is_there_and_nothing_is_left_of_it(own: Page) -> None:
    before = own.app.state.site.ledger.outbox.told()
    shown = tree(own.get(f"/alerts/new?claims={quote('class:deny AND speaker:khan')}&{YEAR}").text)
    assert words(shown.cssselect("#tried h2")[0]) == "It would have fired 1 time"
    assert words(shown.cssselect("#tried .hit h3")[0]) == "Imran Khan denies secret talks with India"
    assert own.app.state.site.ledger.outbox.told() == before


@pytest.mark.parametrize(
    ("part", "text", "reason"),
    [
        ("query", "kashmir AND", "both sides"),
        ("claims", "class:shout", "class"),
        ("query", " OR ".join(f"*{letter}b" for letter in "abcdef"), "too dear"),
    ],
)
def test_a_rule_that_cannot_be_read_is_told_at_its_part(own: Page, part: str, text: str, reason: str) -> None:
    answer = own.get(f"/alerts/new?{part}={quote(text)}")
    assert answer.status_code == 400
    assert reason in words(tree(answer.text).cssselect(f"#fault-{part}")[0])


def test_a_search_becomes_a_rule_in_a_file_of_its_own(own: Page) -> None:
    search = tree(own.get("/?q=talks&source=BBC+News").text)
    begin = next(link.get("href") for link in search.cssselect(".out a") if link.text == "Make this an alert")
    shown = tree(own.get(f"{begin}&{YEAR}").text)
    query = shown.cssselect("#query")[0].get("value")
    assert query == '(talks) AND source.keyword:"BBC News"'
    saved = own.post("/alerts/rules", {"name": "BBC on talks", "query": query, "claims": "", "severity": "low"})
    assert "The rule 'BBC on talks' is in page-bbc-on-talks.yaml." in words(tree(saved.text))
    rules = [words(node) for node in tree(saved.text).cssselect(".rules b")]
    assert sorted(rules) == ["BBC on talks", "kashmir", "unnamed"]
    again = own.post("/alerts/rules", {"name": "BBC on talks", "query": query, "claims": "", "severity": "low"})
    assert (again.status_code, "There is a rule" in again.text) == (400, True)


@pytest.mark.parametrize("name", ["../../evil", "/etc/cron", ".hidden", "ключ", "a\nb: c", "a" * 300])
def test_whatever_a_rule_is_called_its_file_stays_in_the_folder(own: Page, name: str) -> None:
    folder = own.app.state.site.settings.rules_folder
    own.post("/alerts/rules", {"name": name, "query": "talks", "claims": "", "severity": "low"})
    assert {file.parent for file in folder.parent.parent.rglob("*.yaml")} == {folder}
    assert own.get("/alerts").status_code == 200


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_rule_is_tried_while_it_is_typed_and_made_an_alert(browser: Browser, own: Page, scripts: bool) -> None:
    with visit(browser, own.url, java_script_enabled=scripts) as tab:
        tab.goto("/alerts")
        expect(tab.locator(".hit mark").first).to_be_visible()
        tab.get_by_role("link", name="New rule").click()
        tab.get_by_label("Tried on the last").select_option("365d")
        tab.get_by_label("with a claim that answers").press_sequentially("class:deny AND speaker:khan")
        if not scripts:
            tab.get_by_role("button", name="Try it").click()
        expect(tab.locator("#tried h2")).to_have_text("It would have fired 1 time")
        tab.get_by_label("Name of the rule").fill("Khan denies")
        tab.get_by_role("button", name="Make it an alert").click()
        expect(tab.get_by_role("status")).to_contain_text("page-khan-denies.yaml")
        tab.get_by_label("How long kashmir is to be silent").select_option("24")
        tab.get_by_role("button", name="Silence kashmir").click()
        expect(tab.get_by_role("status")).to_contain_text("kashmir is silent until")
        tab.get_by_role("button", name="End the silence of kashmir").click()
        expect(tab.get_by_role("status")).to_contain_text("heard again")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_alerts_pages(browser: Browser, own: Page, scheme: str) -> None:
    script = axe()
    with visit(browser, own.url, color_scheme=scheme) as tab:
        for path in ("/alerts", f"/alerts/new?query=talks&{YEAR}", "/alerts/new?query=a+AND"):
            tab.goto(path)
            assert serious(tab, script) == [], path


def test_a_rule_that_too_much_answers_is_not_tried(own: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.web import alerts

    monkeypatch.setattr(alerts, "TRIED", 1)
    index = open_index(own.app.state.site.settings)
    assert index.get(id_of("talks")) is not None
    answer = own.get(f"/alerts/new?query=talks&{YEAR}")
    assert answer.status_code == 400
    assert "narrow the query" in answer.text
