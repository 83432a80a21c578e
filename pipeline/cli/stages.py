"""``wirewatch extract`` and ``wirewatch enrich``: single stages, by themselves, one line of JSON a document."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pipeline.cli.search import claim_facts, speaker_words
from pipeline.cli.terminal import Data, Json, clean, each, line, out, print_json, reporting, settings_for, stamp
from pipeline.errors import ExtractError, FetchError
from pipeline.records import Page, to_dict
from pipeline.settings import Settings


def add_to(app: typer.Typer) -> None:
    app.command("extract")(extract_command)
    app.command("enrich")(enrich_command)


def extract_command(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH|URL…", help="HTML files, addresses, or - for standard input.")
    ],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take the article out of pages: body, title, authors, dateline, times."""
    from pipeline.extract import extract

    with reporting():
        settings = settings_for(data)

        def one(path: str) -> None:
            page = read_page(path, settings)
            try:
                article = extract(page)
            except ExtractError as error:
                raise ExtractError("standard input" if path == "-" else path, error.reason) from error
            if as_json:
                record = to_dict(article)
                wanted = ("url", "title", "authors", "published", "language", "body")
                head = {"path": path} | {name: record.pop(name) for name in wanted}
                for ours in ("first_seen", "feed", "guid", "baseline", "version", "location"):
                    record.pop(ours)  # they speak of a run, and there was none
                print_json(head | record)
                return
            out.print(Text(line(article.title) or "(no headline)", style="bold"))
            authors = ", ".join(article.authors) or "no byline"
            out.print(
                Text(
                    f"{line(authors)} · {stamp(article.published)} · {article.language or '?'} · {article.kind}",
                    style="dim",
                )
            )
            out.print(Text(clean(article.url), style="dim"))
            out.print()
            out.print(Text(clean(article.body)))
            out.print()

        each(paths, one)


def read_page(path: str, settings: Settings) -> Page:
    """A page from a file, from standard input, or from the web, asked for as politely as in a run."""
    if path.startswith(("http://", "https://")):
        return asyncio.run(_fetch(path, settings))
    try:
        body = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise ExtractError(path, error.strerror or str(error)) from error
    return Page(url="", final_url="", status=200, headers=(), body=body, fetched=datetime.fromtimestamp(0, UTC))


async def _fetch(url: str, settings: Settings) -> Page:
    from pipeline.fetch import Fetcher, raise_for_status

    async with Fetcher(settings) as fetcher:
        page = await fetcher.get(url)
    try:
        raise_for_status(page)
    except FetchError as error:
        raise ExtractError(url, error.reason) from error
    return page


def enrich_command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH|-…", help="Plain text files, or - for standard input.")],
    published: Annotated[
        datetime | None,
        typer.Option(help='The article\'s date, by which "on Monday" is understood.', show_default=False),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find entities and attributed claims in plain text."""
    from pipeline.enrich import Enricher

    with reporting():
        enricher = Enricher(settings_for(data))
        when = None if published is None else published.replace(tzinfo=published.tzinfo or UTC)

        def one(path: str) -> None:
            text = read_text(path)
            found = enricher.enrich(text, published=when)
            if as_json:
                record: dict[str, Any] = to_dict(found)
                print_json({"path": path} | record)
                return
            out.print(Text(path, style="bold"))
            if found.note:
                out.print(Text(clean(found.note), style="yellow"))
            names = dict.fromkeys(f"{line(e.name)} ({e.label})" for e in found.entities)
            out.print(Text(", ".join(names), style="dim"))
            for claim in found.claims:
                out.print(speaker_words(to_dict(claim)) + Text(f": {line(claim.content.text)}"))
                out.print(Text("  " + " · ".join(claim_facts(claim)), style="dim"))
            out.print()

        each(paths, one)


def read_text(path: str) -> str:
    """Plain text as UTF-8, byte order mark off, line ends as they are: offsets are characters of this text."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise ExtractError(path, error.strerror or str(error)) from error
    return raw.decode("utf-8-sig", "replace")
