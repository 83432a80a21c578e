"""What outlets do to wire copy before they print it: cuts, new ledes, local inserts, house style. By script, and the
same for the same seed, so that a labelled set can be made anew from any articles at hand and none need be kept."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

INSERTS = (
    "Two residents of the district were among those affected, the municipal office said on its noticeboard. A "
    "helpline has been set up, and relatives may call it until nine in the evening.",
    "Local reaction was mixed. “We read about such things and think that they are far away, and then the "
    "telephone rings,” said Odile Marchand, who keeps a grocery near the railway station.",
    "The regional chamber of trade said that it was watching events closely and that its members had "
    "contracts to honour. A spokesman would not say how many firms were concerned.",
    "Councillors of the harbour ward asked for a briefing at their next meeting. The mayor's office said that "
    "it had nothing to add to what the ministry had announced in the capital.",
    "At the university, a lecturer in international relations told students that the question would be in the "
    "examination. “History does not wait for the syllabus,” she said to laughter.",
    "Bus services that pass the consulate were diverted in the afternoon, after some forty people had "
    "gathered there with candles. There were no incidents, and the street was open again by six.",
    "A parish priest who spent eleven years in the region remembered it as a place of early mornings and long "
    "tables. He said that a collection would be taken on Sunday.",
    "The local football club, three of whose players come from the area, said that it would wear black "
    "armbands at the weekend. Its trainer said that he had found it hard to speak about tactics.",
    "Importers in the valley expect prices to move within a week. “Whatever happens there, we pay for here,” "
    "said Ruben Castellanos, whose family has traded in the market hall for three generations.",
    "This newspaper reported in the spring on families who wait for news from there. Some of them met again "
    "on Tuesday in the rooms of the cultural association, where there was tea and little talk.",
)

_STYLE = (
    (r"\bpercent\b", "per cent"),
    (r"(\d)%", r"\1 per cent"),
    (r"\bper cent\b", "percent"),
    (r"\blabor\b", "labour"),
    (r"\bcenter\b", "centre"),
    (r"\borganization\b", "organisation"),
    (r"\borganisation\b", "organization"),
    (r"\bauthorised\b", "authorized"),
    (r"\btold reporters\b", "told newsmen"),
    (r"\badding that\b", "and added that"),
    (r"\bhas been\b", "was"),
    (r"\bnearly\b", "almost"),
    (r"\babout (\d)", r"around \1"),
    (r"\bmore than\b", "over"),
    (r"\bbegan\b", "started"),
    (r"\bSunday\b", "yesterday"),
    (r"\bMonday\b", "today"),
    (r"\bU\.S\.", "US"),
    (r"\bthe United States\b", "the US"),
    (r"\bgovernment\b", "administration"),
    (r"\bwho spoke on condition of anonymity\b", "who did not want to be named"),
    (r"\bCapt\.", "Captain"),
    (r"\bJustice ([A-Z])", r"Judge \1"),
    (r"\bMinister\b", "minister"),
    (r"\bsaid (on \w+day)\b", r"\1 said"),
    (r"\bsaid in a statement\b", "stated"),
    (r"\bkilling at least\b", "leaving dead at least"),
    (r"\bgot\b", "received"),
)

Paragraphs = list[str]
Edit = Callable[[Paragraphs, random.Random, str], Paragraphs]


def cut(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """From the end, as subeditors do: between a third and two thirds stay."""
    keep = max(2, round(len(text) * chance.uniform(0.35, 0.7)))
    return text[:keep]


def thin(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """Paragraphs taken out from within."""
    if len(text) < 4:
        return text
    gone = set(chance.sample(range(1, len(text)), k=max(1, len(text) // 3)))
    return [paragraph for n, paragraph in enumerate(text) if n not in gone]


def lede(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """Another first paragraph, from the headline."""
    opening = chance.choice(
        (
            "{}: that is what is known so far from officials and people at the scene.",
            "In what observers called a turning point, {}, according to reports that reached this newspaper.",
            "{}, it emerged this morning after a night of uncertainty.",
        )
    )
    return [opening.format(title[:1].lower() + title[1:] if opening[0] != "{" else title), *text[1:]]


def insert(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """Two or three paragraphs of one's own."""
    text = list(text)
    for paragraph in chance.sample(INSERTS, k=chance.choice((2, 3))):
        text.insert(chance.randint(1, len(text)), paragraph)
    return text


def style(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """The house's spellings and turns, and a word here and there."""
    done = []
    for paragraph in text:
        for pattern, by in _STYLE:
            if chance.random() < 0.7:
                paragraph = re.sub(pattern, by, paragraph)
        words = paragraph.split(" ")
        for n in range(1, len(words) - 1):
            if chance.random() < 0.02:
                words[n] = ""
        done.append(" ".join(word for word in words if word))
    swapped = [paragraph.replace('"', "”") for paragraph in done]
    return swapped if chance.random() < 0.5 else done


def both(*edits: Edit) -> Edit:
    """One edit after the other."""

    def done(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
        for edit in edits:
            text = edit(text, chance, title)
        return text

    return done


EDITS: dict[str, Edit] = {
    "cut": cut,
    "thin": thin,
    "lede": lede,
    "insert": insert,
    "style": style,
    "lede+cut": both(lede, cut),
    "insert+style": both(insert, style),
    "lede+insert": both(lede, insert),
    "thin+style": both(thin, style),
    "lede+cut+style": both(lede, cut, style),
}


def brief(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """The first few paragraphs, as a column of news in brief has them."""
    kept: Paragraphs = []
    for paragraph in text:
        kept.append(paragraph)
        if sum(len(one.split()) for one in kept) >= 80:
            break
    return kept


def beheaded(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """Without its beginning: the first third is told in words of one's own, or not at all."""
    return text[max(1, len(text) // 3) :]


def reword(text: Paragraphs, chance: random.Random, title: str) -> Paragraphs:
    """One word in twelve gone or moved, as a desk does that wants the text to look like its own."""
    done = []
    for paragraph in text:
        words = paragraph.split(" ")
        for n in range(len(words) - 1, 0, -1):
            luck = chance.random()
            if luck < 0.05:
                del words[n]
            elif luck < 0.085:
                words[n - 1], words[n] = words[n], words[n - 1]
        done.append(" ".join(words))
    return done


HARD_EDITS: dict[str, Edit] = {
    "brief": brief,
    "brief+style": both(brief, style),
    "beheaded": beheaded,
    "beheaded+insert": both(beheaded, insert),
    "reword": reword,
    "reword+cut": both(reword, cut),
    "reword+lede+insert": both(reword, lede, insert),
}


def headline_from(text: Sequence[str], chance: random.Random) -> str:
    """A headline of one's own: the beginning of a sentence from within, as it comes."""
    sentences = [part for paragraph in text[1:5] for part in re.split(r"(?<=[.!?])\s+", paragraph) if len(part) > 40]
    words = chance.choice(sentences or list(text)).strip('"“”').split()
    return " ".join(words[: chance.randint(7, 11)]).rstrip(",;:.")


def with_quotes(account: Sequence[str], text: Sequence[str], chance: random.Random) -> Paragraphs:
    """No copy: another hand's account with quotes that both have from one press conference, a third of it at most."""
    quoting = [paragraph for paragraph in text[1:] if re.search('["“]', paragraph)]
    chance.shuffle(quoting)
    size = sum(len(paragraph.split()) for paragraph in account)
    taken: Paragraphs = []
    for paragraph in quoting:
        if sum(len(one.split()) for one in [*taken, paragraph]) <= 0.45 * size:  # a third of the whole
            taken.append(paragraph)
    made = list(account)
    for paragraph in taken:
        made.insert(chance.randint(1, len(made)), paragraph)
    return made


def follow_up(text: Sequence[str], other: Sequence[str], chance: random.Random) -> Paragraphs:
    """No copy: news in words of its own (another article's), over background of the first story, a quarter or less."""
    background: Paragraphs = []
    size = sum(len(paragraph.split()) for paragraph in other)
    for paragraph in chance.sample(list(text[1:]), k=len(text) - 1):
        taken = sum(len(one.split()) for one in [*background, paragraph])
        if taken <= 0.3 * size:
            background.append(paragraph)
    return [*other, *background]
