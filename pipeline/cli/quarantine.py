"""``wirewatch quarantine``: what failed for good, and what to do with it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from pipeline.cli.terminal import (
    FAILED,
    Data,
    Json,
    clean,
    complain,
    line,
    out,
    print_json,
    reporting,
    settings_for,
    table,
)
from pipeline.flow import utc_now
from pipeline.ledger import Item, open_ledger
from pipeline.records import to_dict

app = typer.Typer(help="What failed for good, why, and what to do with it.", no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Ids, or beginnings of them.")]
Everything = Annotated[bool, typer.Option("--all", help="All that lies there.")]


def add_to(commands: typer.Typer) -> None:
    commands.add_typer(app, name="quarantine")


@app.command("list")
def list_quarantine(
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 100, data: Data = None, as_json: Json = False
) -> None:
    """What lies in quarantine, and why."""
    with reporting():
        items = open_ledger(settings_for(data).ledger_at).quarantined(limit)
    if as_json:
        for item in items:
            print_json(_plain(item))
        return
    if not items:
        out.print("Nothing is in quarantine.")
        return
    shown = table("id", "stage", "because of", "what")
    for item in items:
        about = Text(line(item.sighting.title) or "(no title)")
        about.append(f"\n{clean(item.url)}\n{line(item.reason or '')}", style="dim")
        shown.add_row(item.id[:8], item.stage or "", line(item.code or ""), about)
    out.print(shown)


@app.command("retry")
def retry_quarantine(ids: Ids = None, everything: Everything = False, data: Data = None, as_json: Json = False) -> None:
    """Try the failed stage again at the next run."""
    _leave("retried", ids, everything, data, as_json)


@app.command("drop")
def drop_quarantine(ids: Ids = None, everything: Everything = False, data: Data = None, as_json: Json = False) -> None:
    """Give them up for good."""
    _leave("dropped", ids, everything, data, as_json)


def _leave(how: str, ids: list[str] | None, everything: bool, data: Data, as_json: bool) -> None:
    with reporting():
        ledger = open_ledger(settings_for(data).ledger_at)
        if bool(ids) == everything:
            complain("name the ids, or --all")
            raise typer.Exit(2)
        chosen: list[str] | None = None
        missing = False
        if ids:
            inside = [item.id for item in ledger.quarantined(1_000_000)]
            chosen = []
            for key in ids:
                found = [item for item in inside if item.startswith(key)]
                if len(found) != 1:
                    complain(f"{key}: {'not in quarantine' if not found else 'more than one begins so'}")
                    missing = True
                chosen.extend(found if len(found) == 1 else ())
        done = ledger.retry_quarantined(chosen, utc_now()) if how == "retried" else ledger.drop_quarantined(chosen)
    if as_json:
        print_json({how: done})
    else:
        out.print(f"{done} {how}")
    if missing:
        raise typer.Exit(FAILED)


def _plain(item: Item) -> dict[str, object]:
    record = to_dict(item)
    record["sighting"] = {"title": item.sighting.title, "feed": item.sighting.feed}
    return record
