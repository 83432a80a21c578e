"""Takes out of texts from the web what would act on a screen instead of being read.

Control characters (C0 and C1 of ECMA-48), whole terminal sequences, and the marks that change the direction of what
follows (UAX 9: embeddings, overrides, isolates). Blanks, line ends, the zero-width joiners that Persian, Urdu and Hindi
are spelt with, and the marks of direction that bind nothing beyond themselves (U+200E, U+200F) stay.
"""

from __future__ import annotations

import re

# ESC [ … letter (CSI), ESC ] … BEL and its kin (OSC, DCS, SOS, PM, APC), ESC ( B (character sets). Of their 8-bit
# forms only those that cannot be a letter of a mistaken Windows charset. "<" is in none: a sequence ends at a tag.
_SEQUENCE = (
    r"\x1b\[[0-9:;=?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|\x9d)[^\x00-\x1f<\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]"
    r"|\x9b[0-9;?]+[A-Za-z]"
)
_SEQUENCES = re.compile(_SEQUENCE)
_UNWANTED = re.compile(
    rf"{_SEQUENCE}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
_REFERENCE = re.compile(
    r"&#(?:0*([0-8]|1[124-9]|2[0-9]|3[01]|127)|[xX]0*([0-8bBcCeEfF]|1[0-9a-fA-F]|7[fF]))(?:;|(?![0-9A-Za-z]))"
)
_REFERRED = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|127)(?![0-9])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|7[fF])(?![0-9a-fA-F]))"
)
"""A reference to a control character, however it may end."""


def clean(text: str) -> str:
    """The text without controls, terminal sequences, marks of direction and halves of surrogate pairs. Tabs and line
    ends stay; "next line" (U+0085) becomes one."""
    if text.isascii() and text.isprintable():
        return text
    return _UNWANTED.sub("", text).replace("\x85", "\n")


def may_have_sequences(markup: bytes) -> bool:
    """Whether :func:`without_sequences` might change markup of these UTF-8 bytes. Bytes are searched several times as
    fast as text, and nearly all pages have none."""
    return b"\x1b" in markup or _REFERRED.search(markup) is not None


def without_sequences(markup: str) -> str:
    """Markup without terminal sequences, be their control characters written as such or as references (``&#27;``).
    Control characters outside of sequences come out as characters; the rarer 8-bit sequences are left to ``clean``."""
    if "&#" in markup:
        markup = _REFERENCE.sub(_referred, markup)
    return _SEQUENCES.sub("", markup) if "\x1b" in markup else markup


def _referred(found: re.Match[str]) -> str:
    return chr(int(found[1])) if found[1] else chr(int(found[2], 16))
