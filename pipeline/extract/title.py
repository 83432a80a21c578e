"""Chooses a page's headline among the places that hold one, which often differ.

A page gives its title to readers (``h1``), to search engines (JSON-LD, the window's title) and for sharing (Open
Graph). One of them is the newsroom's headline, the others are cut from fields of their own, and nothing says which.
The rules weigh what the page shows and what its data and address say; no publisher is known by name. Where JSON-LD and
Open Graph do not read the same (69 of 257 pages), they are right on 59, and on 246 of all (2026-11-26). A ranker fitted
to the gold over what pages show came to 0.89 of all titles on outlets that it had not seen (four runs of ten folds),
rules over the same to 0.93 (2026-11-25): what is left depends on the outlet, not on the page.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote

from lxml import etree
from lxml.html import HtmlElement

from pipeline import urls
from pipeline.extract.harvest import Harvest, Node
from pipeline.extract.text import plain, squash

# What parts a headline from the outlet's name or a section hung on to it.
_DIVIDER = re.compile(
    r"\s+(?:[|•·*»«]|[-–—]|::|//|ㅣ)\s+|\s*[|｜]\s*|ㅣ|：|--+|\s+-(?=\w)|-(?=[^\W\d_a-zA-Z])|_(?=[^\W\d_a-zA-Z])"
)
_ELLIPSIS = re.compile(r"\s*(?:…|\.\.\.)$")
# Search engines ask for headlines of at most 110 characters, and many systems cut theirs there.
_CUT = 100
# Elements within a heading that only dress up a part of a word or phrase: no blank stands between them and the rest.
_DRESS = frozenset(
    ["a", "abbr", "b", "big", "cite", "em", "font", "i", "mark", "q", "s", "small", "strong", "sub", "sup", "u", "wbr"]
)
# The name of a field that holds the title for social media, in JSON or JavaScript, up to its value.
_SOCIAL = re.compile(r"ocial[_.-]?(?:[Mm]edia)?[_.-]?(?:[Tt]itle|[Hh]eadline)\w{0,30}[\\\"']{0,9}\s{0,9}:")
_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")
# How many of such fields are looked at, and what is read of each: a title is known by its first hundred letters, and a
# letter may be written as ``\\u0142``.
_FIELDS_READ = 100
_VALUE_READ = 900
_TELLING_LETTERS = 100
# How addresses write letters for which others drop the marks.
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "æ": "ae", "ø": "oe"})
# Words from which a title in an address is more than a section's name ("middle-east-crisis").
_TELLING_WORDS = 4
_QUOTES = str.maketrans("‘’‚“”„", "'''\"\"\"")
_HEADINGS_READ = 8
# How far up from a heading the links of its breadcrumb may stand.
_ROW_DEPTH = 3
# Meta tags, beside Open Graph's, that some systems fill with the headline.
_OTHER_METAS = ("headline", "dc.title", "sailthru.title", "parsely-title", "title")


def choose(found: Harvest, own: Node, root: HtmlElement | None, *, site: str, address: str, announced: str = "") -> str:
    """The headline; "" where the page has none.

    ``own`` is the page's own JSON-LD article (empty where there is none), ``root`` its tree, asked for visible headings
    only where that decides, ``site`` the outlet's name. ``announced`` is the title in the feed: where one place of the
    page says the same, newsroom and page agree.
    """
    outlet = squash(site)
    host = urls.host(address).partition(":")[0]
    brands = {squash(name) for name in (host.removeprefix("www."), *host.split(".")) if len(name) > 3}

    def read(*values: str) -> str:
        """The first of the values that is more than the outlet's name."""
        return next((text for value in values if (text := plain(value)) and squash(text) != outlet), "")

    name = read(_text(own.get("name")))
    headline = read(_text(own.get("headline"))) or name
    written = social = read(found.meta("og:title"), found.meta("twitter:title"))
    window = plain(found.title)
    others = [text for key in _OTHER_METAS if (text := read(found.meta(key)))]
    extra = others[0] if others else ""
    shown = _shown(found.headings, {squash(text) for text in (headline, social, window, *others)}, outlet)
    candidates = [text for text in (headline, social, shown, window, extra) if text]

    # Where JSON-LD and Open Graph say the same, it is the title, whatever others leave out of it.
    ends = [] if headline and squash(headline) == squash(social) else candidates

    def bare(text: str) -> str:
        return _whole(_without_site(text, ends, outlet, brands), candidates)

    headline, social, window, name = bare(headline), bare(social), bare(window), bare(name)
    if told := squash(announced):
        for text in (headline, social, shown, window, name, extra):
            if squash(text) == told:
                return text
    if social and not headline:
        return _below_kickers(social, found.headings) or social
    if not social:
        return headline or shown or window or extra
    key, shared, seen, tab = (squash(text) for text in (headline, social, shown, window))
    if key == shared:
        # Of two spellings, the one that was not escaped for another place; quotes of another shape are no other one.
        other = headline.translate(_QUOTES) != social.translate(_QUOTES)
        return social if other and _is_escaped(own.get("headline")) else headline
    if seen not in (key, shared):
        return headline
    if seen == shared:
        # Against all three, JSON-LD is the headline where it gives another as its alternative (8 of 8), or where the
        # address was made of it (6 of 6), unless the other only adds a kicker: addresses leave that out.
        if tab == shared and (own.get("alternativeHeadline") or (key not in shared and _names(address, headline))):
            return headline
        return social
    if tab != key:
        # JSON-LD may hold the headline as the article's name, and as its ``headline`` what the page shows on top.
        return social if squash(name) == shared else headline
    # Open Graph stands alone: as the newsroom's own title beside one for search engines, or as one for sharing only. It
    # is believed where readers see it, and elsewhere unless something speaks against it: the page's data calls it the
    # title for social media (3 of 3 pages), it carries the outlet's name, as titles for windows do, the page calls it
    # the alternative, or a further tag sides with the others. The last three do not count where ``h1`` is only the end
    # of a breadcrumb, for search engines.
    if root is not None and _stands_in_a_heading(root, shared):
        return social
    if _is_social(shared, found.scripts):
        return headline
    further = {squash(bare(plain(found.meta(name)))) for name in ("twitter:title", *_OTHER_METAS)}
    further.discard(shared)
    disowned = (
        squash(written) != shared or squash(plain(_text(own.get("alternativeHeadline")))) == shared or key in further
    )
    return headline if disowned and not _stands_in_a_breadcrumb(found.headings, key) else social


def _is_escaped(value: Any) -> bool:
    """Whether a JSON-LD value is escaped as HTML is, which JSON has no need of."""
    return html.unescape(text := _text(value)) != text


def _names(address: str, title: str) -> bool:
    """Whether an address was made of a title: it has all of its words in a row, and they are more than a section's
    name."""
    if len(title.split()) < _TELLING_WORDS:
        return False
    path = squash(unquote(address.partition("?")[0]))
    folded = title.casefold()
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter))
    return squash(folded.translate(_UMLAUTS)) in path or squash(bare) in path


def _is_social(key: str, scripts: Iterable[HtmlElement]) -> bool:
    """Whether the page's data for its own scripts names this title (in its reduced form) as the one for social media,
    as systems do that keep one beside the headline."""
    names = (name for script in scripts for name in _SOCIAL.finditer(script.text or ""))
    for name in islice(names, _FIELDS_READ):
        value = name.string[name.end() : name.end() + _VALUE_READ]
        value = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), value)
        if squash(plain(value)).startswith(key[:_TELLING_LETTERS]):
            return True
    return False


def _stands_in_a_breadcrumb(headings: list[HtmlElement], key: str) -> bool:
    """Whether an ``h1`` that says this title (in its reduced form) is the last step of a breadcrumb."""
    return any(_ends_breadcrumb(one) for one in headings[:_HEADINGS_READ] if squash(plain(words_of(one))) == key)


def _text(value: Any) -> str:
    """The first string of a JSON-LD value."""
    if isinstance(value, list):
        return next((text for item in value if (text := _text(item))), "")
    if isinstance(value, dict):
        return _text(value.get("@value") or value.get("name"))
    return value if isinstance(value, str) else ""


def _shown(headings: Iterable[HtmlElement], stated: set[str], outlet: str) -> str:
    """The ``h1`` that readers take for the headline: the first that says what another place says too, else the first
    that is not merely the outlet's name or a link."""
    first = ""
    for number, heading in enumerate(headings):
        if number == _HEADINGS_READ:
            break
        text = plain(words_of(heading))
        key = squash(text)
        if not key or key == outlet:
            continue
        if key in stated:
            return text
        if not first and not _is_link(heading):
            first = text
    return first


def words_of(heading: HtmlElement) -> str:
    """A heading's text, its parts (a kicker and the headline, say) kept apart by blanks, words that are dressed up in
    the middle left whole."""
    parts = [heading.text or ""]
    for event, element in etree.iterwalk(heading, events=("start", "end")):
        if element is heading or not isinstance(element.tag, str):
            continue
        parts.append("" if element.tag in _DRESS else " ")
        parts.append((element.text if event == "start" else element.tail) or "")
    return "".join(parts)


def _is_link(heading: HtmlElement) -> bool:
    """Whether all of a heading is one link, as a logo or another story's teaser is; the headline never is."""
    if any(outer.tag == "a" for outer in heading.iterancestors()):
        return True
    link = heading.find(".//a")
    return link is not None and squash("".join(link.itertext())) == squash("".join(heading.itertext()))


def _stands_in_a_heading(root: HtmlElement, key: str) -> bool:
    """Whether readers see this title (in its reduced form) as a heading of the page that is no link: as the whole, or
    as a part of it beside a kicker."""
    return any(
        any(squash(plain(text)) == key for text in _parts(heading)) and not _is_link(heading)
        for heading in root.iter("h1", "h2", "h3")
    )


def _below_kickers(title: str, headings: list[HtmlElement]) -> str:
    """The headline where title and visible heading have it in common, each below a kicker of its own; "" elsewhere."""
    for heading in headings[:_HEADINGS_READ]:
        above = squash(plain(words_of(heading)))
        for text in map(plain, _parts(heading)):
            key = squash(text)
            shared = key and above.endswith(key) and title.removesuffix(text).endswith(": ")
            if shared and key != above != squash(title):
                return text
    return ""


def _ends_breadcrumb(heading: HtmlElement) -> bool:
    """Whether a heading is the last step of a breadcrumb: in a list, or in one row after links and nothing else."""
    if any(outer.tag == "li" for outer in heading.iterancestors()):
        return True
    row: HtmlElement | None = heading
    for _ in range(_ROW_DEPTH):
        if row is None or any(
            map(
                squash,
                (row.tail or "", *(text for one in row.itersiblings() for text in (*one.itertext(), one.tail or ""))),
            )
        ):
            return False
        outer = row.getparent()
        before = [*row.itersiblings(preceding=True)]
        links = [link for one in before for link in one.iter("a")]
        linked = squash("".join(text for link in links for text in link.itertext()))
        texts = [text for one in before for text in (*one.itertext(), one.tail or "")]
        text = squash("".join(((outer.text if outer is not None else "") or "", *texts)))
        if text:
            return len(links) > 1 and len(text) == len(linked)
        row = outer
    return False


def _parts(heading: HtmlElement) -> Iterator[str]:
    for element in heading.iter():
        yield "".join(element.itertext())
        if element is not heading and element.tail:
            yield element.tail


def _whole(title: str, candidates: list[str]) -> str:
    """The title, or the candidate that it is the beginning of, where it was cut: at an ellipsis, at the length that
    search engines ask for, or by an unescaped quote in its own attribute."""
    stem = _ELLIPSIS.sub("", title)
    for other in candidates:
        rest = other.removeprefix(stem)
        if not stem or rest == other or len(squash(other)) <= len(squash(stem)) or _DIVIDER.match(rest):
            continue
        if stem != title or len(stem) >= _CUT or rest.lstrip().startswith('"'):
            return other
    return title


def _without_site(title: str, candidates: list[str], outlet: str, brands: set[str]) -> str:
    """The title without the outlet's name, a section or a date hung on at its end, or the outlet's name before it."""
    for other in candidates:
        rest = title.removeprefix(other)
        if rest and rest != title and _DIVIDER.match(rest):
            return other
    known = {squash(other) for other in candidates if other != title}
    while cuts := list(_DIVIDER.finditer(title)):
        for cut in cuts:
            head = title[: cut.start()].strip()
            if head and squash(head) in known:
                return head
        before, after = title[: cuts[0].start()].strip(), title[cuts[0].end() :].strip()
        head, tail = title[: cuts[-1].start()].strip(), title[cuts[-1].end() :].strip()
        if head and _is_outlet(squash(tail), outlet, brands):
            title = head
        elif outlet and squash(before) == outlet and after:
            title = after
        else:
            return title
    return title


def _is_outlet(name: str, outlet: str, brands: set[str]) -> bool:
    """Whether this is the outlet's name as the page gives it, roughly, or its host's ("AP News" for apnews.com)."""
    if name in brands:
        return True
    if not name or not outlet:
        return False
    return name == outlet or (len(name) > 3 and (name in outlet or outlet in name) and len(name) < 2 * len(outlet) + 6)
