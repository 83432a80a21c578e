"""``wirewatch alerts``: rules checked and rehearsed, alerts listed, explained, silenced and sent again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.text import Text

from pipeline.cli.terminal import (
    FAILED,
    USAGE,
    Data,
    Json,
    ago,
    clean,
    complain,
    count_of,
    existing,
    length,
    line,
    marked,
    out,
    print_json,
    reporting,
    settings_for,
    stamp,
    table,
)
from pipeline.records import Alert, AlertKind

app = typer.Typer(
    help="Rules and what they fired: check, rehearse, list, explain, silence, send again.", no_args_is_help=True
)


def add_to(commands: typer.Typer) -> None:
    commands.add_typer(app, name="alerts")


@app.command("check")
def check(data: Data = None, as_json: Json = False) -> None:
    """Whether every rule and channel is as its file says, and what is wrong, with file and line."""
    from pipeline.alerts.desk import in_force
    from pipeline.alerts.files import made_channel
    from pipeline.alerts.rules import FaultyError, Secret
    from pipeline.ledger import open_ledger

    with reporting():
        settings = settings_for(data)
        if not settings.rules_folder.is_dir() and not settings.ledger and not settings.ledger_file.exists():
            complain(f"there is no folder {settings.rules_folder}; rules are YAML files in it")
            raise typer.Exit(FAILED)
        ledger = open_ledger(settings.ledger_at)
        entries, faults = in_force(settings, ledger)
        ledger.close()
    kept = [entry for entry in entries if entry.fault is not None]
    absent: list[str] = []
    for entry in entries:
        if entry.kind == "channel":
            try:
                channel = made_channel(entry)
            except FaultyError:
                continue
            secrets = [secret for secret in (channel.url, channel.secret) if isinstance(secret, Secret)]
            missing = [secret.env or secret.file for secret in secrets if not _there(secret)]
            absent += [f"channel {entry.name}: {what} is not there" for what in missing]
    if as_json:
        print_json(
            {
                "folder": str(settings.rules_folder),
                "rules": [entry.name for entry in entries if entry.kind == "rule"],
                "channels": [entry.name for entry in entries if entry.kind == "channel"],
                "faults": [
                    {"file": fault.file, "line": fault.line, "name": fault.name, "reason": fault.reason}
                    for fault in faults
                ],
                "last_good": [{"kind": entry.kind, "name": entry.name, "reason": entry.fault} for entry in kept],
                "secrets_missing": absent,
            }
        )
    else:
        for fault in faults:
            complain(str(fault))
        for entry in kept:
            out.print(Text(f"{entry.kind} {line(entry.name)} is in force as it last was good", style="yellow"))
        for sentence in absent:
            out.print(Text(f"{line(sentence)} (in this shell)", style="yellow"))
        rules = sum(entry.kind == "rule" for entry in entries)
        channels = count_of(len(entries) - rules, "channel")
        out.print(f"{count_of(rules, 'rule')} and {channels} of their own in force, from {settings.rules_folder}")
    if faults or kept:
        raise typer.Exit(FAILED)


def _there(secret: Any) -> bool:
    return bool(os.environ.get(secret.env)) if secret.env else Path(str(secret.file)).expanduser().is_file()


@app.command("test")
def rehearse_command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule's name, or a file with one rule.")],
    since: Annotated[str, typer.Option("--since", metavar="WHEN", help="A day, a time, or 30d, 12h ago.")] = "30d",
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Count what was there at each feed's first poll.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many of them to show.")] = 20,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Rehearse a rule on the index: it would have fired so many times, and here they are. Sends nothing."""
    from pipeline.alerts.rehearsal import rehearse
    from pipeline.flow import utc_now
    from pipeline.index import open_index, read_when

    with reporting():
        settings = existing(settings_for(data))
        chosen = _rule(settings, rule)
        now = utc_now()
        start = read_when(since, now)
        assert start is not None
        index = open_index(settings)
        try:
            alerts = rehearse(chosen, index, start, now, baseline=baseline)
        finally:
            index.close()
    if as_json:
        print_json({"rule": chosen.name, "since": start.isoformat(), "count": len(alerts)})
        for alert in alerts[:limit]:
            print_json(alert)
        return
    out.print(f"{line(chosen.name)} would have fired {count_of(len(alerts), 'time')} since {stamp(start)}")
    for alert in alerts[:limit]:
        out.print()
        print_alert(alert)
    if len(alerts) > limit:
        out.print(Text(f"\n… and {len(alerts) - limit} more", style="dim"))


def _rule(settings: Any, key: str) -> Any:
    """The rule of this name in force, or the one in this file. Says what is wrong and ends where there is none."""
    from pipeline.alerts.desk import in_force, rules_of
    from pipeline.alerts.files import made_rule, read_folder, read_text
    from pipeline.ledger import open_ledger

    if key.endswith((".yaml", ".yml")) and Path(key).is_file():
        entries, faults, _ = read_text(Path(key).read_text("utf-8"), key)
        good = [entry for entry in entries if entry.kind == "rule" and entry.fault is None]
        for fault in faults:
            complain(str(fault))
        if len(good) != 1:
            complain(f"{key}: holds {count_of(len(good), 'rule')} that can be used; name a file with one")
            raise typer.Exit(FAILED)
        return made_rule(good[0])
    ledger = open_ledger(settings.ledger_at)
    found = rules_of(in_force(settings, ledger)[0]).get(key)
    ledger.close()
    if found is None:
        wrong = [fault for fault in read_folder(settings.rules_folder).faults if fault.name == key]
        complain(str(wrong[0]) if wrong else f"there is no rule {key!r} in {settings.rules_folder}")
        raise typer.Exit(FAILED)
    return found


@app.command("list")
def list_alerts(
    rule: Annotated[str | None, typer.Option(help="Only this rule's.", show_default=False)] = None,
    state: Annotated[
        str | None,
        typer.Option(
            help="owed, sent, silenced, undeliverable; fired, waiting, baseline, throttled.", show_default=False
        ),
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="WHEN", help="Fired since then: 7d, a day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """What fired, newest first, and what became of it on each channel."""
    from pipeline.flow import utc_now
    from pipeline.index import read_when
    from pipeline.ledger import AlertState, DeliveryState, open_ledger

    with reporting():
        wanted: AlertState | DeliveryState | None = None
        if state is not None:
            states: dict[str, AlertState | DeliveryState] = {one.value: one for one in (*AlertState, *DeliveryState)}
            if state not in states:
                complain(f"--state: {state!r} is none of {', '.join(states)}")
                raise typer.Exit(USAGE)
            wanted = states[state]
        now = utc_now()
        ledger = open_ledger(existing(settings_for(data)).ledger_at)
        told = ledger.outbox.told(rule=rule, state=wanted, since=read_when(since, now), limit=limit)
        silences = ledger.outbox.silences(now)
        ledger.close()
    if as_json:
        for one in told:
            print_json(one)
        return
    for name, until in silences.items():
        out.print(Text(f"{line(name)} is silenced ({ago(until, now)} it speaks again)", style="yellow"))
    if not told:
        out.print("No alerts.")
        return
    shown = table("id", "fired", "rule", "what", "by")
    for one in told:
        what = Text(line(one.alert.headline))
        if one.alert.kind is AlertKind.NOTICE:
            what = Text(f"{one.alert.status.upper()}: ", style="bold") + what
        what.append(f"\n{_carried(one.alert)}", style="dim")
        by = Text(one.state if not one.deliveries else "")
        for n, delivery in enumerate(one.deliveries):
            style = {"sent": "green", "undeliverable": "red", "owed": "yellow"}.get(delivery.state, "dim")
            held = f" ({delivery.held})" if delivery.held and delivery.state == "owed" else ""
            by.append(f"{chr(10) if n else ''}{delivery.channel} {delivery.state}{held}", style=style)
        shown.add_row(one.alert.id[:8], stamp(one.alert.fired), line(one.alert.rule), what, by)
    out.print(shown)


@app.command("explain")
def explain(
    id_: Annotated[str, typer.Argument(metavar="ID", help="An alert's id, or its beginning.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Why an alert fired, what it says, and what became of it on each channel."""
    from pipeline.flow import utc_now
    from pipeline.ledger import open_ledger

    with reporting():
        ledger = open_ledger(existing(settings_for(data)).ledger_at)
        found = ledger.outbox.find(id_, 2) if id_ else []
        ledger.close()
    if len(found) != 1:
        complain(f"{id_}: {'more than one alert begins so' if found else 'there is no such alert'}")
        raise typer.Exit(FAILED)
    told, now = found[0], utc_now()
    if as_json:
        print_json(told)
        return
    print_alert(told.alert)
    why = {
        "waiting": f"waits for {told.need} independent sources; there are {told.alert.independent_sources}",
        "baseline": "was there at the feed's first poll, and is told to nobody",
        "throttled": "the rule speaks once of a story, and has",
    }
    out.print(Text(f"\nfired {stamp(told.alert.fired)}; {why.get(told.state, told.state)}"))
    for delivery in told.deliveries:
        said = f"{delivery.channel}: {delivery.state}"
        if delivery.delivered:
            said += f" {stamp(delivery.delivered)}"
        if delivery.attempts:
            said += f", {count_of(delivery.attempts, 'attempt')}, key {delivery.message}"
        if delivery.state == "owed":
            said += f", due {ago(delivery.due, now)}" + (f", held by {delivery.held}" if delivery.held else "")
        if delivery.reason:
            said += f": {line(delivery.reason)}"
        out.print(Text(f"  {said}"))


@app.command("silence")
def silence(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule's name.")],
    span: Annotated[str | None, typer.Option("--for", metavar="SPAN", help="30m, 2h, 7d.", show_default=False)] = None,
    off: Annotated[bool, typer.Option("--off", help="Let it speak again now.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send nothing of a rule for a while. What fires meanwhile is remembered, and not sent later."""
    from pipeline.flow import utc_now
    from pipeline.ledger import open_ledger

    if (span is None) != off:
        complain("say for how long (--for 2h), or --off")
        raise typer.Exit(USAGE)
    lasting = None if span is None else length("--for", span)
    with reporting():
        settings = existing(settings_for(data))
        _rule(settings, rule)
        until = None
        if lasting is not None:
            until = utc_now() + lasting
        ledger = open_ledger(settings.ledger_at)
        ledger.outbox.silence(rule, until)
        ledger.close()
    if as_json:
        print_json({"rule": rule, "until": until.isoformat() if until else None})
    else:
        out.print(f"{line(rule)} is silent until {stamp(until)} UTC" if until else f"{line(rule)} speaks again")


@app.command("retry")
def retry(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="Ids of alerts, or beginnings of them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is undeliverable.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send what was undeliverable again at the next run, under the same idempotency keys."""
    from pipeline.flow import utc_now
    from pipeline.ledger import open_ledger

    if bool(ids) == everything:
        complain("name the ids, or --all")
        raise typer.Exit(USAGE)
    missing = False
    chosen: list[str] | None = None
    with reporting():
        ledger = open_ledger(existing(settings_for(data)).ledger_at)
        if ids:
            chosen = []
            for key in ids:
                found = ledger.outbox.find(key, 2)
                if len(found) == 1:
                    chosen.append(found[0].alert.id)
                else:
                    complain(f"{key}: {'more than one alert begins so' if found else 'there is no such alert'}")
                    missing = True
        done = ledger.outbox.retry(chosen, utc_now())
        ledger.close()
    if as_json:
        print_json({"retried": done})
    else:
        out.print(f"{done} to be sent again")
    if missing:
        raise typer.Exit(FAILED)


def print_alert(alert: Alert) -> None:
    """An alert as people read it: what, where, who says it, and why it fired, the words marked."""
    head = Text(f"[{line(alert.rule)}] ", style="bold magenta")
    if alert.kind is AlertKind.NOTICE:
        head.append(f"{alert.status.upper()}: ", style="bold red")
    head.append(line(alert.headline), style="bold")
    out.print(head)
    out.print(Padding(Text(f"{_carried(alert)} · {alert.severity} · {alert.id[:8]}", style="dim"), (0, 2)))
    if alert.note and alert.kind is not AlertKind.OPERATIONS:
        out.print(Padding(Text(clean(alert.note)), (0, 2)))
    for excerpt in alert.excerpts:
        if excerpt.field != "title":
            out.print(Padding(marked(_with_marks(excerpt.text, excerpt.marks)), (0, 2)))
    for claim in alert.claims:
        if claim.speaker or claim.cue:
            who = line(claim.speaker or "?") + (f" ({line(claim.role)})" if claim.role else "")
            said = Text(f"{who} ", style="cyan")
            said.append(f"{line(claim.cue or 'no cue')}" + (f" · {claim.cue_class}" if claim.cue_class else ""))
            if claim.anonymous:
                said.append(f" · anonymous{f', {line(claim.reason)}' if claim.reason else ''}")
            out.print(Padding(said, (0, 2)))
    if alert.why:
        clauses = "; ".join(
            f"{reason.clause} in {reason.field}" + (f" ({', '.join(reason.matched)})" if reason.matched else "")
            for reason in alert.why
        )
        out.print(Padding(Text(f"why: {line(clauses)}", style="dim"), (0, 2)))
    out.print(Padding(Text(clean(alert.url), style="dim"), (0, 2)), soft_wrap=True)


def _carried(alert: Alert) -> str:
    more = len(alert.carriers) - 1
    others = f" and {more} more, {alert.independent_sources} independent" if more > 0 else ""
    return f"{line(alert.source)}{others} · {stamp(alert.published or alert.first_seen)}"


def _with_marks(text: str, marks: tuple[tuple[int, int], ...]) -> str:
    parts, at = [], 0
    for start, end in marks:
        if start >= at:
            parts += [text[at:start], "\x02", text[start:end], "\x03"]
            at = end
    return "".join([*parts, text[at:]])
