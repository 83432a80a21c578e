"""``wirewatch ledger``: the ledger as a database."""

from __future__ import annotations

from contextlib import closing

import typer

from pipeline.cli.terminal import SETTINGS, Data, Json, complain, count_of, out, print_json, reporting, settings_for
from pipeline.folder import folder_in_use
from pipeline.ledger import open_ledger

app = typer.Typer(help="The ledger as a database.", no_args_is_help=True)


def add_to(commands: typer.Typer) -> None:
    commands.add_typer(app, name="ledger")


@app.command("copy")
def copy_command(data: Data = None, as_json: Json = False) -> None:
    """Copy the data folder's ledger into the empty PostgreSQL database that WIREWATCH_LEDGER names."""
    from pipeline.ledger.copying import copy_ledger

    with reporting():
        settings = settings_for(data)
        if settings.ledger is None:
            complain("say where to: set WIREWATCH_LEDGER to postgresql+psycopg://user:password@host/name")
            raise typer.Exit(SETTINGS)
        if not settings.ledger_file.exists():
            complain(f"there is no ledger to copy: {settings.ledger_file}")
            raise typer.Exit(1)
        with (
            folder_in_use(settings.data, alone=True),
            closing(open_ledger(settings.ledger_file)) as source,
            closing(open_ledger(settings.ledger)) as target,
        ):
            counts = copy_ledger(source, target)
    if as_json:
        print_json(counts)
    else:
        out.print(f"copied {count_of(counts['feeds'], 'feed')} and {count_of(counts['items'], 'item')}")
