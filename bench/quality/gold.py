"""Scores on our own gold passages (``tests/gold``): who speaks, anonymity, form, negation, nesting, dates.

A claim that was found stands for the gold claim with which its content shares most, at least half of the characters of
both together, cue or source touching too. Precision of resolved speakers counts, among found claims that stand for a
gold claim, the names given that are right; recall counts the gold claims with a name that got it, claims that were not
found included. The accuracies (anonymous, form, negated) are over all found claims that stand for a gold claim.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from bench.quality.score import Report
from pipeline.enrich import Enricher
from pipeline.records import Claim, Enriched
from pipeline.settings import Settings
from tests.gold.reader import GoldClaim, Passage, passages

SPLITS = {"dev": "tune", "tune": "tune", "test": "only", "only": "only", "all": "all"}


@dataclass(slots=True)
class Tally:
    """Right ones among all."""

    right: int = 0
    total: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, correct: bool, what: str) -> None:
        self.total += 1
        self.right += correct
        if not correct:
            self.wrong.append(what)

    @property
    def percent(self) -> float:
        return 100 * self.right / self.total if self.total else 100.0

    def __str__(self) -> str:
        return f"{self.percent:5.1f}  ({self.right} of {self.total})"


NAMES = (
    "claims found", "claims right", "speaker precision", "speaker recall", "written in full", "worked out", "anonymous",
    "same speaker", "reason", "form", "negated", "kind", "class", "parent", "when", "hedge",
)  # fmt: skip


def characters(spans: tuple[tuple[int, int], ...]) -> set[int]:
    return {offset for start, end in spans for offset in range(start, end)}


def align(found: tuple[Claim, ...], gold: tuple[GoldClaim, ...]) -> dict[int, int]:
    """Gold index to found index, the best pairs first, each used once."""
    pairs = []
    for f, claim in enumerate(found):
        content = characters(claim.content.spans)
        cue = characters(((claim.cue.start, claim.cue.end),)) if claim.cue else set()
        source = characters(((claim.speaker.start, claim.speaker.end),)) if claim.speaker else set()
        for g, wanted in enumerate(gold):
            target = characters(wanted.content)
            common = len(content & target)
            if 2 * common < len(content | target):
                continue
            touching = bool(cue & characters((wanted.cue,) if wanted.cue else ())) or bool(
                source & characters((wanted.source,) if wanted.source else ())
            )
            if touching or (not cue and not wanted.cue) or (wanted.implied and not cue):
                pairs.append((-common / len(content | target), f, g))
    chosen: dict[int, int] = {}
    used: set[int] = set()
    for _, f, g in sorted(pairs):
        if g not in chosen and f not in used:
            chosen[g] = f
            used.add(f)
    return chosen


def score(answers: list[tuple[Passage, Enriched]]) -> dict[str, Tally]:
    """All tallies over the passages and what was found in each."""
    tallies = {name: Tally() for name in NAMES}
    for passage, enriched in answers:
        claims = enriched.claims
        chosen = align(claims, passage.claims)
        stands_for = {f: g for g, f in chosen.items()}
        for f, claim in enumerate(claims):
            tallies["claims right"].add(f in stands_for, f"{passage.id}: spurious {_show(claim)}")
        for g, wanted in enumerate(passage.claims):
            label = f"{passage.id}: {wanted.who!r} {wanted.says[0][:30]!r}"
            claim_or_none = claims[chosen[g]] if g in chosen else None
            if not wanted.optional:
                tallies["claims found"].add(claim_or_none is not None, label)
            speaker = claim_or_none.speaker if claim_or_none else None
            given = speaker.name if speaker else None
            if not wanted.any_name:
                if given is not None:
                    tallies["speaker precision"].add(given == wanted.name, f"{label}: {given!r} for {wanted.name!r}")
                if wanted.name is not None and not (wanted.optional and claim_or_none is None):
                    correct = given == wanted.name
                    if not (wanted.nameless_ok and given is None and claim_or_none is not None):
                        tallies["speaker recall"].add(correct, f"{label}: {given!r} for {wanted.name!r}")
                        full = wanted.who is not None and wanted.name in wanted.who
                        tallies["written in full" if full else "worked out"].add(correct, f"{label}: {given!r}")
            if claim_or_none is None:
                continue
            claim = claim_or_none
            tallies["anonymous"].add(bool(speaker and speaker.anonymous) == wanted.anonymous, label)
            if not wanted.any_form:
                tallies["form"].add(claim.form == wanted.form, f"{label}: {claim.form} for {wanted.form}")
            tallies["negated"].add(claim.negated == wanted.negated, label)
            if not wanted.any_kind and wanted.who is not None:
                kind = speaker.kind if speaker else None
                tallies["kind"].add(kind == wanted.kind, f"{label}: {kind} for {wanted.kind}")
            if wanted.cls is not None and claim.cue is not None:
                tallies["class"].add(claim.cue.cls == wanted.cls, f"{label}: {claim.cue.cls} for {wanted.cls}")
            parent = stands_for.get(claim.parent) if claim.parent is not None else None
            tallies["parent"].add(parent == wanted.parent, f"{label}: {parent} for {wanted.parent}")
            if wanted.when is not None or claim.when is not None:
                days = (claim.when.earliest, claim.when.latest) if claim.when else None
                tallies["when"].add(days == wanted.when, f"{label}: {days} for {wanted.when}")
            if wanted.hedge is not None or claim.hedge is not None:
                tallies["hedge"].add(claim.hedge == wanted.hedge, f"{label}: {claim.hedge!r} for {wanted.hedge!r}")
            if wanted.why is not None:
                why = speaker.reason if speaker else None
                tallies["reason"].add(why == wanted.why, f"{label}: {why!r} for {wanted.why!r}")
            if wanted.same is not None:
                root = speaker.same_as if speaker else None
                right = root is not None and stands_for.get(root) == wanted.same
                tallies["same speaker"].add(right, f"{label}: {root}")
    return tallies


def _show(claim: Claim) -> str:
    who = claim.speaker.text if claim.speaker else None
    return f"{who!r} {claim.cue.text if claim.cue else None!r} {claim.content.text[:60]!r}"


@lru_cache(maxsize=2)
def _answers(model: str | None) -> tuple[tuple[Passage, Enriched], ...]:
    enricher = Enricher(Settings(model=model))
    return tuple((p, enricher.enrich(p.text, published=p.published, language="en")) for p in passages())


def measure(split: str, model: Path | None = None) -> Report:
    """Scores the whole of enrichment: ``dev`` on the passages that rules were tuned on, ``test`` on the others."""
    which = SPLITS.get(split, "all")
    answers = [
        (passage, enriched)
        for passage, enriched in _answers(str(model) if model else None)
        if which == "all" or passage.measure_only == (which == "only")
    ]
    tallies = score(answers)
    lines = [f"{len(answers)} gold passages ({which}), {sum(len(p.claims) for p, _ in answers)} claims"]
    lines += [f"{name:18} {tally}" for name, tally in tallies.items()]
    return Report(lines, {name: tally.percent for name, tally in tallies.items()})
