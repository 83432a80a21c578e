"""The query language: Lucene's query_string syntax, read by luqum, checked, and turned into a small typed tree.

The tree is the same for every adapter and for alert rules; positions are characters of the query, from 0.

======================  ==========================================================================================
``kashmir talks``       both words, in any default field each (title, body; for claims content, speaker)
``a AND b``, ``a && b`` both; ``a OR b``, ``a || b`` either; ``NOT a``, ``!a``, ``-a`` without
``a OR b AND c``        AND binds tighter than OR, OR tighter than words side by side: ``x a OR b`` is x (a OR b)
``+a OR b``             within OR, ``+`` requires and ``-`` excludes, as in Lucene; elsewhere ``+`` changes nothing
``title:word``          in one field; ``title:(a OR b)`` a group; ``title:"a b"`` a phrase
``"a b"~3``             the words within three moves of being the phrase, in any order
``version:[2 TO 5}``    ranges on dates and numbers; ``[`` includes, ``{`` excludes, ``*`` is open; ``version:>=2``
``published:2026-08``   the whole month; ``[2026-08-01 TO now-7d/d]``: see ``dates.py``
``kash*``, ``k?shmir``  wildcards, on words as written (folded, not stemmed); ``*stan`` needs two letters at least
``imran~``, ``imran~1`` words one or two letters away (by default none under 3 letters, one under 6, else two)
``word^2``              counts twice; a number must follow
``_exists_:author``     has a value; also ``author:*``; ``*:*`` is everything
``\\:``                  a backslash takes the meaning from the next character
======================  ==========================================================================================

AND, OR and NOT are operators in capitals only; there are no functions such as NEAR(…). Within quotation marks nothing
is a wildcard. A word without a letter or digit is passed over with a hint, and a query of nothing else is refused; so
are values that a field with a closed set of them cannot have (``class:foo``), ranges that end before they begin, and
regular expressions between slashes.
A word that analysis parts into several ("anti-war") is sought as a phrase.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from luqum import tree as luqum  # type: ignore[import-untyped]
from luqum.exceptions import IllegalCharacterError, ParseError  # type: ignore[import-untyped]
from luqum.thread import parse as luqum_parse  # type: ignore[import-untyped]

from pipeline.errors import QueryError, RequestError
from pipeline.index import analysis, dates
from pipeline.index.base import Kind
from pipeline.index.fields import ALIASES, CLOSED, DEFAULTS, FIELDS, Field, Type

MAX_LENGTH = 32_768
"""Characters of a query; 1,024 clauses of 32 characters each."""
MAX_CLAUSES = 1_024
"""Words, phrases and ranges in one query; Lucene's own limit."""
MAX_DEPTH = 64
"""Brackets within brackets; deeper is a mistake, and would use up Python's stack near 300."""
MAX_SCANS = 32
"""Wildcards and fuzzy words in one query; each walks the dictionary of words."""
MAX_WILDCARDS = 8
"""Wildcards in one word; the automaton for many of them grows out of bounds."""
MAX_SLOP = 10_000
"""Moves that a phrase may be loose by; more than the words of the longest article."""
MAX_SLOP_WAYS = 600
"""Ways to place the words of a loose phrase: three words may be 13 apart, four words 4."""


class Wild(Enum):
    """A wildcard: any number of characters, or just one."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Everything:
    pass


@dataclass(frozen=True, slots=True)
class Word:
    """A word in a field, or in the default fields where that is ``None``. In a text or name field it may be several
    terms, and is then a phrase; in a keyword or boolean field it is the whole value."""

    field: Field | None
    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    field: Field | None
    text: str
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word with wildcards: literal parts (folded) and wildcards in order. In text fields it is matched with the
    ``.exact`` terms, in keyword fields with whole values."""

    field: Field | None
    parts: tuple[str | Wild, ...]


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """A word (folded) at most ``distance`` insertions, deletions, changes or swaps of neighbours away."""

    field: Field | None
    text: str
    distance: int


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open span ``[low, high)`` of a date or integer field; ``None`` is open."""

    field: Field
    low: datetime | int | None
    high: datetime | int | None


@dataclass(frozen=True, slots=True)
class Exists:
    field: Field


@dataclass(frozen=True, slots=True)
class Not:
    child: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of ``children``; ``should`` only adds to the score."""

    children: tuple[Node, ...]
    should: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Boost:
    child: Node
    factor: float


Leaf = Everything | Word | Phrase | Pattern | Fuzzy | Range | Exists
Node = Leaf | Not | And | Or | Boost


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query that is fit to be run. ``hints`` are remarks for the user."""

    query: str
    kind: Kind
    tree: Node
    hints: tuple[str, ...] = ()

    @property
    def scores(self) -> bool:
        """Whether any part of the query ranks its hits: words and phrases do, filters and patterns do not."""
        return any(isinstance(leaf, (Word, Phrase)) for leaf in positive(self.tree))


def positive(node: Node) -> Iterator[Leaf]:
    """The leaves that make a document match, in order; those behind a NOT are left out."""
    match node:
        case Not():
            return
        case And():
            for child in (*node.children, *node.should):
                yield from positive(child)
        case Or():
            for child in node.children:
                yield from positive(child)
        case Boost():
            yield from positive(node.child)
        case _:
            yield node


def targets(field: Field | None, kind: Kind) -> tuple[tuple[Field, float], ...]:
    """The fields that a leaf is sought in, each with its weight."""
    if field is not None:
        return ((field, 1.0),)
    return tuple((FIELDS[kind][name], weight) for name, weight in DEFAULTS[kind])


def parse(query: str, kind: Kind = Kind.ARTICLES, *, now: datetime | None = None) -> Parsed:
    """Read and check a query. Empty means everything.

    Raises QueryError with the position and a reason.
    """
    if len(query) > MAX_LENGTH:
        raise RequestError(query[:60] + "…", "query", f"the query is longer than {MAX_LENGTH:,} characters")
    if not query.strip():
        return Parsed(query, kind, Everything())
    query = analysis.scrub(query)
    source = _Source(query)
    try:
        root = luqum_parse(source.text)
    except (ParseError, IllegalCharacterError, ArithmeticError, ValueError, AssertionError) as error:
        raise source.explain(error) from None
    compiler = _Compiler(query, source, kind, now or datetime.now(UTC))
    tree = compiler.node(root, None, 0)
    if tree is None:
        raise source.error(
            len(query) - len(query.lstrip()), "nothing here can be searched for: no word has a letter or digit"
        )
    return Parsed(query, kind, tree, tuple(dict.fromkeys(compiler.hints)))


_SIGNS = {"&&": "AND", "||": "OR"}
_BREAK = " \t\r\n\u3000"
_CLOSING = {")": "(", "]": "[", "}": "["}


class _Source:
    """A query as luqum reads it, with the way back to the user's own positions.

    luqum does not know ``&&``, ``||``, ``!`` and curly quotes, and stumbles over an apostrophe that begins a word.
    Brackets and quotes are balanced here, because luqum cannot say which one is open.
    """

    def __init__(self, query: str) -> None:
        self.query = query
        self.origin: list[int] = []
        parts: list[str] = []
        open_: list[tuple[str, int]] = []
        at, fresh = 0, True  # fresh: a new token may begin here

        def put(text: str) -> None:
            parts.append(text)
            self.origin.extend([at] * len(text))

        while at < len(query):
            character = query[at]
            if character == "\\":
                if at + 1 == len(query):
                    raise self.error(
                        at, "a backslash at the end has nothing to take the meaning from; write \\\\ for one itself"
                    )
                put("\\")
                at += 1
                put(query[at])
                at, fresh = at + 1, False
                continue
            if character in '"“”„':
                at = self._quoted(at, put)
                fresh = False
                continue
            if character in "([{":
                put(character)
                if character == "(" and not fresh:
                    self._call(at)
                open_.append((character if character == "(" else "[", at))
                if len(open_) > MAX_DEPTH:
                    raise self.error(at, f"brackets are nested more than {MAX_DEPTH} deep")
                fresh = True
            elif character in ")]}":
                if not open_:
                    raise self.error(
                        at, f"this {character!r} closes nothing; put a backslash before it if it is meant as text"
                    )
                opened, where = open_.pop()
                if opened != _CLOSING[character]:
                    raise self.error(
                        at, f"this {character!r} does not close the {query[where]!r} at character {where + 1}"
                    )
                put(character)
                fresh = True
            elif fresh and query[at : at + 2] in _SIGNS and self._ends(at + 2):
                sign = _SIGNS[query[at : at + 2]]
                put(" " + sign + " ")
                at += 2
                continue
            elif fresh and character == "!" and at + 1 < len(query) and query[at + 1] not in _BREAK:
                put(" NOT ")
            elif fresh and character in "'’‘":
                put("\\'")
                fresh = False
            elif fresh and character == "/":
                self._slash(at)
                put("\\/")
                fresh = False
            elif character in "^~" and (not fresh or self.query[at - 1 : at] in (")", "]", "}")):
                self._number(at)
                put(character)
            else:
                put(" " if character.isspace() else character)
                fresh = character.isspace() or character == ":" or (fresh and character in "+-!")
            at += 1
        if open_:
            character, where = open_[-1]
            raise self.error(where, f"this {query[where]!r} is never closed")
        self.text = "".join(parts)
        self.origin.append(len(query))

    def _quoted(self, at: int, put: Any) -> int:
        end = at + 1
        while end < len(self.query) and self.query[end] not in '"“”':
            end += 2 if self.query[end] == "\\" else 1
        if end >= len(self.query):
            raise self.error(at, "this quotation mark is never closed")
        start = len(self.origin)
        put('"' + self.query[at + 1 : end] + '"')
        self.origin[start:] = range(at, end + 1)
        return end + 1

    def _slash(self, at: int) -> None:
        closing = re.match(r"/(?:[^\\/\s]|\\.)+/(?=$|[\s)~^])", self.query[at:])
        if closing:
            raise self.error(at, "regular expressions are not supported; use the wildcards * and ?, or quote the text")

    def _number(self, at: int) -> None:
        """Refuse a ``^`` or ``~`` that is not followed by its number: luqum would take 1, and the rest as a word."""
        sign, phrase = self.query[at], at > 0 and self.query[at - 1] in '"“”'
        pattern = r"\^(\d{1,9}(\.\d{1,9})?)" if sign == "^" else r"~\d{1,9}" if phrase else r"~(\d{1,9}(\.\d{1,9})?)?"
        if re.compile(pattern + r"(?=$|[\s()\]}^~])").match(self.query, at):
            return
        if sign == "^":
            reason = "^ wants a number right after it, as in word^2"
        elif phrase:
            reason = f'~ after a phrase wants a number up to {MAX_SLOP:,} right after it, as in "two words"~3'
        else:
            reason = "~ after a word is followed by 0, 1, 2 or nothing, as in word~1"
        raise self.error(at, f"{reason}; put a backslash before {sign} if it is meant as text")

    def _call(self, at: int) -> None:
        """Refuse a bracket that stands at a word's end, which would be read as if a space were between."""
        start = at
        while start and self.query[start - 1].isalnum():
            start -= 1
        name = self.query[start:at]
        if not name or name in {"AND", "OR", "NOT"}:
            return
        raise self.error(
            start,
            f"there is no function {name}(…): put a space before the bracket if it groups, a backslash if it is meant "
            'as text; words near each other are written "two words"~5',
        )

    def _ends(self, at: int) -> bool:
        return at >= len(self.query) or self.query[at] in _BREAK + '("“!+-' or self.query[at].isalnum()

    def position(self, at: int | None) -> int:
        """The user's position for one of luqum's."""
        return self.origin[min(at or 0, len(self.origin) - 1)]

    def error(self, position: int, reason: str) -> QueryError:
        return QueryError(self.query, position, reason)

    def explain(self, error: Exception) -> QueryError:
        """Say in the user's terms what luqum found wrong."""
        where = re.search(r"position (\d+)", str(error))
        at = self.position(int(where.group(1))) if where else len(self.query)
        before = self.query[:at].rstrip()
        last = re.search(r"(?:^|[\s()])(AND|OR|NOT|&&|\|\||!)$", before)
        token = re.match(r"AND\b|OR\b|NOT\b|&&|\|\||\S", self.query[at:])
        if last:
            start = last.start(1)
            if last.group(1) in {"NOT", "!"}:
                return self.error(start, f"nothing follows {last.group(1)}")
            return self.error(start, f"{last.group(1)} needs something on both sides")
        if before.endswith(":"):
            return self.error(len(before) - 1, "nothing follows the colon")
        if token is None:
            return self.error(len(before) - 1 if before else 0, "the query ends where more is needed")
        sign = token.group()
        if sign in {"AND", "OR", "&&", "||"}:
            return self.error(at, f"{sign} needs something on both sides; write it in lower case if the word is meant")
        if sign == ")":
            return self.error(at, "there is nothing between these brackets")
        if sign in {"~", "^"}:
            return self.error(at, f"{sign!r} must follow a word or a closing quote at once")
        if sign in "]}[{" or re.search(r"[\[{][^\]}]*$", before):
            return self.error(at, "a range is written [from TO to], with TO in capitals and * for an open end")
        return self.error(at, f"{sign!r} is not understood here; put a backslash before it if it is meant as text")


class _Compiler:
    """One query's way from luqum's tree to ours."""

    def __init__(self, query: str, source: _Source, kind: Kind, now: datetime) -> None:
        self.query, self.source, self.kind, self.now = query, source, kind, now
        self.fields = FIELDS[kind]
        self.hints: list[str] = []
        self.clauses = self.scans = 0

    def error(self, item: Any, reason: str) -> QueryError:
        return self.source.error(self.source.position(getattr(item, "pos", None)), reason)

    def node(self, item: Any, field: Field | None, depth: int) -> Node | None:
        """The tree for an item; ``None`` for one that has nothing to search for and is passed over."""
        depth += 1
        if depth > 4 * MAX_DEPTH:  # signs nest without brackets: NOT NOT NOT …
            raise self.error(item, "the query is nested too deep")
        match item:
            case luqum.Group() | luqum.FieldGroup():
                return self.node(item.expr, field, depth)
            case luqum.OrOperation():
                return self._or(item, field, depth)
            case luqum.BaseOperation():
                return _and([self.node(child, field, depth) for child in item.operands])
            case luqum.Plus():
                return self.node(item.a, field, depth)
            case luqum.Not() | luqum.Prohibit():
                child = self.node(item.a, field, depth)
                return None if child is None else Not(child)
            case luqum.Boost():
                child = self.node(item.expr, field, depth)
                factor = float(item.force)
                if not 0 <= factor <= 1_000_000:
                    raise self.error(item, "a boost is a number from 0 to 1,000,000")
                return None if child is None else Boost(child, factor)
            case luqum.SearchField():
                return self._in_field(item, depth)
        self._count(item, 1)
        return self._leaf(item, field)

    def _or(self, item: Any, field: Field | None, depth: int) -> Node | None:
        required: list[Node | None] = []
        either: list[Node | None] = []
        for child in item.operands:
            node = self.node(child, field, depth)
            signed = isinstance(child, (luqum.Plus, luqum.Prohibit))
            (required if signed else either).append(node)
        kept = tuple(node for node in either if node is not None)
        if not any(required):
            return kept[0] if len(kept) == 1 else Or(kept) if kept else None
        if all(isinstance(node, Not) for node in required if node) and kept:
            return _and([Or(kept) if len(kept) > 1 else kept[0], *required])
        tree = _and(required)
        return And((tree,), kept) if tree is not None and kept else tree

    def _in_field(self, item: Any, depth: int) -> Node | None:
        if item.name == "_exists_":
            if not isinstance(item.expr, (luqum.Word, luqum.Phrase)):
                raise self.error(item, "_exists_: wants the name of a field")
            self._count(item, 1)
            return Exists(self._field(_text(item.expr), item.expr))
        if item.name == "*":
            if isinstance(item.expr, luqum.Word) and item.expr.value == "*":
                return Everything()
            raise self.error(
                item, "*: can only be followed by *, for everything; leave it out to search the usual fields"
            )
        return self.node(item.expr, self._field(_unescape(item.name), item), depth)

    def _field(self, name: str, item: Any) -> Field:
        lower = name.lower()
        found = self.fields.get(ALIASES[self.kind].get(lower, lower))
        if found is not None:
            return found
        known = [name for name, field in self.fields.items() if not field.sub or "." in lower]
        near = difflib.get_close_matches(lower, known, n=1, cutoff=0.6)
        other = Kind.CLAIMS if self.kind is Kind.ARTICLES else Kind.ARTICLES
        if ALIASES[other].get(lower, lower) in FIELDS[other]:
            option = "add --claims" if other is Kind.CLAIMS else "leave out --claims"
            advice = f"only {other.value} have one; to search {other.value}, {option}"
        elif near:
            advice = f"did you mean {near[0]!r}?"
        elif lower in {"http", "https", "feed"} or lower.isdigit():
            advice = "put the text in quotation marks if the colon belongs to it"
        else:
            advice = f"there are {', '.join(name for name, field in self.fields.items() if not field.sub)}; " + (
                "put the text in quotation marks if the colon belongs to it"
            )
        raise self.error(item, f"{self.kind.value} have no field {name!r}: {advice}")

    def _leaf(self, item: Any, field: Field | None) -> Node | None:
        match item:
            case luqum.Range():
                low, high = self._bound(item.low), self._bound(item.high)
                return self._range(item, field, low, high, item.include_low, item.include_high)
            case luqum.From():
                return self._range(item, field, self._bound(item.a), None, item.include, True)
            case luqum.To():
                return self._range(item, field, None, self._bound(item.a), True, item.include)
            case luqum.Proximity():
                return self._phrase(item.term, field, item.degree)
            case luqum.Phrase():
                return self._phrase(item, field, 0)
            case luqum.Fuzzy():
                return self._fuzzy(item, field)
            case luqum.Word():
                return self._word(item, field)
        raise self.error(item, "regular expressions are not supported; use the wildcards * and ?, or quote the text")

    def _word(self, item: Any, field: Field | None) -> Node | None:
        parts = _split(item.value)
        if any(isinstance(part, Wild) for part in parts):
            if parts == (Wild.ANY,):
                return Everything() if field is None else Exists(field)
            return self._pattern(item, field, parts)
        text = _unescape(item.value)
        if text == "NEAR":
            self.hints.append("'NEAR' is searched as a word; words near each other are written \"two words\"~5")
        if text in {"and", "or", "not"}:
            self.hints.append(f"{text!r} is searched as a word; the operator is written {text.upper()}")
        return self._value(item, field, text)

    def _value(self, item: Any, field: Field | None, text: str) -> Node | None:
        """A word or phrase, by the type of its field."""
        if field is None or field.type in {Type.TEXT, Type.NAME}:
            if not analysis.words(text):
                self.hints.append(f"{text!r} has no letter or digit and is passed over")
                return None
            return Word(field, text)
        if field.type is Type.DATE:
            start, end = self._span(item, text)
            return Range(field, start, end)
        if field.type is Type.INTEGER:
            number = self._integer(item, field, text)
            return Range(field, number, number + 1)
        if field.type is Type.BOOLEAN:
            if text.lower() not in {"true", "false"}:
                raise self.error(item, f"{field.name} is true or false, not {text!r}")
            return Word(field, text.lower())
        allowed = CLOSED[self.kind].get(field.name)
        if allowed and analysis.fold(text) not in allowed:
            raise self.error(item, f"{field.name} is one of {', '.join(allowed)}, not {text!r}")
        return Word(field, text)

    def _phrase(self, item: Any, field: Field | None, slop: int) -> Node | None:
        text = _text(item)
        if field is not None and field.type not in {Type.TEXT, Type.NAME}:
            return self._value(item, field, text)
        if slop > MAX_SLOP:
            raise self.error(item, f"a phrase can be loose by {MAX_SLOP:,} moves at most, not {slop:,}")
        wild = re.search(r"(?<!\\)[*](?=\w)|(?<=\w)[*]|(?<=\w)[?](?=\w)", item.value)
        if wild:
            self.hints.append(
                f"{wild.group()!r} in {item.value} is passed over: within quotation marks it is no wildcard"
            )
        terms = analysis.words(text)
        if not terms:
            self.hints.append(f"{text!r} has no letter or digit and is passed over")
            return None
        if len(terms) > 2 and slop and (slop + 1) ** len(terms) - slop ** len(terms) > MAX_SLOP_WAYS:
            raise self.error(
                item, f"a phrase of {len(terms)} words cannot be as loose as ~{slop}: use AND, or a smaller number"
            )
        self._count(item, len(terms) - 1)
        return Phrase(field, text, slop)

    def _fuzzy(self, item: Any, field: Field | None) -> Node | None:
        text = _unescape(item.term.value)
        if field is not None and field.type not in {Type.TEXT, Type.NAME, Type.KEYWORD}:
            raise self.error(item, f"~ works on words, and {field.name} holds {_HOLDS[field.type]}")
        if item._implicit_degree:
            asked = None
        elif item.degree in (0, 1, 2):
            asked = int(item.degree)
        else:
            raise self.error(item, f"a word may be 0, 1 or 2 letters away, not {item.degree}")
        keyword = field is not None and field.type is Type.KEYWORD
        terms = [analysis.fold(text)] if keyword else analysis.words(text)
        if any(isinstance(part, Wild) for part in _split(item.term.value)):
            raise self.error(item, "a word cannot have both a wildcard and ~")
        self._scan(item, len(terms))
        return _and([Fuzzy(field, term, _auto(term) if asked is None else asked) for term in terms])

    def _pattern(self, item: Any, field: Field | None, parts: tuple[str | Wild, ...]) -> Node | None:
        if field is not None and field.type not in {Type.TEXT, Type.NAME, Type.KEYWORD}:
            raise self.error(item, f"wildcards work on words, and {field.name} holds {_HOLDS[field.type]}")
        nodes: list[Node | None] = []
        keyword = field is not None and field.type is Type.KEYWORD
        for piece in [parts] if keyword else _pieces(parts):
            if not any(isinstance(part, Wild) for part in piece):
                nodes.append(self._value(item, field, "".join(str(part) for part in piece)))
                continue
            folded = tuple(part if isinstance(part, Wild) else analysis.fold(part) for part in piece)
            letters = sum(len(part) for part in folded if isinstance(part, str))
            if not letters and len(folded) == 1 and folded[0] is Wild.ANY:
                continue  # "anti-*": what follows the hyphen may be anything
            if letters < (2 if isinstance(folded[0], Wild) else 1):
                raise self.error(
                    item, "a word that begins with a wildcard needs two letters at least, or it matches nearly all"
                )
            if sum(isinstance(part, Wild) for part in folded) > MAX_WILDCARDS or letters > analysis.MAX_TOKEN:
                raise self.error(item, f"a word can have {MAX_WILDCARDS} wildcards at most")
            self._scan(item, 1)
            nodes.append(Pattern(field, folded))
        return _and(nodes)

    def _count(self, item: Any, number: int) -> None:
        self.clauses += number
        if self.clauses > MAX_CLAUSES:
            raise self.error(item, f"the query has more than {MAX_CLAUSES:,} words and clauses")

    def _scan(self, item: Any, number: int) -> None:
        self.scans += number
        if self.scans > MAX_SCANS:
            raise self.error(item, f"the query has more than {MAX_SCANS} words with wildcards or ~")

    def _bound(self, item: Any) -> tuple[Any, str] | None:
        """A range's end, as written; ``None`` where it is open."""
        text = "-" + _text(item.a) if isinstance(item, luqum.Prohibit) else _text(item)
        return None if text == "*" and isinstance(item, luqum.Word) else (item, text)

    def _range(
        self,
        item: Any,
        field: Field | None,
        low: tuple[Any, str] | None,
        high: tuple[Any, str] | None,
        with_low: bool,
        with_high: bool,
    ) -> Node:
        if field is None:
            raise self.error(item, "a range needs a field before it, as in published:[2026-08-01 TO *]")
        if low is None and high is None:
            return Exists(field)
        if field.type is Type.DATE:
            spans = [self._span(*end) if end else None for end in (low, high)]
            return self._ordered(
                item,
                Range(
                    field,
                    spans[0][0 if with_low else 1] if spans[0] else None,
                    spans[1][1 if with_high else 0] if spans[1] else None,
                ),
                *(end and end[0] for end in spans),
            )
        if field.type is Type.INTEGER:
            numbers = [self._integer(end[0], field, end[1]) if end else None for end in (low, high)]
            first, last = numbers
            return self._ordered(
                item,
                Range(
                    field,
                    None if first is None else first + (not with_low),
                    None if last is None else last + with_high,
                ),
                *numbers,
            )
        raise self.error(item, f"ranges work on dates and numbers, and {field.name} holds {_HOLDS[field.type]}")

    def _ordered(self, item: Any, made: Range, *written: Any) -> Range:
        """Refuse a range whose ends are the wrong way round as written; one that is only empty is the user's affair."""
        if None not in written and written[0] > written[1] and made.low >= made.high:  # type: ignore[operator]
            raise self.error(item, "this range ends before it begins, so nothing can be in it")
        return made

    def _span(self, item: Any, text: str) -> tuple[datetime, datetime]:
        try:
            return dates.span(text, self.now)
        except ValueError as error:
            raise self.error(item, str(error)) from error

    def _integer(self, item: Any, field: Field, text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise self.error(item, f"{field.name} is a whole number, not {text!r}")
        return int(text)


_HOLDS = {
    Type.TEXT: "text",
    Type.NAME: "names",
    Type.KEYWORD: "codes",
    Type.DATE: "dates",
    Type.INTEGER: "numbers",
    Type.BOOLEAN: "true or false",
}


def _and(nodes: list[Node | None]) -> Node | None:
    kept = [node for node in nodes if node is not None]
    return kept[0] if len(kept) == 1 else And(tuple(kept)) if kept else None


def _auto(term: str) -> int:
    """Elasticsearch's AUTO fuzziness."""
    return 0 if len(term) < 3 else 1 if len(term) < 6 else 2


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _text(item: Any) -> str:
    value = item.value[1:-1] if isinstance(item, luqum.Phrase) else item.value
    return _unescape(value)


def _split(value: str) -> tuple[str | Wild, ...]:
    """A word's literal parts, unescaped, and its wildcards."""
    parts: list[str | Wild] = []
    for match in re.finditer(r"\\(.)|([*?])|([^\\*?]+)", value, re.DOTALL):
        escaped, wild, literal = match.groups()
        if wild:
            if wild == "*" and parts and parts[-1] is Wild.ANY:
                continue
            parts.append(Wild(wild))
        elif parts and isinstance(parts[-1], str):
            parts[-1] += escaped or literal
        else:
            parts.append(escaped or literal)
    return tuple(parts)


def _pieces(parts: tuple[str | Wild, ...]) -> list[tuple[str | Wild, ...]]:
    """A pattern cut where analysis parts words: "anti-w*" is "anti" and "w*"."""
    pieces: list[list[str | Wild]] = [[]]
    for part in parts:
        if isinstance(part, Wild):
            pieces[-1].append(part)
            continue
        end = 0
        for start, stop in analysis.places(part):
            if end or start > end:
                pieces.append([])
            pieces[-1].append(part[start:stop])
            end = stop
        if end < len(part):
            pieces.append([])
    return [tuple(piece) for piece in pieces if piece]
