"""Words that take back a little: "reportedly", "appeared to suggest", "may have"."""

from __future__ import annotations

import re

OVER = 16
ADVERB = (
    r"\b(?:reportedly|allegedly|apparently|seemingly|purportedly|supposedly|ostensibly|possibly|perhaps|presumably|"
    r"evidently|conceivably)\b"
)
AT_CUE = re.compile(
    rf"{ADVERB}|\b(?:appear(?:s|ed)?|seem(?:s|ed)?)\s+to\s+(?:have\s+)?\w+|\b(?:may|might|could)\s+(?:well\s+)?have\b"
    r"|\b(?:is|are|was|were)\s+(?:said|believed|thought|understood|reported|alleged|rumou?red)\s+to\b"
    r"|\b(?:is|are|was|were)\s+quoted\s+as\b|\b(?:may|might)\b",
    re.I,
)
IN_CONTENT = re.compile(
    rf"{ADVERB}|\b(?:may|might|could)\s+(?:well\s+)?(?:have|be)\b|\b(?:appear(?:s|ed)?|seem(?:s|ed)?)\s+to\b|\b(?:probably|likely)\b",
    re.I,
)


def hedge(
    text: str, cue: tuple[int, int] | None, around: tuple[int, int] | None, content: tuple[int, int] | None
) -> str | None:
    """The first hedging words in the cue, beside it (``around``), or, failing that, in an indirect content."""
    for span in (cue, around):
        if span is not None:
            # "appeared | to suggest": where the cue is cut short, the words are still read to their end.
            match = AT_CUE.search(text, span[0], span[1] + (OVER if span is cue else 0))
            if match is not None and match.start() >= span[1]:
                match = None
            if match is not None and not re.fullmatch(r"(?:is|are|was|were)\s+quoted\s+as", match.group(), re.I):
                return match.group()
    if content is not None:
        match = IN_CONTENT.search(text, *content)
        if match is not None:
            return match.group()
    return None
