"""Splits a byline into the names it holds: "By Jane Doe in Islamabad and John Roe, Reuters" is three authors.

Works on the strings that JSON-LD, meta tags and byline elements carry. Roles, places, dates, e-mail addresses and
"By" are stripped; an agency that is credited beside or instead of a person stays, since that is whom readers are told.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from pipeline import controls

# "By" and its like where a byline opens with it. Followed by a name, so that "Von Miller" in JSON-LD is not at risk
# the list of words that are also names (von, de, di) is only used where the text came from the page's visible byline.
_OPENING = re.compile(
    r"""^\s*(?:(?:written|posted|published|reported|edited|compiled|story|text|words|report|article|review)\s+by
        |by(?:line)?|autore?(?:in|en)?s?\s*:|authors?\s*:|redaktion\s*:|text\s*:|fotos?\s*:|interview\s*:)\s*:?\s+""",
    re.IGNORECASE | re.VERBOSE,
)
_VISIBLE_OPENING = re.compile(
    r"^\s*(?i:von|vom|par|por|di|de|af|av|door|oleh|tekst|texte|texto|testo|kommentar\s+von|ein\s+\w+\s+von)"
    r"\s*:?\s+(?=[^\W\d_a-z])"
)
_SPLIT = re.compile(
    r"""\s*(?:[;|•·、，]|\s[–—]\s|\n|,\s*(?:and|und|et|y|e)\s(?=\S)|,|\s/\s|\s&\s|\s(?:and|und|et|og|och|ja|dan|ve|with|mit)\s)\s*""",
    re.VERBOSE | re.IGNORECASE,
)
# One-letter and other risky conjunctions ("Ortega y Gasset") join two authors only between two full names.
_RISKY = re.compile(r"\s(?:y|e|i|a|en|и|і)\s")
_PLACE = re.compile(
    r"\s+(?:in|at|aus|à|en|fra|i|uit)\s+(?:the\s+)?[A-ZÀ-ÖØ-ÞĀ-Ž][\w.’'-]*(?:[\s,]+(?:[A-ZÀ-ÖØ-ÞĀ-Ž][\w.’'-]*|de|da|do|del|la|of|and))*\s*$"
)
_EMAIL = re.compile(r"\S+@\S+\.\w+")
_HANDLE = re.compile(r"(?:^|\s)@\w+")
_URL = re.compile(r"https?://|www\.|^[\w-]+\.(?:html?|php)\b", re.IGNORECASE)
_BRACKETED = re.compile(r"\s*[(\[][^()\[\]]{0,80}[)\]]")
_DATE = re.compile(
    r"""(?:\b(?:published|updated|posted|last\s+modified|aktualisiert|veröffentlicht)\b.*$)
        |\b\d{1,2}[:.]\d{2}\s*(?:[ap]\.?m\.?|uhr|h|[A-Z]{2,4})?\b.*$|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b.*$
        |\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?\s+\d{1,2},?\s+\d{4}.*$|\b(?:19|20)\d{2}\b.*$""",
    re.IGNORECASE | re.VERBOSE,
)
_ROLE = re.compile(
    r"""\b(?:correspondent|reporters?|editor|editors|writer|columnist|contributor|journalist(?:in|e)?|producer|staff
        |analyst|bureau\s+chief|chief|presenter|critic|photographer|intern|fellow|professor\w*|profesor\w*|lecturer
        |director|president|researcher|redakteur(?:in)?|redaktör|korrespondent(?:in)?|volont[äa]r(?:in)?
        |chefredakt\w+|reporterin|ressortleit\w+|leiter(?:in)?|wirtschaftsredakt\w+|politikredakt\w+
        |rédacteur|rédactrice|corresponsal|redactor|periodista|giornalista|universit\w+|newsletter|author
        |follow|subscribe|contact|email|e-mail|twitter|facebook|instagram|linkedin)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_LEADING_ROLE = re.compile(
    r"""^(?:(?:senior|chief|deputy|staff|political|science|business|health|sports?|technology|world|foreign|special
        |diplomatic|economics?|crime|education|environment|defen[cs]e|city|news|royal|features?)\s+)*
        (?:correspondent|reporter|editor|writer|columnist|journalist|bureau\s+chief)s?\s*:?\s+(?=[A-ZÀ-ÖØ-Þ])""",
    re.IGNORECASE | re.VERBOSE,
)
_KOREAN_TITLE = re.compile(r"(?<=[\uac00-\ud7a3])\s*(?:기자|특파원|인턴기자|논설위원|선임기자)(?:\s*외\s*\d+명)?$")
_TRIM = " \t\r\n,;:·•|–—-/\u200b\xa0"


def parse(texts: Iterable[str], *, visible: bool = False) -> tuple[str, ...]:
    """The names in these byline strings, in order, without repeats.

    ``visible`` says that the strings are what readers see ("Von Anna Muster, Berlin") and not a field for names:
    then words that open bylines but are names too ("von", "de") are taken off.
    """
    names: list[str] = []
    seen: set[str] = set()
    for text in texts:
        for name in _names(text, visible):
            key = " ".join(name.casefold().split())
            if key not in seen:
                seen.add(key)
                names.append(name)
    return tuple(names)


def _names(text: str, visible: bool) -> list[str]:
    text = controls.clean(html.unescape(text)).replace("\xa0", " ").replace("\u200b", "")
    text = _BRACKETED.sub("", _EMAIL.sub("", text))
    text = "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())
    if not text or _URL.search(text) or len(text) > 400:
        return []
    if visible:
        text = _VISIBLE_OPENING.sub("", _DATE.sub("", text))
    text = _VISIBLE_OPENING.sub("", _OPENING.sub("", text)) if visible else _OPENING.sub("", text)
    parts = [piece for part in _SPLIT.split(text) for piece in _risky(part)]
    cleaned = [name for name in (_clean(part) for part in parts) if name]
    named = [name for name in cleaned if not _ROLE.search(name)]
    # "Guardian staff reporter" alone is how some papers sign: a role counts where no name stands beside it.
    return named or cleaned[:1]


def _risky(part: str) -> list[str]:
    pieces = _RISKY.split(part)
    if len(pieces) > 1 and all(len(piece.split()) >= 2 for piece in pieces):
        return pieces
    return [part]


def _clean(part: str) -> str:
    name = _HANDLE.sub("", part).strip(_TRIM)
    name = _OPENING.sub("", name + " ").strip(_TRIM)
    name = _PLACE.sub("", name)
    name = _LEADING_ROLE.sub("", name)
    name = _KOREAN_TITLE.sub("", name).strip(_TRIM)
    if len(name) < 2 or len(name) > 80 or not any(letter.isalpha() for letter in name):
        return ""
    if name.casefold() in _NOBODY or len(name.split()) > 8:
        return ""
    return name


_NOBODY = frozenset(
    {"admin", "administrator", "unknown", "none", "null", "undefined", "n/a", "no author", "jr", "author"}
)
