"""Counting hits: precision, recall and F1, and what a measure hands back."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(slots=True)
class Count:
    """Hits among what was found and what there was to find."""

    right: int = 0
    found: int = 0
    wanted: int = 0

    def add(self, found: Collection[Hashable], wanted: Collection[Hashable]) -> None:
        """Counts one document; only what is equal is right."""
        self.right += len(set(found) & set(wanted))
        self.found += len(set(found))
        self.wanted += len(set(wanted))

    @property
    def precision(self) -> float:
        return 100 * self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return 100 * self.right / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        return 200 * self.right / (self.found + self.wanted) if self.found + self.wanted else 0.0

    def __str__(self) -> str:
        return f"P {self.precision:5.1f}  R {self.recall:5.1f}  F1 {self.f1:5.1f}  of {self.wanted}"


@dataclass(slots=True)
class Report:
    """``lines`` are for reading; ``figures`` are held against the floors by name."""

    lines: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    skipped: str = ""
