"""Copies, stories and origins on the half of the labelled set that was held out while the numbers were chosen."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.quality.score import Report
from bench.stories import labelled
from bench.stories.scores import Score, b_cubed, of_pairs
from pipeline.ledger import open_ledger
from pipeline.records import Document
from pipeline.stories import alike, origin
from pipeline.stories.register import Register
from pipeline.stories.traits import Likeness, Traits, traits

BATCH = 40


def measure(split: str, model: Path | None) -> Report:
    """``split`` is ``tune`` for the half that the numbers were chosen on, anything else for the held one."""
    half = split if split in labelled.HALVES else "held"
    report = Report()
    pairs = labelled.pairs(half)
    copies = of_pairs((is_copy(pair.a, pair.b), pair.copies) for pair in pairs)
    report.lines.append(
        f"copies     {line(copies)}  of {len(pairs)} pairs, {sum(pair.copies for pair in pairs)} copies"
    )
    hard = labelled.hard_pairs(half)
    harder = of_pairs((is_copy(pair.a, pair.b), pair.copies) for pair in hard)
    report.lines.append(
        f"  hard     {line(harder)}  of {len(hard)} pairs whose headlines tell nothing, "
        f"{sum(pair.copies for pair in hard)} copies"
    )
    placed = labelled.clusters(half)
    whole = b_cubed(stories([made for _, made in placed]), {made.article.id: story for story, made in placed})
    report.lines.append(
        f"stories    {line(whole)}  of {len(placed)} articles, {len({s for s, _ in placed})} stories (B-cubed)"
    )
    accounts = [(story, made) for story, made in placed if made.article.source not in labelled.OUTLETS]
    alone = b_cubed(stories([made for _, made in accounts]), {made.article.id: story for story, made in accounts})
    report.lines.append(f"  accounts {line(alone)}  of {len(accounts)} articles: the same without the scripted copies")
    told = labelled.attributed(half)
    right = sum(origin.same(one.origin, origin.read(one.document.article).name) for one in told)
    report.lines.append(f"origins    {100 * right / len(told):5.1f} right of {len(told)} that the text tells")
    report.figures = {
        "copies_precision": 100 * copies.precision,
        "copies_recall": 100 * copies.recall,
        "hard_copies_precision": 100 * harder.precision,
        "hard_copies_recall": 100 * harder.recall,
        "stories": 100 * whole.f1,
        "accounts": 100 * alone.f1,
        "origins": 100 * right / len(told),
    }
    return report


def line(score: Score) -> str:
    """A score in figures."""
    return f"P {100 * score.precision:5.1f}  R {100 * score.recall:5.1f}  F1 {100 * score.f1:5.1f}"


def is_copy(a: Document, b: Document) -> bool:
    """What the register would say of a pair, with nothing else between."""
    first, second = traits(a), traits(b)
    if not set(first.keys) & set(second.keys):
        return False  # neither would ever be looked at beside the other
    kin = alike.kinship(Likeness.unpack(first.packed), Likeness.unpack(second.packed), first.time - second.time)
    return kin is alike.Kinship.COPY


def stories(documents: Sequence[Document]) -> Mapping[str, str]:
    """The story of each article, when all are placed in this order in a register of their own."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder) / "ledger.sqlite")
        register = Register(ledger)
        drafts: list[tuple[Document, Traits]] = [(made, traits(made)) for made in documents]
        one_with: dict[str, str] = {}
        for start in range(0, len(drafts), BATCH):
            placed = register.place(drafts[start : start + BATCH], labelled.NOW)
            one_with |= {article: other for article, other in placed.items() if isinstance(other, str)}
        ids = [made.article.id for made in documents]
        standing = register.placements(ids)
        ledger.close()
    return {article: standing[one_with.get(article, article)].placement.story for article in ids}
