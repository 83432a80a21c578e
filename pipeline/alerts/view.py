"""What the matcher sees of one article or one claim: its flat values cut into terms, as the index would hold them.

Terms, positions and gaps are those of the embedded index (``embedded.py``): a query that finds a document there is
true of its view here. Everything is made on first use, since most rules look at one or two fields.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from pipeline.index import analysis
from pipeline.index.base import Kind
from pipeline.index.embedded_query import clamp, terms
from pipeline.index.fields import FIELDS, Field, Type, Value, strings

GAP = 1
"""Places between the last word of one value of a field and the first of the next, as tantivy has it."""


class View:
    """One article or claim. ``verdicts`` keeps what dear conditions said of it, since many rules share them."""

    def __init__(self, kind: Kind, values: Mapping[str, Value]) -> None:
        self.kind, self.values = kind, values
        self.verdicts: dict[int, bool] = {}
        self._sequences: dict[str, list[list[str]]] = {}
        self._terms: dict[str, frozenset[str]] = {}
        self._positions: dict[str, dict[str, list[int]]] = {}
        self._vocabulary: dict[str, str] = {}
        self._grams: dict[str, frozenset[str]] = {}
        self._pairs: dict[str, frozenset[str]] = {}

    @cached_property
    def present(self) -> frozenset[str]:
        """The fields that have a value."""
        return frozenset(self.values)

    def sequences(self, name: str) -> list[list[str]]:
        """The terms of each value of a field, in order."""
        found = self._sequences.get(name)
        if found is None:
            found = self._sequences[name] = self._cut(FIELDS[self.kind][name])
        return found

    def _cut(self, field: Field) -> list[list[str]]:
        value = self.values.get(field.base)
        if value is None:
            return []
        if field.type is Type.BOOLEAN:
            return [["true" if value else "false"]]
        if field.type is Type.TEXT:
            forms = analysis.forms(analysis.scrub(str(value)))
            self._sequences[field.base] = [forms.stem]
            self._sequences[f"{field.base}.exact"] = [forms.exact]
            return self._sequences[field.name]
        return [terms(field, analysis.scrub(text)) for text in strings(value)]

    def terms(self, name: str) -> frozenset[str]:
        """The different terms of a field."""
        found = self._terms.get(name)
        if found is None:
            sequences = self.sequences(name)
            found = frozenset(sequences[0]) if len(sequences) == 1 else frozenset(t for s in sequences for t in s)
            self._terms[name] = found
        return found

    def positions(self, name: str) -> dict[str, list[int]]:
        """Where each term of a field stands, in order; values follow each other with a gap between."""
        found = self._positions.get(name)
        if found is None:
            found = self._positions[name] = {}
            start = 0
            for sequence in self.sequences(name):
                for at, term in enumerate(sequence, start):
                    found.setdefault(term, []).append(at)
                start += len(sequence) + GAP
        return found

    def vocabulary(self, name: str) -> str:
        """The different terms of a field, each between line ends: what patterns are sought in."""
        found = self._vocabulary.get(name)
        if found is None:
            found = self._vocabulary[name] = "\n" + "\n".join(self.terms(name)) + "\n"
        return found

    def grams(self, name: str) -> frozenset[str]:
        """All runs of three characters within the terms of a field."""
        found = self._grams.get(name)
        if found is None:
            found = frozenset(term[at : at + 3] for term in self.terms(name) for at in range(len(term) - 2))
            self._grams[name] = found
        return found

    def pairs(self, name: str) -> frozenset[str]:
        """All pairs of terms that stand side by side in a field, a space between the two."""
        found = self._pairs.get(name)
        if found is None:
            found = self._pairs[name] = frozenset(
                [f"{one} {other}" for sequence in self.sequences(name) for one, other in itertools.pairwise(sequence)]
            )
        return found

    def within(self, name: str, low: datetime | int | None, high: datetime | int | None) -> bool:
        """Whether a value of a date or integer field lies in ``[low, high)``."""
        value = self.values.get(name)
        if value is None:
            return False
        for one in value if isinstance(value, list) else (value,):
            point: datetime | int = clamp(one) if isinstance(one, datetime) else int(one)
            if (low is None or point >= low) and (high is None or point < high):  # type: ignore[operator]
                return True
        return False
