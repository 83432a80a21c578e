"""Alerts: what fired and why, rules and their silences, and a rule tried on what is there while it is being typed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import yaml
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.alerts.desk import in_force, rules_of
from pipeline.alerts.files import read_folder
from pipeline.alerts.rehearsal import rehearse
from pipeline.alerts.rules import SEVERITIES, FaultyError, Rule, rule_from
from pipeline.errors import QueryError, RequestError
from pipeline.flow import utc_now
from pipeline.index import Index, Kind, SearchRequest, parse, read_when
from pipeline.records import Alert, Excerpt
from pipeline.web import limits, site
from pipeline.web.address import Address
from pipeline.web.search import fault_of

SHOWN: Final = 100
"""Alerts on the page."""
TRIED: Final = 500
"""Most hits that a rule is tried on; each article is read whole, some 2 ms."""
FIRED: Final = 20
"""Of a rule that is tried, the alerts shown."""
SPANS: Final = ("24h", "7d", "30d", "365d")
SILENCES: Final = ((1, "1 hour"), (4, "4 hours"), (24, "a day"), (168, "a week"))


def page(request: Request) -> Response:
    """``/alerts``: what fired, newest first, and the rules in force; with ``rule`` of one rule only."""
    here = site.of(request)
    now = utc_now()
    only = request.query_params.get("rule", "")
    entries, faults = in_force(here.settings, here.ledger)
    rules = rules_of(entries)
    return here.page(
        request,
        "alerts.html",
        told=here.ledger.outbox.told(rule=only or None, limit=SHOWN),
        only=only,
        rules=[(entry, rules[entry.name]) for entry in entries if entry.kind == "rule" and entry.name in rules],
        faults=faults,
        silent=here.ledger.outbox.silences(now),
        counts=here.ledger.outbox.counts(),
        folder=here.settings.rules_folder,
        spans=SILENCES,
        said=request.query_params.get("said", "")[:300],
    )


def new(request: Request) -> Response:
    """``/alerts/new``: a rule as it is typed, and what it would have fired on."""
    return _tried(request, dict(request.query_params))


def _tried(request: Request, typed: dict[str, str], fault: str = "") -> Response:
    here = site.of(request)
    now = utc_now()
    fields = {
        name: str(typed.get(name, "")).strip()[:2_000] for name in ("name", "query", "claims", "severity", "since")
    }
    faults: dict[str, Any] = {}
    alerts: list[Alert] | None = None
    for name, kind in (("query", Kind.ARTICLES), ("claims", Kind.CLAIMS)):
        try:
            limits.refuse_dear(parse(fields[name], kind, now=now))
        except QueryError as error:
            faults[name] = fault_of(error)
    if (fields["query"] or fields["claims"]) and not faults and not fault:
        try:
            rule = rule_from(_plain(fields | {"name": fields["name"] or "untitled"}))
            since = read_when(fields["since"] or "30d", now) or now
            alerts = here.searching(request, lambda index: _rehearsed(rule, index, since, now))
        except FaultyError as error:
            fault = str(error)
        except QueryError as error:
            fault = error.reason
    return here.page(
        request,
        "rule.html",
        400 if fault or faults else 200,
        fields=fields,
        faults=faults,
        fault=fault,
        alerts=alerts,
        shown=FIRED,
        severities=SEVERITIES,
        spans=SPANS,
        as_yaml=_yaml(fields) if alerts is not None else "",
        folder=here.settings.rules_folder,
    )


def _rehearsed(rule: Rule, index: Index, since: datetime, now: datetime) -> list[Alert]:
    """What a rule would have fired on, newest first. Raises RequestError where that would be too much to look at."""
    kind = Kind.CLAIMS if rule.claims is not None else Kind.ARTICLES
    query = f"({rule.claims or rule.query}) AND first_seen:[{since:%Y-%m-%dT%H:%M:%SZ} TO *]"
    total = index.search(SearchRequest(query=query, kind=kind, limit=0, now=now)).total
    if total > TRIED:
        reason = (
            f"{total:,} {kind.value} answer this in so long a time, and it is tried on {TRIED} at most: "
            "narrow the query, or choose a shorter time"
        )
        raise RequestError(query, "query", reason)
    return rehearse(rule, index, since, now, baseline=True)[::-1]


async def save(request: Request) -> Response:
    """Write a rule into a file of its own in the rules folder, where any resident run takes it up within seconds."""
    here = site.of(request)
    form = {name: str(value) for name, value in (await site.form_of(request)).items()}
    fields = {name: form.get(name, "").strip()[:2_000] for name in ("name", "query", "claims", "severity")}
    if not fields["name"]:
        return await run_in_threadpool(_tried, request, form, "A rule needs a name, by which it is told and silenced.")
    try:
        rule_from(_plain(fields))
    except FaultyError as error:
        return await run_in_threadpool(_tried, request, form, str(error))
    folder = here.settings.rules_folder
    file = folder / f"page-{re.sub('[^a-z0-9]+', '-', fields['name'].lower()).strip('-')[:60] or 'rule'}.yaml"
    known = {entry.name for entry in read_folder(folder).entries if entry.kind == "rule"}
    if fields["name"] in known or file.exists():
        reason = f"There is a rule {fields['name']!r} already; give this one another name."
        return await run_in_threadpool(_tried, request, form, reason)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}")  # rules are not read from hidden files: never half of one
        draft.write_text(_yaml(fields), "utf-8")
        draft.rename(file)
    except OSError as error:
        return await run_in_threadpool(_tried, request, form, f"{file}: {error.strerror or error}")
    said = f"The rule {fields['name']!r} is in {file.name}."
    return RedirectResponse(f"/alerts?said={quote(said)}", 303)


async def silence(request: Request) -> Response:
    """Send nothing of a rule for some hours; 0 ends its silence."""
    here = site.of(request)
    form = await site.form_of(request)
    rule, hours = str(form.get("rule", "")), str(form.get("hours", ""))
    if not rule or not re.fullmatch("[0-9]{1,4}", hours):
        raise HTTPException(400, "Which rule is to be silent for how many hours was not said.")
    until = utc_now() + timedelta(hours=int(hours)) if int(hours) else None
    await run_in_threadpool(here.ledger.outbox.silence, rule, until)
    said = f"{rule} is silent until {until:%Y-%m-%d %H:%M} UTC." if until else f"{rule} is heard again."
    return RedirectResponse(f"/alerts?said={quote(said)}#rules", 303)


async def retry(request: Request) -> Response:
    """Owe again what could not be delivered: of one alert, or of all."""
    form = await site.form_of(request)
    alert = str(form.get("alert", ""))
    if not alert:
        raise HTTPException(400, "Which alert is meant was not said.")
    ids = None if alert == "all" else [alert]
    done = await run_in_threadpool(site.of(request).ledger.outbox.retry, ids, utc_now())
    said = f"{done} {'delivery' if done == 1 else 'deliveries'} will be tried again."
    return RedirectResponse(f"/alerts?said={quote(said)}", 303)


def from_search(address: Address) -> str:
    """The address at which a search becomes a rule."""
    part = "claims" if address.kind is Kind.CLAIMS else "query"
    return "/alerts/new?" + urlencode({part: address.composed()})


def marked_excerpt(excerpt: Excerpt) -> Markup:
    """The words that made a rule fire, the matched ones marked."""
    parts, at = [], 0
    for start, end in sorted(excerpt.marks):
        if at <= start < end <= len(excerpt.text):
            parts += [escape(excerpt.text[at:start]), Markup("<mark>{}</mark>").format(excerpt.text[start:end])]
            at = end
    return Markup("").join([*parts, escape(excerpt.text[at:])])


def _plain(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value and name != "since"}


def _yaml(fields: dict[str, str]) -> str:
    """The rule as a file."""
    plain = {"name": fields["name"] or "give it a name"} | _plain(fields)
    return yaml.safe_dump({"rules": [plain]}, allow_unicode=True, sort_keys=False, width=100)
