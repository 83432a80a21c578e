"""Changes to a training document that leave its annotation true: other names, quotation marks, casing, headlines.

The attribution corpus is one country's politics of one year, and the wire is not. Each change is made on characters,
with the annotation carried along.
"""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from dataclasses import replace

from training.data import Entity, Example, Relation, Span

Edit = tuple[int, int, str]

# Who the corpus talks about all the time (counted on its training split, November 2026): (given names, surname).
_STARS = (
    ("Donald J\\. |Donald ", "Trump"), ("Hillary Rodham |Hillary ", "Clinton"), ("Bernie ", "Sanders"),
    ("Ted ", "Cruz"), ("Marco ", "Rubio"), ("Jeb ", "Bush"), ("Barack ", "Obama"), ("John ", "Kasich"),
    ("Ben ", "Carson"), ("Mike ", "Pence"), ("Tim ", "Kaine"), ("Paul ", "Ryan"), ("Mitt ", "Romney"),
    ("Elizabeth ", "Warren"), ("Chris ", "Christie"), ("Carly ", "Fiorina"), ("Joe ", "Biden"),
)  # fmt: skip
_STAR = [(re.compile(rf"\b({given})?{surname}\b"), surname) for given, surname in _STARS]
_STRAIGHTEN = str.maketrans("“”‘’", "\"\"''")


def edited(example: Example, edits: list[Edit]) -> Example:
    """The example with ``edits`` (start, end, new text; none overlapping) made.

    A span's start inside an edit goes to the edit's start, its end to the edit's end.
    """
    edits = sorted(edits)
    parts, position, starts, shifts = [], 0, [], []
    shift = 0
    for start, end, new in edits:
        parts += [example.text[position:start], new]
        position = end
        shift += len(new) - (end - start)
        starts.append((start, end, len(new)))
        shifts.append(shift)
    parts.append(example.text[position:])
    begins = [s for s, _, _ in starts]

    def move(offset: int, *, is_end: bool) -> int:
        # An insertion at `offset` stays outside of a span that ends there and before one that starts there.
        k = (bisect_right(begins, offset - 1) if is_end else bisect_right(begins, offset)) - 1
        if k < 0:
            return offset
        start, end, _ = starts[k]
        before = shifts[k - 1] if k else 0
        if start <= offset < end and not is_end:
            return start + before
        return offset + shifts[k] if offset >= end else end + shifts[k]

    def span(s: Span) -> Span:
        return move(s[0], is_end=False), move(s[1], is_end=True)

    entities = example.entities
    if entities is not None:
        entities = tuple(Entity(*span((e.start, e.end)), e.label) for e in entities)
    readings = example.readings
    if readings is not None:
        readings = tuple(
            tuple(Relation(*(tuple(map(span, part)) for part in (r.source, r.cue, r.content))) for r in reading)
            for reading in readings
        )
    return replace(example, text="".join(parts), entities=entities, readings=readings)


def with_other_names(example: Example, names: list[tuple[str, str]], rng: random.Random) -> Example:
    """The corpus' most common people get other people's names, each the same one throughout."""
    edits: list[Edit] = []
    for pattern, _ in _STAR:
        given, surname = rng.choice(names)
        edits += [
            (match.start(), match.end(), f"{given} {surname}" if match.group(1) else surname)
            for match in pattern.finditer(example.text)
        ]
    return edited(example, edits)


def with_straight_quotes(example: Example) -> Example:
    return replace(example, text=example.text.translate(_STRAIGHTEN))


def with_other_casing(example: Example, rate: float, rng: random.Random) -> Example:
    """Some paragraphs, each with probability ``rate``, In Title Case, IN CAPITALS or in lower case."""
    lines = []
    for line in example.text.split("\n"):
        new = line
        if line.strip() and rng.random() < rate:
            change = rng.choice((str.upper, str.lower, _title))
            new = change(line)
        lines.append(new if len(new) == len(line) else line)
    return replace(example, text="\n".join(lines))


def _title(line: str) -> str:
    return re.sub(r"(?<![\w’'])[a-z]", lambda m: m.group().upper(), line)


_PLAIN = re.compile(r"[\w’'.,$%\- ]+")
_PRONOUNS = frozenset(["he", "she", "they", "it", "we", "i", "you", "who", "that", "which", "his", "her", "their"])


def with_headline(example: Example, rng: random.Random) -> Example:
    """Puts a headline in colon form ("Source: content" or "Content: source") made of one of its attributions on top."""
    if not example.readings or len(example.readings) != 1:
        return example
    choices = []
    for relation in example.readings[0]:
        if len(relation.source) == 1 and len(relation.content) == 1:
            source = example.text[slice(*relation.source[0])]
            content = example.text[slice(*relation.content[0])].removeprefix("that ").rstrip(".,")
            if (
                source.lower() not in _PRONOUNS
                and len(source) < 45
                and 4 <= len(content.split()) <= 18
                and _PLAIN.fullmatch(content)
                and _PLAIN.fullmatch(source)
            ):
                choices.append((source, content))
    if not choices:
        return example
    source, content = rng.choice(choices)
    source, content = source[0].upper() + source[1:], content[0].upper() + content[1:]
    quote = rng.choice((("", ""), ("", ""), ("“", "”"), ("‘", "’"), ('"', '"')))
    content = quote[0] + content + quote[1]
    if rng.random() < 0.4:
        content = _title(content)
    if rng.random() < 0.7:
        line = f"{source}: {content}"
        relation = Relation(((0, len(source)),), ((len(source), len(source) + 1),), ((len(source) + 2, len(line)),))
    else:
        line = f"{content}: {source}"
        n = len(content)
        relation = Relation(((n + 2, len(line)),), ((n, n + 1),), ((0, n),))
    moved = edited(example, [(0, 0, line + "\n\n")])
    assert moved.readings is not None
    return replace(moved, readings=((relation, *moved.readings[0]),))
