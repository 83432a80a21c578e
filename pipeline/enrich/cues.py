"""The lexicon of cues: which words attribute, their lemmas, their classes, and whether they are negated.

The table is ``cues.toml``, written for this project. The lemmatiser is small on purpose: it knows the inflections of
the words in the table (and irregular ones by name), and leaves other words to a few suffix rules.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.enrich.words import words

CLASSES = ("say", "deny", "confirm", "accuse", "warn", "promise", "demand", "ask", "decline", "believe")

IRREGULAR = {
    "said": "say", "says": "say", "told": "tell", "wrote": "write", "written": "write", "spoke": "speak",
    "spoken": "speak", "went": "go", "gone": "go", "goes": "go", "made": "make", "put": "put", "set": "set",
    "laid": "lay", "held": "hold", "found": "find", "thought": "think", "felt": "feel", "knew": "know",
    "known": "know", "understood": "understand", "saw": "see", "seen": "see", "meant": "mean", "sent": "send",
    "gave": "give", "given": "give", "took": "take", "taken": "take", "began": "begin", "begun": "begin",
    "swore": "swear", "sworn": "swear", "pled": "plead", "forbade": "forbid", "forbidden": "forbid",
    "foresaw": "foresee", "foreseen": "foresee", "foretold": "foretell", "heard": "hear", "read": "read",
    "sang": "sing", "sung": "sing", "shown": "show", "drew": "draw", "drawn": "draw", "hit": "hit",
    "sought": "seek", "besought": "beseech", "bade": "bid", "bidden": "bid", "undertook": "undertake",
    "undertaken": "undertake", "withdrew": "withdraw", "forgot": "forget", "forgotten": "forget",
    "learnt": "learn", "dreamt": "dream", "was": "be", "were": "be", "is": "be", "are": "be", "been": "be",
    "being": "be", "am": "be", "be": "be", "has": "have", "had": "have", "having": "have", "does": "do",
    "did": "do", "done": "do", "shot": "shoot", "shook": "shake", "threw": "throw", "kept": "keep",
    "stood": "stand", "lit": "light", "blew": "blow", "cast": "cast", "bore": "bear", "borne": "bear",
    "brought": "bring", "swept": "sweep", "struck": "strike", "rang": "ring", "rung": "ring", "won": "win",
    "owned": "own", "lying": "lie", "left": "leave", "let": "let", "came": "come", "stuck": "stick",
}  # fmt: skip

AUXILIARIES = words("""
    be am is are was were been being have has had having do does did will would shall should can could may
    might must to 's 're 've 'd 'll ’s ’re ’ve ’d ’ll not n't
""")
NEGATION = re.compile(r"\b(?:not|never|neither|nor|cannot|no longer)\b|n['’]t\b", re.I)
NOT_REALLY_NEGATED = re.compile(r"\bnot (?:only|just|merely|simply|resist|help)\b", re.I)
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The table of cues, read once: word or phrase to class, and the sets that the grammar trusts."""

    verbs: dict[str, str]
    nouns: dict[str, str]
    phrases: dict[str, str]
    report: frozenset[str]
    quoting: frozenset[str]
    to: frozenset[str]
    object: frozenset[str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The packaged lexicon. Raises ValueError where a word stands in two classes."""
    table = tomllib.loads((Path(__file__).with_name("cues.toml")).read_text(encoding="utf-8"))
    kinds: dict[str, dict[str, str]] = {"verbs": {}, "nouns": {}, "phrases": {}}
    for cls in CLASSES:
        for kind, known in kinds.items():
            raw = table[cls].get(kind, "")
            words = raw.replace("\n", "").split("|") if kind == "phrases" else raw.split()
            for word in filter(None, (word.strip() for word in words)):
                if known.setdefault(word, cls) != cls:
                    raise ValueError(f"cue {word!r} stands in two classes, {known[word]} and {cls}")
    grammar = {name: frozenset(value.split()) for name, value in table["grammar"].items()}
    return Lexicon(
        **kinds,
        report=grammar["report"],
        quoting=grammar["report"] | grammar["quoting"],
        to=grammar["to"],
        object=grammar["object"],
    )


@lru_cache(maxsize=20_000)
def verb_lemma(word: str) -> str:
    """The base form of an inflected verb, lower-cased: "warned" to "warn", "denies" to "deny"."""
    word = word.lower()
    if word in IRREGULAR:
        return IRREGULAR[word]
    verbs = lexicon().verbs
    if word in verbs:
        return word
    bases = list(_bases(word))
    return next((base for base in bases if base in verbs), bases[0] if bases else word)


def _bases(word: str) -> list[str]:
    """What the word may be an inflection of, the likeliest first."""
    bases = []
    if word.endswith(("ied", "ies")) and len(word) > 4:
        bases.append(word[:-3] + "y")
    for suffix in ("ing", "ed"):
        if word.endswith(suffix) and len(word) > len(suffix) + 2:
            stem = word[: -len(suffix)]
            doubled = stem[-1] == stem[-2] and stem[-1] not in "slz"
            wants_e = re.search(
                r"(?:[^aeiou][aiu]|[^aeiou]o|[^aeiou]y|[cgsvz]|[^aeiou]l|u|[aeiou][aeiou]?[csvz])$", stem
            )
            plain = [stem, stem + "e"]
            if re.search(r"(?:[cgvuz]|[^aeiouns]s|[^aeiou]l|[aiu]t|[aeiou][bdlmnprt]{1}e?)$", stem) and wants_e:
                plain.reverse()
            bases += ([stem[:-1]] if doubled else []) + plain
    if word.endswith("es") and len(word) > 4 and word[-3] in "sxzho":
        bases.append(word[:-2])
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        bases.append(word[:-1])
    return bases


@lru_cache(maxsize=20_000)
def noun_lemma(word: str) -> str:
    """The singular of a noun, lower-cased: "warnings" to "warning", "pleas" to "plea"."""
    word = word.lower()
    nouns = lexicon().nouns
    if word in nouns:
        return word
    options = [word[:-3] + "y"] if word.endswith("ies") else []
    options += [word[:-2]] if word.endswith("es") else []
    options += [word[:-1]] if word.endswith("s") and not word.endswith("ss") else []
    return next((option for option in options if option in nouns), options[-1] if options else word)


@lru_cache(maxsize=20_000)
def classify(text: str) -> tuple[str, str]:
    """The lemma and the class of a cue as written: ``("deny", "deny")`` for "has strongly denied".

    A cue of several words is known by a phrase of the table, else by a refusal that governs another verb ("refused to
    confirm"), else by its last verb in the table, else by its last noun. An unknown cue is class ``say``.
    """
    table = lexicon()
    words = [word.lower() for word in WORD.findall(text)]
    if not words:
        return (":", "say") if ":" in text else (text.strip(), "say")
    lemmas = [verb_lemma(word) for word in words]
    best = ""
    for at in range(len(words)):
        for end in range(len(words), at + 1, -1):
            for phrase in (" ".join([lemmas[at], *words[at + 1 : end]]), " ".join(words[at:end])):
                if phrase in table.phrases and len(phrase) > len(best):
                    best = phrase
    if best:
        return best, table.phrases[best]
    for lemma in lemmas:
        if lemma in ("decline", "refuse"):
            return lemma, "decline"
    strong = [
        lemma for lemma, word in zip(lemmas, words, strict=True)
        if lemma in table.verbs and word not in AUXILIARIES and not (lemma == "like" and word == "like")
    ]  # fmt: skip
    nouns = [noun_lemma(word) for word in words]
    known_nouns = [noun for noun in nouns if noun in table.nouns]
    if known_nouns and lemmas[0] in ("make", "give", "issue", "release", "offer", "express", "voice", "have", "be"):
        # "made a promise", "issued a warning": the noun says what was done.
        return known_nouns[-1], table.nouns[known_nouns[-1]]
    if strong:
        chosen = strong[0] if strong[0] not in ("go", "continue", "seek", "begin") or len(strong) == 1 else strong[-1]
        return chosen, table.verbs[chosen]
    if known_nouns:
        return known_nouns[-1], table.nouns[known_nouns[-1]]
    content = [lemma for lemma, word in zip(lemmas, words, strict=True) if word not in AUXILIARIES]
    return (content[-1] if content else lemmas[-1]), "say"


def is_negated(text: str, cls: str) -> bool:
    """Whether the words of a cue, auxiliaries included, say that it was not said ("did not say").

    A denial is not a negated claim, and neither is a refusal: their classes say it already.
    """
    if cls in ("deny", "decline"):
        return False
    return bool(NEGATION.search(NOT_REALLY_NEGATED.sub(" ", text)))
