"""What a speaker is, by the words that name it: the head of the noun phrase, its kind, and who is named in it.

Nothing is resolved here: "the official" is described (definite, singular, head "official"), :mod:`speakers` says which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pipeline.enrich.entities import Named, Person, Role, role_of
from pipeline.enrich.passage import Passage, Token
from pipeline.enrich.people import people, role_head
from pipeline.enrich.places import demonyms, fold, gazetteer
from pipeline.enrich.words import words
from pipeline.records import Entity

PRONOUNS = {
    "he": "m", "she": "f", "him": "m", "her": "f", "his": "m", "hers": "f", "himself": "m", "herself": "f",
    "they": "p", "them": "p", "their": "p", "i": "i", "we": "w", "you": "y", "it": "n", "who": "r", "which": "r",
    "me": "i", "my": "i", "us": "w", "our": "w", "its": "n",
}  # fmt: skip
INDEFINITE = words("""
    a an one another some two three four five six seven eight nine ten several many most few other certain
    unnamed unidentified multiple various numerous both any
""")
DEFINITE = words("the this that these those his her their its our my your same said")
STOPS = words("""
    of for in at to from with who whose whom that which on about by near inside outside within among under
    over after before close familiar privy briefed aware working involved speaking quoted and or but as
    including like via through against across behind into onto published released obtained reviewed conducted
    issued written signed seen posted dated based entitled titled commissioned compiled filed carried
""")
QUANTITY = words("""
    one some many most several both all few two three four five six number group half majority percent none
    any each dozens hundreds thousands lot scores couple handful
""")
SPOKES = re.compile(r"spokes(?:man|woman|person|men|women|people|persons)$|^representatives?$")
IN_THE_KNOW = re.compile(
    r"\b(?:familiar|close|briefed|aware|privy)\b|\bwith (?:direct |first-?hand |inside )?knowledge\b|\bin the know\b",
    re.I,
)
CHIEF_OF_STAFF = re.compile(r"\bchief of (?:the )?(?:\w+ )?(?:staff )?$", re.I)
SPEAKS_FOR_THE_LAW = words("judge magistrate court jury coroner pathologist arbitrator")
GOVERNMENT_WORD = re.compile(
    r"\b(?:government|ministry|department|army|military|navy|police|embassy|consulate|parliament|senate|congress|"
    r"cabinet|presidency|white house|kremlin|pentagon|administration|bureau|foreign office|home office|authority|"
    r"state department|treasury|customs|air force|armed forces|defen[cs]e forces?|coast guard|supreme court|high court|"
    r"house of representatives|election commission)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Description:
    """A speaker as described: ``kind`` as in :class:`pipeline.records.Speaker`; the rest is for resolving."""

    kind: str
    head: str
    """The head noun or pronoun, lower-cased, in the singular where that is regular."""
    anonymous: bool = False
    person: Person | None = None
    others: tuple[Person, ...] = ()
    """Further people named side by side with ``person``."""
    name: str | None = None
    """The entity that speaks, where it is no person."""
    pronoun: str | None = None
    """m, f, p (they), n (it), i, w (we), or ``None``."""
    definite: bool = False
    plural: bool = False
    possessor: str | None = None
    """"his" in "his spokesman"."""
    office: Role | None = None
    words: tuple[str, ...] = ()
    """The words of the phrase up to its first preposition, lower-cased, articles left out."""
    latter: str | None = None
    """"latter" or "former", where the phrase is one of these."""
    role: str | None = None


def describe(passage: Passage, named: Named, start: int, end: int) -> Description:
    """The description of the phrase at these offsets."""
    text, table = passage.text, people()
    tokens = [token for token in passage.tokens_in(start, end) if token.text not in "\"“”‘'’—–"]
    if tokens and tokens[0].lower in ("both", "even", "only", "meanwhile"):
        tokens = tokens[1:] or tokens
    if not tokens:
        return Description("person", "")
    if len(tokens) > 2 and tokens[1].lower == "of" and tokens[0].lower in QUANTITY:
        tokens = tokens[2:]
    words = [token.lower for token in tokens]
    core = _core(tokens)
    core_words = [token.lower for token in core]
    first = words[0]
    if len(core) == 1 and first in PRONOUNS and core[0].text != "US" and not any(token.text == "," for token in tokens):
        return Description("person", first, pronoun=PRONOUNS[first])
    pair = core_words[1] if len(core_words) > 1 and core_words[0] == "the" else core_words[0]
    if pair in ("latter", "former") and len(core_words) <= 2:
        return Description("person", pair, latter=pair, definite=True)
    indices = named.within(tokens[0].start, tokens[-1].end)
    core_end = core[-1].end
    role = _role_words(passage, named, start, end, indices)

    def is_possessive(index: int) -> bool:
        return text[named.entities[index].end : named.entities[index].end + 2] in ("'s", "’s", "s'", "' ", "’ ")

    # 1. A person named at the end of the first part, or alone in an apposition.
    persons = [index for index in indices if named.entities[index].label == "PERSON"]
    heads = [i for i in persons if abs(named.entities[i].end - core_end) <= 1 and not is_possessive(i)]
    if not heads:
        heads = [i for i in persons if _is_apposition(passage, named, i, end) and not is_possessive(i)]
    if not heads and persons and len(tokens) > 1:
        # "minister of mines and energy Tom Alweendo": the name that ends the phrase, with no preposition before it.
        last = named.entities[persons[-1]]
        lead = text.rfind(last.title, 0, last.start) if last.title else last.start
        ahead = [token for token in tokens if token.end <= lead]
        touching = bool(ahead) and ahead[-1].lower not in STOPS and ahead[-1].text not in (",", "'s", "’s")
        titled = touching and role_of([token.lower for token in ahead], start) is not None
        if last.end >= tokens[-1].end and (titled or CHIEF_OF_STAFF.search(text, start, lead)):
            heads = persons[-1:]
    known_noun = _head(core_words)[1]
    if (
        not heads
        and persons
        and named.entities[persons[0]].start == tokens[0].start
        and not is_possessive(persons[0])
        and not _is_known(known_noun)
    ):
        heads = persons[:1]  # "Khan who ..." and other odd tails
    possessive_end = end < len(text) and text[max(start, end - 2) : end] in ("'s", "’s")
    if not heads and possessive_end and persons and named.entities[persons[-1]].end >= core_end - 2:
        heads = persons[-1:]
    if heads:
        person = named.person_at.get(heads[0])
        others = []
        for index in persons:
            between = text[named.entities[heads[0]].end : named.entities[index].start]
            if index > heads[0] and re.fullmatch(r"(?:\s*,?\s*and\s+[\w\s.’'-]{0,40}|,\s*[\w\s.’'-]{0,30})", between):
                other = named.person_at.get(index)
                joined = re.search(r"\band\b", between) is not None
                if joined and other is not None and other is not person and not is_possessive(index):
                    others.append(other)
        for index in (i for i in persons if i < heads[0]):
            gap = text[named.entities[index].end : named.entities[heads[0]].start]
            if re.match(r"\s*(?:,|and\b)", gap) and " and " in gap + " " and not is_possessive(index):
                other = named.person_at.get(index)
                if other is not None and other is not person:
                    others.insert(0, other)
        return Description(
            "person", fold(named.entities[heads[0]].text), person=person, others=tuple(others), role=role
        )
    definite = first in DEFINITE
    indefinite = first in INDEFINITE
    possessor = first if first in ("his", "her", "their", "its", "my", "our") else None
    head_index, head = _head(core_words)
    if any(named.entities[i].label == "ORG" and abs(named.entities[i].end - core_end) <= 1 for i in indices):
        head_index, head = len(core) - 1, core_words[-1]  # "the West African bloc ECOWAS"
    plural = (head.endswith("s") and not head.endswith("ss")) or head in ("people", "police")
    singular = _singular(head)
    office = role_of([w for w in words if w not in ("the", "a", "an", ",")], tokens[0].start)
    rest = tuple(word for word in core_words if word not in DEFINITE and word not in INDEFINITE)
    plain = Description(
        "person",
        singular,
        definite=definite,
        plural=plural,
        possessor=possessor,
        office=office,
        words=rest,
    )
    inside = [named.entities[i] for i in indices]
    organisations = [e for e in inside if e.label in ("ORG", "GPE", "FAC", "LOC", "NORP")]
    at_head = [e for e in organisations if e.end >= core[head_index].start and e.start <= core[head_index].start]
    # 2. Spokespeople speak for the body that is named with them.
    if SPOKES.search(head):
        owner = next((e for e in inside if e.label == "PERSON"), None)
        bodies = [e for e in organisations if e.label != "NORP"] if owner is None else []
        if bodies:
            body = _body_of(bodies, core_end)
            return replace(plain, kind=_body_kind(body.name, body.label), name=body.name)
        government = any(word in table.government for word in words)
        if owner is None and (government or any(e.label == "NORP" for e in inside)):
            return replace(plain, kind="government")
        if any(word in table.organisation for word in words):
            return replace(plain, kind="organisation")
        return replace(plain, kind="person" if owner or possessor else "organisation")
    # 3. Somebody in the know.
    quoted_crowd = head in table.collective
    informed = IN_THE_KNOW.search(text[start:end]) is not None
    insider = singular in table.anonymous or head in table.anonymous
    in_a_name = bool(at_head) and at_head[-1].label in ("ORG", "GPE") and at_head[-1].end > core[head_index].end
    if ((insider and not quoted_crowd) or (quoted_crowd and informed)) and not in_a_name:
        return replace(plain, kind="anonymous", anonymous=True)
    # 4. An entity that is the head itself.
    if at_head and at_head[-1].end >= core[head_index].end:
        entity = at_head[-1]
        if entity.label == "NORP":
            return replace(plain, kind="collective")
        side_by_side = _side_by_side(text, entity, inside)
        if side_by_side:
            names = [_country(each) or each.name for each in (entity, *side_by_side)]
            kinds = {"government" if each.country else _body_kind(each.name, "ORG") for each in (entity, *side_by_side)}
            kind = kinds.pop() if len(kinds) == 1 else "organisation"
            return replace(plain, kind=kind, name=", ".join(names[:-1]) + " and " + names[-1], plural=True)
        seat = fold(entity.text) in gazetteer().seats
        if entity.label in ("GPE", "LOC") or seat:
            if seat or entity.country:
                return replace(plain, kind="government", name=_country(entity) or entity.name)
            if entity.label == "GPE" and fold(entity.name) not in gazetteer().regions:
                # No gazetteer has the place: a body that the tagger took for one.
                return replace(plain, kind="organisation", name=entity.name)
        return replace(plain, kind=_body_kind(entity.name, entity.label), name=entity.name)
    if quoted_crowd or head in ("percent", "%") or (core_words[-1:] == ["%"]):
        return replace(plain, kind="collective")
    if head in table.document or singular in table.document:
        return replace(plain, kind="document")
    if head in table.government or singular in table.government:
        return replace(plain, kind="government")
    if head in table.organisation or singular in table.organisation:
        kind = "government" if any(w in table.government for w in core_words) else "organisation"
        return replace(plain, kind=kind)
    if head in demonyms():
        return replace(plain, kind="collective")
    if (office is not None and not office.keys & SPEAKS_FOR_THE_LAW) or singular in table.private:
        if indefinite and not plural:
            return replace(plain, kind="anonymous", anonymous=True)
        return replace(plain, kind="collective" if plural else "person")
    if GOVERNMENT_WORD.search(text[start:end]):
        return replace(plain, kind="government")
    capital = [token for token in core if token.text[:1].isupper()]
    crowd = len(core) == 1 and re.search(r"(?:ists|ers|ors|ians|ans|ees|ants|ents)$", head) is not None
    if capital and not definite and len(capital) == len(core) and len(core) <= 4 and not crowd:
        return replace(plain, kind="person")  # a name that the tagger did not see
    return replace(plain, kind="collective" if plural else "person")


def _side_by_side(text: str, first: Entity, inside: list[Entity]) -> list[Entity]:
    """The bodies that a list goes on with, "the JIP, the CDP and Komeito"; none where no "and" closes it."""
    found: list[Entity] = []
    last = first
    closed = False
    for entity in inside:
        if entity.start <= last.start or entity.label not in ("ORG", "GPE"):
            continue
        gap = re.fullmatch(r"\s*(,|,?\s*and)\s+(?:the\s+)?", text[last.end : entity.start])
        if gap is None:
            break
        found.append(entity)
        last, closed = entity, "and" in gap.group(1)
    return found if closed else []


def _country(entity: Entity) -> str | None:
    """A capital that speaks is its country's government: "Moscow said" is Russia's word."""
    table = gazetteer()
    code = table.capitals.get(fold(entity.text))
    if code is not None and code == entity.country and code in table.by_code:
        return table.by_code[code].name
    return None


def _core(tokens: list[Token]) -> list[Token]:
    """The tokens up to the first comma, preposition or relative pronoun that is not at the front."""
    for at, token in enumerate(tokens):
        if at and (
            token.text in ",;:(["
            or (
                token.lower in STOPS
                and tokens[at - 1].lower not in DEFINITE | INDEFINITE  # "the written order", "a signed letter"
                and not (token.lower == "of" and tokens[at - 1].lower == "secretary")
            )
        ):
            core = tokens[:at]
            break
    else:
        core = list(tokens)
    while len(core) > 1 and core[-1].text in ("'s", "’s", "’", "'", ".", "-"):
        core.pop()
    while len(core) > 1 and core[-1].lower in ("himself", "herself", "itself", "themselves", "also", "alone"):
        core.pop()
    return core


def _head(words: list[str]) -> tuple[int, str]:
    """The last word of the phrase that the tables know, else its last word."""
    for at in range(len(words) - 1, max(-1, len(words) - 4), -1):
        if _is_known(words[at]):
            return at, words[at]
    return len(words) - 1, words[-1]


def _is_known(word: str) -> bool:
    """Whether a word names people, bodies or papers."""
    table = people()
    return (
        word in table.anonymous
        or word in table.collective
        or word in table.document
        or word in table.organisation
        or word in table.government
        or word in table.private
        or SPOKES.search(word) is not None
        or role_head([word]) is not None
    )


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("men"):
        return word[:-3] + "man"
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3 and word not in ("police",):
        return word[:-1]
    return word


def _is_apposition(passage: Passage, named: Named, index: int, end: int) -> bool:
    """Whether the person stands between commas, or behind one up to the phrase's end, with at most a title before."""
    text, entity = passage.text, named.entities[index]
    lead = entity.start
    if entity.title:
        lead = text.rfind(entity.title, 0, entity.start)
    before = text[max(0, lead - 2) : lead].strip()
    return before in (",", "—", "–") and (entity.end >= end - 1 or text[entity.end : entity.end + 1] in ",—–")


def _body_of(bodies: list[Entity], core_end: int) -> Entity:
    """The body behind "for" or "of" where there is one, else the one before the head ("an army spokesman")."""
    behind = [entity for entity in bodies if entity.start >= core_end]
    return behind[0] if behind else bodies[-1]


def _body_kind(name: str, label: str) -> str:
    if label in ("GPE", "LOC") or GOVERNMENT_WORD.search(name) or fold(name) in gazetteer().seats:
        return "government"
    return "organisation"


def _role_words(passage: Passage, named: Named, start: int, end: int, indices: list[int]) -> str | None:
    """The title before a named person, or the apposition beside the name, as written."""
    text = passage.text
    for index in indices:
        entity = named.entities[index]
        if entity.label != "PERSON":
            continue
        if entity.title:
            return entity.title
        after = re.match(r"\s*,\s*([^,]{3,120}?)\s*(?:,|$)", text[entity.end : end])
        if after and index == indices[0]:
            return after.group(1)
        before = text[start : entity.start].strip().rstrip(",").strip()
        if before and len(before) < 120 and entity.end >= end - 2:
            return before.removeprefix("the ").removeprefix("The ")
        return None
    return None
