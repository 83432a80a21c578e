"""What a feed says, as plain text: markup off, one paragraph a line, blank lines between. Raw HTML is never stored."""

from __future__ import annotations

import html
import re
from typing import Final

from lxml import etree

from pipeline import controls

_BREAKS: Final = frozenset(
    """
    address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905
)
_SILENT: Final = frozenset(
    """
    audio button canvas embed head iframe math noscript object script select style svg template textarea title video
    """.split()  # noqa: SIM905
)
_MARKUP = re.compile(r"</?[a-zA-Z]|<!--|<!\[CDATA\[|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]\w*);")
_KNOWN_TAG = re.compile(
    r"</?(?:p|a|b|i|u|br|hr|em|ul|ol|li|div|img|span|strong|h[1-6]|table|blockquote|figure|font)\b[^<>]*>", re.I
)

_MOST_MARKUP: Final = 1_000_000
"""Characters of markup that are read from one field; the plain text is cut long before that."""


def paragraphs(markup: str, *, limit: int) -> str:
    """HTML as plain paragraphs, at most ``limit`` characters, cut at a paragraph or a word where it must be cut."""
    markup = controls.clean(controls.without_sequences(markup[:_MOST_MARKUP]))
    if not _MARKUP.search(markup):
        return plain(markup, limit=limit)
    pieces: list[str] = []
    lines: list[str] = []
    silent = 0
    root = _tree(markup)
    if root is None:
        return plain(html.unescape(re.sub(r"<[^>]*>", " ", markup)), limit=limit)
    for event, node in etree.iterwalk(root, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            if tag in _BREAKS:
                _close(pieces, lines)
            silent += tag in _SILENT
            if node.text and not silent and tag:
                pieces.append(node.text)
        else:
            silent -= tag in _SILENT
            if tag in _BREAKS:
                _close(pieces, lines)
            if node.tail and not silent:
                pieces.append(node.tail)
    _close(pieces, lines)
    return cut(controls.clean("\n\n".join(lines)), limit)


def plain(text: str, *, limit: int) -> str:
    """Text without markup, as paragraphs: blank lines part them, other line ends are spaces."""
    blocks = re.split(r"\n\s*\n", controls.clean(text).replace("\r\n", "\n").replace("\r", "\n"))
    return cut("\n\n".join(line for line in (" ".join(block.split()) for block in blocks) if line), limit)


def line(text: str, *, limit: int, markup: bool = False) -> str:
    """A title or name in one line."""
    if markup and ("<" in text or "&" in text):
        text = paragraphs(text, limit=limit * 4)
    return cut(" ".join(controls.clean(text[: limit * 8]).split()), limit)


def looks_like_markup(text: str) -> bool:
    """Whether a text that is declared plain is HTML all the same."""
    return _KNOWN_TAG.search(text) is not None


def cut(text: str, limit: int) -> str:
    """The text, or as much of it as ends at a space within the limit."""
    if len(text) <= limit:
        return text
    head, space, _ = text[: limit + 1].rpartition(" ")
    return (head if space and len(head) > limit // 2 else text[:limit]).rstrip()


def _tree(markup: str) -> etree._Element | None:
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(f"<div>{markup}</div>".encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return None


def _close(pieces: list[str], lines: list[str]) -> None:
    if pieces:
        text = " ".join("".join(pieces).split())
        pieces.clear()
        if text:
            lines.append(text)
