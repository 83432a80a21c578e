"""A spaCy pipeline in place of the packaged model: its entities, and attributions by rules over its parse.

spaCy is no dependency of ours; it is used where it is installed and a pipeline is named in the settings. The rules are
modest (clausal complements and quotations of reporting verbs, "according to"); the packaged model finds twice as much.
"""

from __future__ import annotations

from typing import Any

from pipeline.enrich.cues import lexicon, verb_lemma
from pipeline.enrich.tagger import Attribution, Mention, Tagged
from pipeline.errors import ModelError

LABELS = {
    "PERSON": "PERSON", "PER": "PERSON", "ORG": "ORG", "GPE": "LOC", "LOC": "LOC", "FAC": "FAC", "NORP": "NORP",
    "DATE": "DATE", "MONEY": "MONEY", "PRODUCT": "PRODUCT", "EVENT": "MISC", "WORK_OF_ART": "MISC", "LAW": "MISC",
    "MISC": "MISC",
}  # fmt: skip
SUBJECTS = frozenset({"nsubj", "csubj", "nsubj:pass", "nsubjpass"})
CLAUSES = frozenset({"ccomp", "xcomp", "parataxis"})
CUE_PARTS = frozenset({"aux", "auxpass", "aux:pass", "neg", "advmod"})


class SpacyModel:
    """A loaded spaCy pipeline behind the same two names as the packaged tagger."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        meta = pipeline.meta
        self.name = f"spacy:{meta.get('lang', '')}_{meta.get('name', '')} {meta.get('version', '')}".strip()

    def tag(self, text: str) -> Tagged:
        """Mentions and attributions of a text of any length (cut at paragraphs, for spaCy refuses very long texts)."""
        mentions: list[Mention] = []
        attributions: list[Attribution] = []
        for offset, piece in _pieces(text):
            doc = self._pipeline(piece)
            mentions += [
                Mention(offset + ent.start_char, offset + ent.end_char, LABELS[ent.label_], 1.0)
                for ent in doc.ents
                if ent.label_ in LABELS
            ]
            if doc.has_annotation("DEP"):
                attributions += [_shifted(each, offset) for each in attributions_of(doc)]
        return Tagged(tuple(mentions), tuple(attributions))


def load(name: str) -> SpacyModel:
    """The installed pipeline of that name, or the one in that folder. Raises ModelError naming it."""
    try:
        import spacy  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ModelError(
            name, "there is no such model folder, and spaCy, which could have a pipeline of that name, is not installed"
        ) from error
    try:
        return SpacyModel(spacy.load(name))
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise ModelError(name, f"spaCy cannot load it: {error}") from error


def attributions_of(doc: Any) -> list[Attribution]:
    """The attributions that reporting verbs make in a parse (spaCy's English labels or Universal Dependencies)."""
    known = lexicon()
    found = []
    for verb in doc:
        if verb.pos_ not in ("VERB", "AUX") or verb_lemma(verb.lower_) not in known.report | known.quoting:
            continue
        subject = next((child for child in verb.children if child.dep_ in SUBJECTS), None)
        clause = next((child for child in verb.children if child.dep_ in CLAUSES), None)
        if subject is None or clause is None:
            continue
        parts = [child for child in verb.children if child.dep_ in CUE_PARTS and child.i < verb.i]
        cue_start = min([verb, *parts], key=lambda token: token.i)
        left, right = _edges(clause, without={verb.i})
        found.append(
            Attribution(
                source=(_span(doc, *_edges(subject)),),
                cue=((cue_start.idx, verb.idx + len(verb)),),
                content=(_span(doc, left, right),),
                score=1.0,
            )
        )
    return found


def _edges(token: Any, without: frozenset[int] | set[int] = frozenset()) -> tuple[int, int]:
    """The first and last token of a subtree, cut where it would run over the tokens left out."""
    indices = [each.i for each in token.subtree]
    for stop in without:
        indices = [i for i in indices if (i < stop) == (token.i < stop) and i != stop]
    return min(indices), max(indices)


def _span(doc: Any, first: int, last: int) -> tuple[int, int]:
    while (first < last and doc[first].is_space) or (first < last and doc[first].text in ",;"):
        first += 1
    while last > first and (doc[last].is_space or doc[last].text in ",;."):
        last -= 1
    return doc[first].idx, doc[last].idx + len(doc[last])


def _shifted(each: Attribution, offset: int) -> Attribution:
    def move(spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return tuple((start + offset, end + offset) for start, end in spans)

    return Attribution(move(each.source), move(each.cue), move(each.content), each.score)


def _pieces(text: str, size: int = 50_000) -> list[tuple[int, str]]:
    """The text in pieces of at most about ``size`` characters, cut at line ends where there are any."""
    found = []
    at = 0
    while at < len(text):
        end = min(len(text), at + size)
        if end < len(text):
            line = text.rfind("\n", at + 1, end)
            blank = text.rfind(" ", at + 1, end)
            end = line + 1 if line > at else blank + 1 if blank > at else end
        found.append((at, text[at:end]))
        at = end
    return found
