"""``wirewatch search`` and ``wirewatch show``: what is in the index, and one article whole."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from pipeline.cli.stories import print_assertion, print_carriers, print_versions, story_facts
from pipeline.cli.terminal import (
    FAILED,
    USAGE,
    Data,
    Json,
    clean,
    complain,
    err,
    line,
    marked,
    out,
    print_json,
    reporting,
    searchable,
    settings_for,
    stamp,
    table,
)
from pipeline.errors import QueryError, RequestError
from pipeline.records import Claim, Document, Hit, Sighting, Version, to_dict, whole_record

if TYPE_CHECKING:
    from pipeline.index import SearchRequest, SearchResult

WINDOW = 70
"""Characters of a query shown around the place where reading it failed: they fit a line of 80 with what is around."""
OPTIONS = {
    "since": "--from",
    "until": "--to",
    "sources": "--source",
    "facets": "--facet",
    "facet_size": "--facet",
    "histogram": "--histogram",
    "limit": "--limit",
    "offset": "--offset",
    "after": "--after",
}
"""Fields of a request as their options."""


class Order(StrEnum):
    """How hits can be sorted, as typed."""

    SCORE = "score"
    NEWEST = "newest"
    OLDEST = "oldest"


class Width(StrEnum):
    """Widths of a histogram's bars, as typed."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def add_to(app: typer.Typer) -> None:
    app.command("search")(search)
    app.command("show")(show)


def search(
    query: Annotated[str, typer.Argument(help='Lucene syntax: kashmir AND speaker:khan, "line of control"~3, …')] = "",
    claims: Annotated[bool, typer.Option("--claims", help="Search claims in place of articles.")] = False,
    since: Annotated[
        str | None, typer.Option("--from", metavar="WHEN", help="Published from: a day, a time, or 7d, 12h ago.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="WHEN", help="Published before (a day: to its end).")
    ] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this outlet; may be repeated.")] = None,
    sort: Annotated[Order, typer.Option(help="The order of the hits.")] = Order.SCORE,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="How many hits.")] = 10,
    offset: Annotated[int, typer.Option(min=0, help="Hits to skip.")] = 0,
    after: Annotated[str | None, typer.Option(help="The cursor of the page before.", show_default=False)] = None,
    facet: Annotated[
        list[str] | None, typer.Option(help="Count hits by source, entity, speaker, language, …; may be repeated.")
    ] = None,
    histogram: Annotated[Width | None, typer.Option(help="Count hits by time.")] = None,
    collapse: Annotated[
        bool, typer.Option("--collapse", help="One hit a story, of claims one a statement; all are counted.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Search articles, or the claims in them."""
    # Not above: --help does not wait for the index's libraries.
    from pipeline.index import Interval, Kind, SearchRequest, Sort, open_index, read_when, result_to_dict

    now = datetime.now(UTC)
    with reporting():
        index = open_index(searchable(settings_for(data)))
        try:
            request = SearchRequest(
                query=query,
                kind=Kind.CLAIMS if claims else Kind.ARTICLES,
                since=read_when(since, now),
                until=read_when(until, now, end=True),
                sources=tuple(source or ()),
                sort=Sort(sort.value),
                limit=limit,
                offset=offset,
                after=after,
                facets=tuple(facet or ()),
                histogram=Interval(histogram.value) if histogram else None,
                highlight=True,
                collapse=collapse,
            )
            result = index.search(request)
        except QueryError as error:
            show_query_error(error)
            raise typer.Exit(USAGE) from error
        finally:
            index.close()
    if as_json:
        print_json(result_to_dict(result))  # one line for the whole: totals, facets and hits together
    else:
        print_result(result, request)


def show_query_error(error: QueryError) -> None:
    """What is wrong: the option at fault by name, or the query's part around the place where reading failed, marked."""
    if isinstance(error, RequestError):
        option = OPTIONS.get(error.part)
        complain(f"{option}: {error.reason}" if option else error.reason)
        return
    complain(error.reason)
    shown, column = excerpt(error.query, error.position)
    err.print(Text(f"  {shown}"), soft_wrap=True)
    err.print(Text(f"  {' ' * column}^", style="bold red"), soft_wrap=True)


def excerpt(query: str, position: int) -> tuple[str, int]:
    """A query's ``WINDOW`` characters around a position, and the column of that position in it.

    What cannot be shown is escaped as Python writes it, so that the mark stands under its character.
    """
    start = max(0, min(position - WINDOW // 2, len(query) - WINDOW))
    before, after = (
        "".join(char if char.isprintable() else repr(char)[1:-1] for char in part)
        for part in (query[start:position], query[position : start + WINDOW])
    )
    lead = "…" if start else ""
    return lead + before + after + ("…" if start + WINDOW < len(query) else ""), cell_len(lead + before)


def print_result(result: SearchResult, request: SearchRequest) -> None:
    """Hits, facets and histogram for a person."""
    claims = request.kind == "claims"
    what = "claim" if claims else "article"
    for hint in result.hints:
        out.print(Text(f"hint: {clean(hint)}", style="yellow"))
    for hit in result.hits:
        out.print(claim_line(hit) if claims else article_line(hit))
        out.print()
    for name, values in result.facets.items():
        shown = table(name, "hits", right=("hits",))
        for value, count in values:
            shown.add_row(line(value), str(count))
        out.print(shown)
        out.print()
    if result.histogram:
        most = max(count for _, count in result.histogram)
        shown = table("from (UTC)", "hits", "", right=("hits",))
        for start, count in result.histogram:
            shown.add_row(stamp(start), str(count), "█" * max(1, round(30 * count / most)))
        out.print(shown)
        out.print()
    plural = "" if result.total == 1 else "s"
    out.print(
        Text(
            f"{result.total} {what}{plural}"
            + (f", {len(result.hits)} shown" if result.total > len(result.hits) else ""),
            style="dim",
        )
    )


def article_line(hit: Hit) -> Text:
    """An article among hits: headline, where and when, the fragment that matched."""
    article = hit.record["article"]
    title = hit.highlights.get("title", (article["title"],))[0]
    text = marked(title or "(no headline)", "bold")
    text.append("\n")
    about = [line(article["source"]), shown_time(article), hit.id[:8]]
    if article["body_source"] == "feed":
        about.append("feed text only")
    text.append("  " + " · ".join(part for part in about if part), style="dim")
    if hit.folded:
        outlets = {carrier["source"] for carrier in hit.record["placement"]["carriers"]}
        text.append(f"\n  carried by {len(outlets)} outlets, {hit.folded} more match", style="dim")
    for fragment in hit.highlights.get("body", ())[:2]:
        text.append("\n  ")
        text.append_text(marked(fragment))
    return text


def claim_line(hit: Hit) -> Text:
    """A claim among hits: who, how, what, and where it stands."""
    record = hit.record
    claim = record["claim"]
    text = speaker_words(claim)
    text.append(": ")
    text.append_text(marked(hit.highlights.get("content", (claim["content"]["text"],))[0]))
    text.append("\n")
    about = [
        line(str(record.get("title") or "")),
        line(str(record.get("source") or "")),
        str(record.get("published") or record.get("first_seen") or "")[:16].replace("T", " "),
        hit.id[:8],
    ]
    if hit.folded:
        about.append(f"{hit.folded} more of the same")
    text.append("  " + " · ".join(part for part in about if part), style="dim")
    return text


def speaker_words(claim: dict[str, Any]) -> Text:
    """Who speaks, and how: the resolved name, the words as written where they differ, and the cue."""
    speaker, cue = claim["speaker"], claim["cue"]
    if speaker is None:
        text = Text("(nobody named)", style="magenta")
    elif speaker["anonymous"] or not speaker["name"]:
        text = Text(line(speaker["text"]), style="magenta")
        if speaker["anonymous"]:
            text.append(" [unnamed]", style="dim")
    else:
        text = Text(line(speaker["name"]), style="bold cyan")
        if speaker["name"] != speaker["text"]:
            text.append(f" [{line(speaker['text'])}]", style="dim")
    if cue is not None:
        negation = "not " if claim["negated"] else ""
        text.append(f" {negation}{line(cue['text'])}", style="green")
    return text


def shown_time(article: dict[str, Any]) -> str:
    when = article["published"] or article["first_seen"]
    return when[:16].replace("T", " ") if isinstance(when, str) else stamp(when)


def show(
    key: Annotated[str, typer.Argument(metavar="ID", help="An article's id, or the beginning of it.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """One article: its entities and claims, its story and who carries it, its versions, and where its page lies."""
    from pipeline.index import open_index
    from pipeline.ledger import open_ledger
    from pipeline.stories.register import Register

    with reporting():
        settings = searchable(settings_for(data))
        index = open_index(settings)
        document = index.get(key)
        others = index.find(key) if document is None else ()
        index.close()
        if document is None:
            complain(
                f"{key}: more than one article begins so: {', '.join(others)}" if others else f"{key}: no such article"
            )
            raise typer.Exit(FAILED)
        sightings: list[Sighting] = []
        versions: list[Version] = []
        if settings.ledger or settings.ledger_file.exists():  # one may read an index without having its ledger
            ledger = open_ledger(settings.ledger_at)
            carriers = ledger.carriers(document.article.id)
            sightings = [sighting for item in carriers for sighting in ledger.sightings(item.id)]
            versions = Register(ledger).versions(document.article.id)
            ledger.close()
    if as_json:
        print_json(whole_record(document, sightings, versions))
        return
    article = document.article
    out.print(Text(line(article.title) or "(no headline)", style="bold"))
    facts = [
        ("source", article.source),
        ("by", ", ".join(article.authors)),
        ("dateline", article.dateline.text if article.dateline else ""),
        ("published", f"{stamp(article.published)} ({article.published_from})" if article.published else "—"),
        ("updated", f"{stamp(article.updated)} ({article.updated_from})" if article.updated else ""),
        ("first seen", stamp(article.first_seen)),
        ("indexed", stamp(document.indexed)),
        ("link", article.url),
        ("language", article.language or ""),
        ("text from", article.body_source + (f" — {article.body_reason}" if article.body_reason else "")),
        ("seen in", f"{len(sightings)} feed entr{'y' if len(sightings) == 1 else 'ies'}"),
        ("version", str(article.version)),
        *story_facts(document.placement),
        ("archived", f"{article.location.file} at byte {article.location.offset}" if article.location else "—"),
        ("id", article.id),
    ]
    for name, value in facts:
        if value:
            out.print(Text(f"  {name:<10} ", style="dim") + Text(line(value)))
    out.print()
    out.print(Padding(marked_body(document), (0, 2)))
    out.print()
    print_carriers(document)
    print_versions(versions)
    _show_entities(document)
    _show_claims(document)


def marked_body(document: Document) -> Text:
    """The body with the words of its claims marked: speakers cyan, cues green, contents underlined, entities bold."""
    body = document.article.body
    # Cleaning keeps the length: each character that cannot be shown becomes one that can.
    text = Text(clean(body))
    for entity in document.enriched.entities:
        if entity.label not in ("DATE", "MONEY"):
            text.stylize("bold", entity.start, entity.end)
    for claim in document.enriched.claims:
        for start, end in claim.content.spans:
            text.stylize("underline", start, end)
        if claim.cue is not None:
            text.stylize("green", claim.cue.start, claim.cue.end)
        if claim.speaker is not None:
            text.stylize("magenta" if claim.speaker.anonymous else "cyan", claim.speaker.start, claim.speaker.end)
    return text


def _show_entities(document: Document) -> None:
    found: dict[tuple[str, str], int] = {}
    for entity in document.enriched.entities:
        if entity.label not in ("DATE", "MONEY"):
            found[entity.label, entity.name] = found.get((entity.label, entity.name), 0) + 1
    if not found:
        return
    shown = table("kind", "entities")
    labels = list(dict.fromkeys(label for label, _ in found))
    for label in labels:
        names = [
            f"{line(name)}" + (f" ×{count}" if count > 1 else "")
            for (kind, name), count in found.items()
            if kind == label
        ]
        shown.add_row(Text(label, style="dim"), Text(", ".join(names)))
    out.print(shown)
    out.print()


def _show_claims(document: Document) -> None:
    from pipeline.index.fields import assertion_of

    if document.enriched.note:
        out.print(Text(clean(document.enriched.note), style="yellow"))
    for number, claim in enumerate(document.enriched.claims):
        out.print(
            Text(f"{number:>3} ", style="dim") + speaker_words(to_dict(claim)) + Text(f": {line(claim.content.text)}")
        )
        about = claim_facts(claim)
        if about:
            out.print(Text("      " + " · ".join(about), style="dim"))
        assertion = assertion_of(document, number)
        if assertion is not None:
            print_assertion(assertion)


def claim_facts(claim: Claim) -> list[str]:
    """What is known of a claim beside who, how and what."""
    facts = [claim.form]
    if claim.cue is not None:
        facts.append(claim.cue.cls)
    if claim.speaker is not None:
        facts.append(claim.speaker.kind)
        if claim.speaker.reason:
            facts.append(f"unnamed {line(claim.speaker.reason)}")
        if claim.speaker.same_as is not None:
            facts.append(f"the same source as in {claim.speaker.same_as}")
    if claim.hedge:
        facts.append(f"hedged: {line(claim.hedge)}")
    if claim.parent is not None:
        facts.append(f"inside {claim.parent}")
    if claim.when is not None:
        days = claim.when.earliest or ""
        if claim.when.latest and claim.when.latest != claim.when.earliest:
            days = f"{days} to {claim.when.latest}"
        facts.append(f"{line(claim.when.text)}" + (f" = {days}" if days else ""))
    return facts
