"""Takes the article's body out of a parsed page."""

from __future__ import annotations

import trafilatura
from lxml.html import HtmlElement


def body(root: HtmlElement) -> str:
    """The body in paragraphs, blank lines between."""
    document = trafilatura.bare_extraction(root, fast=True, include_comments=False)
    text = getattr(document, "text", None) or ""
    return "\n\n".join(line.strip() for line in str(text).split("\n") if line.strip())
