"""Words for people, from ``people.toml``: titles, roles that mean the same office, kinds of unnamed speaker, sexes."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.enrich.words import words


@dataclass(frozen=True, slots=True)
class People:
    """The tables, lower-cased. ``titles`` are phrases; ``role_keys`` maps a role to the keys of its offices."""

    titles: frozenset[str]
    modifiers: frozenset[str]
    role_keys: dict[str, frozenset[str]]
    anonymous: frozenset[str]
    private: frozenset[str]
    collective: frozenset[str]
    document: frozenset[str]
    organisation: frozenset[str]
    government: frozenset[str]
    female: frozenset[str]
    male: frozenset[str]
    female_words: frozenset[str]
    male_words: frozenset[str]
    longest: int
    """The most words that a title or role phrase has."""


@lru_cache(maxsize=1)
def people() -> People:
    """The packaged tables, read once."""
    table = tomllib.loads(Path(__file__).with_name("people.toml").read_text(encoding="utf-8"))

    def piped(text: str) -> list[str]:
        return [item.strip() for item in text.replace("\n", "|").split("|") if item.strip()]

    titles = frozenset(piped(table["titles"]["heads"]))
    keys: dict[str, set[str]] = {}
    for line in table["roles"]["same"].strip().splitlines():
        words = piped(line)
        for word in words:
            keys.setdefault(word, set()).add(words[0])
    for word in [*titles, *piped(table["roles"]["more"])]:
        keys.setdefault(word, {word})
    kinds = {name: frozenset(value.split()) for name, value in table["kinds"].items()}
    return People(
        titles=titles,
        modifiers=frozenset(piped(table["titles"]["modifiers"])),
        role_keys={word: frozenset(value) for word, value in keys.items()},
        female=frozenset(table["names"]["female"].split()),
        male=frozenset(table["names"]["male"].split()),
        female_words=frozenset(table["titles"]["female"].split()) | {"woman", "girl", "wife", "widow", "daughter"},
        male_words=frozenset(table["titles"]["male"].split()) | {"man", "boy", "husband", "son"},
        longest=max(len(word.split()) for word in keys),
        **kinds,
    )


NOT_THE_OFFICE = words("vice deputy assistant former ex late shadow acting would-be")
"""Words that make another office of an office: the vice president is not "the president"."""

VAGUE_TITLES = words("mr mrs ms miss sir lord lady dame dr madam")
"""Forms of address: they are titles, but no office that a description could mean."""


def role_head(words: Sequence[str]) -> tuple[frozenset[str], int, int] | None:
    """The office that a run of lower-cased words ends with: its keys and where its words begin and end.

    The longest phrase wins: "prime minister" before "minister". ``None`` where the last word heads no role.
    """
    table = people()
    for size in range(min(table.longest, len(words)), 0, -1):
        phrase = " ".join(words[len(words) - size :])
        singular = phrase[:-1] if phrase.endswith("s") and not phrase.endswith("ss") else phrase
        for form in (phrase, singular):
            if form in table.role_keys:
                return table.role_keys[form], len(words) - size, len(words)
    return None


def sex_of(name: str, words: Sequence[str] = ()) -> str | None:
    """``f``, ``m`` or ``None``: by titles and role words beside the name first, then by a first name that is sure."""
    table = people()
    for word in words:
        lower = word.lower().rstrip(".")
        if lower in table.female_words or lower.endswith("woman"):
            return "f"
        if lower in table.male_words or (lower.endswith("man") and lower in table.role_keys):
            return "m"
    parts = name.lower().split()
    if len(parts) < 2:
        return None
    if parts[0] in table.female:
        return "f"
    if parts[0] in table.male:
        return "m"
    return None
