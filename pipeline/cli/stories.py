"""An article among others, for a person: its story and carriers, its versions, and what stands against its claims."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from pipeline.cli.terminal import count_of, line, out, stamp, table
from pipeline.records import Assertion, Difference, Document, Placement, Status, Version

CARRIERS = 20
"""Articles of a story that are shown; ``--json`` has them all."""
CHANGES = 10
"""Sentences and claims of one version's change that are shown."""


def story_facts(placement: Placement) -> list[tuple[str, str]]:
    """What is known of an article's place, as names and values. A story goes by the headline of its first article."""
    if not placement.story:
        return []
    first = placement.carriers[0] if placement.carriers else None
    if first is None or placement.minutes == 0:
        after = "the first with this story"
    else:
        after = f"{count_of(placement.minutes, 'minute')} after {first.source}"
    origin = placement.origin + ("" if placement.origin_from == "outlet" else f" (by its {placement.origin_from})")
    headline = (first.title if first else "") or "(no headline)"
    outlets = count_of(len({carrier.source for carrier in placement.carriers}), "outlet")
    sources = count_of(placement.independent_sources, "independent source")
    status = "" if placement.status is Status.CURRENT else _status(placement)
    return [
        ("status", status),
        ("origin", origin),
        ("came", after),
        ("story", f"{headline} ({outlets}, {sources}, id {placement.story})"),
    ]


def _status(placement: Placement) -> str:
    when = f" {stamp(placement.status_at)}" if placement.status_at else ""
    return f"{placement.status}{when}" + (f": {placement.status_note}" if placement.status_note else "")


def print_carriers(document: Document) -> None:
    """Who else carries the story, first first, and when each had it."""
    placement = document.placement
    if len(placement.carriers) < 2:
        return
    shown = table("carried by", "at (UTC)", "minutes", "as", "headline", right=("minutes",))
    for carrier in placement.carriers[:CARRIERS]:
        kind = "a copy" if carrier.copy_of else "an account"
        if carrier.origin and carrier.origin != carrier.source:
            kind += f" of {line(carrier.origin)}"
        if carrier.status is not Status.CURRENT:
            kind += f", {carrier.status}"
        here = "bold" if carrier.article == document.article.id else ""
        at = _clock(carrier.time, placement.carriers[0].time)
        shown.add_row(Text(line(carrier.source), style=here), at, f"+{carrier.minutes}", kind, line(carrier.title))
    out.print(shown)
    if len(placement.carriers) > CARRIERS:
        out.print(Text(f"and {len(placement.carriers) - CARRIERS} more", style="dim"))
    out.print()


def _clock(time: datetime, first: datetime) -> str:
    """A carrier's time; of those that had it on the first one's day, the clock alone."""
    told = stamp(time)
    return told if time == first or told[:10] != stamp(first)[:10] else told[11:]


def print_versions(versions: Sequence[Version]) -> None:
    """What each version changed, newest first; nothing of an article with one."""
    if len(versions) < 2:
        return
    for version in reversed(versions):
        out.print(Text(f"version {version.number}", style="bold") + Text(f"  {stamp(version.at)}", style="dim"))
        if version.difference is not None:
            _print_difference(version.difference)
        elif version.number > 1:
            out.print(Text("  what it changed is not known", style="dim"))
    out.print()


def _print_difference(difference: Difference) -> None:
    if difference.title:
        out.print(Text("  the headline was ", style="dim") + Text(line(difference.title), style="red"))
    for claim in difference.claims[:CHANGES]:
        out.print(Text(f"  {', '.join(claim.what).replace('-', ' ')}", style="bold"))
        _print_change(claim.before, claim.after)
    for sentence in difference.sentences[:CHANGES]:
        _print_change(sentence.before, sentence.after)
    more = max(0, len(difference.claims) - CHANGES) + max(0, len(difference.sentences) - CHANGES)
    if more:
        out.print(Text(f"  and {count_of(more, 'change')} more", style="dim"))


def _print_change(before: str | None, after: str | None) -> None:
    for sign, words, style in (("-", before, "red"), ("+", after, "green")):
        if words:
            out.print(Text(f"    {sign} {line(words)}", style=style))


def print_assertion(assertion: Assertion) -> None:
    """Who else carries a claim, and what stands against it."""
    if len(assertion.carriers) > 1:
        sources = count_of(assertion.independent_sources, "independent source")
        out.print(Text(f"      carried by {', '.join(map(line, assertion.carriers))} ({sources})", style="dim"))
    for opposite in assertion.opposites:
        out.print(
            Text(f"      {opposite.relation}? ", style="yellow")
            + Text(f"{line(opposite.speaker)} {line(opposite.cue)}: {line(opposite.text)}")
            + Text(
                f" ({line(opposite.source)}, {stamp(opposite.time)}, {opposite.article[:8]}; a machine's guess, "
                f"{round(100 * opposite.confidence)}% sure)",
                style="dim",
            )
        )
