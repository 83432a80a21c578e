"""A small grammar of reporting: who (a known kind of subject), says (a cue that a rule may trust), that (a clause).

It finds the claims inside a claim, which the tagger's flat spans leave out, and the plainest attributions that the
tagger missed. It makes a claim only of a whole frame: a subject that ends in a name, a pronoun or a word for people, a
trusted verb in a finite form, and "that", "to" or a quotation behind it. Everything else is left alone.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from pipeline.enrich.cues import AUXILIARIES, IRREGULAR, lexicon, verb_lemma
from pipeline.enrich.describe import INDEFINITE
from pipeline.enrich.drafts import Draft, Span
from pipeline.enrich.entities import Named
from pipeline.enrich.passage import Passage, Token
from pipeline.enrich.people import people, role_head
from pipeline.enrich.places import demonyms, fold
from pipeline.enrich.quotes import Quotations
from pipeline.enrich.words import words

JOINTS = words("""
    that and but while as when because after before if wherein where although though whereas since unless
    until whether so or than then
""")
MARKS = frozenset(',;:—–-()[]“”"«»…')
ADVERBS = words("""
    also then later again further still already earlier repeatedly publicly privately reportedly allegedly
    apparently recently previously once even simply just now never always often clearly strongly flatly
    explicitly categorically firmly quickly immediately initially specifically bluntly angrily rightly wrongly
    falsely subsequently additionally finally meanwhile not only both all separately jointly personally
    formally officially openly
""")
NOUN_MARKERS = words("""
    the a an his her its their our my your this that these those no any some of
""")
VERBISH = AUXILIARIES - {"'s", "’s", "not", "to"}
TIME_WORDS = words("""
    on in at late early earlier last this monday tuesday wednesday thursday friday saturday sunday yesterday
    today tonight night morning afternoon evening week month year by during over phone telephone january
    february march april june july august september october november december repeatedly again
""")
PREPOSITION = words("of for in at by on with from about over under between")
SUBJECT_PRONOUNS = words("he she they i we it")
OBJECT_PRONOUNS = words("him her them me us you it")
DETERMINERS = NOUN_MARKERS - {"of", "no"} | INDEFINITE | {"'s", "’s"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One reporting frame: offsets of subject, verb group and complement, and the tense that it is in."""

    subject: Span | None
    cue: Span
    content: Span
    lemma: str
    perfect: bool
    shared: bool
    """The subject is that of an earlier verb ("... and told him that")."""


class Grammar:
    """The frames of one document."""

    def __init__(self, passage: Passage, quotations: Quotations, named: Named) -> None:
        self.passage, self.quotations, self.named = passage, quotations, named
        self.text = passage.text
        self.words = lexicon()
        self.vocabulary = people()
        self._entity_starts = [entity.start for entity in named.entities]

    def frames(self, start: int, end: int, *, strict: bool = True) -> list[Frame]:
        """The frames whose verb lies in the range; contents end with it. ``strict`` wants "that", "to" or a quote."""
        tokens = self.passage.tokens_in(start, end)
        found: list[Frame] = []
        for at, token in enumerate(tokens):
            if not token.text[:1].isalpha() or not token.text.islower():
                continue
            lemma = verb_lemma(token.lower)
            if lemma not in self.words.report and lemma not in self.words.to:
                continue
            frame = self._frame(tokens, at, lemma, end, strict, found)
            if frame is not None:
                found.append(frame)
        return self._bounded(found)

    def _frame(
        self, tokens: list[Token], at: int, lemma: str, end: int, strict: bool, before: list[Frame]
    ) -> Frame | None:
        token = tokens[at]
        first = at
        while (
            first > 0
            and (tokens[first - 1].lower in AUXILIARIES or tokens[first - 1].lower in ADVERBS)
            and tokens[first - 1].lower not in ("to", "'s", "’s", "be", "being", "been")
        ):
            first -= 1
        group = [each.lower for each in tokens[first : at + 1]]
        previous = tokens[first - 1] if first > 0 else None
        participle = token.lower.endswith("ing")
        finite = (
            (
                token.lower.endswith(("ed", "s"))
                or token.lower in IRREGULAR
                or (len(group) > 1 and group[0] in AUXILIARIES)
            )
            and not participle
        )  # fmt: skip
        passive = any(word in ("is", "was", "were", "are", "be", "been", "being") for word in group[:-1])
        if passive or not finite:
            return None
        if (
            previous is not None
            and previous.lower in NOUN_MARKERS | {"to", "be", "been", "being", "by"}
            and previous.lower not in ("that",)
        ):
            return None
        content = self._complement(tokens, at, lemma, end, strict)
        if content is None:
            return None
        perfect = any(word in ("had", "has", "have") for word in group[:-1])
        # "told him that Modi had come and had asked": the pluperfect goes on with the clause, not with "told".
        level = [frame for frame in before if frame.perfect or not perfect]
        subject, shared = self._subject(tokens, first, level)
        if subject is None:
            return None
        while first < at and tokens[first].lower in ("then", "meanwhile", "and", "but"):
            first += 1
        return Frame(subject, (tokens[first].start, token.end), content, lemma, perfect, shared)

    def _complement(self, tokens: list[Token], at: int, lemma: str, end: int, strict: bool) -> Span | None:
        """Where the reported clause begins, behind an addressee and words of time; it ends with the range."""
        index = at + 1
        limit = min(len(tokens), at + 12)
        if index >= len(tokens):
            return None
        addressed = False
        if lemma in self.words.object or lemma in ("warn", "tell", "ask"):
            skip = self._addressee(tokens, index)
            addressed = skip > index
            index = skip
        timed = index
        while timed < limit and (tokens[timed].lower in TIME_WORDS or tokens[timed].text.isdigit()):
            timed += 1
        for spot in dict.fromkeys((index, timed)):
            if spot >= len(tokens):
                continue
            word = tokens[spot]
            if word.lower == "that" and lemma in self.words.report | self.words.object and spot + 1 < len(tokens):
                nxt = tokens[spot + 1]
                if nxt.text in MARKS - set("“\"‘'(") or nxt.lower in VERBISH:
                    continue
                return word.start, end
            takes = lemma in self.words.to and (
                addressed or lemma not in self.words.object or lemma in ("ask", "threaten", "promise", "swear", "agree")
            )
            if word.lower == "to" and takes and spot + 1 < len(tokens):
                nxt = tokens[spot + 1]
                if nxt.text.isalpha() and nxt.lower not in DETERMINERS | {"him", "them"}:
                    return word.start, end
            quote = self.quotations.covering(word.start)
            if quote is not None and quote.start == word.start and not quote.single and lemma in self.words.quoting:
                return quote.start, min(end, quote.end)
            if word.text in ":," and spot + 1 < len(tokens):
                quote = self.quotations.covering(tokens[spot + 1].start)
                if (
                    quote is not None
                    and quote.start == tokens[spot + 1].start
                    and not quote.single
                    and lemma in self.words.quoting
                ):
                    return quote.start, min(end, quote.end)
            if not strict and lemma in ("say", "add", "tell", "believe", "insist", "admit", "claim", "deny", "think"):
                starts_clause = word.lower in SUBJECT_PRONOUNS | {
                    "there",
                    "the",
                    "this",
                    "these",
                    "those",
                    "his",
                    "her",
                    "their",
                    "its",
                }
                if starts_clause or word.text[:1].isupper():
                    return word.start, end
        return None

    def _addressee(self, tokens: list[Token], at: int) -> int:
        """The index behind a person addressed, or ``at`` where nobody is."""
        if at >= len(tokens):
            return at
        word = tokens[at]
        if word.lower in OBJECT_PRONOUNS:
            return at + 1
        if word.lower in (
            "reporters",
            "journalists",
            "lawmakers",
            "supporters",
            "parliament",
            "police",
            "investigators",
        ):
            return at + 1
        index = at
        if word.lower in DETERMINERS:
            index += 1
            # "his Ethiopian counterpart that", "the newspaper that": a short noun phrase right before "that" or "to".
            for spot in range(index, min(len(tokens), index + 4)):
                each = tokens[spot]
                if each.lower in ("that", "to"):
                    if spot > index:
                        return spot
                    break
                if (
                    not each.text.isalpha()
                    or each.lower in VERBISH
                    or each.lower in JOINTS
                    or each.lower in PREPOSITION
                ):
                    break
        last = None
        for spot in range(index, min(len(tokens), index + 7)):
            each = tokens[spot]
            if each.lower in ("that", "to") or each.text in MARKS - {"-"} or each.lower in VERBISH:
                break
            if self._entity_covers(each.start) or self._is_people_word(each.lower):
                last = spot
            elif each.lower in JOINTS and each.lower != "and":
                break
        return last + 1 if last is not None else at

    def _entity_covers(self, offset: int) -> bool:
        at = bisect_right(self._entity_starts, offset) - 1
        return at >= 0 and offset < self.named.entities[at].end and self.named.entities[at].label in (
            "PERSON", "ORG", "GPE", "NORP", "LOC", "FAC",
        )  # fmt: skip

    def _is_people_word(self, word: str) -> bool:
        table = self.vocabulary
        known = (
            table.anonymous, table.collective, table.document, table.organisation, table.government, table.private,
        )  # fmt: skip
        if any(word in each for each in known) or word in ("latter", "former", "counterpart"):
            return True
        return word.endswith(("spokesman", "spokeswoman")) or fold(word) in demonyms() or role_head([word]) is not None

    def subject_before(self, tokens: list[Token], verb: int) -> tuple[Span | None, bool]:
        """The noun phrase right before a verb group, and whether it was shared over an "and"."""
        return self._subject(tokens, verb, [])

    def _subject(self, tokens: list[Token], verb: int, before: list[Frame]) -> tuple[Span | None, bool]:
        """The noun phrase that ends right before the verb group; else, behind "and", that of the clause."""
        last = verb - 1
        if last < 0:
            return None, False
        closing = tokens[last]
        if closing.lower in ("and", "but") or (closing.text == "," and last > 0 and tokens[last - 1].lower == "and"):
            if before and self.passage.sentence_at(before[-1].cue[0]) == self.passage.sentence_at(closing.start):
                return before[-1].subject, True
            return self.clause_subject(tokens, last), True
        if closing.lower in SUBJECT_PRONOUNS:
            return (closing.start, closing.end), False
        first = last
        length = 0
        while first >= 0 and length < 14:
            word = tokens[first]
            if word.text in MARKS - {"-"} or word.lower in JOINTS or word.lower in VERBISH:
                break
            if first < last and tokens[first].end < tokens[first + 1].start - 3:
                break
            if self.text[word.end : tokens[first + 1].start].count("\n") if first < last else 0:
                break
            first -= 1
            length += 1
        first += 1
        while first <= last and (tokens[first].lower in ADVERBS or tokens[first].lower in ("however", "meanwhile")):
            first += 1
        if first > last:
            return None, False
        phrase = tokens[first : last + 1]
        if length >= 14 or not self.is_noun_phrase(phrase):
            return None, False
        # "Trump and Khan said": a joint between two names is inside the subject.
        if (
            first >= 2
            and tokens[first - 1].lower == "and"
            and self._entity_covers(tokens[first - 2].end - 1)
            and self._entity_covers(phrase[0].start)
        ):
            return None, False
        return (phrase[0].start, phrase[-1].end), False

    def is_noun_phrase(self, phrase: list[Token]) -> bool:
        """Whether the words can be a subject: a determiner or a name first, a known head, no verb."""
        core_end = len(phrase)
        for at, token in enumerate(phrase):
            if at and token.lower in (
                "of",
                "for",
                "in",
                "at",
                "from",
                "with",
                "on",
                "privy",
                "close",
                "familiar",
                "to",
                "near",
                "who",
            ):
                core_end = at
                break
        core = phrase[:core_end]
        head = core[-1]
        first = phrase[0]
        named = self._entity_covers(head.start)
        known = self._is_people_word(head.lower)
        if not (named or known):
            return False
        begins = (
            (named and self._is_people_word(first.lower))
            or first.lower in DETERMINERS | {"senior", "top"}
            or first.text[:1].isupper()
            or (known and head.lower.endswith("s"))
            or self._entity_covers(first.start)
        )
        if not begins:
            return False
        for token in phrase[:-1] if core_end == len(phrase) else phrase:
            if token.lower in SUBJECT_PRONOUNS | OBJECT_PRONOUNS - {"her"} and token.text != "US":
                return False
            lemma = verb_lemma(token.lower)
            if lemma in self.words.report and token.text.islower() and token.lower.endswith(("ed", "said", "told")):
                return False
        return True

    def clause_subject(self, tokens: list[Token], joint: int) -> Span | None:
        """The leading noun phrase of the clause that "and" goes on with."""
        first = joint - 1
        while (
            first >= 0
            and tokens[first].text not in ';:“”"'
            and tokens[first].lower not in ("that", "which", "who", "when", "while")
        ):
            if tokens[first].text == "." and first + 1 < joint:
                break
            first -= 1
        first += 1
        while first < joint and tokens[first].lower in ADVERBS | {",", "that"}:
            first += 1
        if first >= joint:
            return None
        if tokens[first].lower in SUBJECT_PRONOUNS:
            return tokens[first].start, tokens[first].end
        last = None
        for at in range(first, min(joint, first + 7)):
            word = tokens[at]
            if at > first and (
                word.lower in ADVERBS or word.lower in VERBISH or word.text in MARKS or word.lower in JOINTS
            ):
                break
            if word.lower in ("of", "for", "in", "to", "with", "by", "on", "from", "at"):
                break
            if self._entity_covers(word.start) or self._is_people_word(word.lower):
                last = at
            elif last is not None:
                break
        if last is None or not self.is_noun_phrase(tokens[first : last + 1]):
            return None
        return tokens[first].start, tokens[last].end

    def _bounded(self, frames: list[Frame]) -> list[Frame]:
        """Contents cut where a later verb of the same subject and level begins its own clause."""
        found = []
        for at, frame in enumerate(frames):
            start, end = frame.content
            for later in frames[at + 1 :]:
                if not start < later.cue[0] < end:
                    continue
                inside = later.perfect and not frame.perfect
                if later.shared and not inside:
                    end = later.cue[0]
                    while end > start and (self.text[end - 1].isspace() or self.text[end - 1] == ","):
                        end -= 1
                    if self.text[start:end].endswith(" and"):
                        end -= 4
                    break
            found.append(
                Frame(frame.subject, frame.cue, _trim(self.text, start, end), frame.lemma, frame.perfect, frame.shared)
            )
        return found

    def drafts(self, start: int, end: int, origin: str, *, strict: bool = True) -> list[Draft]:
        """The frames of a range as drafts."""
        return [
            Draft(frame.subject, frame.cue, (frame.content,), origin, borrowed=False)
            for frame in self.frames(start, end, strict=strict)
            if frame.content[1] - frame.content[0] > 3
        ]


def _trim(text: str, start: int, end: int) -> Span:
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;:"):
        end -= 1
    return start, end
