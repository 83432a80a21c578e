"""Sets of words, written as running text."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of the text, parted by blanks."""
    return frozenset(text.split())
