"""``wirewatch feeds …``: which feeds are polled, and how they fare."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from pipeline.cli.terminal import (
    FAILED,
    Data,
    Json,
    advice,
    ago,
    clean,
    complain,
    count_of,
    err,
    existing,
    line,
    out,
    print_json,
    reporting,
    settings_for,
    table,
)
from pipeline.errors import FeedError, FetchError
from pipeline.feeds import health, list_opml, pushed, write_opml
from pipeline.fetch import Archive, Fetcher
from pipeline.flow import utc_now
from pipeline.flow.subscribe import feed_listed, recent_volumes, subscribe
from pipeline.ledger import Ledger, open_ledger
from pipeline.ledger.subscriptions import Subscription
from pipeline.records import Feed, FeedState, Identity
from pipeline.settings import Settings

app = typer.Typer(help="Which feeds are polled, and how they fare.", no_args_is_help=True)

VOLUME_DAYS = 7

KNOWN_BY = (
    "By what its entries are known: auto (GUID, else link), url (links), guid (GUIDs, in all feeds of the source), "
    "title (source and headline)."
)


def add_to(commands: typer.Typer) -> None:
    commands.add_typer(app, name="feeds")


@app.command()
def add(
    addresses: Annotated[list[str], typer.Argument(metavar="URL…", help="A feed, or a site that names its feed.")],
    source: Annotated[str, typer.Option(help="The outlet's name, in place of the feed's title.")] = "",
    identity: Annotated[Identity, typer.Option(help=KNOWN_BY)] = Identity.AUTO,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add feeds, each looked at once: what it holds now is the baseline that alerts pass over."""
    with reporting():
        settings = settings_for(data)
        ledger = open_ledger(settings.ledger_at)
        failed = asyncio.run(_add_all(settings, ledger, addresses, source, identity, as_json))
    if failed:
        raise typer.Exit(FAILED)


async def _add_all(
    settings: Settings, ledger: Ledger, addresses: list[str], source: str, identity: Identity, as_json: bool
) -> bool:
    failed = False
    archive = Archive(settings.archive_folder, settings.warc_size)
    async with Fetcher(settings) as fetcher:
        for address in addresses:
            try:
                feed, new = await subscribe(settings, ledger, archive, fetcher, address, source, identity=identity)
            except (FeedError, FetchError) as error:
                complain(advice(error))
                failed = True
                continue
            if as_json:
                print_json({"feed": _plain(feed), "added": new is not None, "entries": new or 0})
            elif new is None:
                out.print(Text(f"already there: {line(feed.source)} {clean(feed.url)}"))
                if identity is not Identity.AUTO and feed.identity is not identity:
                    complain(f"its entries are known by {feed.identity} as before; wirewatch feeds set changes that")
            else:
                out.print(
                    Text(
                        f"added: {line(feed.source)} {clean(feed.url)} ({count_of(new, 'entry')} now, as its baseline)"
                    )
                )
    archive.close()
    return failed


@app.command()
def remove(
    feeds: Annotated[list[str], typer.Argument(metavar="FEED…", help="Address, id, or the beginning of an id.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Stop polling feeds. What they brought stays searchable."""
    failed = False
    with reporting():
        ledger = open_ledger(settings_for(data).ledger_at)
        for key in feeds:
            feed = _meant(ledger, key)
            if feed is None:
                failed = True
                continue
            ledger.remove_feed(feed.id)
            if as_json:
                print_json({"removed": _plain(feed)})
            else:
                out.print(Text(f"removed: {line(feed.source)} {clean(feed.url)}"))
    if failed:
        raise typer.Exit(FAILED)


@app.command("set")
def set_(
    feeds: Annotated[list[str], typer.Argument(metavar="FEED…", help="Address, id, or the beginning of an id.")],
    identity: Annotated[Identity | None, typer.Option(help=KNOWN_BY)] = None,
    source: Annotated[str | None, typer.Option(help="The outlet's name.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change how feeds are read from the next poll on. What they brought stays as it is."""
    if identity is None and not source:
        complain("nothing to set: give --identity or --source")
        raise typer.Exit(FAILED)
    failed = False
    with reporting():
        ledger = open_ledger(existing(settings_for(data)).ledger_at)
        for key in feeds:
            feed = _meant(ledger, key)
            if feed is None:
                failed = True
                continue
            ledger.set_feed(feed.id, identity=identity, source=source or None)
            feed = ledger.feed(feed.id) or feed
            if as_json:
                print_json({"feed": _plain(feed)})
            else:
                out.print(Text(f"set: {line(feed.source)} {clean(feed.url)}, known by {feed.identity}"))
    if failed:
        raise typer.Exit(FAILED)


@app.command("list")
def list_feeds(data: Data = None, as_json: Json = False) -> None:
    """All feeds: last success, next poll, failures in a row and why."""
    with reporting():
        ledger = open_ledger(existing(settings_for(data)).ledger_at)
        feeds, now = ledger.feeds(), utc_now()
        volume = ledger.volume(now - timedelta(days=VOLUME_DAYS), now)
        subscriptions = ledger.subscriptions()
    if as_json:
        for feed in feeds:
            record = _plain(feed) | {"volume": volume.get(feed.id, {})}
            print_json(record | {"push": _push(subscriptions.get(feed.id), now)})
        return
    if not feeds:
        out.print("No feeds yet. Add one: wirewatch feeds add https://example.org/")
        return
    shown = table("id", "feed", "last success", "next poll", "failures", "7 days", right=("failures", "7 days"))
    for feed in feeds:
        about = Text(line(feed.source or feed.title) or "—", style="bold")
        about.append(f"\n{clean(feed.url)}", style="not bold dim")
        if feed.identity is not Identity.AUTO:
            about.append(f"\nknown by {feed.identity}", style="not bold dim")
        if feed.reason:
            about.append(f"\n{line(feed.reason)}", style="not bold red")
        for sentence in pushed(subscriptions.get(feed.id), now):
            about.append(f"\n{line(sentence)}", style="not bold dim")
        if feed.state is FeedState.GONE:
            about.append("\ngone: asked once a day in case it comes back", style="not bold yellow")
        shown.add_row(
            feed.id[:8],
            about,
            ago(feed.last_success, now),
            "now" if feed.next_poll is None or feed.next_poll <= now else ago(feed.next_poll, now),
            Text(str(feed.failures), style="red" if feed.failures else ""),
            str(sum(volume.get(feed.id, {}).values())),
        )
    out.print(shown)


@app.command()
def check(
    feeds: Annotated[list[str] | None, typer.Argument(metavar="FEED…", help="All feeds, if none is named.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Explain in words how feeds fare. Exit code 1 where one of them is failing."""
    with reporting():
        ledger = open_ledger(existing(settings_for(data)).ledger_at)
        now = utc_now()
        chosen, missing = _chosen(ledger, feeds)
        volumes = recent_volumes(ledger, chosen, now)
        baselines = ledger.baselines()
        subscriptions = ledger.subscriptions()
    for feed in chosen:
        sentences = health(feed, volumes[feed.id], now) + pushed(subscriptions.get(feed.id), now)
        if baselines.get(feed.id):
            sentences.append(f"At its first poll it held {count_of(baselines[feed.id], 'entry')}.")
        failing = feed.failures > 0 or feed.state is FeedState.GONE
        if as_json:
            print_json({"feed": _plain(feed), "ok": not failing, "health": list(sentences)})
            continue
        mark = Text("✗ ", style="bold red") if failing else Text("✓ ", style="bold green")
        out.print(mark + Text(f"{line(feed.source or feed.title)} ", style="bold") + Text(clean(feed.url)))
        for sentence in sentences:
            out.print(Text(f"  {clean(sentence)}"))
    if missing or any(feed.failures or feed.state is FeedState.GONE for feed in chosen):
        raise typer.Exit(FAILED)


def _meant(ledger: Ledger, key: str) -> Feed | None:
    """The one feed that is meant by a key; ``None``, said why, where there is none, or more than one."""
    found = ledger.find_feeds(key)
    if len(found) == 1:
        return found[0]
    complain(f"{key}: {'no such feed' if not found else 'more than one feed begins so'}")
    return None


def _chosen(ledger: Ledger, keys: list[str] | None) -> tuple[list[Feed], bool]:
    """The feeds meant by the keys, and whether one of the keys meant none."""
    if not keys:
        return ledger.feeds(), False
    chosen, missing = [], False
    for key in keys:
        found = ledger.find_feeds(key)
        if not found:
            complain(f"{key}: no such feed")
            missing = True
        chosen.extend(found)
    return chosen, missing


@app.command("import")
def import_opml(
    file: Annotated[Path, typer.Argument(metavar="OPML", help="An OPML file; - for standard input.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add all feeds of an OPML file. They are first polled by the next run."""
    with reporting():
        ledger = open_ledger(settings_for(data).ledger_at)
        try:
            text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        except OSError as error:
            complain(f"{file}: {error.strerror}")
            raise typer.Exit(FAILED) from error
        now = utc_now()
        listed = list_opml(text, name=str(file))
        added, known = 0, 0
        for outline in listed.feeds:
            feed = feed_listed(outline, now)
            if ledger.add_feed(feed):
                added += 1
            else:
                known += 1
    for skipped in listed.skipped:
        complain(f"{file}, line {skipped.line}: {skipped.title or 'an outline'}: {skipped.reason} ({skipped.url})")
    if as_json:
        print_json({"added": added, "known": known, "skipped": len(listed.skipped)})
    else:
        out.print(f"{count_of(added, 'feed')} added, {known} already there, {len(listed.skipped)} skipped")
    if listed.skipped:
        raise typer.Exit(FAILED)


@app.command("export")
def export_opml(data: Data = None) -> None:
    """Print all feeds as OPML."""
    with reporting():
        feeds = open_ledger(settings_for(data).ledger_at).feeds()
    sys.stdout.buffer.write(write_opml(feeds))
    sys.stdout.buffer.flush()
    err.print(count_of(len(feeds), "feed"))


def _push(subscription: Subscription | None, now: datetime) -> dict[str, object] | None:
    """What a feed's hub does, for JSON; ``None`` where it was never asked."""
    if subscription is None:
        return None
    times = {"expires": subscription.expires, "last_push": subscription.last_push}
    return {
        "state": "lapsed" if subscription.has_lapsed(now) else subscription.state.value,
        **{name: None if at is None else at.isoformat() for name, at in times.items()},
        "reason": subscription.reason,
    }


def _plain(feed: Feed) -> dict[str, object]:
    """A feed for JSON: the fields of the record, times as ISO strings."""
    from pipeline.records import to_dict

    return to_dict(feed)
