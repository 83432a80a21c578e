"""How the command line speaks: tables and text for people, JSON for scripts, nothing from outside unescaped.

Exit codes, the same for every command: 0 done; 1 done, but something asked for failed or was not found; 2 the command
or a query cannot be read; 3 the ledger, the archive or the index cannot be used now; 4 a setting or a model is wrong.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.errors import (
    ArchiveError,
    FetchError,
    IndexDamagedError,
    IndexUnavailableError,
    LedgerError,
    ModelError,
    NotReadyError,
    QueryError,
    SettingsError,
    WirewatchError,
)
from pipeline.records import to_dict
from pipeline.settings import Settings, load_settings

FAILED, USAGE, STORAGE, SETTINGS = 1, 2, 3, 4

WIDE = 160
"""Columns of a table that goes into a file or a pipe, where no terminal says how wide it is."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def folder(given: str) -> Path:
    """A folder as typed. An empty name is refused: as a path it would be the current directory."""
    if not given.strip():
        raise typer.BadParameter("it is empty; name a folder, or . for the one you are in")
    return Path(given)


Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", parser=folder, help="The folder with ledger, archive and index.", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one record a line.")]


def settings_for(data: Path | None, **overrides: Any) -> Settings:
    """The settings for a command: its own ``--data``, else the one before the command, else the environment."""
    return load_settings(data or _common.get("data"), **overrides)


def existing(settings: Settings) -> Settings:
    """The same settings, where there is something in their data folder; for commands that only read.

    Otherwise ends with a sentence and exit code 1, nothing made. Raises LedgerError where it cannot be looked into.
    """
    if settings.ledger is not None:
        return settings  # on a server; it says itself what it holds
    try:
        if any(path.exists() for path in (settings.ledger_file, settings.archive_folder, settings.index_folder)):
            return settings
        above = next((path for path in settings.data.parents if path.exists()), None)
    except OSError as error:
        raise LedgerError(str(settings.ledger_file), error.strerror or str(error)) from error
    if above is not None and not above.is_dir():
        raise LedgerError(str(settings.ledger_file), f"{above} is a file, not a folder")
    complain(f"there is no Wirewatch data in {settings.data} yet; `wirewatch feeds add` begins one")
    raise typer.Exit(FAILED)


def searchable(settings: Settings) -> Settings:
    """The same settings, where there is something to search: on a server of its own, or in the data folder.

    Otherwise as :func:`existing`.
    """
    return existing(settings) if settings.index == "embedded" else settings


_common: dict[str, Any] = {}


def remember(data: Path | None) -> None:
    """Keep ``--data`` as given before the command (``wirewatch --data DIR search …``)."""
    _common["data"] = data


@contextmanager
def reporting() -> Iterator[None]:
    """Turn our errors into one red sentence and the exit code that fits."""
    try:
        yield
    except WirewatchError as error:
        complain(advice(error))
        raise typer.Exit(code_of(error)) from error


def code_of(error: WirewatchError) -> int:
    """The exit code for an error."""
    if isinstance(error, QueryError):
        return USAGE
    if isinstance(error, LedgerError | ArchiveError | IndexDamagedError | IndexUnavailableError):
        return STORAGE
    if isinstance(error, SettingsError | ModelError | NotReadyError):
        return SETTINGS
    return FAILED


def complain(sentence: str) -> None:
    """Say on standard error what went wrong."""
    err.print(Text("error: ", style="bold red") + Text(clean(sentence)), soft_wrap=True)


def advice(error: WirewatchError) -> str:
    """The error's sentence, with what the user can do about it where that is not plain from it."""
    if isinstance(error, FetchError) and error.code == "private-address":
        return f"{error}; if you mean it, add its host to allow_hosts (WIREWATCH_ALLOW_HOSTS)"
    return str(error)


def print_json(record: Any) -> None:
    """One line of JSON on standard output: a record of ours, or plain types."""
    plain = to_dict(record) if hasattr(record, "__dataclass_fields__") else record
    sys.stdout.write(msgspec.json.encode(plain).decode() + "\n")


_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, *, keep: str = "\n\t") -> str:
    """Text from outside, fit for a terminal: no control or formatting character can reach it.

    Escape sequences and bidirectional overrides in a headline could otherwise rewrite what stands on the screen. The
    zero-width joiners that scripts such as Persian, Urdu and Hindi spell with stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in keep or char in "\u200c\u200d" or unicodedata.category(char) not in _INVISIBLE else "\ufffd"
        for char in text
    )


def line(text: str) -> str:
    """The same on one line."""
    return clean(" ".join(text.split()), keep="")


def table(*columns: str, right: tuple[str, ...] = (), title: str | None = None) -> Table:
    """A plain table in the house's manner."""
    made = Table(box=None, header_style="bold", pad_edge=False, title=title, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def ago(when: datetime | None, now: datetime) -> str:
    """How long ago, or how far ahead, in words: ``3 min ago``, ``in 2 h``, ``never``."""
    if when is None:
        return "never"
    seconds = (now - when).total_seconds()
    amount = span(abs(seconds))
    return f"{amount} ago" if seconds >= 0 else f"in {amount}"


def span(seconds: float) -> str:
    """A length of time in its largest fitting unit."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length * (2 if unit == "d" else 1):
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def length(option: str, given: str) -> timedelta:
    """A length of time as typed: 30m, 2h, 7d or 26w. Ends the command with a sentence where it is none."""
    read = re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", given)
    if read is None:
        complain(f"{option}: {given!r} is not a length of time such as 30m, 2h, 7d or 26w")
        raise typer.Exit(USAGE)
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return timedelta(**{units[read[2]]: int(read[1])})


def count_of(number: int, thing: str) -> str:
    """``1 feed``, ``2 feeds``, ``3 entries``, ``4 batches``."""
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}{'es' if thing.endswith('ch') else 's'}"
    return f"{number} {thing if number == 1 else plural}"


def stamp(when: datetime | None) -> str:
    """A time as people read it, in UTC; a dash where there is none."""
    return "—" if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def marked(text: str, base: str = "") -> Text:
    """A fragment with ``\\x02`` … ``\\x03`` around matched words, as rich text."""
    result = Text(style=base)
    for position, part in enumerate(text.replace("\x03", "\x02").split("\x02")):
        result.append(line_keeping_edges(part), style="bold yellow" if position % 2 else "")
    return result


def line_keeping_edges(text: str) -> str:
    """Cleaned, on one line, but with the white space at both ends that keeps words apart."""
    inner = line(text)
    lead = " " if text[:1].isspace() else ""
    trail = " " if text[-1:].isspace() and inner else ""
    return f"{lead}{inner}{trail}"


def each(paths: list[str], work: Callable[[str], None]) -> None:
    """Do something for each path; one that fails is named and the rest goes on, with exit code 1 at the end."""
    failed = False
    for path in paths:
        try:
            work(path)
        except WirewatchError as error:
            if isinstance(error, ModelError | SettingsError):
                raise  # it would be the same for every path
            complain(advice(error))
            failed = True
    if failed:
        raise typer.Exit(FAILED)
