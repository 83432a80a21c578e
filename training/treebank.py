"""The openly licensed recipe's data: Universal Dependencies English EWT and GUM, read as entities and attributions.

No openly licensed corpus of attributions is at hand. What there is are gold syntax trees (CC BY-SA 4.0), and from a
gold tree the plain cases can be read off: a verb of saying or thinking with its subject and its clause, "according
to" with its noun, a quotation beside its verb. That is silver, not gold: nominal cues, broken quotations and all that
lies outside a sentence are missing. Entities come from GUM's own annotation of mentions, of which the proper names are
kept. GUM's fiction and wikiHow documents are CC BY-NC-SA and are left out.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from training.data import Entity, Example, Relation, Span

NOT_OPEN = ("GUM_fiction", "GUM_whow")

SAYING = frozenset(
    [
        "accuse",
        "acknowledge",
        "add",
        "admit",
        "agree",
        "announce",
        "argue",
        "ask",
        "assert",
        "assume",
        "believe",
        "claim",
        "complain",
        "conclude",
        "confirm",
        "consider",
        "criticize",
        "decide",
        "declare",
        "demand",
        "deny",
        "describe",
        "doubt",
        "emphasize",
        "estimate",
        "expect",
        "explain",
        "fear",
        "feel",
        "guess",
        "hope",
        "imagine",
        "indicate",
        "insist",
        "intend",
        "know",
        "mention",
        "note",
        "plan",
        "predict",
        "promise",
        "propose",
        "realize",
        "recall",
        "recommend",
        "remark",
        "repeat",
        "reply",
        "report",
        "respond",
        "reveal",
        "say",
        "state",
        "stress",
        "suggest",
        "suppose",
        "suspect",
        "swear",
        "tell",
        "testify",
        "think",
        "understand",
        "urge",
        "vow",
        "want",
        "warn",
        "wish",
        "wonder",
        "write",
    ]
)
CLAUSES = ("ccomp", "xcomp", "parataxis")
KINDS = {"person": "PERSON", "organization": "ORG", "place": "LOC", "event": "MISC", "object": "PRODUCT"}


@dataclass(slots=True)
class Word:
    start: int
    end: int
    form: str
    lemma: str
    pos: str
    fine: str
    head: int
    relation: str
    misc: str


@dataclass(slots=True)
class _Document:
    name: str
    parts: list[str] = field(default_factory=list)
    length: int = 0
    relations: list[Relation] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


def _sentences(path: Path) -> Iterator[tuple[dict[str, str], list[Word]]]:
    """Comments and words of each sentence; offsets are characters of its ``# text``."""
    comments: dict[str, str] = {}
    rows: list[list[str]] = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("#"):
                key, _, value = line[1:].strip().partition(" = ")
                comments[key] = value
            elif line:
                rows.append(line.split("\t"))
            elif rows:
                yield comments, _words(rows, comments["text"])
                comments, rows = {}, []


def _words(rows: list[list[str]], text: str) -> list[Word]:
    words, at, merged, place = [], 0, 0, (0, 0)
    for row in rows:
        if "." in row[0]:
            continue
        if "-" in row[0]:  # "don't" stands in the text once, as two words in the tree
            at = text.index(row[1], at)
            place, merged = (at, at + len(row[1])), int(row[0].split("-")[1])
            at = place[1]
            continue
        if int(row[0]) > merged:
            at = text.index(row[1], at)
            place = (at, at + len(row[1]))
            at = place[1]
        words.append(Word(*place, row[1], row[2], row[3], row[4], int(row[6]) - 1, row[7], row[9]))
    return words


def _subtree(words: list[Word], root: int) -> list[int]:
    """The words under ``root``, as the unbroken run around it."""
    inside = {root}
    changed = True
    while changed:
        more = {i for i, w in enumerate(words) if w.head in inside} - inside
        inside |= more
        changed = bool(more)
    first = last = root
    while first - 1 in inside:
        first -= 1
    while last + 1 in inside:
        last += 1
    while first < last and words[first].pos == "PUNCT" and words[first].form not in "“\"'([":
        first += 1
    while first < last and words[last].pos == "PUNCT" and words[last].form not in "”\"')]?!":
        last -= 1
    return list(range(first, last + 1))


def _span(words: list[Word], inside: list[int]) -> tuple[Span, ...]:
    return ((words[inside[0]].start, words[inside[-1]].end),)


def attributions_of(words: list[Word]) -> list[Relation]:
    """The plain attributions of one tree; no word is in two of them, the outer ones first."""
    found: list[Relation] = []
    taken: set[int] = set()
    for i, verb in enumerate(words):
        if i in taken:
            continue
        below = [j for j, w in enumerate(words) if w.head == i]
        if verb.pos == "VERB" and verb.lemma in SAYING:
            clauses = [j for j in below if words[j].relation.split(":")[0] in CLAUSES]
            subjects = [j for j in below if words[j].relation.startswith("nsubj")]
            cue = [i]
            while cue[0] - 1 in below and words[cue[0] - 1].relation.split(":")[0] in ("aux", "advmod", "mark"):
                if words[cue[0] - 1].form.lower() in ("that", "if", "as", "when", "because", "how"):
                    break
                cue.insert(0, cue[0] - 1)
            content = _subtree(words, clauses[0]) if clauses else []
            if not content and verb.relation.startswith("parataxis") and verb.head >= 0:
                run = _subtree(words, verb.head)
                content = [j for j in run if j < min([*subjects, i])] if i > verb.head else []
                while content and words[content[-1]].form == ",":
                    content.pop()
        elif verb.form.lower() == "according" and i + 1 < len(words) and words[i + 1].form.lower() == "to":
            noun = verb.head
            if noun <= i + 1:
                continue
            subjects, cue = [noun], [i, i + 1]
            run = [j for j in _subtree(words, words[noun].head) if j < i or j > max(_subtree(words, noun))]
            before, after = [j for j in run if j < i], [j for j in run if j > i]
            content = before if len(before) > len(after) else after
            while content and words[content[0]].pos == "PUNCT":
                content.pop(0)
            while content and words[content[-1]].pos == "PUNCT":
                content.pop()
        else:
            continue
        source = _subtree(words, subjects[0]) if subjects else []
        if source and words[source[0]].form.lower() == "according":
            source = source[2:]
        if source and words[subjects[0]].relation == "nsubj" and words[subjects[0]].pos == "PRON":
            source = [subjects[0]]
        parts = [*source, *cue, *content]
        if not content or len(set(parts)) < len(parts) or taken & set(parts) or max(parts) - min(parts) > 90:
            continue
        taken |= set(parts)
        found.append(Relation(_span(words, source) if source else (), _span(words, cue), _span(words, content)))
    return found


def entities_of(words: list[Word]) -> list[Entity]:
    """The proper names among GUM's mentions, demonyms, dates and sums of money."""
    mentions: list[tuple[int, int, str]] = []
    open_: dict[str, list[tuple[int, str]]] = {}
    for i, word in enumerate(words):
        value = next((m[7:] for m in word.misc.split("|") if m.startswith("Entity=")), "")
        for token in re.findall(r"\([^()]*\)?|[^()]+\)", value):
            number = re.split(r"[-)]", token.lstrip("("))[0]
            if token.startswith("("):
                kind = token.split("-")[1] if "-" in token else ""
                open_.setdefault(number, []).append((i, kind))
            if token.endswith(")") and open_.get(number):
                first, kind = open_[number].pop()
                mentions.append((first, i, kind))
    named: dict[int, tuple[int, str]] = {}
    for first, last, kind in sorted(mentions, key=lambda m: m[1] - m[0]):
        run = [j for j in range(first, last + 1) if words[j].pos == "PROPN"]
        head = next((j for j in run if not first <= words[j].head <= last), None)
        if kind == "time" and any(words[j].pos in ("NUM", "PROPN") for j in range(first, last + 1)):
            if last - first < 6 and not any(first <= k <= last for k in named):
                named[first] = (last, "DATE")
        elif kind in KINDS and head is not None:
            a = b = head
            while a - 1 in run or (a - 2 in run and words[a - 1].form.lower() in ("of", "the", "-", "&")):
                a -= 1 if a - 1 in run else 2
            while b + 1 in run or (b + 2 in run and words[b + 1].form.lower() in ("of", "the", "and", "-", "&")):
                b += 1 if b + 1 in run else 2
            if not any(a <= k <= b or k <= a <= e for k, (e, _) in named.items()):
                named[a] = (b, KINDS[kind])
    for i, word in enumerate(words):
        if any(a <= i <= b for a, (b, _) in named.items()):
            continue
        if word.pos == "ADJ" and word.form[0].isupper() and i and word.form[1:].islower():
            named[i] = (i, "NORP")
        elif word.form in "$€£" and i + 1 < len(words) and words[i + 1].pos == "NUM":
            last = i + 1
            while last + 1 < len(words) and words[last + 1].form in ("million", "billion", "trillion"):
                last += 1
            named[i] = (last, "MONEY")
    return [Entity(words[a].start, words[b].end, label) for a, (b, label) in sorted(named.items())]


def _read(path: Path, *, entities: bool) -> list[_Document]:
    documents: list[_Document] = []
    for comments, words in _sentences(path):
        name = next((v for k, v in comments.items() if k.startswith("newdoc")), None)
        if name is not None or not documents:
            documents.append(_Document(name or path.name))
        document = documents[-1]
        fresh = any(k.startswith("newpar") for k in comments)
        if document.length:
            document.add("\n\n" if fresh else " ")
        shift = document.length
        document.add(comments["text"])
        for relation in attributions_of(words):
            moved = (
                tuple((s + shift, e + shift) for s, e in part)
                for part in (relation.source, relation.cue, relation.content)
            )
            document.relations.append(Relation(*moved))
        if entities:
            document.entities += [Entity(e.start + shift, e.end + shift, e.label) for e in entities_of(words)]
    return [d for d in documents if not d.name.startswith(NOT_OPEN)]


def read_open(folder: Path, split: str) -> tuple[list[Example], list[Example]]:
    """Documents with (silver) attributions, and documents with entities."""
    gum = _read(folder / f"gum-{split}.conllu.gz", entities=True)
    ewt = _read(folder / f"ewt-{split}.conllu.gz", entities=False)
    told = [Example(d.name, "".join(d.parts), readings=(tuple(d.relations),)) for d in (*gum, *ewt)]
    named = [Example(d.name, "".join(d.parts), entities=tuple(d.entities)) for d in gum]
    return told, named
