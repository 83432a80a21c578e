"""Why a source is not named, as written: "on the condition of anonymity because he was not authorised to speak"."""

from __future__ import annotations

import re

WHY = r"(?:\s*,?\s+(?:because|as|since|due to|owing to|citing|given|for fear|to|in order to)\b[^.;\n“”\"]*?)?"
END = r"(?=\s*(?:[.;:\n“”\"]|,\s|,?\s+(?:said|says|told|added|confirmed)\b|$))"
PATTERN = re.compile(
    rf"""
    (?P<condition>(?:up)?on\s+(?:the\s+)?(?:strict\s+)?condition\s+of\s+(?:strict\s+)?anonymity{WHY}{END}
        |under\s+(?:the\s+)?condition\s+of\s+anonymity{WHY}{END}
        |on\s+(?:the\s+)?condition\s+(?:that\s+)?(?:he|she|they|it|his|her|their)\b[^,.;\n“”"]*?(?:not\s+be|anonym)[^,.;\n“”"]*?{END})
    |(?P<asked>(?:who|and|but)\s+(?:has\s+|have\s+|had\s+)?(?:also\s+)?(?:asked|requested|declined|wished|wanted|spoke|speaking|insisted|preferred|refused|chose|
        did\s+not\s+(?:want|wish)|did\s+n[o']t\s+want|didn['’]t\s+want|demanded|sought|could\s+not)\s+[^.;\n“”",]*?
        (?:anonym\w+|not\s+be\s+(?:named|identified|quoted)|not\s+to\s+be\s+(?:named|identified|quoted)|be\s+(?:named|identified)|remain\s+(?:anonymous|unnamed|unidentified)|
        withheld|(?:his|her|their)\s+(?:full\s+)?names?(?:\s+(?:to\s+be\s+)?(?:printed|published|used|given|disclosed|made\s+public))?){WHY}{END})
    |(?P<declined>(?:asked|requested|declined|wished|wanted|preferred|refused)\s+(?:not\s+)?to\s+be\s+(?:named|identified|quoted){WHY}{END})
    |(?P<bare>(?:asking|requesting|seeking|declining|refusing|wishing|preferring|insisting|speaking|talking)\s+[^.;\n“”",]*?
        (?:anonym\w+|not\s+to\s+be\s+(?:named|identified|quoted)|to\s+be\s+(?:named|identified)|to\s+give\s+(?:his|her|their|a)\s+names?|remain\s+(?:anonymous|unnamed)){WHY}{END})
    |(?P<authority>(?:because|as|since|who)\s+(?:(?:he|she|they)\s+)?(?:was|were|is|are)\s*(?:not|n['’]t)\s+
        (?:yet\s+)?(?:authori[sz]ed|allowed|permitted|cleared|empowered)\s+[^.;\n“”",]*?{END})
    |(?P<lacking>\bnot\s+authori[sz]ed\s+to\s+(?:speak|talk|comment|brief|discuss)\b[^.;\n“”",]*?{END})
    """,
    re.I | re.X,
)


def reason(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The first reason for anonymity within the range, "who" and "and" left out; ``None`` where none is given."""
    match = PATTERN.search(text, start, end)
    if match is None:
        return None
    words = match.group()
    lead = re.search(r"\b(?:up)?on\s+(?:the\s+)?(?:strict\s+)?condition\b", words, re.I)
    skip = lead.start() if lead else len(re.match(r"(?:(?:who|and|but)\s+)?", words, re.I).group())  # type: ignore[union-attr]
    at, stop = match.start() + skip, match.end()
    while stop > at and text[stop - 1] in " ,":
        stop -= 1
    return at, stop
