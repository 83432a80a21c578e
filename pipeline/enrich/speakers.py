"""Who speaks: each source resolved within the document, to a name, to an earlier unnamed speaker, or to nobody.

A wrong name is worse than none, so every rule here names somebody only where the text leaves one reading: a pronoun
goes to the last subject that agrees with it, "the premier" to the one person of that office, a short name to its only
bearer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pipeline.enrich.anonymity import reason
from pipeline.enrich.describe import Description, describe
from pipeline.enrich.drafts import Draft
from pipeline.enrich.entities import Named, Person, codes_in
from pipeline.enrich.passage import Passage
from pipeline.enrich.people import NOT_THE_OFFICE, role_head
from pipeline.enrich.places import demonyms, fold, gazetteer
from pipeline.enrich.quotes import Quotations
from pipeline.enrich.words import words
from pipeline.records import Speaker

# How many sentences back a pronoun may look: in news the speaker is named again after about that. 2026-11-23.
REACH = 5
# How many claims back "the official" may look; in a longer text than any article it keeps the time linear.
LOOK_BACK = 300
BODY_NOUNS = words("company firm group organisation organization agency bank charity union party broadcaster")
PREPOSITIONS = words("""
    of for with by to against on at from about under like over in between among after before than as into
    toward towards near behind without including via alongside beside despite during since until upon through
""")


ONE_OF = re.compile(r"(?:one|two|three|some|several|another|both|most)\s+of\s+(?:the|these|those)\b", re.I)


@dataclass(frozen=True, slots=True)
class Referent:
    """What a phrase means: a named person, a named body, or the unnamed speaker of a claim (by its index)."""

    person: Person | None = None
    body: str | None = None
    kind: str = "person"
    claim: int | None = None
    sex: str | None = None
    plural: bool = False
    beside: str | None = None
    """The sex of somebody whose he or she is: "her lawyer" is hardly the next "she"."""

    def agrees(self, pronoun: str, *, quoted: bool = False) -> bool:
        """Whether the pronoun can mean it. Behind a quotation ("...," he said) it can be somebody's lawyer too."""
        if pronoun in ("m", "f"):
            if (
                self.body is not None
                or self.plural
                or self.kind in ("document", "organisation", "government", "collective")
            ):
                return False
            sex = self.person.sex if self.person else self.sex
            return sex == pronoun or (sex is None and (quoted or self.beside != pronoun))
        if pronoun == "p":
            return self.kind in ("collective", "organisation") or (
                self.plural and self.kind not in ("document", "government")
            )
        return self.kind in ("organisation", "government", "document")


@dataclass(frozen=True, slots=True)
class _Seen:
    offset: int
    referent: Referent
    nested: bool


class Speakers:
    """Resolves the sources of a document's drafts, in their order."""

    def __init__(self, passage: Passage, quotations: Quotations, named: Named, drafts: list[Draft]) -> None:
        self.passage, self.quotations, self.named, self.drafts = passage, quotations, named, drafts
        self.text = passage.text
        self.seen: dict[int, list[_Seen]] = {}
        self.descriptions: dict[int, Description] = {}
        self.referents: dict[int, Referent] = {}
        self.found: list[Speaker | None] = [None] * len(drafts)

    def resolve(self) -> list[Speaker | None]:
        """A speaker for each draft, ``None`` where no source is written."""
        # A claim is settled after the one around it, and after those written before it.
        for index in sorted(range(len(self.drafts)), key=lambda i: (self.drafts[i].anchor, i)):
            self._settle(index, 0)
        return self.found

    def _settle(self, index: int, depth: int) -> None:
        draft = self.drafts[index]
        if self.found[index] is not None or draft.source is None or index in self.referents:
            return
        if draft.parent is not None and depth < 8:
            self._settle(draft.parent, depth + 1)
        start, end = draft.source
        description = describe(self.passage, self.named, start, end)
        self.descriptions[index] = description
        speaker, referent = self._speaker(index, draft, description)
        self.found[index] = speaker
        self.referents[index] = referent
        self.seen.setdefault(self.passage.sentence_at(draft.anchor), []).append(
            _Seen(start, referent, draft.parent is not None)
        )

    def _speaker(self, index: int, draft: Draft, description: Description) -> tuple[Speaker, Referent]:
        assert draft.source is not None
        start, end = draft.source
        made = Speaker(
            start=start, end=end, text=self.text[start:end], kind=description.kind,
            anonymous=description.anonymous, role=description.role,
        )  # fmt: skip
        referent = Referent(kind=description.kind, claim=index, plural=description.plural)
        if draft.borrowed:
            twin = self._twin(index, draft)
            if twin is not None and self.found[twin] is not None:
                known = self.found[twin]
                assert known is not None
                root = known.same_as if known.same_as is not None else twin
                return (known if known.name else replace(known, same_as=root)), self.referents[twin]
        if description.person is not None:
            made, referent = self._named(made, description)
        elif description.pronoun is not None:
            found = self._pronoun(index, draft, description.pronoun)
            made, referent = self._as(made, referent, found)
        elif description.latter is not None:
            person = self._of_two(start, description.latter)
            if person is not None:
                made, referent = replace(made, name=person.name), Referent(person=person)
        elif description.name is not None:
            made = replace(made, name=description.name)
            referent = Referent(body=description.name, kind=description.kind)
        else:
            made, referent = self._described(index, made, referent, description)
        return self._with_reason(index, draft, made), referent

    def _twin(self, index: int, draft: Draft) -> int | None:
        return next(
            (i for i, d in enumerate(self.drafts) if i != index and d.source == draft.source and not d.borrowed), None
        )

    def _named(self, made: Speaker, description: Description) -> tuple[Speaker, Referent]:
        person = description.person
        assert person is not None
        certain = bool(person.parts)
        names = [person.name, *(other.name for other in description.others)]
        first = self.text[made.start : made.start + 4].lower().split()
        beside = {"his": "m", "her": "f"}.get(first[0]) if first else None
        if certain:
            referent = Referent(person=person, plural=len(names) > 1, beside=beside)
        else:
            referent = Referent(sex=person.sex, beside=beside)
        # Two bearers of the name and nothing to tell them apart: the words stand, a name is not given.
        return replace(made, name=" and ".join(names) if certain else None), referent

    def _as(self, made: Speaker, own: Referent, found: Referent | None) -> tuple[Speaker, Referent]:
        """The speaker as what it was found to mean."""
        if found is None:
            return made, own
        if found.person is not None:
            return replace(made, name=found.person.name, kind="person"), found
        if found.body is not None:
            return replace(made, name=found.body, kind=found.kind), found
        if found.claim is not None and found.claim != own.claim:
            known = self.found[found.claim]
            if known is None:
                return made, own
            root = known.same_as if known.same_as is not None else found.claim
            return (
                replace(
                    made, name=known.name, kind=known.kind, anonymous=known.anonymous, reason=known.reason,
                    same_as=None if known.name else root,
                ),
                found,
            )  # fmt: skip
        return made, own

    # -- pronouns ------------------------------------------------------------------------------------------------------

    def _pronoun(self, index: int, draft: Draft, pronoun: str) -> Referent | None:
        assert draft.source is not None
        start = draft.source[0]
        parent = draft.parent
        quoted = self.quotations.covering(start)
        if pronoun in ("i", "w"):
            if parent is not None and quoted is not None and parent in self.referents:
                return self.referents[parent]
            return None
        if pronoun in ("r", "y"):
            return (self._relative(start) or self._unnamed_before(index, draft)) if pronoun == "r" else None
        if quoted is not None and not quoted.single:
            # "He told me", says somebody: neither the speaker nor, surely, the person named last.
            return None
        if parent is not None:
            around = self.referents.get(parent)
            within = self._subject_between(self.drafts[parent].start, start, pronoun)
            if around is not None and around.agrees(pronoun):
                if within is not None and within != around:
                    return None
                return around
            if within is not None:
                return within
            return self._looking_back(start, pronoun, nested=True)
        direct = bool(draft.content) and self.quotations.form(draft.content) == "direct"
        return self._looking_back(start, pronoun, nested=False, quoted=direct)

    def _relative(self, start: int) -> Referent | None:
        """ "who" behind a comma means the name before it."""
        for at in reversed(self.named.within(max(0, start - 60), start)):
            entity = self.named.entities[at]
            if self.text[entity.end : start].strip(" ,") == "":
                person = self.named.person_at.get(at)
                if person is not None and person.parts:
                    return Referent(person=person)
                if entity.label in ("ORG",):
                    return Referent(body=entity.name, kind="organisation")
            break
        return None

    def _unnamed_before(self, index: int, draft: Draft) -> Referent | None:
        """ "An official ..., who said": the unnamed source of the claim before in the sentence."""
        here = self.passage.sentence_at(draft.anchor)
        for other in reversed(list(self.referents)[-8:]):
            known = self.drafts[other]
            if other == index or known.source is None or self.passage.sentence_at(known.anchor) != here:
                continue
            if known.source[1] <= draft.anchor and self.descriptions[other].pronoun is None:
                return self.referents[other]
        return None

    def _subject_between(self, start: int, end: int, pronoun: str) -> Referent | None:
        """A person who is a subject between the offsets, outside possessives and prepositional phrases."""
        for at in self.named.within(start, end):
            person = self.named.person_at.get(at)
            if person is not None and person.parts and self._is_subject(at):
                referent = Referent(person=person)
                if referent.agrees(pronoun):
                    return referent
        return None

    def _is_subject(self, index: int) -> bool:
        """Whether a person's mention can be a subject: no preposition before it, no possessive mark behind it."""
        entity = self.named.entities[index]
        if self.text[entity.end : entity.end + 1] in ("'", "’"):
            return False
        lead = entity.start
        if entity.title:
            lead = max(0, self.text.rfind(entity.title, 0, entity.start))
        at = self.passage.token_at(lead) - 1
        while at >= 0 and self.passage.tokens[at].lower in ("the", "a", "an"):
            at -= 1
        if at < 0:
            return True
        before = self.passage.tokens[at]
        if before.lower in PREPOSITIONS:
            return False
        # The object of a verb stands behind it; a subject stands at the start, or behind a mark or a joint.
        sentence = self.passage.sentences[self.passage.sentence_at(entity.start)][0]
        return before.start < sentence or before.text in ",;:—–-“”\"(" or before.lower in (
            "that", "and", "but", "when", "while", "as", "because", "if", "where", "although", "though", "whether",
            "what", "how", "why", "however", "meanwhile", "later", "then",
        )  # fmt: skip

    def _looking_back(self, start: int, pronoun: str, *, nested: bool, quoted: bool = False) -> Referent | None:
        """The last subject, in this sentence or up to REACH before, that agrees with the pronoun."""
        here = self.passage.sentence_at(start)
        paragraph = self.passage.paragraph_at(start)
        # "It" is the body of the sentence before or nothing: bodies are named again sooner than people.
        reach = 1 if pronoun == "n" else REACH
        for sentence in range(here, max(-1, here - reach - 1), -1):
            if sentence < here and paragraph - self.passage.paragraph_of[sentence] > 2:
                break
            candidates = self._subjects(sentence, start, nested)
            agreeing = [seen for seen in candidates if seen.referent.agrees(pronoun, quoted=quoted)]
            if not agreeing:
                continue
            speakers = [s for s in agreeing if s.referent in [r.referent for r in self.seen.get(sentence, ())]]
            chosen = (speakers or agreeing)[-1 if speakers else 0].referent
            distinct = {id(s.referent.person) for s in agreeing if s.referent.person is not None}
            if not speakers and len(distinct) > 1:
                return None
            if not speakers and not nested and self._outspoken(chosen, sentence, start, pronoun):
                return None
            if chosen.person is not None and chosen.person.sex is None and pronoun in ("m", "f"):
                # Of unknown sex: only where nobody else near by could be meant; who was only spoken of needs more room.
                first = sentence if speakers else max(0, sentence - 1)
                rivals = [
                    p for p in self.named.people
                    if p is not chosen.person and p.parts and (p.sex == pronoun or (p.sex is None and not speakers))
                    and any(self._near(at, first, here, start) for at, _ in p.mentions)
                ]  # fmt: skip
                if rivals and not speakers:
                    return None
                if not rivals:
                    chosen.person.sex = pronoun
            return chosen
        return None

    def _outspoken(self, chosen: Referent, sentence: int, before: int, pronoun: str) -> bool:
        """Whether somebody else spoke just before, and the one chosen has neither spoken nor is introduced here.

        "He said Mr Makama bought it. Makama promised wells. “...,” he said": the speaker goes on, or Makama speaks now.
        """
        person = chosen.person
        if person is None or not person.mentions:
            return False
        if self.passage.sentence_at(person.mentions[0][0]) >= sentence:
            return False
        earlier = [
            seen.referent
            for number in range(max(0, sentence - REACH), sentence + 1)
            for seen in self.seen.get(number, ())
            if seen.offset < before and not seen.nested and seen.referent.agrees(pronoun)
        ]
        if not earlier or any(referent.person is person for referent in earlier):
            return False
        return earlier[-1].person is not None or earlier[-1].claim is not None

    def _near(self, offset: int, first: int, last: int, before: int) -> bool:
        return offset < before and first <= self.passage.sentence_at(offset) <= last

    def _subjects(self, sentence: int, before: int, nested: bool) -> list[_Seen]:
        """Who acts in a sentence, before an offset: speakers of its claims, and the first person who is a subject."""
        start, end = self.passage.sentences[sentence]
        found = [seen for seen in self.seen.get(sentence, ()) if seen.offset < before]
        outer = [seen for seen in found if not seen.nested]
        inner = [seen for seen in found if seen.nested]
        chosen = inner + outer if not nested else outer + inner
        if not nested and outer:
            chosen = outer
        elif nested and inner:
            chosen = inner
        offset_of = {seen.offset for seen in chosen}
        subject: list[_Seen] = []
        for at in self.named.within(start, min(end, before)):
            person = self.named.person_at.get(at)
            entity = self.named.entities[at]
            if person is None or not person.parts or entity.start in offset_of:
                continue
            quoted = self.quotations.covering(entity.start)
            if quoted is not None and not quoted.single:
                continue
            if not nested and self._in_content(entity.start):
                continue
            if self._is_subject(at):
                subject.append(_Seen(entity.start, Referent(person=person), False))
        if nested and not inner and not subject:
            leading = self._leading(sentence, before)
            if leading is not None:
                subject.append(_Seen(start, leading, True))
        if not subject and not chosen and re.match(r"(?:He|She|They)\b", self.text[start : start + 5]):
            word = self.text[start : start + 4].split()[0].lower()
            if start < before and sentence > 0 and start != before:
                back = self._looking_back(start, {"he": "m", "she": "f"}.get(word, "p"), nested=nested)
                if back is not None:
                    subject.append(_Seen(start, back, nested))
        return subject + chosen if not chosen else ([*subject, *chosen] if not outer or nested else chosen)

    def _in_content(self, offset: int) -> bool:
        sentence = self.passage.sentence_at(offset)
        low = max(0, sentence - 1)
        return any(s <= offset < e for draft in self._drafts_near(low, sentence) for s, e in draft.content)

    def _drafts_near(self, first: int, last: int) -> list[Draft]:
        if not hasattr(self, "_by_sentence"):
            self._by_sentence: dict[int, list[Draft]] = {}
            for draft in self.drafts:
                for s, e in draft.content:
                    for number in range(self.passage.sentence_at(s), self.passage.sentence_at(max(s, e - 1)) + 1):
                        self._by_sentence.setdefault(number, []).append(draft)
        return [draft for number in range(first, last + 1) for draft in self._by_sentence.get(number, ())]

    def _leading(self, sentence: int, before: int) -> Referent | None:
        """The person whom the opening of a reported clause describes: "that the US president contacted"."""
        for draft in self._drafts_near(sentence, sentence):
            s, e = draft.content[0]
            match = re.match(
                r"[“\"]?(?:that\s+)?(?:the\s+)((?:[\w.-]+\s+){0,3}?[\w-]+)(?=\s+(?:also|then|had|has|was|would|will|\w+ed\b))",
                self.text[s : min(e, before, s + 90)],
            )
            if match and s < before:
                at = s + match.start(1)
                description = describe(self.passage, self.named, s + match.start(1) - 4, s + match.end(1))
                if description.office is not None:
                    person = self._holder(replace(description, definite=True), at)
                    if person is not None:
                        return Referent(person=person)
        return None

    # -- descriptions --------------------------------------------------------------------------------------------------

    def _described(
        self, index: int, made: Speaker, own: Referent, description: Description
    ) -> tuple[Speaker, Referent]:
        singular = description.office is not None and not description.plural and description.possessor is None
        if singular and (description.definite or not self._indefinite(made)):
            person = self._holder(description, made.start)
            if person is not None:
                role = re.sub(r"^(?:the|this|that)\s+", "", made.text, flags=re.I)
                made = replace(made, name=person.name, kind="person", anonymous=False, role=role)
                return made, Referent(person=person)
        if description.kind in ("organisation", "government") and description.definite:
            body = self._body(description, made.start) or self._last_body(description, made.start)
            if body is not None:
                return replace(made, name=body), Referent(body=body, kind=description.kind)
        if description.kind == "government" and description.head in ("government", "administration"):
            codes = codes_in(list(description.words))
            if len(codes) == 1:
                place = gazetteer().by_code.get(next(iter(codes)))
                if place is not None:
                    return replace(made, name=place.name), Referent(body=place.name, kind="government")
        earlier = self._same_speaker(index, made, description)
        if earlier is not None:
            known = self.found[earlier]
            assert known is not None
            if ONE_OF.match(made.text):
                # One of them is not they: as unnamed as they are, but a speaker of its own.
                return replace(made, kind=known.kind, anonymous=known.anonymous), own
            if known.name is None:
                return self._as(made, own, Referent(claim=earlier, plural=description.plural))
        sex = None
        if description.head in ("woman", "girl", "mother", "wife", "widow", "spokeswoman"):
            sex = "f"
        elif description.head in ("man", "boy", "father", "husband", "spokesman"):
            sex = "m"
        return made, replace(own, sex=sex, beside={"his": "m", "her": "f"}.get(description.possessor or ""))

    def _indefinite(self, made: Speaker) -> bool:
        return bool(re.match(r"(?:a|an|another|one|some|any|several|many|other)\b", made.text, re.I))

    def _holder(self, description: Description, before: int) -> Person | None:
        """The one person whose office the description means, in this document, introduced before it or in its title."""
        office = description.office
        if office is None:
            return None
        plain = {w for w in description.words if fold(w) not in demonyms() and fold(w) not in gazetteer().countries}
        head_words = set(description.head.split())
        wanted = plain - head_words - {"us", "uk", "then"}
        for key in office.keys:
            wanted -= set(key.split())
        last = office.words and role_head(sorted_words(description.words))
        if last:
            wanted -= set(description.words[last[1] : last[2]])
        codes = office.codes
        holders: list[tuple[Person, bool]] = []
        for person in self.named.people:
            if not person.parts or not any(at < before for at, _ in person.mentions):
                continue
            for role in person.roles:
                if role.start > before or not _same_office(role.keys, office.keys, description.head):
                    continue
                if (role.words & NOT_THE_OFFICE) != (office.words & NOT_THE_OFFICE):
                    continue
                if wanted and not wanted <= role.words:
                    continue
                if codes and not codes <= role.codes:
                    continue
                holders.append((person, bool(role.codes)))
                break
        if not codes and len(holders) > 1:
            # Without a country it is the one at home, whose country need not be written.
            home = [holder for holder in holders if not holder[1]]
            holders = home if len(home) == 1 else holders
        distinct = {id(person): person for person, _ in holders}
        if len(distinct) == 1:
            return next(iter(distinct.values()))
        if len(distinct) > 1:
            here = self.passage.sentence_at(before)
            near = [
                p for p in distinct.values()
                if any(self._near(at, max(0, here - 2), here, before) for at, _ in p.mentions)
            ]  # fmt: skip
            if len(near) == 1:
                return near[0]
        return None

    def _body(self, description: Description, before: int) -> str | None:
        """The one named body whose name has the head noun ("the ministry" after "Foreign Ministry")."""
        names = {}
        for at in self.named.within(0, before):
            entity = self.named.entities[at]
            if entity.label == "ORG":
                words = [word.lower() for word in entity.name.split()]
                if description.head in words and set(description.words) <= set(words) | {description.head}:
                    names[entity.name] = entity.start
        return next(iter(names)) if len(names) == 1 else None

    def _last_body(self, description: Description, before: int) -> str | None:
        """ "The company" is the one body that has spoken, or been named first in a sentence, just before."""
        if description.head not in BODY_NOUNS or len(description.words) > 1 or description.possessor is not None:
            return None
        here = self.passage.sentence_at(before)
        names: dict[str, int] = {}
        for sentence in range(max(0, here - 2), here + 1):
            start, end = self.passage.sentences[sentence]
            for seen in self.seen.get(sentence, ()):
                if seen.offset < before and seen.referent.body is not None and seen.referent.kind == "organisation":
                    names[seen.referent.body] = seen.offset
            for at in self.named.within(start, min(end, before)):
                entity = self.named.entities[at]
                if entity.label == "ORG" and entity.start - start < 8:
                    names.setdefault(entity.name, entity.start)
        return next(iter(names)) if len(names) == 1 else None

    def _same_speaker(self, index: int, made: Speaker, description: Description) -> int | None:
        """The last unnamed speaker of the same head noun whom this phrase takes up again."""
        if not description.head or (self._indefinite(made) and not ONE_OF.match(made.text)):
            return None
        bare = not description.definite
        if (
            bare
            and not ONE_OF.match(made.text)
            and (not description.plural or len(description.words) > 1 or " " in made.text.strip())
        ):
            return None
        if description.possessor is not None:
            return None
        for other in reversed(list(self.descriptions)[-LOOK_BACK:]):
            known = self.descriptions[other]
            if other == index or self.drafts[other].anchor >= self.drafts[index].anchor:
                continue
            if known.head != description.head or known.plural != description.plural or known.person or known.pronoun:
                continue
            if known.kind != description.kind and not known.anonymous:
                continue
            if set(description.words) - set(known.words) - {description.head}:
                continue
            return other
        return None

    def _of_two(self, start: int, which: str) -> Person | None:
        """The last or first of the two people named just before, in this sentence or the one before."""
        here = self.passage.sentence_at(start)
        for sentence in (here, here - 1):
            if sentence < 0:
                continue
            first, last = self.passage.sentences[sentence]
            people: list[Person] = []
            for at in self.named.within(first, min(last, start)):
                person = self.named.person_at.get(at)
                if person is not None and person.parts and person not in people:
                    people.append(person)
            if len(people) == 2:
                return people[1] if which == "latter" else people[0]
            if people:
                return None
        return None

    # -- anonymity -----------------------------------------------------------------------------------------------------

    def _with_reason(self, index: int, draft: Draft, made: Speaker) -> Speaker:
        if made.name is not None or made.reason is not None or draft.parent is not None:
            return made
        if made.kind in ("document", "organisation", "government") and not made.anonymous:
            return made
        start, end = self.passage.sentences[self.passage.sentence_at(draft.anchor)]
        if draft.source is not None and not start <= draft.source[0] < end:
            start, end = self.passage.sentences[self.passage.sentence_at(draft.source[0])]
        why = reason(self.text, start, end)
        if why is None and made.anonymous and made.same_as is None:
            # "The official spoke on condition of anonymity" as a sentence of its own, right behind.
            number = self.passage.sentence_at(draft.anchor) + 1
            if number < len(self.passage.sentences):
                s, e = self.passage.sentences[number]
                opening = self.text[s : s + 60].lower()
                if re.match(
                    r"(?:the|both|all)?\s*(?:he|she|they|\w+|\w+ \w+)\s+"
                    r"(?:spoke|asked|requested|declined|was|were|did)\b",
                    opening,
                ):
                    first = opening.split()
                    if first[0] in ("he", "she", "they") or self.descriptions[index].head in " ".join(first[:4]):
                        why = reason(self.text, s, e)
        if why is None:
            return made
        quoted = self.quotations.covering(why[0])
        if quoted is not None and not quoted.single:
            return made
        kind = made.kind if made.kind in ("organisation", "government", "document") else "anonymous"
        return replace(made, anonymous=True, kind=kind, reason=self.text[why[0] : why[1]])


def sorted_words(words: tuple[str, ...]) -> list[str]:
    """The words as a list, in their order (:func:`role_head` reads the last ones)."""
    return list(words)


def _same_office(known: frozenset[str], wanted: frozenset[str], head: str) -> bool:
    if known & wanted:
        return True
    if "official" in wanted and "official" in known:
        return True
    # "the minister" for a "foreign minister", never for a prime or chief minister.
    return "minister" in wanted and any(
        key.endswith(" minister")
        and key not in ("prime minister", "chief minister", "first minister", "deputy prime minister")
        for key in known
    )
