"""The command line. Thin: each command reads its options, calls the pipeline, and shows what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli import terminal

app = typer.Typer(
    name="wirewatch",
    help="Watches news wires: polls feeds, keeps the pages, finds who claims what, and makes it all searchable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wirewatch {__version__}")
        raise typer.Exit


@app.callback()
def common(
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            parser=terminal.folder,
            help="The folder with ledger, archive and index. Also WIREWATCH_DATA, or --data after any command.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    terminal.remember(data)


def application() -> typer.Typer:
    """The command line with all its commands."""
    # Each module adds its commands; imported here, so that `--version` does not wait for them.
    from pipeline.cli import alerts, demo, feeds, index, ledger, run, search, serve, stages, tasks, upkeep

    if not app.registered_groups:
        app.add_typer(feeds.app, name="feeds")
        app.add_typer(alerts.app, name="alerts")
        app.add_typer(index.app, name="index")
        app.add_typer(upkeep.quarantine, name="quarantine")
        app.add_typer(tasks.app, name="task")
        app.add_typer(ledger.app, name="ledger")
        for module in (demo, run, search, serve, stages, upkeep):
            module.add_to(app)
    return app


def main() -> None:
    """The ``wirewatch`` command."""
    application()()
