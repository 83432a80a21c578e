"""Says what a fetched page turned out to be: an article, a video, a live blog's shell, a wall, or nothing.

A page with real text is an article, whatever else it is: a video with a report below it, a live blog whose entries are
in the page, a paywalled story with a visible beginning. The other kinds are for pages with next to no text.
"""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from pipeline.extract.harvest import Harvest, is_article, types
from pipeline.extract.text import letters, phrases
from pipeline.records import PageKind

# Weights (letters and digits, an ideograph or syllable counting 2.5, about what it stands for in an alphabet).
# A news brief of two sentences weighs 120 and more; a caption, a label or a cookie notice's first line less than 60.
_LEAST = 60.0
# Text below this under a video or in a live blog is its caption or introduction. The shortest article among 257 pages
# weighs 700, the longest caption of a pure video page seen 300 (2026-11-23).
_CAPTION = 400.0
# Walls (log in, pay, consent, enable JavaScript) fill up to a screen with their own words.
_WALL_TEXT = 2_500.0

_WIDE = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SENTENCE_END = re.compile(r"[.!?。！？…।؟\"”»]\s*$")


def _either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for many. Those that begin at a word's start share the test for it, which most places fail; and
    as it is for text in lower case, most others fail at their first letter: an eleventh of the time (2026-11-25)."""
    words = [pattern.removeprefix(r"\b") for pattern in patterns if pattern.startswith(r"\b")]
    return re.compile("|".join([rf"\b(?:{'|'.join(words)})", *(p for p in patterns if not p.startswith(r"\b"))]))


_WALL = _either(phrases("walls"))
_MISSING = re.compile(rf"\W*(?:{'|'.join(phrases('missing'))})", re.IGNORECASE)
_LIVE_ADDRESS = re.compile(
    r"/live(?:blog|-blog|-news|-updates|ticker|s)?(?:/|$|-)|[-/]live-updates?\b|-live-\d|/ticker/|newsblog", re.I
)
_VIDEO_ADDRESS = re.compile(r"/(?:videos?|watch|av|mediathek|tv|podcasts?|audio)(?:/|$)|[?&]v=", re.IGNORECASE)


def weigh(text: str) -> float:
    """How much there is to read in a text: letters and digits, wide scripts counting more."""
    count = len(letters(text))
    return count if text.isascii() else count + 1.5 * len(_WIDE.findall(text))


def _asks(text: str) -> bool:
    """Whether a text asks for a login, money or consent."""
    return _WALL.search(text.replace("İ", "i").lower()) is not None


def without_wall(text: str) -> str:
    """A short text without the paragraphs that only ask for a login, money or consent."""
    return "\n\n".join(part for part in text.split("\n\n") if not (len(part) < 600 and _asks(part)))


def kind(text: str, found: Harvest, root: HtmlElement, address: str, title: str) -> PageKind:
    """The kind of the page with this body. ``root`` is asked for its whole text only where the body is short."""
    weight = weigh(text[:8_000])
    if weight >= _WALL_TEXT:
        return PageKind.ARTICLE
    if weight < _CAPTION and _is_missing(text, found, title):
        return PageKind.EMPTY
    real = without_wall(text)
    rest = weigh(real)
    if weight >= _CAPTION and 2 * rest >= weight:
        return PageKind.ARTICLE
    if rest < _CAPTION:
        if _is_live(found, address):
            return PageKind.LIVE
        if _is_video(found, address):
            return PageKind.VIDEO
    if rest >= _LEAST and any(_SENTENCE_END.search(part) for part in real.split("\n\n")):
        return PageKind.ARTICLE
    shown = " ".join((title, " ".join(root.itertext())[:5_000], found.noscript))
    if found.password or _locked(found) or _asks(text) or _asks(shown):
        return PageKind.LOGIN
    return PageKind.EMPTY


def _is_missing(text: str, found: Harvest, title: str) -> bool:
    """Whether a short page says that there is nothing here, as many do with status 200, and describes no article."""
    if any(is_article(node) for node in found.nodes) or found.metas.get("article:published_time"):
        return False
    return any(_MISSING.match(said) for said in (title, found.title.strip(), text[:200]))


def _is_live(found: Harvest, address: str) -> bool:
    return any("LiveBlogPosting" in types(node) for node in found.nodes) or bool(_LIVE_ADDRESS.search(address))


def _is_video(found: Harvest, address: str) -> bool:
    """Whether the page says that it is a video (or sound): by Open Graph, by JSON-LD without an article, or by its
    address with a player in the page."""
    if found.meta("og:type").lower().startswith(("video", "music")):
        return True
    named = any(
        name in ("VideoObject", "AudioObject", "PodcastEpisode", "BroadcastEvent")
        for node in found.nodes
        for name in types(node)
    )
    if named and not any(is_article(node) for node in found.nodes):
        return True
    return bool(_VIDEO_ADDRESS.search(address)) and (named or found.player)


def _locked(found: Harvest) -> bool:
    """Whether the page's JSON-LD says that it is not free to read."""
    return any(
        str(node.get("isAccessibleForFree", "")).lower() in ("false", "http://schema.org/false") for node in found.nodes
    )
