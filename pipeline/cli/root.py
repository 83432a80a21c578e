"""The command line before any command: its name, and the options that all commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline import __version__
from pipeline.cli import terminal


def root() -> typer.Typer:
    """A command line that has no commands yet."""
    made = typer.Typer(
        name="wirewatch",
        help="Watches news wires: polls feeds, keeps the pages, finds who claims what, and makes it all searchable.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(common)
    return made


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wirewatch {__version__}")
        raise typer.Exit


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
