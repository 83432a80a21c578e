"""All rules against a batch of documents, in memory, with the same meaning as a search.

Rules are looked up by what a document must hold to fulfil them (``conditions.py``); only those are asked that have a
chance. So a document costs by its own length and by the rules that come near it, and hardly by how many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.alerts.conditions import GRAM, PAIR, Anchor, Condition, Conditions, likely
from pipeline.alerts.rules import Rule
from pipeline.alerts.view import View
from pipeline.index import analysis
from pipeline.index.base import Kind
from pipeline.index.fields import article_values, claim_values
from pipeline.index.query import Node, parse
from pipeline.records import Document

WEIGHED = (100, 1_000, 10_000)
"""After so many documents rules are looked up anew by what proved rare; before that, long words are taken to be."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that a document fulfils. ``claims`` are the numbers of the claims that do, where the rule asks of claims.
    Whether its story has sources enough is not asked here."""

    rule: Rule
    document: Document
    claims: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule made ready. ``moving``: what it says depends on the time, and it is read anew for each batch."""

    rule: Rule
    article: Condition | None
    claims: Condition | None
    sources: frozenset[str]
    languages: frozenset[str]
    moving: bool


class _Lookup:
    """Rules by their anchors, for one kind of view. Those without any are ``always`` asked."""

    def __init__(self) -> None:
        self.always: list[_Ready] = []
        self._rules: dict[str, dict[str, list[_Ready]]] = {}
        self._possible: dict[str, set[str]] = {}
        self._spaces: list[tuple[str, Callable[[View], frozenset[str]], frozenset[str]]] = []
        self.held: Counter[Anchor] = Counter()
        self.seen = 0

    @property
    def asks(self) -> bool:
        """Whether any rule is looked up here."""
        return bool(self.always or self._rules)

    def weigh(self, anchor: Anchor) -> float:
        """What share of views hold this, by those seen so far."""
        self._possible.setdefault(anchor[0], set()).add(anchor[1])
        if self.seen < WEIGHED[0]:
            return likely(anchor)
        return (self.held[anchor] + likely(anchor)) / self.seen

    def again(self) -> _Lookup:
        """An empty one that knows what this one has seen."""
        fresh = _Lookup()
        fresh.held, fresh.seen = self.held, self.seen
        return fresh

    def add(self, ready: _Ready, anchors: frozenset[Anchor] | None) -> None:
        if anchors is None:
            self.always.append(ready)
            return
        for space, term in anchors:
            self._rules.setdefault(space, {}).setdefault(term, []).append(ready)

    def seal(self) -> None:
        self._spaces = [(space, _holder(space), frozenset(terms)) for space, terms in self._possible.items()]

    def near(self, view: View) -> list[_Ready]:
        """The rules that this view may fulfil, each once, in no order."""
        found: list[_Ready] = []
        self.seen += 1
        counts = self.seen <= WEIGHED[-1]
        for space, held, possible in self._spaces:
            common = possible & held(view)
            if not common:
                continue
            if counts:
                self.held.update([(space, term) for term in common])
            rules = self._rules.get(space)
            if rules:
                for term in common:
                    if term in rules:
                        found += rules[term]
        return list({id(ready): ready for ready in found}.values()) + self.always


def _holder(space: str) -> Callable[[View], frozenset[str]]:
    """What a view holds of a space."""
    if space.endswith(GRAM):
        return lambda view: view.grams(space.removesuffix(GRAM))
    if space.endswith(PAIR):
        return lambda view: view.pairs(space.removesuffix(PAIR))
    return lambda view: view.terms(space)


class Matcher:
    """The rules in force, ready to be asked about documents. Not for several threads at once. ``failures`` are rules
    that could not be asked, with the error: faults of ours."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._conditions = {kind: Conditions(kind) for kind in Kind}
        self._trees: dict[tuple[str, Kind], tuple[Node, bool]] = {}
        self._rules = tuple(rules)
        self.failures: dict[str, str] = {}
        self._lookups = {kind: _Lookup() for kind in Kind}
        self._arrange(datetime.now(UTC))

    def _arrange(self, now: datetime) -> None:
        """Fill the lookups, with what is known by now of how many documents hold what."""
        self._lookups = {kind: lookup.again() for kind, lookup in self._lookups.items()}
        for rule in self._rules:
            ready = self._ready(rule, now)
            kind = Kind.CLAIMS if ready.claims else Kind.ARTICLES
            condition = ready.claims or ready.article
            assert condition is not None
            # What depends on the time may hold other anchors tomorrow: dates have none, so it does not.
            self._lookups[kind].add(ready, condition.anchors)
        for lookup in self._lookups.values():
            lookup.seal()

    def _ready(self, rule: Rule, now: datetime) -> _Ready:
        article = self._condition(rule.query, Kind.ARTICLES, now)
        claims = self._condition(rule.claims, Kind.CLAIMS, now)
        return _Ready(
            rule,
            article[0] if article else None,
            claims[0] if claims else None,
            frozenset(analysis.fold(source) for source in rule.sources),
            frozenset(analysis.fold(language) for language in rule.languages),
            any(part is not None and part[1] for part in (article, claims)),
        )

    def _condition(self, query: str | None, kind: Kind, now: datetime) -> tuple[Condition, bool] | None:
        if query is None:
            return None
        tree, moving = self._tree(query, kind, now)
        return self._conditions[kind].make(tree, self._lookups[kind].weigh), moving

    def _tree(self, query: str, kind: Kind, now: datetime) -> tuple[Node, bool]:
        known = self._trees.get((query, kind))
        if known is not None and not known[1]:
            return known
        tree = parse(query, kind, now=now).tree
        moving = "now" in query and tree != parse(query, kind, now=now + timedelta(days=400)).tree
        self._trees[query, kind] = tree, moving
        return tree, moving

    def match(self, documents: Sequence[Document], now: datetime) -> list[Match]:
        """Every rule that each document fulfils, in the order of the documents and then of the rules' names."""
        found = []
        for document in documents:
            if self._lookups[Kind.ARTICLES].seen in WEIGHED:
                self._arrange(now)
            found += sorted(self._match(document, now), key=lambda match: match.rule.name)
        return found

    def _match(self, document: Document, now: datetime) -> Iterator[Match]:
        article = View(Kind.ARTICLES, article_values(document))
        for ready in self._lookups[Kind.ARTICLES].near(article):
            ready = self._ready(ready.rule, now) if ready.moving else ready
            if _admits(ready, article) and self._holds(ready, ready.article, article):
                yield Match(ready.rule, document)
        claims: dict[str, tuple[_Ready, list[int]]] = {}
        lookup = self._lookups[Kind.CLAIMS]
        if lookup.asks:
            for number, values in enumerate(claim_values(document)):
                view = View(Kind.CLAIMS, values)
                for ready in lookup.near(view):
                    ready = self._ready(ready.rule, now) if ready.moving else ready
                    if self._holds(ready, ready.claims, view):
                        claims.setdefault(ready.rule.name, (ready, []))[1].append(number)
        for ready, numbers in claims.values():
            if _admits(ready, article) and (ready.article is None or self._holds(ready, ready.article, article)):
                yield Match(ready.rule, document, tuple(numbers))

    def _holds(self, ready: _Ready, condition: Condition | None, view: View) -> bool:
        try:
            return condition is not None and condition.holds(view)
        except Exception as error:  # noqa: BLE001 - a fault in one rule must not keep the others from being asked
            self.failures[ready.rule.name] = f"{type(error).__name__}: {error}"
            return False


def _admits(ready: _Ready, article: View) -> bool:
    """Whether a rule's own sources and languages admit the article."""
    return (not ready.sources or not ready.sources.isdisjoint(article.terms("source.keyword"))) and (
        not ready.languages or not ready.languages.isdisjoint(article.terms("language"))
    )
