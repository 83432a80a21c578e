"""Matches on their way into the ledger: what of a batch is new, and what it changes for what was told before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from pipeline.ledger import tables as t
from pipeline.ledger.telling import AlertState, DeliveryState, Fired, StoryNow
from pipeline.records import Alert, AlertKind, Status, alert_id, from_json, to_json

if TYPE_CHECKING:
    from pipeline.ledger.outbox import Outbox

SAME_NEWS = timedelta(days=1)
"""Copies of one correction come from many carriers within hours; they are told once."""
OF_THE_STORY = {Status.CORRECTED, Status.WITHDRAWN, Status.KILLED}
"""What concerns everyone who was told of the story, whichever carrier says it; the rest concerns its own article."""


@dataclass(slots=True)
class _Known:
    """A match that the ledger has."""

    alert: Alert
    state: AlertState
    need: int
    channels: tuple[str, ...]
    fresh: bool = False


class Recorder:
    """Writes down one batch of matches, within a transaction."""

    def __init__(self, outbox: Outbox, db: Connection, stories: Sequence[StoryNow], now: datetime) -> None:
        self.outbox, self.db, self.stories, self.now = outbox, db, stories, now
        # Stories that were found to be one count as one: what was told of either was told of both.
        self.root = {one: story.story for story in stories for one in (story.story, *story.merged)}
        self.known: dict[tuple[str, str], list[_Known]] = {}
        ids = sorted(self.root)
        for at in range(0, len(ids), 400):
            for row in db.execute(select(t.alerts).where(t.alerts.c.story.in_(ids[at : at + 400]))):
                known = _Known(
                    from_json(row.record, Alert), AlertState(row.state), row.need, tuple(row.channels.split())
                )
                self.known.setdefault((row.rule, self.root[row.story]), []).append(known)

    def record(self, fired: Sequence[Fired]) -> None:
        """Write down the matches, and what the batch's stories change for those that are known."""
        for one in fired:
            self._match(one)
        for story in self.stories:
            # The list grows by notices on the way.
            for key in [key for key in self.known if key[1] == story.story]:
                for known in list(self.known[key]):
                    if known.alert.kind is AlertKind.MATCH:
                        self._grown(known, story)
                self._notify(key, story)

    def _match(self, fired: Fired) -> None:
        alert = fired.alert
        same = self.known.setdefault((alert.rule, self.root.get(alert.story, alert.story)), [])
        matches = [known for known in same if known.alert.kind is AlertKind.MATCH]
        twin = next((known for known in matches if known.alert.version == alert.version), None)
        if twin is not None:
            if fired.silent or twin.state is not AlertState.BASELINE or twin.alert.article == alert.article:
                return
            # What one feed had before us comes anew by another: that is news.
            alert = replace(alert, id=twin.alert.id)
            same.remove(twin)
            matches.remove(twin)
        if fired.copy and any(known.state is not AlertState.BASELINE for known in matches):
            # How often a carrier has retouched its copy says nothing of how far the story is: it is one carrier more.
            # Nothing is stored either, which would stand in the way of the story's own version of that number.
            return
        if fired.silent:
            state = AlertState.BASELINE
        elif fired.once and any(_spoken(known, alert) for known in matches):
            state = AlertState.THROTTLED
        else:
            state = AlertState.FIRED if alert.independent_sources >= fired.need else AlertState.WAITING
        self.outbox.add(self.db, alert, state, fired.need, fired.channels)
        same.append(_Known(alert, state, fired.need, fired.channels, fresh=True))

    def _grown(self, known: _Known, story: StoryNow) -> None:
        """A story has more carriers: alerts of it say so, and one that waited for sources may go out."""
        if known.state not in (AlertState.FIRED, AlertState.WAITING):
            return
        grown = replace(known.alert, carriers=story.carriers, independent_sources=story.independent_sources)
        released = known.state is AlertState.WAITING and story.independent_sources >= known.need
        if released:
            grown, known.state = replace(grown, fired=self.now), AlertState.FIRED
        if grown == known.alert:
            return
        known.alert = grown
        values = {"record": to_json(grown).decode(), "state": known.state.value, "fired": grown.fired}
        self.db.execute(update(t.alerts).where(t.alerts.c.id == grown.id).values(**values))
        if released:
            self.outbox.owe(self.db, grown, known.channels)

    def _notify(self, key: tuple[str, str], story: StoryNow) -> None:
        """Tell those who were alerted that the story was corrected, withdrawn, or is gone."""
        notice = story.notice
        if notice is None:
            return
        known = self.known[key]
        matches = [one for one in known if one.alert.kind is AlertKind.MATCH and one.state is AlertState.FIRED]
        if any(one.fresh and one.alert.article == notice.article for one in matches):
            return  # the alert that goes out now says it
        for one in known:
            if (
                one.alert.kind is AlertKind.NOTICE
                and one.alert.status is notice.status
                and _same_news(one.alert, notice)
            ):
                return
        told = [
            one
            for one in matches
            if not one.fresh
            and (one.alert.article == notice.article or notice.status in OF_THE_STORY)
            and not (one.alert.status is notice.status and _same_news(one.alert, notice))
        ]
        channels = self._told_by([one.alert.id for one in told])
        if not channels:
            return
        latest = max(told, key=lambda one: one.alert.fired).alert
        when = notice.status_at.isoformat() if notice.status_at else ""
        alert = replace(
            notice,
            id=alert_id(key[0], key[1], notice.version, f"{notice.status} {when} {notice.article}"),
            rule=key[0],
            severity=latest.severity,
            story=key[1],
            fired=self.now,
        )
        self.outbox.add(self.db, alert, AlertState.FIRED, 1, channels)
        known.append(_Known(alert, AlertState.FIRED, 1, channels, fresh=True))

    def _told_by(self, ids: Sequence[str]) -> tuple[str, ...]:
        """The channels by which these alerts went out, or are about to."""
        d = t.deliveries.c
        found = select(d.channel).where(d.alert.in_(ids), d.state != DeliveryState.SILENCED.value).distinct()
        return tuple(self.db.execute(found.order_by(d.channel)).scalars())


def _spoken(known: _Known, alert: Alert) -> bool:
    """Whether a rule that speaks once of a story has spoken, or knows this article from before us."""
    if known.state is AlertState.BASELINE:
        return known.alert.article == alert.article
    return known.state in (AlertState.FIRED, AlertState.WAITING)


def _same_news(one: Alert, other: Alert) -> bool:
    """Whether two articles' changes of status are one: the very same, or copies of it elsewhere."""
    if one.article == other.article:
        return one.status_at == other.status_at
    if one.status_at is None or other.status_at is None:
        return True
    return abs(one.status_at - other.status_at) < SAME_NEWS
