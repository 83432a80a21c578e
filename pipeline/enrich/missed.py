"""Attributions of the plainest shapes that the tagger missed, and quotations that belong to a neighbour's speaker.

Each rule was kept because it raised the scores on the attribution corpus' dev set with the packaged tagger, or left
them as they were and helped the gold passages; :mod:`bench.quality` measures both.
"""

from __future__ import annotations

import re

from pipeline.enrich.cues import AUXILIARIES, IRREGULAR, verb_lemma
from pipeline.enrich.drafts import ByParagraph, Draft, Span, Taken
from pipeline.enrich.entities import Named
from pipeline.enrich.grammar import ADVERBS, MARKS, SUBJECT_PRONOUNS, TIME_WORDS, VERBISH, Grammar
from pipeline.enrich.passage import Passage, Token
from pipeline.enrich.quotes import Quotations, Quote

TAG_ENDS = re.compile(
    r"(?:\s+(?:on|late|early|this|last|in|to|of|at|yesterday)\b[^,;]{0,60})?"
    r"(?:[.!?\s]*|,\s+(?:adding|saying|noting|warning|stressing|insisting|citing|and|but)\b.*)",
    re.S,
)
SIGNATURE = re.compile(
    r"\s{0,4}(?P<dash>[―—–]|--)\s*(?P<name>[A-ZÀ-Þ][\w’.-]+(?:\s+[A-ZÀ-Þ][\w’.-]*){1,3})(?=\s*(?:[,(\n]|$))"
)
ACCORDING = re.compile(r"\b[Aa]ccording to\b")
# A quotation of fewer words is a scare quote or a title oftener than somebody's words. 2026-11-23.
LEAST_QUOTED = 4


class Missed:
    """Looks for what the tagger left out of one document."""

    def __init__(
        self, passage: Passage, quotations: Quotations, named: Named, grammar: Grammar, drafts: list[Draft]
    ) -> None:
        self.passage, self.quotations, self.named, self.grammar = passage, quotations, named, grammar
        self.text = passage.text
        self.taken = Taken(len(passage.text))
        # A quotation that no source was linked to is looked at anew; what stays without one is put back at the end.
        self.orphans = [draft for draft in drafts if draft.origin == "orphan"]
        self.drafts = [draft for draft in drafts if draft.origin != "orphan"]
        self.near = ByParagraph(passage, self.drafts)
        for draft in self.drafts:
            self.taken.take(draft.spans)

    def _add(self, draft: Draft) -> None:
        self.drafts.append(draft)
        self.taken.take(draft.spans)
        self.near.add(draft)

    def _drop(self, draft: Draft) -> None:
        self.taken.release(draft.spans)
        draft.content = ()
        self.drafts.remove(draft)

    def _covered(self, start: int, end: int) -> int:
        """How many characters of the range belong to a draft already."""
        return self.taken.covered(start, end)

    def _free(self, start: int, end: int) -> bool:
        return self.taken.free(start, end)

    def quotations_with_a_cue(self) -> None:
        """“...,” the minister said; “...,” said the minister: what stands right behind a quotation says whose it is."""
        for quote in self.quotations.all:
            if quote.single or not quote.closed:
                continue
            if self.text[quote.inner_end - 1 : quote.inner_end] not in (",", "?", "!", "…", "—"):
                continue
            tag = self._tag(quote.end)
            if tag is None:
                continue
            source, cue = tag
            owner = self._owner(quote)
            if owner is None:
                if self._free(quote.inner_start, quote.inner_end) and self._free(*source) and self._free(*cue):
                    self._add(Draft(source, cue, ((quote.start, quote.end),), "quotation"))
                continue
            if owner.cue is not None and _overlap(owner.cue, cue):
                if owner.source is None or not _overlap(owner.source, source):
                    owner.source = source
                continue
            if self._free(*cue) or owner.cue is None or owner.cue[0] > cue[1]:
                # The tagger gave the quotation to another sentence's speaker.
                rest = tuple(span for span in owner.content if not _overlap(span, (quote.start, quote.end)))
                other = next(
                    (d for d in self.near.near(cue[0]) if d is not owner and d.cue and _overlap(d.cue, cue)), None
                )
                if other is not None and other.content:
                    continue
                owner.content = rest
                if not rest:
                    self._drop(owner)
                if other is not None and other in self.drafts:
                    self._drop(other)
                self._add(Draft(source, cue, ((quote.start, quote.end),), "quotation"))

    def _owner(self, quote: Quote) -> Draft | None:
        """The draft that has most of the quotation in its content."""
        best, most = None, 0
        for draft in self.near.near(quote.start):
            common = sum(max(0, min(e, quote.end) - max(s, quote.start)) for s, e in draft.content)
            if common > most:
                best, most = draft, common
        return best if 2 * most >= quote.end - quote.start else None

    def _tag(self, offset: int) -> tuple[Span, Span] | None:
        """Source and cue of a reporting tag that begins at the offset: "she said", "said Khan", up to its mark."""
        at = self.passage.token_at(offset)
        tokens = self.passage.tokens[at : at + 22]
        if not tokens or tokens[0].start > offset + 2 or "\n" in self.text[offset : tokens[0].start]:
            return None
        if tokens[0].text in (",", "—", "–"):
            tokens = tokens[1:]
        sentence_end = next((i for i, token in enumerate(tokens) if token.text in '.;!?“"'), len(tokens))
        tokens = tokens[: sentence_end + 1]
        verb = next((i for i, token in enumerate(tokens) if self._is_cue(token)), None)
        if verb is None:
            return None
        if verb == 0:
            # "said Khan", never "urged the court".
            return None if verb_lemma(tokens[0].lower) in self.grammar.words.object else self._inverted(tokens)
        first = verb
        while first > 0 and (tokens[first - 1].lower in AUXILIARIES or tokens[first - 1].lower in ADVERBS):
            first -= 1
        phrase = tokens[:first]
        source = self._phrase(phrase)
        if source is None:
            return None
        follows = tokens[verb + 1] if verb + 1 < len(tokens) else None
        if follows is not None and follows.text not in ".,;:“\"" and follows.lower not in TIME_WORDS | {
            "in", "of", "to", "as", "when", "after", "while", "him", "her", "them", "reporters", "that",
        }:  # fmt: skip
            return None
        return source, (tokens[first].start, tokens[verb].end)

    def _phrase(self, phrase: list[Token]) -> Span | None:
        """A speaker as a tag has it: a pronoun, a noun phrase, or one with an apposition ("a farmer, Allah Bux,")."""
        if phrase and phrase[-1].text == ",":
            commas = [i for i, token in enumerate(phrase) if token.text == ","]
            if len(commas) != 2:
                return None
            head, rest = phrase[: commas[0]], phrase[commas[0] + 1 : -1]
        else:
            commas = [i for i, token in enumerate(phrase) if token.text == ","]
            if len(commas) > 1:
                return None
            head, rest = (phrase[: commas[0]], phrase[commas[0] + 1 :]) if commas else (phrase, [])
        if not head or any(token.text in MARKS - {"-"} or token.text in ".!?" for token in head + rest):
            return None
        pronoun = len(head) == 1 and head[0].lower in SUBJECT_PRONOUNS
        if not pronoun and not self.grammar.is_noun_phrase(head):
            return None
        if commas and (not rest or pronoun or any(token.lower in VERBISH for token in rest)):
            return None
        return head[0].start, (rest or head)[-1].end

    def _inverted(self, tokens: list[Token]) -> tuple[Span, Span] | None:
        last = 0
        for at, token in enumerate(tokens[1:], 1):
            if (
                token.text in '.;:!?“”"'
                or token.text == ","
                or token.lower in ("on", "who", "that", "during", "after", "as", "to")
            ):
                break
            last = at
        phrase = tokens[1 : last + 1]
        if not phrase or len(phrase) > 12 or not self.grammar.is_noun_phrase(phrase):
            return None
        return (phrase[0].start, phrase[-1].end), (tokens[0].start, tokens[0].end)

    def _is_cue(self, token: Token) -> bool:
        if not token.text.islower() or (not token.lower.endswith(("ed", "s")) and token.lower not in IRREGULAR):
            return False
        return verb_lemma(token.lower) in self.grammar.words.quoting

    def trailing_tags(self) -> None:
        """ "Traffic was halted, officials said." and "Key support, the official said, came from ..."."""
        for start, end in self.passage.sentences:
            for token in self.passage.tokens_in(start, end):
                if token.text != ",":
                    continue
                quote = self.quotations.covering(token.start)
                if quote is not None and not quote.single:
                    continue
                tag = self._tag(token.end)
                if tag is not None and self._place_tag(start, end, token, *tag):
                    break

    def _place_tag(self, start: int, end: int, comma: Token, source: Span, cue: Span) -> bool:
        """Make or mend the draft of a tag within a sentence; whether it was one."""
        if any(q.start < comma.start for q in self.quotations.within(start, comma.start) if not q.single):
            return False
        stop = max(source[1], cue[1])
        rest = self.text[stop:end]
        before = (start, comma.start)
        if len(self.text[before[0] : before[1]].split()) < 2:
            return False
        if TAG_ENDS.fullmatch(rest):
            content: tuple[Span, ...] = (before,)
            origin = "trailing"
        else:
            match = re.match(
                r",\s+(?!(?:and|but|while|who|which|adding|saying|citing|referring|speaking|when|as)\b)", rest
            )
            if match is None or len(rest.split()) < 3:
                return False
            high = end
            while high > stop and self.text[high - 1] in ".!? ":
                high -= 1
            content, origin = (before, (stop + match.end(), high)), "parenthesis"
        near = [d for d in self.near.near(cue[0]) if d.content]
        mine = next((d for d in near if d.cue is not None and _overlap(d.cue, cue)), None)
        tag = (min(source[0], cue[0]), max(source[1], cue[1]))
        if mine is not None and mine.source is not None and _overlap(mine.source, source) and mine.content:
            touched = any(_overlap(span, source) for span in mine.content) or (
                origin == "trailing" and self.text[mine.content[0][0] : mine.content[0][0] + 5].lower() == "that "
            )
            if not touched and not (origin == "parenthesis" and len(mine.content) == 1):
                return True
        if mine is None and not self._free(*cue) and origin == "parenthesis":
            return False
        # Whatever ran over the tag is cut before it; the tag's own draft holds the whole sentence.
        for draft in near:
            if draft is mine:
                continue
            draft.content = tuple(
                piece for span in draft.content for piece in _without(self.text, span, tag) if piece[1] > piece[0]
            )
            if draft.source is not None and _overlap(draft.source, source):
                draft.source = None
            if not draft.content:
                self._drop(draft)
        if mine is not None:
            self._drop(mine)
        self._add(Draft(source, cue, content, origin))
        return True

    def clauses(self, *, strict: bool = True) -> None:
        """ "Officials said that ..." in sentences where nothing was found; not ``strict``, without "that" too."""
        for start, end in self.passage.sentences:
            if not self._free(start, end):
                continue
            for draft in self.grammar.drafts(start, end, "clause", strict=strict):
                if draft.cue is not None and self._free(*draft.cue) and self._free(*draft.content[0]):
                    self._add(draft)

    def according_to(self) -> None:
        for match in ACCORDING.finditer(self.text):
            around = None
            if not self._free(match.start(), match.end()):
                # Within a content that runs over it: "he said that it would end, according to an aide".
                around = next(
                    (
                        draft
                        for draft in self.near.near(match.start())
                        if draft.content and draft.content[-1][0] < match.start() < match.end() < draft.content[-1][1]
                    ),
                    None,
                )
                if around is None or self.text[match.start() - 2 : match.start()] != ", ":
                    continue
            start, end = self.passage.sentences[self.passage.sentence_at(match.start())]
            quote = self.quotations.covering(match.start())
            if quote is not None and not quote.single:
                continue
            stop = re.compile(
                r",(?!\s*(?:the|a|an)?\s*(?:\d|Inc|Jr))|[.;:!?](?=\s|$)|\n|\s(?:which|who|that)\s"
            ).search(self.text, match.end(), end)
            limit = stop.start() if stop else end
            while limit > match.end() and self.text[limit - 1] in ' .”"':
                limit -= 1
            first = match.end() + 1
            if limit <= first or limit - first > 160:
                continue
            if match.start() - start < 3:
                content = (limit + len(re.match(r"[,\s]*", self.text[limit:end]).group()), end)  # type: ignore[union-attr]
            else:
                content = (start, match.start())
            low, high = content
            while high > low and self.text[high - 1] in " ,.!?;":
                high -= 1
            inside = all(
                low <= s and e <= high
                for draft in self.near.near(match.start())
                for s, e in draft.content
                if s < high and e > low
            )
            if around is not None and match.start() - start >= 3:
                around.content = (*around.content[:-1], (around.content[-1][0], match.start() - 2))
                inside = True
            if high - low > 10 and inside:
                self._add(Draft((first, limit), (match.start(), match.end()), ((low, high),), "according to"))

    def further_quotations(self) -> None:
        """A quotation without a cue of its own: the rest of a split one, or a paragraph that goes on quoting."""
        by_paragraph: dict[int, list[Draft]] = {}
        for draft in self.drafts:
            by_paragraph.setdefault(self.passage.paragraph_at(draft.anchor), []).append(draft)
        for number, (start, end) in enumerate(self.passage.paragraphs):
            quotes = [q for q in self.quotations.within(start, end) if not q.single]
            for quote in quotes:
                words = len(self.text[quote.start : quote.end].split())
                if words < LEAST_QUOTED or self._covered(quote.start, quote.end) > 0:
                    continue
                self._join(quote, number, by_paragraph)

    def signatures(self) -> None:
        """A quotation with its author below or behind it: “...” — Rosa Delgado."""
        for quote in self.quotations.all:
            if quote.single or not quote.closed or len(self.text[quote.start : quote.end].split()) < LEAST_QUOTED:
                continue
            match = SIGNATURE.match(self.text, quote.end)
            if match is None or not self._free(*match.span("name")):
                continue
            owner = self._owner(quote)
            if owner is not None and owner.cue is not None:
                continue
            if owner is not None:
                owner.content = tuple(s for s in owner.content if not _overlap(s, (quote.start, quote.end)))
                if not owner.content:
                    self._drop(owner)
            self._add(Draft(match.span("name"), match.span("dash"), ((quote.start, quote.end),), "signature"))

    def leave_orphans(self) -> None:
        """Quotations that nobody could be found for: claims all the same, of nobody."""
        for draft in self.orphans:
            start, end = draft.content[0]
            if 2 * self._covered(start, end) < end - start:
                self._add(draft)

    def chains(self) -> None:
        """A quotation that opens its mark anew at each paragraph is one claim in as many pieces."""
        doubles = [quote for quote in self.quotations.all if not quote.single]
        for at, quote in enumerate(doubles):
            if not quote.continues or (at > 0 and doubles[at - 1].continues):
                continue
            chain = [quote]
            while chain[-1].continues and at + len(chain) < len(doubles):
                chain.append(doubles[at + len(chain)])
            owner = self._owner(chain[0])
            if owner is None:
                continue
            for piece in chain[1:]:
                other = self._owner(piece)
                if other is owner:
                    continue
                if other is not None:
                    close = other.cue is not None and piece.end <= other.cue[0] <= piece.end + 60
                    if close and "\n" not in self.text[piece.end : (other.cue or (0, 0))[0]]:
                        break  # a tag of its own closes the quotation
                    other.content = tuple(s for s in other.content if not _overlap(s, (piece.start, piece.end)))
                    if not other.content:
                        self._drop(other)
                owner.content = tuple(sorted((*owner.content, (piece.start, piece.end))))
                self.taken.take([(piece.start, piece.end)])

    def _join(self, quote: Quote, number: int, by_paragraph: dict[int, list[Draft]]) -> None:
        start, end = self.passage.paragraphs[number]
        before_quote = self.text[start : quote.start].rstrip()
        whole = quote.start == start and quote.end >= end - 1
        here = [d for d in by_paragraph.get(number, ()) if self.quotations.form(d.content) != "indirect"]
        # “A,” he said. “B.”: the second goes with the first where nothing but the tag stands between.
        if here and before_quote.endswith((".", ",", "!", "?", ":")):
            last = max(here, key=lambda d: max(d.end, (d.cue or (0, 0))[1]))
            gap_from = max(last.end, (last.cue or (0, 0))[1], (last.source or (0, 0))[1])
            gap = self.text[gap_from : quote.start]
            if gap_from <= quote.start and len(gap) < 60 and not re.search(r"[.!?]\s+\w", gap):
                last.content = tuple(sorted((*last.content, (quote.start, quote.end))))
                self.taken.take([(quote.start, quote.end)])
                return
        if whole and not here:
            for back in (number - 1,):
                earlier = [d for d in by_paragraph.get(back, ()) if d.source is not None and d.parent is None]
                if not earlier:
                    continue
                last = max(earlier, key=lambda d: d.anchor)
                closing = self.text[self.passage.paragraphs[back][0] : self.passage.paragraphs[back][1]]
                quoted = self.quotations.form(last.content) != "indirect"
                sources = {self.text[slice(*d.source)].lower() for d in earlier if d.source}
                if quoted or closing.endswith(":") or len(sources) == 1:
                    draft = Draft(last.source, None, ((quote.start, quote.end),), "continued", borrowed=True)
                    self._add(draft)
                    by_paragraph.setdefault(number, []).append(draft)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _without(text: str, span: Span, cut: Span) -> list[Span]:
    """What is left of a span before and behind a cut that runs through it."""
    if not _overlap(span, cut):
        return [span]
    low, high = span[0], cut[0]
    while high > low and text[high - 1] in " ,":
        high -= 1
    return [(low, high)] if high - low > 3 else []


def add_missed(
    passage: Passage, quotations: Quotations, named: Named, grammar: Grammar, drafts: list[Draft]
) -> list[Draft]:
    """The drafts and those that rules add, in no order."""
    missed = Missed(passage, quotations, named, grammar, drafts)
    missed.quotations_with_a_cue()
    missed.clauses()
    missed.according_to()
    missed.trailing_tags()
    missed.signatures()
    missed.further_quotations()
    missed.chains()
    missed.clauses(strict=False)
    missed.leave_orphans()
    return missed.drafts
