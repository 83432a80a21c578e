"""``wirewatch status``, ``replay``, ``upkeep`` and ``prune``: how things stand, and how to put them right."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from pipeline.cli.run import begin_logging
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
    out,
    print_json,
    reporting,
    settings_for,
    table,
)
from pipeline.errors import WirewatchError
from pipeline.flow import utc_now
from pipeline.index import Kind, open_index
from pipeline.ledger import Again, Owed, open_ledger
from pipeline.records import to_dict

VOLUME_DAYS = 7


class Stage(StrEnum):
    """Where a replay begins."""

    FETCH = "fetch"
    EXTRACT = "extract"
    ENRICH = "enrich"
    REBUILD = "rebuild"


def add_to(app: typer.Typer) -> None:
    app.command("status")(status)
    app.command("replay")(replay_command)
    app.command("upkeep")(upkeep_command)
    app.command("prune")(prune_command)


REPLAY = "`wirewatch replay` rebuilds it from the archive"


def opened_holds_less(held: object, indexed: int) -> bool:
    """Whether an index lacks articles that the ledger says are in it: it was lost, or put back from an old backup."""
    return isinstance(held, int) and held < indexed


def status(data: Data = None, as_json: Json = False) -> None:
    """What is owed at each stage, what ended how, quarantine by reason, volume by feed."""
    with reporting():
        settings = existing(settings_for(data))
        ledger = open_ledger(settings.ledger_at)
        now = utc_now()
        feeds = ledger.feeds()
        owed, counts = ledger.owed(now), ledger.counts()
        reasons, notes = ledger.quarantine_reasons(), ledger.notes()
        volume = ledger.volume(now - timedelta(days=VOLUME_DAYS), now)
        baselines = ledger.baselines()
        alerts = ledger.outbox.counts()
        index: dict[str, object]
        try:
            opened = open_index(settings)
            index = {"articles": opened.count(Kind.ARTICLES), "claims": opened.count(Kind.CLAIMS)}
            opened.close()
            if opened_holds_less(index["articles"], counts["indexed"]):
                notes.append(("index", f"holds fewer articles than were indexed: {REPLAY}", now))
        except WirewatchError as error:
            index = {"error": str(error)}
    failing = [feed for feed in feeds if feed.failures]
    if as_json:
        print_json(
            {
                "data": str(settings.data),
                "feeds": {"total": len(feeds), "failing": len(failing)},
                "owed": owed,
                "items": counts,
                "quarantine": [{"stage": stage, "code": code, "count": count} for stage, code, count in reasons],
                "notes": [{"key": key, "text": text, "since": since.isoformat()} for key, text, since in notes],
                "volume": volume,
                "at_first_poll": baselines,
                "alerts": alerts,
                "index": index,
            }
        )
        return
    out.print(Text(str(settings.data), style="dim"))
    due = sum(feed.next_poll is None or feed.next_poll <= now for feed in feeds)
    out.print(f"{len(feeds)} feeds, {due} due now, {len(failing)} failing")
    if "error" in index:
        out.print(Text(f"index: {clean(str(index['error']))}", style="red"))
    else:
        out.print(f"{index['articles']} articles and {index['claims']} claims in the index")
    for key, text, since in notes:
        out.print(Text(f"{key}: {clean(text)} (since {ago(since, now)})", style="yellow"))
    out.print()
    shown = table("owed", "now", "later", "in hand", right=("now", "later", "in hand"))
    for stage, count in owed.items():
        shown.add_row(stage, str(count["now"]), str(count["later"]), str(count["in_hand"]))
    out.print(shown)
    if owed["fetch"]["later"]:
        again = ledger.next_due(Owed.FETCH)
        words = "pages that could not be had are asked for again; until then the feed's own text stands in"
        out.print(Text(f"later: {words} (the next one {ago(again, now)})", style="dim"))
    out.print()
    shown = table("state", "items", right=("items",))
    for state, number in counts.items():
        if number:
            shown.add_row(state, str(number))
    out.print(shown)
    if any(alerts.values()):
        out.print()
        shown = table("alerts", "messages", right=("messages",))
        for outcome, number in alerts.items():
            if number:
                shown.add_row(Text(outcome, style="red" if outcome == "undeliverable" else ""), str(number))
        out.print(shown)
    if reasons:
        out.print()
        shown = table("quarantined at", "because of", "items", right=("items",))
        for stage, code, number in reasons:
            shown.add_row(stage, line(code), str(number))
        out.print(shown)
    if feeds:
        out.print()
        numbers = ("at first poll", "new in 7 days", "new today")
        shown = table("feed", *numbers, "address", right=numbers)
        for feed in feeds:
            days = volume.get(feed.id, {})
            name = Text(line(feed.source or feed.url), style="red" if feed.failures else "")
            shown.add_row(
                name,
                str(baselines.get(feed.id, 0)),
                str(sum(days.values())),
                str(days.get(now.strftime("%Y-%m-%d"), 0)),
                Text(clean(feed.url), style="dim"),
            )
        out.print(shown)


def replay_command(
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that extract and enrich.", show_default=False)
    ] = None,
    stage: Annotated[
        Stage, typer.Option("--from", help="What is done again first; the index is rebuilt with all of it by default.")
    ] = Stage.REBUILD,
    feed: Annotated[
        str | None, typer.Option(help="Only what this feed announced: its address or id.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what was first seen from then on.", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only what was first seen before.", show_default=False)] = None,
    target: Annotated[
        str | None, typer.Option(help="Rebuild into Elasticsearch indices of this prefix.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many articles are meant.")] = False,
    alert: Annotated[
        bool, typer.Option("--alert", help="Owe to their channels what the rules of now find, but for what was told.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Rebuild the index from the archive: also when it is damaged, or to run a better model over old pages.

    With --from fetch, extract or enrich, some articles are owed again, and the next run makes them again.
    """
    from pipeline import replay as again  # brings the extractor, which the commands beside it do not need

    with reporting():
        settings = settings_for(data, **({"workers": workers} if workers else {}))
        if stage is Stage.REBUILD and (feed or since or until) and not dry_run:
            complain("a rebuild is of the whole index; use --from extract (or enrich) for some articles")
            raise typer.Exit(USAGE)
        if stage is not Stage.REBUILD or dry_run:
            with closing(open_ledger(settings.ledger_at)) as ledger:
                selection = again.Selection.of(ledger, feed, since, until)
                if dry_run:
                    _tell("meant", again.count(ledger, selection), "article would be made again", as_json)
                else:
                    owed = again.owe_again(ledger, selection, Again(stage.value))
                    _tell("owed", owed, f"article owed: {stage} and on", as_json)
            return
        begin_logging(to_terminal=True, quiet=True)
        report = again.rebuild(settings, target, alert=alert)
    for sentence in report.problems:
        complain(sentence)
    if as_json:
        print_json({"documents": report.documents, "problems": list(report.problems)})
    else:
        out.print(
            f"{count_of(report.documents, 'article')} in the new index, {count_of(len(report.problems), 'problem')}"
        )
    if report.problems:
        raise typer.Exit(FAILED)


def _tell(name: str, count: int, words: str, as_json: bool) -> None:
    if as_json:
        print_json({name: count})
        return
    thing, _, rest = words.partition(" ")
    out.print(f"{count_of(count, thing)} {rest}")


def upkeep_command(data: Data = None, as_json: Json = False) -> None:
    """Give back what dead workers had in hand, remove leftovers, retry quarantine, prune where `keep_days` is set, and
    say what a person should know. A resident `run` does it every hour."""
    from pipeline.flow.tasks import upkeep

    with reporting():
        report = upkeep(existing(settings_for(data)))
    if as_json:
        print_json(to_dict(report))
        return
    for problem in report.problems:
        out.print(Text(clean(problem)))
    out.print(
        f"{count_of(report.leases, 'lease')} given back, {count_of(report.swept, 'batch')} swept away, "
        f"{count_of(report.retried, 'item')} of quarantine tried again, {count_of(report.pruned, 'article')} pruned"
    )


def prune_command(
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", help="Such as 90d or 26w; the setting keep_days by default.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Remove stories that are over and old from index, ledger and archive; nothing that is owed, or not looked at yet.

    A story goes whole. Its links are remembered, so that no old entry of a feed is taken for news. It may run beside
    workers.
    """
    from pipeline.retention import prune

    age = length("--older-than", older_than) if older_than is not None else None
    with reporting():
        settings = existing(settings_for(data))
        if age is None and settings.keep_days is None:
            complain("say what is old (--older-than 90d), or set keep_days")
            raise typer.Exit(USAGE)
        now = utc_now()
        cut = now - (age or timedelta(days=settings.keep_days or 0))
        with closing(open_ledger(settings.ledger_at)) as ledger:
            report = prune(settings, ledger, cut, now, dry_run=dry_run)
    if as_json:
        print_json({"older_than": cut.isoformat(), "dry_run": dry_run, **to_dict(report)})
        return
    size = f"{report.bytes / 1e6:.1f} MB"
    done = "would be removed" if dry_run else "removed"
    out.print(
        f"{count_of(report.articles, 'article')} of {count_of(report.items, 'link')} and "
        f"{count_of(report.files, 'file')} of the archive ({size}) {done}: first seen before {cut:%Y-%m-%d %H:%M} UTC"
    )
    if report.youngest:
        shown = table("first seen", "from", "the youngest of it")
        for one in report.youngest:
            about = Text(line(one.title) or "(no title)")
            about.append(f"\n{clean(one.url)}", style="dim")
            shown.add_row(f"{one.first_seen:%Y-%m-%d %H:%M}", line(one.source), about)
        out.print(shown)
    for reason, number in report.kept.items():
        out.print(Text(f"{number} older kept: {reason}", style="dim"))
