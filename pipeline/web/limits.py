"""What one visitor may cost: requests a second, and the work that one query makes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import RequestError, WirewatchError
from pipeline.index import Parsed
from pipeline.index.query import And, Boost, Fuzzy, Node, Not, Or, Pattern, Phrase, Wild

MAX_QUERY: Final = 2_000
"""Characters of a query: an address of more than 8 KB is refused by proxies, and a letter may take 9 bytes in it."""
BUDGET: Final = 200.0
"""Most that a query may cost, in words. Measured on 10,000 articles (2026-11-25, make bench): a word takes some 0.1 ms,
so that a query within the budget takes tens of milliseconds; on a million articles seconds."""


class BusyError(WirewatchError):
    """The visitor, or all together, ask too much just now. ``wait`` is in seconds."""

    def __init__(self, reason: str, wait: float) -> None:
        super().__init__(reason)
        self.reason, self.wait = reason, wait


@dataclass(slots=True)
class RateLimit:
    """A bucket of tokens for each visitor: ``burst`` requests at once, then ``rate`` a second. Safe for threads."""

    rate: float
    burst: float
    most: int = 4_096
    """Visitors remembered; the one longest unseen is forgotten first."""
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, visitor: str, now: float | None = None) -> None:
        """Count a request. Raises BusyError where the visitor has to wait."""
        now = time.monotonic() if now is None else now
        with self._lock:
            left, since = self._buckets.pop(visitor, (self.burst, now))
            left = min(self.burst, left + (now - since) * self.rate)
            self._buckets[visitor] = (left - 1 if left >= 1 else left, now)
            while len(self._buckets) > self.most:
                self._buckets.popitem(last=False)
        if left < 1:
            raise BusyError("you ask faster than this page answers; wait a moment", (1 - left) / self.rate)


def refuse_dear(parsed: Parsed) -> None:
    """Raise RequestError with the reason for a query that would take too long."""
    if len(parsed.query) > MAX_QUERY:
        raise RequestError(
            parsed.query,
            "query",
            f"the query is longer than {MAX_QUERY:,} characters; the command line takes longer ones",
        )
    cost, dearest = weigh(parsed.tree)
    if cost > BUDGET:
        raise RequestError(
            parsed.query,
            "query",
            f"the query is too dear for the page: it costs as much as {cost:,.0f} words, and {BUDGET:,.0f} are "
            f"allowed; {dearest}, or ask it of the command line",
        )


def weigh(node: Node) -> tuple[float, str]:
    """What a query costs, in words, and the advice that would save most."""
    total: float = 0
    dear: dict[str, float] = {}

    def visit(node: Node) -> None:
        nonlocal total
        match node:
            case Not(child) | Boost(child, _):
                visit(child)
                return
            case And(children, should):
                for child in (*children, *should):
                    visit(child)
                return
            case Or(children):
                for child in children:
                    visit(child)
                return
            case Pattern(_, parts):
                # A wildcard in front walks the whole dictionary, one behind a few letters its own corner.
                first = parts[0]
                cost = 40.0 if isinstance(first, Wild) else 20.0 if len(first) < 3 else 5.0
                advice = "begin words with letters in place of wildcards"
            case Fuzzy(_, _, distance):
                cost, advice = 1 + 10.0 * distance, "use fewer fuzzy words (~)"
            case Phrase(_, text, slop):
                cost, advice = len(text.split()) + slop / 2, "make loose phrases closer (~)"
            case _:
                cost, advice = 1.0, "leave out some words"
        total += cost
        dear[advice] = dear.get(advice, 0) + cost

    visit(node)
    return total, max(dear, key=lambda advice: dear[advice]) if dear else "make it shorter"
