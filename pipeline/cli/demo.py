"""``wirewatch demo``: the real pipeline against a small newsroom on loopback, and what came of it."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.rule import Rule
from rich.text import Text

from pipeline.cli.alerts import print_alert
from pipeline.cli.run import run_flow, summary
from pipeline.cli.search import article_line, claim_line
from pipeline.cli.serve import PORT
from pipeline.cli.terminal import (
    FAILED,
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
from pipeline.flow import Tally, utc_now
from pipeline.folder import folder_in_use
from pipeline.index import Index, Kind, SearchRequest, Sort, open_index
from pipeline.ledger import AlertState, Ledger, Told, open_ledger
from pipeline.records import Feed, feed_id

MARK = "made-by-wirewatch-demo"
"""A file that says that a folder is the demo's own, and may be emptied."""

QUERY = "kashmir"


def add_to(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The demo's own folder; emptied first.")] = Path(
        "demo-data"
    ),
    as_json: Json = False,
) -> None:
    """Run the pipeline on a newsroom of its own: from nothing to searchable claims, in a minute or two."""
    with reporting():
        folder = data.expanduser().absolute()
        _make_room(folder)
        from pipeline.demo import Newsroom  # brings templates and a web server, which no other command needs

        with Newsroom() as room:
            # The demo's hosts are ours: nobody is hurt by haste.
            settings = settings_for(folder, allow_hosts=room.hosts, host_delay=0.05, per_host=4)
            ledger, index = open_ledger(settings.ledger_at), open_index(settings)
            began = utc_now()
            with folder_in_use(folder):
                for feed in room.feeds:
                    ledger.add_feed(
                        Feed(id=feed_id(feed.url), url=feed.url, added=began, title=feed.title, source=feed.outlet)
                    )
                if not as_json:
                    _say(f"A newsroom of {len(room.feeds)} feeds is at {room.url}; the pipeline runs against it.")
                passes = [run_flow(settings, ledger, index, once=True, quiet=True, bars=not as_json)]
                while room.advance():
                    for stored in ledger.feeds():
                        ledger.touch_feed(stored.id, began)
                    passes.append(run_flow(settings, ledger, index, once=True, quiet=True, bars=not as_json))
            seconds = (utc_now() - began).total_seconds()
            if as_json:
                print_json(_report(ledger, index, passes, seconds))
            else:
                _show(ledger, index, passes, seconds, folder)
            index.close()
            ledger.close()


def _make_room(folder: Path) -> None:
    """Empty the demo's folder, or refuse one that the demo did not make."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        complain(f"{folder}: holds something that the demo did not make; give it a folder of its own")
        raise typer.Exit(FAILED)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(Path(__file__).parents[1] / "demo" / "rules", folder / "rules")
    (folder / MARK).write_text("`wirewatch demo` empties this folder each time that it runs.\n")


def _report(ledger: Ledger, index: Index, passes: list[Tally], seconds: float) -> dict[str, object]:
    return {
        "seconds": round(seconds, 1),
        "feeds": [{"url": feed.url, "source": feed.source, "reason": feed.reason} for feed in ledger.feeds()],
        "items": ledger.counts(),
        "articles": index.count(Kind.ARTICLES),
        "claims": index.count(Kind.CLAIMS),
        "kashmir": {kind.value: index.search(SearchRequest(query=QUERY, kind=kind, limit=0)).total for kind in Kind},
        "passes": [dict(sorted(tally.counts.items())) for tally in passes],
        "alerts": [{"rule": one.alert.rule, "headline": one.alert.headline} for one in _told(ledger)],
    }


def _show(ledger: Ledger, index: Index, passes: list[Tally], seconds: float, folder: Path) -> None:
    _head("What came in")
    sources = index.search(SearchRequest(limit=0, facets=("source",), facet_size=20))
    articles = dict(sources.facets["source"])
    shown = table("outlet", "feeds", "articles", "remarks", right=("feeds", "articles"))
    outlets: dict[str, list[Feed]] = {}
    for feed in ledger.feeds():
        outlets.setdefault(feed.source or feed.url, []).append(feed)
    for outlet, feeds in outlets.items():
        remark = "; ".join(line(feed.reason) for feed in feeds if feed.reason)
        shown.add_row(line(outlet), str(len(feeds)), str(articles.get(outlet, 0)), Text(remark, style="red"))
    out.print(shown)
    out.print()
    for number, tally in enumerate(passes):
        _say(f"{'The next' if number else 'First'} edition: {summary(tally, 0).rpartition(' in ')[0]}.")
    texts = index.search(SearchRequest(query="body_source:feed", limit=0)).total
    if texts:
        _say(
            f"{texts} pages could not be had (403, robots.txt, login wall): the feed's own text stands in, and says so."
        )

    found = index.search(SearchRequest(query=QUERY, limit=4, highlight=True))
    _head(f"wirewatch search {QUERY}   ({found.total} articles)")
    for hit in found.hits:
        out.print(article_line(hit))
        out.print()

    claims = index.search(
        SearchRequest(query=QUERY, kind=Kind.CLAIMS, limit=6, sort=Sort.NEWEST, highlight=True, facets=("speaker",))
    )
    _head(f"wirewatch search --claims {QUERY}   ({claims.total} claims)")
    for hit in claims.hits:
        out.print(claim_line(hit))
        out.print()

    denials = index.search(SearchRequest(query="class:deny", kind=Kind.CLAIMS, limit=4, highlight=True))
    _head(f"wirewatch search --claims class:deny   ({denials.total} denials)")
    for hit in denials.hits:
        out.print(claim_line(hit))
        out.print()

    alerts = _told(ledger)
    _head(f"Alerts, from the rules in {_short(folder / 'rules')}   ({len(alerts)} fired)")
    _say("What was there at the first poll of each feed is remembered and alerted to nobody; this came after it.")
    for one in _one_a_rule(alerts):
        out.print()
        print_alert(one.alert)

    _head("What to try next")
    where = _short(folder)
    wirewatch = _short(Path(sys.argv[0]).absolute()) if Path(sys.prefix).is_relative_to(Path.cwd()) else "wirewatch"
    for command, what in (
        ("search 'anonymous:true AND content:talks' --claims", "what unnamed sources say of talks"),
        ("search 'flood*' --facet source --facet place", "facets beside the hits"),
        (f"show {found.hits[0].id[:8]}" if found.hits else "status", "one article, its claims marked in the text"),
        ("alerts list", "every alert, and what became of it on each channel"),
        ("alerts test kashmir --since 30d --baseline", "what a rule would have fired on, had it been there before"),
        ("feeds check", "how each feed fares, in words"),
        ("status", "what is owed, what ended how"),
    ):
        out.print(Text(f"  {wirewatch} {command} --data {where}"))
        out.print(Text(f"      {what}", style="dim"))
    out.print(Text(f"  {wirewatch} serve --data {where}", style="bold"))
    out.print(Text(f"      all of it in a browser, at http://127.0.0.1:{PORT}/", style="dim"))
    out.print()
    _say(f"{index.count(Kind.ARTICLES)} articles and {index.count(Kind.CLAIMS)} claims in {seconds:.0f} s, in {folder}")


def _told(ledger: Ledger) -> list[Told]:
    """The alerts that fired, the first first."""
    return ledger.outbox.told(state=AlertState.FIRED)[::-1]


def _one_a_rule(alerts: list[Told]) -> list[Told]:
    """Each rule's latest alert, so that all have their say on one screen."""
    return list({one.alert.rule: one for one in alerts}.values())


def _short(path: Path) -> str:
    """A path as one would type it here."""
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return shlex.quote(str(shown))


def _head(title: str) -> None:
    out.print()
    out.print(Rule(Text(clean(title), style="bold"), align="left", style="dim"))
    out.print()


def _say(sentence: str) -> None:
    out.print(Text(clean(sentence)))
