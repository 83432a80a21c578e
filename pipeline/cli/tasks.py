"""``wirewatch task``: the flow in tasks, one command each, as Airflow's tasks do it and any other scheduler can."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.run import begin_logging
from pipeline.cli.terminal import Data, Json, out, print_json, reporting, settings_for
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.flow.tasks import Batch

app = typer.Typer(
    help="The flow in tasks, for a scheduler: a round claims batches, and each goes from task to task by its claim.",
    no_args_is_help=True,
)

Round = Annotated[str, typer.Argument(metavar="ROUND", help="A name for this round, such as the time or a run's id.")]
Claim = Annotated[str, typer.Argument(metavar="CLAIM", help="A claim, as `plan` or `claim` printed it.")]


def add_to(commands: typer.Typer) -> None:
    commands.add_typer(app, name="task")


@app.command("plan")
def plan_command(
    round_: Round,
    shards: Annotated[int, typer.Option(min=1, max=64, help="Batches at most.")] = 8,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Claim the feeds that are due. Prints the claims, one a line."""
    with reporting():
        from pipeline.flow import tasks

        _show(tasks.plan(settings_for(data), round_, shards=shards), as_json)


@app.command("claim")
def claim_command(
    round_: Round,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="Articles a batch, about.")] = 200,
    most: Annotated[int, typer.Option(min=1, max=64, help="Batches at most.")] = 8,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Claim what is owed a fetch or the index. Prints the claims, one a line."""
    with reporting():
        from pipeline.flow import tasks

        _show(tasks.claim(settings_for(data), round_, size=size, most=most), as_json)


@app.command("poll")
def poll_command(claim: Claim, data: Data = None, as_json: Json = False) -> None:
    """Poll the feeds of a batch."""
    _do("poll", claim, data, as_json)


@app.command("fetch")
def fetch_command(claim: Claim, data: Data = None, as_json: Json = False) -> None:
    """Fetch the pages of a batch into the archive."""
    _do("fetch", claim, data, as_json)


@app.command("extract")
def extract_command(claim: Claim, data: Data = None, as_json: Json = False) -> None:
    """Take the articles out of a batch's pages."""
    _do("extract", claim, data, as_json)


@app.command("enrich")
def enrich_command(claim: Claim, data: Data = None, as_json: Json = False) -> None:
    """Find entities and claims in a batch's articles."""
    _do("enrich", claim, data, as_json)


@app.command("index")
def index_command(claim: Claim, data: Data = None, as_json: Json = False) -> None:
    """Index a batch's documents."""
    _do("index", claim, data, as_json)


@app.command("ingest")
def ingest_command(claim: Claim, data: Data = None, as_json: Json = False) -> None:
    """All of fetch, extract, enrich and index for a batch."""
    _do("ingest", claim, data, as_json)


@app.command("finish")
def finish_command(round_: Round, data: Data = None, as_json: Json = False) -> None:
    """End a round: give back what could not be done, and say what became of its items."""
    _do("finish", round_, data, as_json)


@app.command("deliver")
def deliver_command(data: Data = None, as_json: Json = False) -> None:
    """Send the alerts that are due."""
    with reporting():
        from pipeline.flow import tasks

        counts = tasks.deliver(settings_for(data))
    _tell(counts, as_json)


def _do(name: str, about: str, data: Data, as_json: bool) -> None:
    with reporting():
        from pipeline.flow import tasks

        begin_logging(to_terminal=not as_json, quiet=as_json)
        task: Callable[[Settings, str], dict[str, int]] = getattr(tasks, name)
        counts = task(settings_for(data), about)
    _tell(counts, as_json)


def _tell(counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        print_json(counts)
    else:
        out.print(", ".join(f"{count} {what}" for what, count in counts.items()) or "nothing to do")


def _show(batches: list[Batch], as_json: bool) -> None:
    for batch in batches:
        if as_json:
            print_json({"claim": batch.claim, "count": batch.count})
        else:
            out.print(f"{batch.claim} {batch.count}")
