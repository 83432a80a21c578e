"""What an article says became of it: "UPDATE 2-", "CORRECTED-", "KILL" in wire style, and pages' own notes.

Wire style is that of the Reuters Handbook of Journalism and the AP Stylebook: a label before the headline, which a
dash or colon joins to it, and for corrections a line in brackets that says what is corrected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.records import Article, Status

_LABEL = re.compile(
    r"""^\s*(?:[\[(]\s*)?
    (?P<label>
        (?:mandatory\s+|bulletin\s+|story\s+)?kill(?:s|ed)?
      | withdrawn | withdrawal | withdraws | retract(?:ed|ion|s)?
      | (?:advisory|editors?['’]?\s+note)[-–—:,\s]+(?:withdrawn|story\s+withdrawn|kill)
      | correct(?:s|ed|ion|ive)(?:\s*\(official\))? | official\s+correction | fixes | refile[sd]?
      | clarif(?:ies|ied|ication)
      | update[sd]?(?:\s*(?P<number>\d{1,2}))?
      | (?P<lead>\d(?:st|nd|rd|th)\s+(?:ld|lead)|\d(?:st|nd|rd|th)ld)
      | advisory | urgent | wrapup(?:\s*\d{1,2})? | recasts
    )
    (?:\s*[\])])?\s*(?P<dash>[-–—:]+)\s*(?=\S)""",
    re.IGNORECASE | re.VERBOSE,
)
_NOTE_OPENS = re.compile(
    r"""^\W{0,3}(?:
        (?P<correct>corrections?\b|corrects?\b|corrected\b|amend(?:ed|ment)\b|this\s+version\s+corrects|fixes\b)
      | (?P<clarify>clarifications?\b|clarifies\b|clarified\b)
      | (?P<retract>retraction\b|withdrawn\b|story\s+withdrawn
          |editors?['’]?s?\s+note\s*[:–—-]\s*(?=[^.]{0,200}\b(?:withdrawn|retracted|removed)\b))
      | (?P<editor>editor(?:['’]?s)?['’]?\s+note\s*[:–—-])
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_PIECE = r"(?:this|the)\s+(?:story|article|report|headline|item)"
_NOTE_SAYS = re.compile(
    rf"""\b(?:
        (?P<retract>{_PIECE}\s+(?:has\s+been|was|is)\s+(?:withdrawn|retracted|removed|taken\s+down)
          |has\s+withdrawn\s+(?:the|this|its)\s+(?:story|report|article))
      | (?P<clarify>{_PIECE}\s+(?:has\s+been|was)\s+(?:\w+\s+)?clarified)
      | (?P<correct>{_PIECE}\s+(?:has\s+been|was)\s+(?:\w+\s+)?(?:corrected|amended)
          |(?:an\s+earlier|a\s+previous|the\s+original|earlier)\s+versions?
           \s+of\s+this\s+(?:story|article|report|item|headline)\b
           [^.]{{0,160}}\b(?:mis\w+|incorrect\w*|wrong\w*|errone\w+|said|stated|gave|referred|suggested|implied)
          |we\s+are\s+happy\s+to\s+correct|regrets?\s+the\s+error)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_KILL = re.compile(
    r"""\b(?:please\s+)?(?:kill|withdraw|disregard)\s+(?:the\s+|our\s+)?(?:story|item|report|article|copy)\b
      | \b(?:the|this)\s+(?:story|item|report|article)\s+(?:is|was|has\s+been)\s+(?:killed|withdrawn)\b
      | \bthere\s+will\s+be\s+no\s+substitute\b""",
    re.IGNORECASE | re.VERBOSE,
)
_HEADLINED = re.compile(
    r"\b(?:headlined|slugged|titled|headline)\s*[:,]?\s*[\"“„«'‘](?P<title>.{8,240}?)[\"”»’'](?=[\s.,;:)]|$)"
)
_LONGEST = 600
"""Characters of a note; what is longer is a report about a correction."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What an article says became of it, or of another one.

    ``kills`` is the headline of the story that it takes back, "" where it takes one back without naming it, ``None``
    where it takes nothing back.
    """

    status: Status = Status.CURRENT
    note: str | None = None
    update: int = 0
    """The number behind "UPDATE"."""
    kills: str | None = None


def bare_title(title: str) -> str:
    """A headline without its wire labels: what the updates of one story have in common."""
    while match := _LABEL.match(title):
        title = title[match.end() :]
    return title.strip()


def read(article: Article) -> Notice:
    """What the article says of itself, from its headline, the page's notes, and its first and last paragraphs."""
    found = Notice()
    title = article.title
    while match := _LABEL.match(title):
        label = re.sub(r"\s+", " ", match["label"].casefold())
        title = title[match.end() :]
        if re.search(r"kill|withdr|retract", label) or (label == "advisory" and _KILL.search(article.body[:600])):
            return Notice(
                Status.KILLED if "withdr" not in label and "retract" not in label else Status.WITHDRAWN,
                _first_sentences(article.body),
                kills=_killed(article.body) or title.strip(),
            )
        if label.startswith(("correct", "official", "fixes", "refile")) and found.status not in (Status.CORRECTED,):
            found = Notice(Status.CORRECTED, None, found.update)
        elif label.startswith("clarif"):
            found = Notice(Status.CLARIFIED, None, found.update)
        elif match["number"] or match["lead"]:
            number = int(match["number"] or match["lead"][0])
            found = Notice(
                found.status if found.status is not Status.CURRENT else Status.UPDATED, found.note, max(number, 1)
            )
        elif label.startswith("update") and found.status is Status.CURRENT:
            found = Notice(Status.UPDATED, found.note, 1)
    for line in _lines(article):
        status = _note(line)
        if status is not None:
            if status is Status.WITHDRAWN:
                return Notice(status, line, found.update, kills=None)
            if found.status in (Status.CURRENT, Status.UPDATED) or (found.status is status and found.note is None):
                return Notice(status, line, found.update)
    return found


def _lines(article: Article) -> list[str]:
    """Where notes stand: what the page sets apart, then the first two and the last three paragraphs."""
    paragraphs = article.body.split("\n\n")
    edges = paragraphs[:2] + paragraphs[-3:] if len(paragraphs) > 5 else paragraphs
    return [line for line in (*article.notes, *edges) if len(line) <= _LONGEST]


def note_status(line: str) -> Status | None:
    """What a line set apart on a page says became of its article; ``None`` where it says nothing of the kind."""
    return _note(line) if len(line) <= _LONGEST else None


def _note(line: str) -> Status | None:
    opens, says = _NOTE_OPENS.match(line), _NOTE_SAYS.search(line)
    groups = [match.lastgroup for match in (says, opens) if match]
    if "retract" in groups:
        return Status.WITHDRAWN
    if opens and opens.lastgroup == "editor" and not says:
        return Status.CLARIFIED if re.search(r"\bclarif", line, re.I) else None
    if opens and opens.lastgroup == "correct" and not says and not _formal(line):
        return None  # a report that begins "Correct answers were …"
    if "correct" in groups:
        return Status.CORRECTED
    if "clarify" in groups:
        return Status.CLARIFIED
    return None


def _formal(line: str) -> bool:
    """Whether a line that begins with "Corrects" or the like is a note: it stands in brackets, or a colon follows, or
    it says in which paragraph."""
    return bool(
        re.match(r"^\s*[(\[]", line)
        or re.match(r"^\W{0,3}[\w’']+(?:\s\w+)?\s*[:–—-]", line)
        or re.search(r"\b(?:paragraph|headline|spelling|typo|day of|para)\b", line, re.I)
    )


def _killed(body: str) -> str | None:
    match = _HEADLINED.search(body[:1_500])
    return match["title"] if match else None


def _first_sentences(body: str) -> str | None:
    first = body.split("\n\n", 1)[0].strip()
    return first[:_LONGEST] or None
