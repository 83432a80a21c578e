"""``wirewatch index``: the indices on Elasticsearch set up, compared with the files, and moved to a new schema."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.terminal import FAILED, Data, Json, complain, count_of, err, out, print_json, reporting, settings_for
from pipeline.index import open_index, upkeep_of
from pipeline.settings import Settings

app = typer.Typer(help="The indices on Elasticsearch: set up, compared, migrated.", no_args_is_help=True)

EMBEDDED = "the index is the embedded one, which needs no set-up; `wirewatch replay` makes it anew"


def add_to(commands: typer.Typer) -> None:
    commands.add_typer(app, name="index")


@app.command("init")
def init(data: Data = None, as_json: Json = False) -> None:
    """Put the templates there, and make what indices and aliases are missing. Doing it again does nothing."""
    with reporting():
        settings = settings_for(data)
        done = [] if _embedded(settings, as_json) else upkeep_of(settings).init()
    if as_json:
        print_json({"done": done})
        return
    for sentence in done:
        out.print(sentence, markup=False, soft_wrap=True)
    if not done and settings.index != "embedded":
        out.print("Nothing to do: all is as this version has it.")


@app.command("check")
def check(
    content: Annotated[bool, typer.Option("--content", help="Read all articles and claims, too.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what on the server differs from this version's templates, and with --content what is wrong inside."""
    with reporting():
        settings = settings_for(data)
        embedded = settings.index == "embedded"
        odd = [] if embedded else upkeep_of(settings).differences()
        if content or embedded:
            index = open_index(settings)
            odd += index.check()
            index.close()
    if as_json:
        print_json({"problems": odd})
    else:
        for sentence in odd:
            complain(sentence)
        if not odd:
            out.print("All is as it should be.")
    if odd:
        raise typer.Exit(FAILED)


@app.command("migrate")
def migrate(data: Data = None, as_json: Json = False) -> None:
    """Fill new indices, as this version has them, from those in use, and let them take over in one step.

    Searches and writers go on meanwhile. One that was broken off is gone on with. The old indices are kept.
    """
    with reporting():
        settings = settings_for(data)
        if _embedded(settings, as_json):
            return

        def progress(done: int, total: int) -> None:
            if err.is_terminal and not as_json:
                err.print(f"{done:,} of {count_of(total, 'article')}", end="\r")

        report = upkeep_of(settings).migrate(progress)
    for sentence in report.problems:
        complain(sentence)
    if as_json:
        indices = dict(report.indices)
        print_json({"articles": report.articles, "indices": indices, "problems": list(report.problems)})
    else:
        out.print(f"{count_of(report.articles, 'article')} copied")
        for old, new in report.indices.items():
            out.print(f"{new} took over from {old}, which is kept; delete it when all is well", markup=False)
    if report.problems:
        raise typer.Exit(FAILED)


def _embedded(settings: Settings, as_json: bool) -> bool:
    """Whether there is nothing to do, which is then said."""
    if settings.index == "embedded" and not as_json:
        out.print(EMBEDDED)
    return settings.index == "embedded"
