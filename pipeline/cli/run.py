"""``wirewatch run``: the pipeline on one machine, one pass or resident."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import structlog
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.cli.terminal import Data, Json, err, out, print_json, reporting, settings_for
from pipeline.flow import Flow, Tally, utc_now
from pipeline.folder import folder_in_use
from pipeline.index import Index, open_index
from pipeline.ledger import Ledger, Owed, open_ledger
from pipeline.settings import Settings


def add_to(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    once: Annotated[bool, typer.Option("--once", help="One pass over all that is due, then everything owed.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that extract and enrich.", show_default=False)
    ] = None,
    alert_on_baseline: Annotated[
        bool, typer.Option("--alert-on-baseline", help="Alert to what is there at a feed's first poll, too.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and errors.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Poll feeds, fetch, extract, enrich, index and alert: one pass, or until it is told to stop."""
    with reporting():
        given: dict[str, object] = {"workers": workers} if workers else {}
        if alert_on_baseline:
            given["alert_on_baseline"] = True
        settings = settings_for(data, **given)
        ledger = open_ledger(settings.ledger_at)
        index = open_index(settings)
        began = time.monotonic()
        with folder_in_use(settings.data):
            tally = run_flow(settings, ledger, index, once=once, quiet=quiet or as_json)
        index.close()
        owed = ledger.owed(utc_now())
        ledger.close()
    counts = dict(sorted(tally.counts.items()))
    if as_json:
        print_json({"seconds": round(time.monotonic() - began, 2), "counts": counts, "owed": owed})
    elif not quiet:
        out.print(summary(tally, time.monotonic() - began))


def run_flow(
    settings: Settings, ledger: Ledger, index: Index, *, once: bool, quiet: bool = False, bars: bool | None = None
) -> Tally:
    """Run the pipeline with progress bars (by default on a terminal, unless quiet), or log lines elsewhere.

    SIGINT and SIGTERM end it cleanly.
    """
    tally = Tally()
    flow = Flow(settings, ledger, index, tally=tally)

    async def guided() -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            # Not on the main thread (an embedding program), signals are that program's business.
            with contextlib.suppress(ValueError, RuntimeError):
                loop.add_signal_handler(name, flow.stop)
        await (flow.run_once() if once else flow.run())

    shows_bars = err.is_terminal and (not quiet if bars is None else bars)
    begin_logging(to_terminal=not shows_bars, quiet=quiet, level=logging.WARNING if bars is None else logging.ERROR)
    _keep_few_arenas()
    gc.freeze()  # some 100,000 objects of libraries, which collections need not look at while the process lives
    with progress(tally, ledger) if shows_bars else contextlib.nullcontext():
        asyncio.run(guided())
    return tally


def _keep_few_arenas() -> None:
    """Let all threads share two of malloc's arenas (mallopt(3), M_ARENA_MAX; glibc only). Each of some ten threads
    would else fill one of its own with pages that pass through it: 369 MB after 512 pages, with two 257 (2026-11-26).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-8, 2)


def begin_logging(*, to_terminal: bool, quiet: bool, level: int = logging.WARNING) -> None:
    """Send log lines to standard error: all of them, or only from ``level`` beside a progress bar or when quiet."""
    if to_terminal and not quiet:
        level = logging.INFO
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _on_one_line,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], sort_keys=False),
        ],
        # Whatever standard error is when a line is written: an embedding program may change it, and close the old one.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _on_one_line(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Text from outside must not break a line or colour the terminal."""
    from pipeline.cli.terminal import line

    return {key: line(value) if isinstance(value, str) else value for key, value in event.items()}


@contextmanager
def progress(tally: Tally, ledger: Ledger) -> Iterator[None]:
    """Progress bars of the three stages, moved by the tally."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    with bars:
        feeds = bars.add_task("feeds", total=len(ledger.feeds()))
        pages = bars.add_task("pages", total=None)
        articles = bars.add_task("articles", total=None)
        owed = ledger.owed(utc_now())
        totals = {
            pages: owed[Owed.FETCH]["now"],
            articles: owed[Owed.FETCH]["now"] + owed[Owed.INDEX]["now"],
        }

        def moved(what: str, count: int) -> None:
            if what == "sightings":
                for task in totals:
                    totals[task] += count
                    bars.update(task, total=totals[task])
            elif what == "polled":
                bars.advance(feeds, count)
            elif what in ("fetched", "fetch-failures"):
                bars.advance(pages, count)
            elif what in ("indexed", "duplicates", "skipped", "quarantined"):
                bars.advance(articles, count)

        for task, total in totals.items():
            bars.update(task, total=total or None)
        tally.listener = moved
        try:
            yield
        finally:
            tally.listener = None


def summary(tally: Tally, seconds: float) -> str:
    """One line of what a run did."""
    counts = tally.counts
    parts = [
        f"{counts['polled']} feeds polled ({counts['feed-failures']} failed)",
        f"{counts['sightings']} new entries",
        f"{counts['fetched']} pages fetched ({counts['fetch-failures']} not had)",
        f"{counts['indexed']} articles indexed",
    ]
    parts += [f"{counts[name]} {name}" for name in ("duplicates", "skipped", "quarantined") if counts[name]]
    if counts["alerts-sent"] or counts["alert-failures"]:
        parts.append(f"{counts['alerts-sent']} messages of alerts sent ({counts['alert-failures']} to be tried again)")
    return f"{', '.join(parts)} in {seconds:.1f} s"
