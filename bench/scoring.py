"""Scores for extraction, the same for every extractor.

- **Body**: F1 over bags of tokens, per page, averaged over pages (macro). A token is a run of letters and digits in
  lower case; a letter of a script that is written without blanks (Chinese, Japanese, Thai, …) is one by itself.
- **Title**: right if it reads the same as the gold title: entities resolved, blanks collapsed, invisible characters
  off, Unicode NFC, typographic quotes as typewriters have them. Case, punctuation and dashes count.
- **Authors**: F1 over all pages' names (micro), names compared by letters and digits, after NFKC, in lower case.
- **Published**: right if less than a minute from the gold time; a gold time without an offset is read as UTC, and a
  gold time at midnight without an offset is a day.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dateutil import parser as dateutil_parser

_TOKEN = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\W_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")


def tokens(text: str) -> Counter[str]:
    """The bag of tokens of a text."""
    return Counter(_TOKEN.findall(text.lower()))


def f1(found: str, gold: str) -> float:
    """F1 of two texts as bags of tokens; 1 where both are empty."""
    ours, theirs = tokens(found), tokens(gold)
    if not ours and not theirs:
        return 1.0
    both = sum((ours & theirs).values())
    return 2 * both / (sum(ours.values()) + sum(theirs.values()))


_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_QUOTES = {**dict.fromkeys(range(0x2018, 0x201C), "'"), **dict.fromkeys(range(0x201C, 0x2020), '"')}


def as_read(title: str) -> str:
    """A title as readers see it: two that they would call the same come out the same, and no others."""
    text = _INVISIBLE.sub("", html.unescape(html.unescape(title)))
    return unicodedata.normalize("NFC", " ".join(text.split())).translate(_QUOTES)


def key(text: str) -> str:
    """A name reduced for comparison."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def same_minute(found: datetime | None, gold: str | None) -> bool | None:
    """Whether a time is right to the minute; ``None`` where the gold has no time."""
    if not gold:
        return None
    right = dateutil_parser.parse(gold)
    if found is None:
        return False
    if right.tzinfo is None:
        right = right.replace(tzinfo=UTC)
        if (right.hour, right.minute) == (0, 0):
            return found.astimezone(UTC).date() == right.date()
    return abs((found - right).total_seconds()) < 60


def same_day(found: str | None, gold: str | None) -> bool | None:
    """Whether an ISO date is the gold time's day; ``None`` where the gold has no time."""
    return None if not gold else (found or "")[:10] == dateutil_parser.parse(gold).date().isoformat()


@dataclass(slots=True)
class Tally:
    """Sums over pages; ``body`` keeps each page's score, in order."""

    body: list[float] = field(default_factory=list)
    titles: list[bool] = field(default_factory=list)
    minutes: list[bool] = field(default_factory=list)
    days: list[bool] = field(default_factory=list)
    hits: int = 0
    named: int = 0

    def add_authors(self, found: Iterable[str], gold: Sequence[str] | None) -> None:
        ours, theirs = {key(name) for name in found}, {key(name) for name in gold or ()}
        self.hits += len(ours & theirs)
        self.named += len(ours) + len(theirs)

    @property
    def body_f1(self) -> float:
        return _mean(self.body)

    @property
    def title_right(self) -> float:
        return _mean(self.titles)

    @property
    def minute_right(self) -> float:
        return _mean(self.minutes)

    @property
    def day_right(self) -> float:
        return _mean(self.days)

    @property
    def authors_f1(self) -> float:
        return 2 * self.hits / self.named if self.named else 0.0


def _mean(values: Sequence[float | bool]) -> float:
    return sum(values) / len(values) if values else 0.0
