"""Tells the lines of a body that are not the article: calls to read, follow or subscribe, credits, embedded posts.

By form only, and in the languages of the wires watched first; a line is dropped only where it is short and opens as
such lines do, so that a sentence which merely mentions a newsletter stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml.etree import XPath
from lxml.html import HtmlElement

from pipeline.extract.text import squash

_EMBEDS = XPath(
    './/blockquote[contains(@class,"twitter") or contains(@class,"instagram") or contains(@class,"tiktok") or'
    ' contains(@class,"bluesky") or contains(@class,"reddit") or @data-instgrm-permalink]'
    ' | .//*[@aria-hidden="true" and not(.//p)]'
)
_LINKS = XPath(".//a[string-length() > 12]")
_BLOCKS = frozenset({"p", "li", "div", "h2", "h3", "h4", "h5", "h6", "dd", "dt", "section", "td"})
_INLINE = frozenset({"b", "strong", "em", "i", "span", "u", "font", "mark", "small", "cite"})

# Openings of lines that lead away from the article. Matched at the start of a line, in any case.
_CALLS = r"""
    read\s+(?:more|also|next|the\s+full|our\s+full)\b | also\s+read\b | see\s+also\b | more\s+(?:on\s+this|from|news|stories)\b
  | related\s*(?:articles?|stories|news|content|coverage|links|topics)?\s*:?\s*$ | related\s*:
  | recommended\s+(?:stories|articles|reading|videos?|by)\b | most\s+(?:read|popular|viewed)\b | trending\s*(?:now|stories)?\s*:?\s*$
  | you\s+(?:may|might)\s+(?:also\s+)?(?:like|be\s+interested)\b | don['’]t\s+miss\b | watch(?:\s+(?:now|more|live|the\s+video|below|here))?\s*:
  | click\s+here\b | tap\s+here\b | sign\s+up\b | subscribe\b | follow\s+(?:us|our|\w+\s+on\b|\w+(?:\.\w+)+)
  | join\s+(?:our|us|the\s+conversation)\b | get\s+(?:the\s+latest|our|your)\b.*\b(?:newsletter|inbox|app|alerts?)\b
  | download\s+(?:our|the)\s+\w*\s*app\b | share\s+(?:this|on|via)\b | like\s+us\b | advertisement\s*$ | advertising\s*$ | sponsored\b
  | story\s+continues\s+below | article\s+continues\s+(?:below|after) | (?:this\s+)?article\s+(?:first\s+)?appeared\s+on
  | our\s+standards\s*: | have\s+you\s+got\s+a\s+(?:story|tip) | got\s+a\s+(?:story|tip) | contact\s+us\b | comments?\s*(?:\(\d+\))?\s*$
  | for\s+(?:more|the\s+latest)\b.*\b(?:click|visit|follow|check|sign|head\s+to)\b | all\s+rights\s+reserved | copyright\b | ©
  | lesen\s+sie\s+(?:auch|hier|dazu|mehr|weiter)\b | lies\s+(?:auch|hier|dazu|mehr)\b | mehr\s+(?:zum\s+thema|dazu|zu\s+diesem)\b
  | mehr\s+aus\b | mehr\s*: | auch\s+interessant\b | weitere\s+(?:artikel|nachrichten|themen|informationen|meldungen)\b
  | hören\s+sie\b | sehen\s+sie\s+(?:auch|hier|im\s+video)\b | (?:jetzt\s+)?abonnieren\b | abonnieren\s+sie\b | folgen\s+sie\b | folge\s+uns\b
  | dieser\s+(?:artikel|beitrag|text)\s+(?:erschien|ist|wurde|stammt)\b | hier\s+(?:geht\s+es|geht's|können\s+sie|klicken)\b
  | melden\s+sie\s+sich\b | newsletter\b | anzeige\s*$ | werbung\s*$ | externer\s+inhalt\b | empfohlener\s+(?:redaktioneller\s+)?(?:externer\s+)?inhalt
  | an\s+dieser\s+stelle\s+finden\s+sie\b | wir\s+(?:benötigen|brauchen)\s+ihre\s+(?:zustimmung|einwilligung)\b | ich\s+bin\s+damit\s+einverstanden
  | mit\s+(?:material|informationen|agenturmaterial)\s*(?:von|der|des)?\b.{0,120}$ | quelle\s*: | quellen\s*:
  | lire\s+aussi\b | à\s+lire\s+aussi\b | voir\s+aussi\b | abonnez-vous\b | inscrivez-vous\b | suivez-nous\b | publicité\s*$
  | lee\s+(?:también|además|más)\b | leer\s+(?:más|también)\b | le\s+puede\s+interesar\b | te\s+puede\s+interesar\b | suscríbete\b
  | síguenos\b | publicidad\s*$ | más\s+información\s*:?\s*$ | leggi\s+anche\b | iscriviti\b | seguici\b | pubblicità\s*$ | leia\s+(?:também|mais)\b
  | lees\s+ook\b | lees\s+meer\b | læs\s+også\b | les\s+også\b | läs\s+(?:också|även|mer)\b | artikeln\s+fortsätter\b | annons\s*$ | annonse\s*$
  | czytaj\s+(?:też|także|więcej|również)\b | zobacz\s+(?:też|także|również)\b | čtěte\s+(?:také|i|více)\b | přečtěte\s+si\b | reklama\s*$
  | читайте\s+(?:также|також|ещё)\b | підписуйтесь\b | подписывайтесь\b | реклама\s*$ | ilgili\s+haber | baca\s+juga\b | xem\s+thêm\b
  | 関連記事 | あわせて読みたい | 続きを読む | この記事は会員限定 | 관련\s*기사 | 相关(?:新闻|阅读|报道) | اقرأ\s+أيضا | यह\s+भी\s+पढ़ें
"""
_CALL = re.compile(rf"\W*(?:{_CALLS})", re.IGNORECASE | re.VERBOSE)
_CREDIT = re.compile(
    r"""\W*(?:(?:photo|image|picture|video|graphic|illustration|foto|bild|fotos|imagen|imatge|crédit\s+photo|photos?\s+by
        |source\s+image|写真|사진|图)\s*(?:credits?|source|by|von|courtesy)?\s*[:/©(]|©|\(?\s*(?:ap|reuters|afp|getty)\s+(?:photo|images?)\b
        |bild:|(?:\S+\s+){0,4}/\s*(?:getty|afp|reuters|ap|dpa|imago|epa|alamy)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_CALL, _LONGEST_CREDIT = 240, 120


def prune(container: HtmlElement) -> None:
    """Take embedded posts out of the container, and blocks that are nothing but one link: they lead elsewhere.

    A container made of links alone (a list of headlines) is left as it is.
    """
    embeds = _EMBEDS(container)
    for element in embeds if isinstance(embeds, list) else ():
        if isinstance(element, HtmlElement):
            _drop(element)
    links = _LINKS(container)
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, HtmlElement):
            continue
        size = _letters(link)
        block, parent = link, link.getparent()
        while parent is not None and (parent.tag in _INLINE or parent.tag in _BLOCKS) and parent is not container:
            if _letters(parent) > size + 3:
                break
            block, parent = parent, parent.getparent()
        if block.tag in _BLOCKS and parent is not None:
            _drop(block)


def _letters(element: HtmlElement) -> int:
    return len("".join("".join(element.itertext()).split()))


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def clean(lines: Sequence[str], title: str) -> list[str]:
    """The lines without boilerplate, without the title above them, and without lines said before."""
    kept: list[str] = []
    seen: set[str] = set()
    headline = squash(title)
    for raw in lines:
        line = raw.strip()
        key = squash(line)
        if not key or is_boilerplate(line):
            continue
        if len(key) > 40:
            if key in seen:
                continue
            seen.add(key)
        if key == headline and len(kept) < 3:
            continue
        kept.append(line)
    return kept


def is_boilerplate(line: str) -> bool:
    """Whether a line only leads elsewhere or credits a picture."""
    if len(line) <= _LONGEST_CALL and _CALL.match(line):
        return True
    return len(line) <= _LONGEST_CREDIT and _CREDIT.match(line) is not None
