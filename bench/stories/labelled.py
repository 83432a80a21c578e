"""The labelled set: pairs that are copies and pairs that are not, articles with their stories, texts with their origin.

Made when it is asked for, from the demo's wire, from what is written by hand in ``accounts.toml``, and from the pages
of the recorded wire where they are at hand (they are edited by script and never kept). Each base article belongs to one
half: what is chosen is chosen on ``tune``, what is reported is ``held``.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations
from pathlib import Path
from zlib import crc32

from bench.stories.edits import EDITS, HARD_EDITS, follow_up, headline_from, with_quotes
from pipeline.demo import Newsroom
from pipeline.demo.stories import read_stories
from pipeline.extract import dateline
from pipeline.records import Article, Dateline, Document, Enriched, article_id
from tests.support.recorded_wire import FOLDER, wire_available

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HALVES = ("tune", "held")
_FEWEST_WORDS = 120

OUTLETS = (
    "Harbour Times",
    "The Valley Echo",
    "Ridge Post",
    "Northern Star",
    "Ostsee Kurier",
    "Bay Chronicle",
    "El Faro",
)
AGENCIES = ("Reuters", "AP", "AFP", "dpa", "PTI", "ANI", "Xinhua", "EFE", "Kyodo", "Meridian")

CREDITS: tuple[tuple[str, str], ...] = (
    ("dateline", "{PLACE}, Nov 23 ({agency}) - "),
    ("dateline", "{PLACE} ({agency}) — "),
    ("credit", "({agency})"),
    ("credit", "Source: {agency}"),
    ("credit", "— {agency}"),
    ("credit", "© 2026 {agency}"),
    ("credit", "This story was provided by {agency}."),
    ("credit", "With inputs from {agency}"),
    ("credit", "(With inputs from {agency})"),
    ("credit", "This article is based on copy from the {agency} news agency."),
    ("credit", "Published under arrangement with {agency}."),
    ("byline", "{agency}"),
    ("byline", "{agency} News Agency"),
    ("credit", "This report was written by {agency} and has not been edited by our staff."),
)
"""Where and how outlets say whose text it is; half of them in each half of the set."""

OWN: tuple[tuple[str, str], ...] = (
    ("byline", "Ruth Okonjo"),
    ("byline", "Staff Reporter"),
    ("credit", "Additional reporting by Tomas Ibarra in Lima"),
    ("credit", "Editing by Lena Fischer"),
    ("dateline", "{PLACE}: "),
    ("credit", "The writer is our correspondent in Geneva."),
)
"""The same where it is the outlet's own."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles, and whether they are copies of one text. ``how`` is what was done."""

    a: Document
    b: Document
    copies: bool
    how: str


@dataclass(frozen=True, slots=True)
class Attributed:
    """An article, and the origin that its text says."""

    document: Document
    origin: str
    how: str


@dataclass(frozen=True, slots=True)
class Base:
    """An article that others are made from."""

    key: str
    event: str
    document: Document

    @property
    def half(self) -> str:
        return HALVES[(crc32(self.event.encode()) >> 8) % 2]


def document(key: str, title: str, body: str, source: str, at: datetime, **more: object) -> Document:
    """A document without enrichment: stories do not need it."""
    url = f"https://labelled.example/{key}"
    found = dateline.parse(body, at)
    fields: dict[str, object] = {"dateline": found} | more
    article = Article(
        id=article_id(url), url=url, title=title, body=body, source=source, published=at, first_seen=at, **fields
    )  # type: ignore[arg-type]
    return Document(article=article, enriched=Enriched(language="en"))


@cache
def bases() -> tuple[Base, ...]:
    """The demo's wire, and the English pages of the recorded one, moved into the same three days."""
    found: list[Base] = []
    room = Newsroom(NOW)
    credits = {story.slug: story.credit for edition in read_stories() for story in edition}
    for gold in room.articles.values():
        made = document(
            gold.slug,
            gold.title,
            gold.body,
            gold.outlet,
            gold.published,
            authors=gold.authors,
            dateline=gold.dateline,
            credit=credits.get(gold.slug) or None,
        )
        found.append(Base(gold.slug, gold.event or gold.slug, made))
    for n, row in enumerate(_wire()):
        body = "\n\n".join(row["body"]) if isinstance(row["body"], list) else str(row["body"])
        if row["languages"] != ["en"] or len(body.split()) < _FEWEST_WORDS:
            continue
        at = NOW - timedelta(minutes=37 * n % 4000)
        key = f"wire-{n}"
        found.append(Base(key, key, document(key, row["title"], body[:6000], row["publisher"], at)))
    return tuple(found)


def _wire() -> list[dict[str, object]]:
    if not wire_available():
        return []
    lines = (FOLDER / "articles.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def by_hand() -> tuple[tuple[Base, Base, str], ...]:
    """(the demo's article, the written one, its kind)."""
    written = tomllib.loads((Path(__file__).parent / "accounts.toml").read_text(encoding="utf-8"))["article"]
    known = {base.key: base for base in bases()}
    made = []
    for n, entry in enumerate(written):
        first = known[entry["of"]]
        paragraphs = first.document.article.body.split("\n\n")
        body = [entry["text"].strip(), *(paragraphs[number] for number in entry.get("background", ()))]
        at = first.document.article.published or NOW
        key = f"hand-{n}-{entry['of']}"
        written_one = document(
            key, entry["title"], "\n\n".join(body), entry["source"], at + timedelta(hours=entry["hours"])
        )
        made.append((first, Base(key, first.event, written_one), entry["kind"]))
    return tuple(made)


def copies_of(base: Base) -> Iterator[tuple[str, Document]]:
    """The scripted copies of an article, with what was done to each."""
    article = base.document.article
    paragraphs = [paragraph for paragraph in article.body.split("\n\n") if paragraph.strip()]
    if len(paragraphs) < 4 or len(article.body.split()) < _FEWEST_WORDS:
        return
    if article.dateline is not None:
        paragraphs[0] = paragraphs[0].removeprefix(article.dateline.text).lstrip(" -–—:")
    names = list(EDITS)
    chance = random.Random(base.key)
    for edit in chance.sample(names, k=3 if base.key.startswith("wire") else 5):
        text = EDITS[edit](list(paragraphs), chance, article.title)
        title = article.title if chance.random() < 0.5 else _reworded(article.title, chance)
        at = (article.published or NOW) + timedelta(minutes=chance.randint(5, 900))
        key = f"{base.key}-{edit}"
        yield edit, document(key, title, "\n\n".join(text), chance.choice(OUTLETS), at)


def _reworded(title: str, chance: random.Random) -> str:
    words = title.split()
    kept = [word for n, word in enumerate(words) if n == 0 or chance.random() < 0.75]
    return " ".join(kept) + chance.choice(("", ": what we know", " - report", ", officials say"))


@cache
def pairs(half: str) -> tuple[Pair, ...]:
    """The labelled pairs of one half."""
    found: list[Pair] = []
    own = [base for base in bases() if base.half == half]
    made: dict[str, list[tuple[str, Document]]] = {base.key: list(copies_of(base)) for base in own}
    carried = [base for base in own if base.event == "tanker-collision"]
    for base in own:
        for edit, copy in made[base.key]:
            found.append(Pair(base.document, copy, True, edit))
        if len(made[base.key]) > 1:  # two copies of one text, each edited in its own way
            (first, a), (second, b) = made[base.key][:2]
            if not {"cut", "lede+cut", "lede+cut+style"} & {first, second}:
                found.append(Pair(a, b, True, f"{first} / {second}"))
    wire = next((base for base in carried if base.key == "tanker-collision"), None)
    if wire is not None:
        for base in carried:
            if base.key.startswith("tanker-collision-") and base.key != "tanker-collision-voz":
                # The wire story as it was when they took it over: its first version.
                first = read_first("tanker-collision")
                found.append(Pair(first, base.document, True, "by hand"))
    for first, written, kind in by_hand():
        if first.half != half:
            continue
        found.append(Pair(first.document, written.document, False, kind))
        found.extend(Pair(copy, written.document, False, f"{kind} / {edit}") for edit, copy in made[first.key][:2])
    groups: dict[str, list[Base]] = {}
    for base in own:
        groups.setdefault(base.event, []).append(base)
    for event, of in groups.items():
        if event != "tanker-collision":
            found.extend(Pair(a.document, b.document, False, "same event") for a, b in combinations(of, 2))
    long = [base for base in own if len(base.document.article.body.split("\n\n")) >= 6]
    for n, base in enumerate(long):
        chance = random.Random(f"follow-{base.key}")
        other = long[(n + 7) % len(long)]
        text = follow_up(
            base.document.article.body.split("\n\n"), other.document.article.body.split("\n\n")[:8], chance
        )
        later = document(
            f"{base.key}-later", other.document.article.title, "\n\n".join(text), base.document.article.source, NOW
        )
        found.append(Pair(base.document, later, False, "scripted follow-up"))
    return tuple(found)


@cache
def hard_pairs(half: str) -> tuple[Pair, ...]:
    """Pairs of one half of which no headline tells anything: copies under headlines of their own, shorter and more
    reworded than those of :func:`pairs`; other hands' accounts and follow-ups under nearly the first one's; and reports
    of different events in one formula's words."""
    found: list[Pair] = []
    headlines: dict[str, list[str]] = {}
    for first, written, _ in by_hand():
        headlines.setdefault(first.key, []).append(written.document.article.title)
    own = [base for base in bases() if base.half == half]
    copies: dict[str, Document] = {}
    for base in own:
        article = base.document.article
        paragraphs = _paragraphs(base)
        if len(paragraphs) < 6 or len(article.body.split()) < _FEWEST_WORDS:
            continue
        chance = random.Random(f"hard-{base.key}")
        at = (article.published or NOW) + timedelta(minutes=chance.randint(5, 900))
        for edit in chance.sample(list(HARD_EDITS), k=2):
            told = headlines.get(base.key)
            title = chance.choice(told) if told else headline_from(paragraphs, chance)
            text = HARD_EDITS[edit](list(paragraphs), chance, title)
            copy = document(f"{base.key}-hard-{edit}", title, "\n\n".join(text), chance.choice(OUTLETS), at)
            copies[base.key] = copy
            found.append(Pair(base.document, copy, True, edit))
        # One outlet keeps the beginning and another the end; half of either is in the other.
        gone = len(paragraphs) // 3
        parts = paragraphs[:-gone], paragraphs[gone:]
        a, b = (
            document(f"{base.key}-part-{n}", headline_from(part, chance), "\n\n".join(part), OUTLETS[n], at)
            for n, part in enumerate(parts)
        )
        found.append(Pair(a, b, True, "beginning / end"))
    for first, written, kind in by_hand():
        if first.half != half:
            continue
        chance = random.Random(f"hard-{written.key}")
        body = written.document.article.body.split("\n\n")
        for how, text in ((kind, body), (f"{kind} with quotes", with_quotes(body, _paragraphs(first), chance))):
            title = _nearly(first.document.article.title, chance)
            made = replace(written.document.article, title=title, body="\n\n".join(text))
            found.append(Pair(first.document, replace(written.document, article=made), False, how))
            if first.key in copies:
                found.append(Pair(copies[first.key], replace(written.document, article=made), False, f"{how} / copy"))
    long = [base for base in own if len(_paragraphs(base)) >= 6]
    for n, base in enumerate(long):
        chance = random.Random(f"hard-follow-{base.key}")
        text = follow_up(_paragraphs(base), _paragraphs(long[(n + 5) % len(long)])[:8], chance)
        title = _nearly(base.document.article.title, chance)
        later = document(f"{base.key}-hard-later", title, "\n\n".join(text), base.document.article.source, NOW)
        found.append(Pair(base.document, later, False, "follow-up under its headline"))
    for n, of in enumerate(formulas()):
        if n % 2 == HALVES.index(half):
            found.extend(Pair(a, b, False, "one formula") for a, b in combinations(of, 2))
    return tuple(found)


@cache
def formulas() -> tuple[tuple[Document, ...], ...]:
    """Reports of different events that follow one formula, by formula."""
    written = tomllib.loads((Path(__file__).parent / "formulas.toml").read_text(encoding="utf-8"))["formula"]
    return tuple(
        tuple(
            document(
                f"formula-{n}-{m}",
                formula["title"].format(*fill),
                formula["text"].strip().format(*fill),
                OUTLETS[n],
                NOW - timedelta(hours=20 * m),
            )
            for m, fill in enumerate(formula["fills"])
        )
        for n, formula in enumerate(written)
    )


def _paragraphs(base: Base) -> list[str]:
    """An article's paragraphs, without the dateline."""
    article = base.document.article
    body = article.body.removeprefix(article.dateline.text).lstrip(" -–—:") if article.dateline else article.body
    return [paragraph for paragraph in body.split("\n\n") if paragraph.strip()]


def _nearly(title: str, chance: random.Random) -> str:
    """A headline that is another's but for a word."""
    return chance.choice(("{}", "{}, officials say", "UPDATE 1-{}", "{}: latest", "LIVE: {}")).format(title)


@cache
def read_first(slug: str) -> Document:
    """A demo story as it was first published."""
    gold = next(one for one in Newsroom(NOW).articles.values() if one.slug == slug)
    return document(gold.slug, gold.title, gold.body, gold.outlet, gold.published, dateline=gold.dateline)


@cache
def clusters(half: str) -> tuple[tuple[str, Document], ...]:
    """(story, article) of one half: bases, some of their copies, accounts and follow-ups; the wire's pages between."""
    found: list[tuple[str, Document]] = []
    for base in bases():
        if base.half != half:
            continue
        found.append((base.event, base.document))
        found.extend((base.event, copy) for _, copy in list(copies_of(base))[:2])
    found.extend((first.event, written.document) for first, written, _ in by_hand() if first.half == half)
    return tuple(found)


@cache
def attributed(half: str) -> tuple[Attributed, ...]:
    """Articles whose text says whose it is, or that it is the outlet's own."""
    found: list[Attributed] = []
    own = [base for base in bases() if base.half == half and not base.document.article.credit]
    which = HALVES.index(half)
    chance = random.Random(half)
    for n, (where, form) in enumerate(CREDITS):
        if n % 2 != which and len(CREDITS) > 1:
            continue
        for agency in AGENCIES:
            base = chance.choice(own)
            found.append(
                Attributed(_credited(base, where, form.format(PLACE="GENEVA", agency=agency), n), agency, form)
            )
    for n, (where, form) in enumerate(OWN):
        for _ in range(4):
            base = chance.choice(own)
            source = chance.choice(OUTLETS)
            made = _credited(base, where, form.format(PLACE="GENEVA"), 100 + n, source)
            found.append(Attributed(made, source, form))
    return tuple(found)


def _credited(base: Base, where: str, words: str, n: int, source: str = "The Valley Echo") -> Document:
    article = base.document.article
    body = article.body
    if article.dateline is not None:
        body = body.removeprefix(article.dateline.text).lstrip(" -–—:")
    paragraphs = body.split("\n\n")[:5]
    more: dict[str, object] = {}
    found: Dateline | None = None
    if where == "dateline":
        paragraphs[0] = words + paragraphs[0]
        found = dateline.parse("\n\n".join(paragraphs), article.published)
    elif where == "byline":
        more["authors"] = (words,)
    elif n % 3:
        paragraphs.append(words)
    else:
        more["credit"] = words
    key = f"{base.key}-{where}-{n}-{crc32(words.encode())}"
    made = document(key, article.title, "\n\n".join(paragraphs), source, article.published or NOW, **more)
    return replace(made, article=replace(made.article, dateline=found))
