"""From the tagger's mentions to a document's entities: each mention with the name that all mentions of one thing share.

Acronyms go to their long forms, short names of people to full ones (where exactly one fits), demonyms and places to
countries, ids and coordinates. What is known of people (sex, offices) is kept for resolving who speaks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.enrich.acronyms import WELL_KNOWN, defined
from pipeline.enrich.passage import Passage, Token
from pipeline.enrich.people import VAGUE_TITLES, people, role_head, sex_of
from pipeline.enrich.places import demonyms, fold, gazetteer, locate
from pipeline.enrich.words import words
from pipeline.records import Entity

if TYPE_CHECKING:
    from pipeline.enrich.tagger import Mention

POSSESSIVE = re.compile(r"['’]s?$|['’]s$")
EDGE = ' \t\n\r"“”«»,;:!?([{'
TITLE_JOINTS = frozenset({"of", "for", "and", "the"})
EVENT = re.compile(
    r"\b(?:summit|olympics?|games|cup|festival|war|uprising|revolution|conference|championships?|election|elections|"
    r"assembly session|day|grand prix|open|marathon|referendum|forum|expo|awards?|massacre|genocide|holocaust)\b",
    re.I,
)
DESCRIBED = re.compile(r"(?:[\w-]+ )*[a-z]{3,} ([A-Z]{3,})")
GOVERNING_WORDS = words(
    "the a an he she they it we i this that these those his her their our some many most no one both"
)
"""Words that begin a sentence with a capital and are no part of a name."""
NAME_PARTICLES = words("""
    al el bin ibn bint abu de la le van von der den del da dos di du ben ur ul
""")
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})


@dataclass(slots=True)
class Role:
    """An office that the text gives a person: "Indian Prime Minister" has the key "prime minister", country IN."""

    keys: frozenset[str]
    words: frozenset[str]
    """All its words, lower-cased, modifiers and complements included."""
    codes: frozenset[str]
    """ISO codes of the countries in it."""
    start: int


@dataclass(slots=True)
class Person:
    """Somebody named in the document."""

    name: str
    parts: tuple[str, ...]
    """The name's words, lower-cased, without particles."""
    mentions: list[tuple[int, int]] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    title: str | None = None
    sex: str | None = None


@dataclass(slots=True)
class Named:
    """A document's entities, the people among them, and which entity lies where."""

    entities: list[Entity]
    people: list[Person]
    person_at: dict[int, Person]
    """By the index of the entity."""
    countries: Counter[str]
    _starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._starts = [entity.start for entity in self.entities]

    def within(self, start: int, end: int) -> list[int]:
        """Indices of the entities that begin in the range, in order."""
        first = bisect_right(self._starts, start - 1)
        last = bisect_right(self._starts, end - 1)
        return list(range(first, last))

    def person(self, index: int) -> Person | None:
        return self.person_at.get(index)


@dataclass(slots=True)
class _Raw:
    start: int
    end: int
    label: str
    score: float
    title: str | None = None
    title_start: int = -1


def join(passage: Passage, mentions: Sequence[Mention], title: str = "") -> Named:
    """The document's entities, in order of their start. Mentions that overlap an earlier, longer one are dropped.

    The countries that the title names count beside the text's own where an ambiguous place is decided.
    """
    text = passage.text
    raws = _clean(text, mentions)
    long_forms = defined(text)
    raws = _with_acronyms(text, raws, long_forms)
    raws = _with_surnames(passage, raws)
    _settle_labels(text, raws)
    names: dict[int, str] = {}
    titles = _titles(passage, raws)
    everyone, person_of = _people(passage, raws, titles)
    for at, person in person_of.items():
        names[at] = person.name
    _organisations(text, raws, long_forms, names)
    entities, person_at, countries = _entities(text, raws, names, person_of, title)
    named = Named(entities, everyone, person_at, countries)
    _appositions(passage, named)
    return named


def _clean(text: str, mentions: Sequence[Mention]) -> list[_Raw]:
    raws = []
    for mention in mentions:
        start, end = max(mention.start, 0), min(mention.end, len(text))
        while start < end and (text[start].isspace() or text[start] in EDGE or text[start] in "‘'’"):
            start += 1
        while end > start and (text[end - 1].isspace() or text[end - 1] in EDGE or text[end - 1] in "‘'’.)"):
            keep = text[end - 1] == "." and re.search(r"(?:\b[A-Z]\.|\b(?:Jr|Sr|Inc|Co|Ltd|Corp)\.)$", text[start:end])
            bracket = text[end - 1] == ")" and "(" in text[start:end]
            if keep or bracket:
                break
            end -= 1
        if mention.label not in ("DATE", "MONEY", "NORP"):
            tail = POSSESSIVE.search(text[start:end])
            if tail and tail.start() > 0:
                end = start + tail.start()
        elif mention.label == "NORP" and text[start:end].endswith(("'s", "’s")):
            end -= 2
        if end > start and any(char.isalpha() or char.isdigit() for char in text[start:end]):
            raws.append(_Raw(start, end, mention.label, mention.score))
    raws.sort(key=lambda raw: (raw.start, raw.start - raw.end))
    kept: list[_Raw] = []
    for raw in raws:
        if not kept or raw.start >= kept[-1].end:
            kept.append(raw)
    return kept


def _with_acronyms(text: str, raws: list[_Raw], long_forms: dict[str, tuple[int, int]]) -> list[_Raw]:
    """Every occurrence of a defined acronym is a mention, with its long form's label; so is the long form itself."""
    if not long_forms:
        return raws
    starts = [raw.start for raw in raws]

    def near(start: int, end: int) -> list[_Raw]:
        at = bisect_right(starts, start)
        return [raw for raw in raws[max(0, at - 3) : at + 2] if raw.start < end and raw.end > start]

    found: list[_Raw] = []
    for acronym, (start, end) in long_forms.items():
        if text[start:end].endswith(("’s", "'s")):
            end -= 2
        seen = near(start, end)
        votes = Counter(raw.label for raw in raws if text[raw.start : raw.end].replace(".", "") == acronym)
        if not seen and not votes:
            continue  # "chlorofluorocarbon (CFC)": an abbreviation, but no name that the model knows
        own = max(seen, key=lambda raw: raw.end - raw.start, default=None)
        if own is not None and own.end >= end and own.start < start:
            start = own.start  # "UN Food and Agriculture Organization (FAO)" is longer than its letters
        label = own.label if own is not None else ""
        if label in ("", "MISC", "PERSON", "DATE", "MONEY"):
            label = votes.most_common(1)[0][0] if votes else (label or "ORG")
        if label in ("DATE", "MONEY"):
            continue
        if label == "NORP":
            label = "ORG"
        long_forms[acronym] = (start, end)
        found.append(_Raw(start, end, label, 1.0))
        pattern = r"(?<![\w.])" + r"\.?".join(map(re.escape, acronym)) + r"\b"
        found += [
            _Raw(m.start(), m.end(), label, 1.0)
            for m in re.finditer(pattern, text)
            if not any(raw.start <= m.start() and m.end() < raw.end and raw.label == label for raw in near(*m.span()))
        ]
    fresh = sorted(found, key=lambda raw: (raw.start, raw.start - raw.end))
    fresh_starts = [raw.start for raw in fresh]

    def is_covered(raw: _Raw) -> bool:
        at = bisect_right(fresh_starts, raw.end - 1)
        return any(raw.start < other.end and other.start < raw.end for other in fresh[max(0, at - 2) : at])

    # A longer mention that the tagger saw around an acronym ("UNSC resolutions") gives way: the acronym is certain.
    merged = [raw for raw in raws if not is_covered(raw)] + fresh
    merged.sort(key=lambda raw: (raw.start, raw.start - raw.end))
    kept: list[_Raw] = []
    for raw in merged:
        if not kept or raw.start >= kept[-1].end:
            kept.append(raw)
    return kept


def _with_surnames(passage: Passage, raws: list[_Raw]) -> list[_Raw]:
    """A surname that stands alone where the tagger overlooked it: "Gavaza" in a text that has "Rupert Gavaza"."""
    text = passage.text
    surnames: set[str] = set()
    for raw in raws:
        if raw.label == "PERSON":
            words = text[raw.start : raw.end].split()
            if len(words) > 1 and len(words[-1]) > 3 and words[-1].isalpha() and words[-1][0].isupper():
                surnames.add(words[-1])
    if not surnames:
        return raws
    taken = bytearray(len(text))
    for raw in raws:
        taken[raw.start : raw.end] = b"\1" * (raw.end - raw.start)
    lower = {token.text for token in passage.tokens if token.text.islower()}
    before = ""
    found = []
    for token in passage.tokens:
        # Not inside another name ("Gavaza Street"), and not a word that the text also writes small.
        if token.text in surnames and token.lower not in lower and not taken[token.start]:
            behind = text[token.end : token.end + 2]
            if not (before[:1].isupper() and not _ends(text, token.start)) and not (
                behind[:1] == " " and behind[1:].isupper()
            ):
                found.append(_Raw(token.start, token.end, "PERSON", 0.5))
        before = token.text
    return sorted([*raws, *found], key=lambda raw: (raw.start, raw.start - raw.end))


def _ends(text: str, offset: int) -> bool:
    """Whether a sentence or a mark ends right before the offset."""
    return text[max(0, offset - 2) : offset].strip()[-1:] in ("", ".", "!", "?", "”", '"', ",", ":", ";")


def _settle_labels(text: str, raws: list[_Raw]) -> None:
    """A name has one label in a document: the one that most of its mentions (by score) have; demonyms are NORP."""
    peoples = demonyms()
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for raw in raws:
        if raw.label in ("PERSON", "ORG", "LOC", "FAC", "NORP", "MISC", "GPE"):
            votes[fold(text[raw.start : raw.end])][raw.label] += 1 + int(100 * raw.score)
    for raw in raws:
        key = fold(text[raw.start : raw.end])
        if key not in votes:
            continue
        if (
            key in peoples
            and peoples[key][1]
            and raw.label in ("LOC", "MISC", "ORG", "PERSON", "GPE")
            and key not in ("georgia",)
        ):
            raw.label = "NORP" if votes[key].most_common(1)[0][0] != "PERSON" else raw.label
            continue
        label, weight = votes[key].most_common(1)[0]
        if weight * 3 >= 2 * sum(votes[key].values()):
            raw.label = label


def _contiguous(text: str, left: Token, right_start: int) -> bool:
    gap = text[left.end : right_start]
    return gap in ("", " ", "-", ". ", ".", "\xa0", "’s ", "'s ")


def _titles(passage: Passage, raws: list[_Raw]) -> dict[int, list[str]]:
    """For each person mention, the lower-cased words of the title before it (or at its front, which is cut off)."""
    text, table = passage.text, people()
    spans = {raw.start: raw for raw in raws}
    words_of: dict[int, list[str]] = {}
    inside = _coverage(raws)
    for index, raw in enumerate(raws):
        if raw.label != "PERSON":
            continue
        tokens = passage.tokens_in(raw.start, raw.end)
        words = [token.lower for token in tokens]
        # A title at the front of the mention: "President Bozizé".
        cut = 0
        for size in range(len(words) - 1, 0, -1):
            front = [word for word in words[:size] if word != "."]
            titled = bool(front) and all(word in table.titles or word in table.modifiers for word in front)
            if titled and any(" ".join(front[-length:]) in table.titles for length in (1, 2, 3)):
                cut = size
                break
        title_start = raw.start
        if cut and cut < len(tokens):
            raw.start = tokens[cut].start
        # Leftwards from the name: the head must touch it.
        at = passage.token_at(title_start) - 1
        left: list[Token] = [] if not cut else tokens[:cut]
        if not cut:
            gathered: list[Token] = []
            look = at
            edge = title_start
            while look >= 0 and len(gathered) < 4 and _contiguous(text, passage.tokens[look], edge):
                if passage.tokens[look].text != ".":
                    gathered.insert(0, passage.tokens[look])
                edge = passage.tokens[look].start
                look -= 1
            for size in range(min(4, len(gathered)), 0, -1):
                if " ".join(token.lower for token in gathered[-size:]) in table.titles:
                    left = gathered[-size:]
                    break
        if not left:
            words_of[index] = []
            continue
        edge = left[0].start
        at = passage.token_at(edge) - 1
        sentence = passage.sentences[passage.sentence_at(raw.start)][0]
        while at >= 0 and len(left) < 9:
            token = passage.tokens[at]
            if token.start < sentence or not _contiguous(text, token, edge):
                break
            owner = inside.get(token.start)
            is_title_word = token.lower in table.modifiers or token.lower in table.titles
            named = owner is not None and owner.label in ("NORP", "LOC", "GPE", "ORG")
            if token.text in ("-", "."):
                pass
            elif not (is_title_word or named or token.lower in demonyms()):
                break
            left.insert(0, token)
            edge = token.start
            at -= 1
        while left and (left[0].text in "-." or left[0].lower in TITLE_JOINTS):
            left.pop(0)
        if left:
            raw.title = text[left[0].start : raw.start].strip()
            raw.title_start = left[0].start
            words_of[index] = [token.lower for token in left if token.text not in "-."]
    del spans
    return words_of


def _coverage(raws: Sequence[_Raw]) -> dict[int, _Raw]:
    """Each word start within a mention, to the mention."""
    found = {}
    for raw in raws:
        for offset in range(raw.start, raw.end):
            found[offset] = raw
    return found


def codes_in(words: Sequence[str]) -> frozenset[str]:
    """ISO codes of the countries and demonyms among lower-cased words: ("indian", "prime") gives {"IN"}."""
    peoples, countries = demonyms(), gazetteer().countries
    found = set()
    for at, word in enumerate(words):
        pair = " ".join(words[at : at + 2])
        for form in (pair, word):
            key = fold(form)
            if key in peoples:
                found.add(peoples[key][1])
                break
            if key in countries:
                found.add(countries[key].country or "")
                break
    return frozenset(found - {""})


def role_of(words: Sequence[str], start: int) -> Role | None:
    """The office that lower-cased words name, complement behind "of" or "for" included; ``None`` for none."""
    head_end = len(words)
    for at, word in enumerate(words):
        if word in (
            "of",
            "for",
            "in",
            "at",
            "to",
            "from",
            "with",
            "who",
            "whose",
            "on",
            "and",
            "that",
            "which",
            "about",
        ):
            head_end = at
            break
    whole = role_head(words) if "of" in words else None
    head = role_head(words[:head_end]) if head_end else None
    if words[:head_end] == ["secretary"] and list(words[head_end : head_end + 2]) == ["of", "state"]:
        head = (frozenset({"secretary of state"}), 0, head_end)
    if head is None:
        head = whole
    if head is None or head[0] <= VAGUE_TITLES:
        return None
    return Role(head[0], frozenset(words), codes_in(words), start)


def _name_parts(name: str) -> tuple[str, ...]:
    words = [word.strip(".,").lower() for word in re.split(r"[\s]+", name)]
    return tuple(word for word in words if word and word not in SUFFIXES)


def _people(passage: Passage, raws: list[_Raw], titles: dict[int, list[str]]) -> tuple[list[Person], dict[int, Person]]:
    """Cluster the person mentions: full names by their words, then short names where exactly one person fits."""
    text = passage.text
    full: dict[tuple[str, ...], Person] = {}
    order: list[Person] = []
    person_of: dict[int, Person] = {}
    indices = [index for index, raw in enumerate(raws) if raw.label == "PERSON"]
    parts_of = {index: _name_parts(text[raws[index].start : raws[index].end]) for index in indices}
    by_last: dict[str, list[Person]] = defaultdict(list)
    # Full names first, so that a short name in the first line finds the full one behind it.
    for index in indices:
        parts = parts_of[index]
        if len(parts) < 2 or (len(parts) == 2 and parts[0] in NAME_PARTICLES):
            continue
        person = full.get(parts)
        if person is None:
            person = next((p for p in by_last[parts[-1]] if _same_full_name(p.parts, parts)), None)
        if person is None:
            person = Person(_normal(text[raws[index].start : raws[index].end]), parts)
            order.append(person)
            by_last[parts[-1]].append(person)
        elif (
            len(parts) > len(person.parts) and len(parts) <= 3 and "." not in text[raws[index].start : raws[index].end]
        ):
            person.parts = parts if len(person.parts) < 2 else person.parts
        full[parts] = person
        person_of[index] = person
    by_word: dict[str, list[Person]] = defaultdict(list)
    for person in order:
        for word in dict.fromkeys(person.parts):
            by_word[word].append(person)
    for index in indices:
        if index in person_of:
            person_of[index].mentions.append((raws[index].start, raws[index].end))
            _learn(person_of[index], titles.get(index, []), raws[index])
    for index in indices:
        if index in person_of:
            continue
        parts = parts_of[index]
        if not parts:
            continue
        title_words = titles.get(index, [])
        chosen = _short_name(parts, title_words, by_word, raws[index].start)
        if chosen is None:
            chosen = full.get(parts)
            if chosen is None or by_word.get(parts[-1]):
                # Ambiguous between two people of the name, or a person of one word: a cluster of its own.
                ambiguous = len(by_word.get(parts[-1], [])) > 1
                key = ("?", *parts) if ambiguous else parts
                chosen = full.get(key)
                if chosen is None:
                    chosen = Person(_normal(text[raws[index].start : raws[index].end]), () if ambiguous else parts)
                    order.append(chosen)
                    full[key] = chosen
        chosen.mentions.append((raws[index].start, raws[index].end))
        person_of[index] = chosen
        if chosen.parts:
            _learn(chosen, title_words, raws[index])
    for person in order:
        person.mentions.sort()
        if person.sex is None:
            person.sex = sex_of(person.name)
    return order, person_of


def _normal(name: str) -> str:
    return " ".join(name.split())


def _same_full_name(known: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether two full names are one person's: "Robert J. Hale" is "Robert Hale", "Sadiq Khan" is not "Imran Khan"."""
    if known[-1] != parts[-1] or not known:
        return False
    if known[0] == parts[0]:
        return set(known) <= set(parts) or set(parts) <= set(known)
    one, other = known[0], parts[0]
    return (len(one) == 1 and other.startswith(one)) or (len(other) == 1 and one.startswith(other))


def _short_name(
    parts: tuple[str, ...], title_words: list[str], by_word: dict[str, list[Person]], start: int
) -> Person | None:
    """The one person whom a short name can mean, or ``None``. Two bearers are told apart by title or sex, else not."""
    candidates = by_word.get(parts[-1], [])
    if len(parts) > 1:
        candidates = [person for person in candidates if set(parts) <= set(person.parts)]
    if len(candidates) > 1:
        sex = sex_of("", title_words)
        if sex is not None:
            known = [p for p in candidates if (p.sex or sex_of(p.name)) == sex]
            others = [p for p in candidates if (p.sex or sex_of(p.name)) is None]
            candidates = known if known and not others else candidates
        role = role_of(title_words, start) if title_words else None
        if len(candidates) > 1 and role is not None:
            candidates = [p for p in candidates if any(role.keys & known.keys for known in p.roles)]
    return candidates[0] if len(candidates) == 1 else None


def _learn(person: Person, title_words: list[str], raw: _Raw) -> None:
    if not title_words:
        return
    if person.sex is None:
        person.sex = sex_of("", title_words)
    role = role_of(title_words, raw.title_start)
    if role is not None:
        person.roles.append(role)
    if person.title is None or (role is not None and not person.roles[:-1]):
        person.title = raw.title


def _organisations(text: str, raws: list[_Raw], long_forms: dict[str, tuple[int, int]], names: dict[int, str]) -> None:
    """Join acronyms with long forms and short names with full ones, within ORG, FAC, and whatever was defined."""
    labels = ("ORG", "FAC", "MISC", "PRODUCT", "LOC", "GPE")
    defined_names = {acronym: _bare(text[start:end]) for acronym, (start, end) in long_forms.items()}
    full: dict[str, str] = {}
    for raw in raws:
        if raw.label in labels:
            name = _bare(text[raw.start : raw.end])
            full.setdefault(fold(name), name)
    initials: dict[str, set[str]] = defaultdict(set)
    first_word: dict[str, set[str]] = defaultdict(set)
    for name in full.values():
        words = name.split()
        if len(words) > 1:
            strong = [word for word in words if word.lower() not in ("of", "the", "and", "for", "in", "on")]
            initials["".join(word[0] for word in strong).upper()].add(name)
            initials["".join(word[0] for word in words).upper()].add(name)
            first_word[words[0].lower()].add(name)
    for index, raw in enumerate(raws):
        if raw.label not in labels or index in names:
            continue
        written = _bare(text[raw.start : raw.end])
        plain = written.replace(".", "")
        described = DESCRIBED.fullmatch(written)
        if described and raw.label == "ORG":
            names[index] = described.group(1)  # "space institute INPA" is INPA
        elif plain in defined_names:
            names[index] = defined_names[plain]
        elif plain.isupper() and len(plain) > 1 and raw.label == "ORG" and len(initials.get(plain, ())) == 1:
            names[index] = next(iter(initials[plain]))
        elif plain in WELL_KNOWN and raw.label == "ORG":
            names[index] = WELL_KNOWN[plain]
        elif raw.label == "ORG" and " " not in written and len(first_word.get(written.lower(), ())) == 1:
            candidate = next(iter(first_word[written.lower()]))
            place = fold(written) in gazetteer().countries or fold(written) in gazetteer().cities
            names[index] = candidate if not place else written
        else:
            names[index] = full.get(fold(written), written)


def _bare(name: str) -> str:
    name = _normal(name)
    return name[4:] if name[:4] in ("the ", "The ") and len(name) > 4 else name


def _entities(
    text: str,
    raws: list[_Raw],
    names: dict[int, str],
    person_of: dict[int, Person],
    title: str,
) -> tuple[list[Entity], dict[int, Person], Counter[str]]:
    """The records, places located once the text's countries have been counted."""
    countries: Counter[str] = Counter(codes_in(re.findall(r"[^\W_]+", title.lower())) if title else ())
    peoples = demonyms()
    world = gazetteer() if any(raw.label in ("LOC", "GPE", "NORP") for raw in raws) else None
    for raw in raws:
        key = fold(text[raw.start : raw.end])
        if raw.label in ("LOC", "GPE") and world is not None:
            if key in world.countries:
                countries[world.countries[key].country or ""] += 1
            elif key in world.capitals:
                countries[world.capitals[key]] += 1
            elif key in world.regions and world.regions[key].country:
                countries[world.regions[key].country or ""] += 1
            elif key in world.states and key not in ("georgia",):
                countries["US"] += 1
        elif raw.label == "NORP" and key in peoples:
            countries[peoples[key][1]] += 1
    del countries[""]
    entities: list[Entity] = []
    person_at: dict[int, Person] = {}
    for index, raw in enumerate(raws):
        written = text[raw.start : raw.end]
        if raw.label == "PERSON":
            person = person_of.get(index)
            if person is not None:
                person_at[len(entities)] = person
            entities.append(
                _entity(raw, written, "PERSON", person.name if person else _normal(written), title=raw.title)
            )
        elif raw.label in ("LOC", "GPE"):
            entities.append(_place(raw, written, names.get(index, _normal(written)), countries))
        elif raw.label == "NORP":
            main, code = peoples.get(fold(written), (_normal(written), ""))
            entities.append(_entity(raw, written, "NORP", main, country=code or None))
        elif raw.label == "MISC":
            if EVENT.search(written):
                entities.append(_entity(raw, written, "EVENT", names.get(index, _normal(written))))
        elif raw.label in ("ORG", "FAC", "EVENT", "PRODUCT", "DATE", "MONEY"):
            entities.append(_entity(raw, written, raw.label, names.get(index, _normal(written))))
    return entities, person_at, countries


def _place(raw: _Raw, written: str, name: str, countries: Counter[str]) -> Entity:
    place = locate(written, countries) or (locate(name, countries) if name != written else None)
    words = fold(name).split()
    loc_words = gazetteer().loc_words
    if place is None:
        label = "LOC" if words and (words[-1] in loc_words or words[0] in ("mount", "lake", "gulf")) else "GPE"
        return _entity(raw, written, label, _bare(name))
    long_name = name if fold(name) != fold(written) else place.name
    if place.kind in ("city", "state"):
        long_name = place.name if fold(place.name) == fold(written) else _bare(name)
    return Entity(
        start=raw.start, end=raw.end, text=written, label=place.label, name=long_name,
        geonames=place.geonames, country=place.country, latitude=place.latitude, longitude=place.longitude,
    )  # fmt: skip


def _entity(
    raw: _Raw, written: str, label: str, name: str, *, title: str | None = None, country: str | None = None
) -> Entity:
    return Entity(start=raw.start, end=raw.end, text=written, label=label, name=name, title=title, country=country)


APPOSITION = re.compile(r"\s*(?:\([^)]{1,20}\))?,\s*(?:\d{1,3},\s*)?")
WHO_IS = re.compile(r",?\s+who\s+(?:is|was|serves as|served as|has been|works as)\s+")


def _appositions(passage: Passage, named: Named) -> None:
    """Learn offices from "X, the head of Y," and "the head of Y, X,"."""
    text = passage.text
    for index, person in named.person_at.items():
        entity = named.entities[index]
        if not person.parts:
            continue
        match = WHO_IS.match(text, entity.end) or APPOSITION.match(text, entity.end)
        if match:
            tail = text[match.end() : match.end() + 110]
            cut = re.search(
                r"[,.;:!?\n“”\"–—]|\s(?:who|which|said|says|told|has|had|was|is|where|when|while|but)\s", tail
            )
            phrase = tail[: cut.start()] if cut else ""
            words = [word.lower() for word in re.findall(r"[^\W_]+(?:-[^\W_]+)*", phrase)]
            if words and len(words) <= 14 and words[0] in DETERMINERS | _starts(words):
                words = words[1:] if words[0] in DETERMINERS else words
                role = role_of(words, match.end())
                if role is not None:
                    person.roles.append(role)
                    if person.sex is None:
                        person.sex = sex_of(
                            "", [word for word in words[:4] if word in role.keys or word.endswith("man")]
                        )
        before = re.search(
            r"(?:^|[.,;:!?\n“”\"–—]\s*|\b(?:and|that|said|but)\s+)((?:the|its|their|his|her|our|a|an)\s[^.,;:!?\n“”\"]{3,80}),\s*$",
            text[max(0, entity.start - 100) : entity.start],
            re.I,
        )
        if before and not entity.title:
            words = [word.lower() for word in re.findall(r"[^\W_]+(?:-[^\W_]+)*", before.group(1))][1:]
            role = role_of(words, entity.start)
            if role is not None:
                person.roles.append(role)


DETERMINERS = words("the a an its their his her our one another some")


def _starts(words: list[str]) -> frozenset[str]:
    """An apposition without article ("X, head of the army") must begin with an office or its modifiers."""
    table = people()
    known = words[0] in table.modifiers or words[0] in table.role_keys or words[0] in demonyms()
    return frozenset({words[0]}) if known else frozenset()
