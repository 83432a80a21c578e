"""Whose text an article is: the agency in its dateline, byline or credit line, or the outlet itself.

A copy is told by its words: "(Reuters)" behind the place, "AFP" as the author, "Source: dpa" or "(PTI)" under the
text. "With inputs from X" and "additional reporting by X" say less: such an article may be the outlet's own with a
sentence of the agency's in it, so they count only where nobody of the outlet is named as its author, or where the text
turns out to be a copy (``placing``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.records import Article
from pipeline.stories.text import folded

_SHORT = {
    "thomson reuters": "Reuters",
    "reuters": "Reuters",
    "associated press": "AP",
    "ap": "AP",
    "ap news": "AP",
    "agence france presse": "AFP",
    "agence france-presse": "AFP",
    "afp": "AFP",
    "deutsche presse agentur": "dpa",
    "deutsche presse-agentur": "dpa",
    "dpa": "dpa",
    "dpa international": "dpa",
    "press trust of india": "PTI",
    "pti": "PTI",
    "asian news international": "ANI",
    "ani": "ANI",
    "indo asian news service": "IANS",
    "indo-asian news service": "IANS",
    "ians": "IANS",
    "press association": "PA",
    "pa media": "PA",
    "pa": "PA",
    "canadian press": "The Canadian Press",
    "australian associated press": "AAP",
    "aap": "AAP",
    "united press international": "UPI",
    "upi": "UPI",
    "xinhua": "Xinhua",
    "kyodo": "Kyodo",
    "yonhap": "Yonhap",
    "tass": "TASS",
    "interfax": "Interfax",
    "efe": "EFE",
    "ansa": "ANSA",
    "apa": "APA",
    "belga": "Belga",
    "anadolu": "Anadolu",
    "aa": "Anadolu",
    "bernama": "Bernama",
    "antara": "Antara",
    "bloomberg": "Bloomberg",
    "associated press of pakistan": "APP",
    "app": "APP",
    "inter press service": "IPS",
    "ips": "IPS",
}
"""Agencies by the names that outlets print, folded, without "the" and "news agency"."""

_GENERIC = re.compile(
    r"\b(?:the|news\s*agency|news\s*service|newswires?|wire(?:\s*service)?|agency|agencies|agencia|agentur"
    r"|agence(?!\s+france)|agenzia)\b"
)
_AGENCY_LIKE = re.compile(
    r"\b(?:news\s*agency|news\s*service|newswire|press\s+agency|agencia|nachrichtenagentur)\b", re.I
)
_OWN = re.compile(r"\b(?:desk|staff|bureau|team|correspondent|reporter|web|online|redaktion|redacción)\b", re.I)
_NAME = (
    r"(?:the\s+)?(?P<name>[A-ZÀ-Þ][\w&.’'-]*(?:[ -](?:of|de|[A-ZÀ-Þ][\w&.’'-]*|news|agency|service|wire)){0,4}|dpa|epd)"
)
_SOURCE_LINE = re.compile(rf"^\W*(?:[Ss]ource\s*:|\(c\)|©|[Cc]opyright|[—–-]+)\s*(?:20\d\d\s+)?{_NAME}\W*$")
_BASED_ON = re.compile(
    rf"""\b(?:[Bb]ased\s+on\s+(?:copy|a\s+report|reporting|material)\s+(?:from|by|of)|copy\s+from
      |[Ss]yndicated\s+(?:feed|copy)\s+(?:of|from)|[Pp]ublished\s+(?:by|under)\s+arrangement\s+with|[Aa]uto-generated\s+from
      |[Tt]aken\s+from\s+a\s+report\s+by|[Ff]irst\s+published\s+by|provided\s+by
      |[Tt]his\s+(?:story|report|article)\s+(?:is|was)\s+(?:from|by|written\s+by|provided\s+by))\s+{_NAME}""",
    re.VERBOSE,
)
_IN_BRACKETS = re.compile(r"^\s*\((?P<name>[A-Z][\w&.-]*(?:\s[A-Z][\w&.-]*){0,2}|dpa|epd)\)\W*$")
_WEAK = re.compile(
    rf"\b(?:[Ww]ith\s+(?:inputs?|files?|material|contributions?|information)\s+(?:from|by)|[Ii]nputs?\s+from)\s+{_NAME}"
)
_HELPED = re.compile(rf"\b(?:[Ww]ith|[Aa]dditional)\s+(?:reporting|material)\s+(?:by|from)\s+{_NAME}")
"""Of people as often as of agencies."""
_TAIL = 3
"""Paragraphs at the end of a body in which a credit may stand, and the most characters of one."""
_LINE = 160


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose text it is, and where that was read (``Placement.origin_from``). ``weak`` where the words leave it open."""

    name: str
    read_from: str
    weak: bool = False


def agency_name(text: str) -> str:
    """An agency as it is best known: "The Associated Press" is "AP", "Meridian news agency" is "Meridian"."""
    squashed = " ".join(text.split()).strip(" .,;:()[]/")
    bare = _bare(squashed)
    known = _SHORT.get(bare)
    if known:
        return known
    first = _parts(bare)[0]
    if first in _SHORT:
        return _SHORT[first]
    kept = [word for word in squashed.split() if folded(word) in bare.split()]
    return " ".join(kept) or squashed


def is_agency(text: str) -> bool:
    """Whether a name is an agency's, or several agencies': known, or it says so."""
    bare = _bare(text.strip(" .,()"))
    return bare in _SHORT or _parts(bare)[0] in _SHORT or bool(_AGENCY_LIKE.search(text))


def _bare(text: str) -> str:
    return " ".join(_GENERIC.sub(" ", folded(" ".join(text.split()))).split())


def _parts(bare: str) -> list[str]:
    return re.split(r"\s*[/,&]\s*|\s+and\s+", bare)


def outlet_origin(source: str) -> str:
    """The origin of an outlet's own texts: its name, for an agency the short one."""
    return agency_name(source) if is_agency(source) else source


def key(origin: str) -> frozenset[str]:
    """The words that tell an origin from others; of two origins, one may say more ("La Voz", "La Voz del Estuario")."""
    return frozenset(_GENERIC.sub(" ", folded(origin)).split())


def same(a: str, b: str) -> bool:
    """Whether two names are one origin's."""
    first, second = key(a), key(b)
    return a == b or (bool(first) and bool(second) and (first <= second or second <= first))


def read(article: Article) -> Origin:
    """What the article itself says of its origin."""
    own = outlet_origin(article.source)

    def named(text: str, where: str, weak: bool = False) -> Origin | None:
        name = agency_name(text)
        if not name or (same(name, article.source) and not is_agency(article.source)):
            return None  # its own name, cut short
        return Origin(name, where, weak)

    if article.dateline is not None and article.dateline.agency:
        found = named(article.dateline.agency, "dateline")
        if found:
            return found
    persons = [author for author in article.authors if not is_agency(author) and not _OWN.search(author)]
    for author in article.authors:
        if is_agency(author) and not same(author, article.source) and not _OWN.search(author) and not persons:
            return Origin(agency_name(author), "byline")
    weak: Origin | None = None
    for line in _credits(article):
        match = _SOURCE_LINE.search(line) or _BASED_ON.search(line) or _IN_BRACKETS.search(line)
        if (
            match
            and (found := named(match["name"], "credit"))
            and (match.re is not _IN_BRACKETS or is_agency(found.name))
        ):
            return found
        match = _WEAK.search(line)
        if match is None and (helped := _HELPED.search(line)) and is_agency(helped["name"]):
            match = helped
        if match and weak is None:
            weak = named(match["name"], "credit", weak=bool(persons))
    if weak is not None:
        return weak
    return Origin(own, "outlet")


def _credits(article: Article) -> Sequence[str]:
    """The lines in which a credit may stand: the page's own, and the last of the body."""
    tail = [line for line in article.body.split("\n\n")[-_TAIL:] if len(line) <= _LINE]
    return [*([article.credit] if article.credit else ()), *reversed(tail)]
